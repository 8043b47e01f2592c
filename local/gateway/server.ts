import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { ApiDescription, Throttle } from '../api-template.ts';
import { close, LOOPBACK, listen, listenNear } from '../http-server.ts';
import type { FunctionPool } from '../lambda/pool.ts';
import { proxyEvent, type RequestFacts } from './event.ts';
import { createErrorShaper, type GatewayErrorType, type HttpAnswer } from './gateway-responses.ts';
import { readProxyResponse } from './proxy-response.ts';
import { createRoutes, type RouteMatch } from './routes.ts';
import { createThrottle } from './throttle.ts';

/** Quotas of a REST API (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html). */
const MAX_BODY_BYTES = 10_485_760;
const MAX_HEADER_VALUE_BYTES = 10_240;

/** The largest event of a synchronous invocation (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const MAX_EVENT_BYTES = 6_291_456;

/** A request and its answer, for a terminal. */
export interface AnsweredRequest {
  requestId: string;
  method: string;
  /** Raw, without the query. */
  path: string;
  status: number;
  durationMs: number;
  body: string;
  /** Whether a function was invoked, which then has its own log line. */
  integrated: boolean;
}

export interface GatewayOptions {
  /** 0 for a free one. */
  port: number;
  /** Whether to use a free port if `port` is taken. */
  orFree?: boolean;
  /** By the ARN in the integrations. */
  functions: Map<string, Pick<FunctionPool, 'invoke'>>;
  onAnswer?: (answered: AnsweredRequest) => void;
  /** Sees every request first, and may answer instead of the API. */
  guard?: (listener: RequestListener) => RequestListener;
}

/**
 * Serves an API on this machine like an API Gateway REST API, from the methods and gateway responses that would be
 * deployed.
 *
 * @returns `url` has the stage and no trailing slash
 * @throws if an integration or a gateway response refers to something that does not exist, or the port is taken
 */
export async function startGateway(
  api: ApiDescription,
  { port, orFree = false, functions, onAnswer = () => {}, guard = (listener) => listener }: GatewayOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  for (const { functionArn } of api.methods) {
    if (!functions.has(functionArn)) {
      throw new Error(`The API names the function ${functionArn}, which the template lacks.`);
    }
  }
  const findRoute = createRoutes(api.methods);
  const shapeError = createErrorShaper(api.gatewayResponses);
  const admission = (throttle: Throttle | undefined) =>
    throttle ? createThrottle(throttle, () => performance.now()) : () => true;
  const admit = admission(api.throttle);
  const admitMethod = new Map(
    Object.entries(api.methodThrottles ?? {}).map(([method, throttle]) => [method, admission(throttle)]),
  );

  async function answer(request: IncomingMessage, facts: RequestFacts): Promise<HttpAnswer> {
    const fail = (type: GatewayErrorType, message: string) =>
      shapeError({ type, message }, contextVariables(api, facts));
    if (!isWithin(facts.stagedPath, `/${api.stageName}`)) {
      return { ...json(403, 'Forbidden'), headers: { 'x-amzn-ErrorType': 'ForbiddenException' } };
    }
    if (!isDecodable(facts.path)) return fail('DEFAULT_4XX', 'Bad Request');
    const match = findRoute(facts.method, facts.path);
    if (match === undefined) return fail('MISSING_AUTHENTICATION_TOKEN', 'Missing Authentication Token');
    const takeToken = admitMethod.get(`${facts.method} ${match.route.resource}`) ?? admit;
    if (!takeToken()) return fail('THROTTLED', 'Too Many Requests');
    const event = proxyEvent(request, facts, match, api);
    if (isTooLargeForLambda(event, facts.body)) return json(413, 'Request Too Long');
    return { ...(await integrate(match, event, fail)), integrated: true };
  }

  async function integrate(
    { route }: RouteMatch,
    event: unknown,
    fail: (type: GatewayErrorType, message: string) => HttpAnswer,
  ): Promise<HttpAnswer> {
    const timeout = Promise.withResolvers<'timeout'>();
    const timer = setTimeout(() => timeout.resolve('timeout'), route.timeoutMs);
    try {
      const returned = await Promise.race([functions.get(route.functionArn)?.invoke(event), timeout.promise]);
      return returned === 'timeout'
        ? fail('INTEGRATION_TIMEOUT', 'Endpoint request timed out')
        : readProxyResponse(returned);
    } catch (error) {
      console.error(`usher: ${route.resource} failed: ${(error as Error).message}`);
      return fail('DEFAULT_5XX', 'Internal server error');
    } finally {
      clearTimeout(timer);
    }
  }

  // Node's own limit is above the gateway's, so that the gateway answers.
  const server = createServer({ maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000 }, guard(serve));
  const listeningPort = await (orFree ? listenNear : listen)(server, port);
  return { url: `http://${LOOPBACK}:${listeningPort}/${api.stageName}`, close: () => close(server) };

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const startedMs = performance.now();
    const ids = { requestId: requestId(request), extendedRequestId: extendedRequestId() };
    handle(request, ids, api.stageName, answer)
      .then((result) => {
        send(response, ids, result);
        onAnswer(describeAnswer(request, ids, result, performance.now() - startedMs));
      })
      .catch((error) => {
        // A client that disconnected in the middle of its request needs no answer, and is not an error.
        if (!request.readableAborted) console.error('usher: the local gateway failed:', error);
        request.destroy();
      });
  }
}

