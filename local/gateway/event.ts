import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { ApiDescription } from '../api-template.ts';
import type { RouteMatch } from './routes.ts';

/** What the gateway knows about a request in addition to the request itself. */
export interface RequestFacts {
  requestId: string;
  extendedRequestId: string;
  receivedEpochMs: number;
  method: string;
  /** Raw and with the stage: `/v1/meetings/…`. */
  stagedPath: string;
  /** Raw and without the stage, with one slash at its beginning. */
  path: string;
  query: string;
  body: Buffer;
}

/** What a REST API does not hand on to Lambda (the page named in proxy-response.ts; the last two are seen, not documented). */
const DROPPED_HEADERS = [
  'connection',
  'content-md5',
  'expect',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
  'x-http-method-override',
  'content-length',
  'keep-alive',
];

/**
 * The event of a Lambda proxy integration of a REST API, payload format 1.0
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html): the path is as
 * it came, path parameters and query are percent-decoded, of repeated values the plain maps have the last.
 */
export function proxyEvent(
  request: IncomingMessage,
  facts: RequestFacts,
  { route, pathParameters }: RouteMatch,
  api: ApiDescription,
): APIGatewayProxyEvent {
  const multiValueHeaders = readHeaders(request, facts);
  const multiValueQuery = readQuery(facts.query);
  const body = facts.body.toString('utf8');
  return {
    resource: route.resource,
    path: facts.path,
    httpMethod: facts.method,
    headers: lastValues(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: multiValueQuery && lastValues(multiValueQuery),
    multiValueQueryStringParameters: multiValueQuery,
    pathParameters: Object.keys(pathParameters).length > 0 ? pathParameters : null,
    stageVariables: null,
    requestContext: {
      accountId: api.accountId,
      apiId: api.apiId,
      authorizer: undefined,
      domainName: request.headers.host ?? '',
      domainPrefix: api.apiId,
      extendedRequestId: facts.extendedRequestId,
      httpMethod: facts.method,
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.socket.remoteAddress ?? '',
        user: null,
        userAgent: request.headers['user-agent'] ?? null,
        userArn: null,
      },
      path: facts.stagedPath,
      protocol: `HTTP/${request.httpVersion}`,
      requestId: facts.requestId,
      requestTime: commonLogTime(facts.receivedEpochMs),
      requestTimeEpoch: facts.receivedEpochMs,
      resourceId: 'local',
      resourcePath: route.resource,
      stage: api.stageName,
    },
    body: body === '' ? null : body,
    isBase64Encoded: false,
  };
}

/** Names keep their spelling, and are compared case-insensitively. */
function readHeaders(request: IncomingMessage, facts: RequestFacts): Record<string, string[]> {
  const spelling = new Map<string, string>();
  const headers: Record<string, string[]> = {};
  const add = (name: string, value: string) => {
    const spelled = spelling.get(name.toLowerCase()) ?? name;
    spelling.set(name.toLowerCase(), spelled);
    headers[spelled] = [...(headers[spelled] ?? []), value];
  };
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string;
    const value = request.rawHeaders[index + 1] as string;
    const signed = name.toLowerCase() === 'authorization' && value.startsWith('AWS4-HMAC-SHA256');
    const forwarded = name.toLowerCase().startsWith('x-forwarded-');
    if (!signed && !forwarded && !DROPPED_HEADERS.includes(name.toLowerCase())) add(name, value);
  }
  const claimed = request.headers['x-forwarded-for'];
  add('X-Forwarded-For', [claimed, request.socket.remoteAddress].filter(Boolean).join(', '));
  add('X-Forwarded-Port', String(request.socket.localPort));
  add('X-Forwarded-Proto', 'http');
  if (!spelling.has('x-amzn-trace-id')) {
    const seconds = Math.floor(facts.receivedEpochMs / 1000).toString(16);
    add('X-Amzn-Trace-Id', `Root=1-${seconds}-${facts.requestId.replace(/[^0-9a-f]/g, '').slice(-24)}`);
  }
  return headers;
}

function readQuery(query: string): Record<string, string[]> | null {
  const values: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) values[name] = [...(values[name] ?? []), value];
  return Object.keys(values).length > 0 ? values : null;
}

function lastValues(values: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.at(-1) as string]));
}

/** `09/Apr/2015:12:34:56 +0000`. */
function commonLogTime(epochMs: number): string {
  const [, day, month, year, time] = new Date(epochMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