function describeAnswer(
  request: IncomingMessage,
  { requestId }: RequestIds,
  { statusCode, body, integrated = false }: HttpAnswer,
  durationMs: number,
): AnsweredRequest {
  const [path = '/'] = (request.url ?? '/').split('?');
  return { requestId, method: methodOf(request), path, status: statusCode, durationMs, body, integrated };
}

type RequestIds = Pick<RequestFacts, 'requestId' | 'extendedRequestId'>;

/** The `$context.requestId`: a client may choose it, as the reference of `$context` variables says. */
function requestId(request: IncomingMessage): string {
  const chosen = request.headers['x-amzn-requestid'];
  return typeof chosen === 'string' && /^[\w-]{1,128}$/.test(chosen) ? chosen : randomUUID();
}

function extendedRequestId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

async function handle(
  request: IncomingMessage,
  ids: RequestIds,
  stageName: string,
  answer: (request: IncomingMessage, facts: RequestFacts) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const receivedEpochMs = Date.now();
  // Both texts are observed on deployed APIs; that the first is also a 413 is a guess. Neither can be shaped (the
  // important notes of API Gateway say so of REQUEST_TOO_LARGE).
  if (headerValueBytes(request) > MAX_HEADER_VALUE_BYTES) {
    return text(413, `HTTP header is larger than ${MAX_HEADER_VALUE_BYTES} bytes.`);
  }
  const body = await readBody(request);
  if (body === undefined) return text(413, `HTTP content length exceeded ${MAX_BODY_BYTES} bytes.`);
  const [rawPath = '/', ...query] = (request.url ?? '/').split('?');
  const stagedPath = rawPath.replace(/^\/+/, '/');
  return answer(request, {
    ...ids,
    receivedEpochMs,
    method: methodOf(request),
    stagedPath,
    // Observed, not documented: several slashes behind the stage are one in the event's `path`, not in that of its
    // context.
    path: stagedPath.slice(stageName.length + 1).replace(/^\/*/, '/'),
    query: query.join('?'),
    body,
  });
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html: the header overrides the method. */
function methodOf(request: IncomingMessage): string {
  const override = request.headers['x-http-method-override'];
  return typeof override === 'string' ? override : (request.method ?? 'GET');
}

function headerValueBytes(request: IncomingMessage): number {
  return request.rawHeaders
    .filter((_, index) => index % 2 === 1)
    .reduce((sum, value) => sum + Buffer.byteLength(value, 'latin1'), 0);
}

/** @returns `undefined` if it is too long; the rest is read and discarded, so that the answer arrives */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return length <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}

function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function isTooLargeForLambda(event: unknown, body: Buffer): boolean {
  // No body of less than a sixth can be too large: JSON expands one byte to at most six.
  return body.length > MAX_EVENT_BYTES / 6 && Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES;
}

function contextVariables(api: ApiDescription, facts: RequestFacts): Record<string, string> {
  return {
    accountId: api.accountId,
    apiId: api.apiId,
    extendedRequestId: facts.extendedRequestId,
    httpMethod: facts.method,
    path: facts.stagedPath,
    requestId: facts.requestId,
    stage: api.stageName,
  };
}

function json(statusCode: number, message: string): HttpAnswer {
  return { statusCode, headers: {}, body: JSON.stringify({ message }) };
}

function text(statusCode: number, body: string): HttpAnswer {
  return { statusCode, headers: { 'Content-Type': 'text/plain' }, body };
}

function send(response: ServerResponse, ids: RequestIds, { statusCode, headers, body }: HttpAnswer): void {
  response.statusCode = statusCode;
  response.setHeader('Content-Type', 'application/json');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('x-amzn-RequestId', ids.requestId);
  response.setHeader('x-amz-apigw-id', ids.extendedRequestId);
  response.end(body);
}
