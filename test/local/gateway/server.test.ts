import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { startGateway } from '../../../local/gateway/server.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:f';

function method(name: string, resource: string, timeoutMs = 29_000) {
  return { method: name, resource, functionArn: ARN, timeoutMs };
}

const API = {
  apiId: 'abcdefghij',
  accountId: '123456789012',
  stageName: 'v1',
  methods: [
    method('GET', '/'),
    method('POST', '/rooms/{roomId}'),
    method('ANY', '/rooms/{roomId}'),
    method('GET', '/slow', 50),
  ],
  gatewayResponses: {
    DEFAULT_5XX: {
      statusCode: '500',
      responseParameters: { 'gatewayresponse.header.x-amzn-ErrorType': "'ServiceFailureException'" },
      responseTemplates: {
        'application/json': '{"Code":"ServiceFailure","RequestId":"$context.requestId"}',
      },
    },
  },
};

let url: string;
let closeGateway: () => Promise<void>;
let events: APIGatewayProxyEvent[];
let behave: (event: APIGatewayProxyEvent) => unknown;

beforeAll(async () => {
  const invoke = async (event: unknown) => {
    events.push(event as APIGatewayProxyEvent);
    return behave(event as APIGatewayProxyEvent);
  };
  const gateway = await startGateway(API, { port: 0, functions: new Map([[ARN, { invoke }]]) });
  url = gateway.url;
  closeGateway = gateway.close;
});

afterAll(() => closeGateway());

beforeEach(() => {
  events = [];
  behave = () => ({ statusCode: 200, body: 'ok' });
});

/** fetch hides repeated and forbidden headers. */
async function send(
  path: string,
  options: { method?: string; headers?: string[]; body?: string | Buffer } = {},
) {
  const { origin } = new URL(url);
  const request = httpRequest(origin + path, {
    method: options.method ?? 'GET',
    headers: ['Host', 'example.test', 'Connection', 'close', ...(options.headers ?? [])],
  });
  request.end(options.body);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe('the event', () => {
  it('has all that a REST API hands on', async () => {
    const startedMs = Date.now();
    await send('/v1/rooms/a%20b?x=1&y=%C3%A9&x=2+3', {
      method: 'POST',
      headers: ['User-Agent', 'agent/1', 'X-Twice', '1', 'x-twice', '2'],
      body: '{"é":1}',
    });
    const [event] = events as [APIGatewayProxyEvent];
    expect(event).toMatchObject({
      resource: '/rooms/{roomId}',
      path: '/rooms/a%20b',
      httpMethod: 'POST',
      queryStringParameters: { x: '2 3', y: 'é' },
      multiValueQueryStringParameters: { x: ['1', '2 3'], y: ['é'] },
      pathParameters: { roomId: 'a b' },
      stageVariables: null,
      body: '{"é":1}',
      isBase64Encoded: false,
      headers: {
        Host: 'example.test',
        'User-Agent': 'agent/1',
        'X-Twice': '2',
        'X-Forwarded-For': '127.0.0.1',
      },
      multiValueHeaders: { Host: ['example.test'], 'X-Twice': ['1', '2'] },
      requestContext: {
        accountId: '123456789012',
        apiId: 'abcdefghij',
        domainName: 'example.test',
        httpMethod: 'POST',
        path: '/v1/rooms/a%20b',
        protocol: 'HTTP/1.1',
        resourcePath: '/rooms/{roomId}',
        stage: 'v1',
        identity: { sourceIp: '127.0.0.1', userAgent: 'agent/1', accountId: null },
      },
    });
    const { requestTime, requestTimeEpoch } = event.requestContext;
    expect(requestTimeEpoch).toBeGreaterThanOrEqual(startedMs);
    expect(requestTime).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(Math.floor(requestTimeEpoch / 1000)).toBe(
      Date.parse((requestTime as string).replaceAll('/', ' ').replace(':', ' ')) / 1000,
    );
  });

  it('has the path as it came, whatever slashes were passed over to find the resource', async () => {
    const paths = [];
    for (const path of ['/v1/rooms/1/', '/v1/rooms//1', '/v1//rooms/1']) {
      await send(path, { method: 'POST' });
      const { resource, path: raw, pathParameters, requestContext } = events.pop() as APIGatewayProxyEvent;
      expect([resource, pathParameters]).toEqual(['/rooms/{roomId}', { roomId: '1' }]);
      paths.push([raw, requestContext.path]);
    }
    expect(paths).toEqual([
      ['/rooms/1/', '/v1/rooms/1/'],
      ['/rooms//1', '/v1/rooms//1'],
      ['/rooms/1', '/v1//rooms/1'],
    ]);
  });

  it('has null for absent members', async () => {
    await send('/v1');
    expect(events[0]).toMatchObject({
      resource: '/',
      path: '/',
      body: null,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
    });
  });

  it('lacks the headers that a REST API keeps back', async () => {
    await send('/v1', {
      headers: [
        'Authorization',
        'AWS4-HMAC-SHA256 x',
        'TE',
        'trailers',
        'Max-Forwards',
        '1',
        'X-Kept',
        'yes',
      ],
    });
    const names = Object.keys((events[0] as APIGatewayProxyEvent).headers);
    expect(names).toContain('X-Kept');
    for (const name of ['Authorization', 'TE', 'Max-Forwards', 'Connection', 'Content-Length']) {
      expect(names).not.toContain(name);
    }
  });

  it('has a bearer token as it came', async () => {
    await send('/v1', { headers: ['authorization', 'Bearer t'] });
    expect(events[0]?.headers['authorization']).toBe('Bearer t');
  });

  it('has the request id of the answer, which a client may choose', async () => {
    const { headers } = await send('/v1');
    expect(events[0]?.requestContext.requestId).toBe(headers['x-amzn-requestid']);
    expect(events[0]?.requestContext.extendedRequestId).toBe(headers['x-amz-apigw-id']);
    const chosen = await send('/v1', { headers: ['x-amzn-RequestId', 'chosen-1'] });
    expect(chosen.headers['x-amzn-requestid']).toBe('chosen-1');
    expect(events[1]?.requestContext.requestId).toBe('chosen-1');
  });

  it('has the method that overrides the one of the request', async () => {
    await send('/v1/rooms/1', { headers: ['X-HTTP-Method-Override', 'POST'] });
    expect(events[0]?.httpMethod).toBe('POST');
  });
});

describe('the answer', () => {
  it('is what the function returned', async () => {
    behave = () => ({
      statusCode: 418,
      headers: { 'Content-Type': 'text/plain', Date: 'then' },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: 'é',
    });
    const { status, headers, body } = await send('/v1');
    expect([status, body]).toEqual([418, 'é']);
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '2',
      'set-cookie': ['a=1', 'b=2'],
      'x-amzn-remapped-date': 'then',
    });
    expect(Date.parse(headers['date'] as string)).not.toBeNaN();
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['answers what is no proxy response', () => ({ nonsense: true })],
    ['answers nothing', () => null],
  ])('is a modelled 500 if the function %s, and is logged', async (_, behaviour) => {
    behave = behaviour;
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    const { status, headers, body } = await send('/v1');
    expect(logged.mock.calls).toEqual([[expect.stringMatching(/^usher: \/ failed: /)]]);
    logged.mockRestore();
    expect(status).toBe(500);
    expect(headers['x-amzn-errortype']).toBe('ServiceFailureException');
    expect(JSON.parse(body)).toEqual({ Code: 'ServiceFailure', RequestId: headers['x-amzn-requestid'] });
  });

  it('is a modelled 500 if the function takes too long', async () => {
    const never = Promise.withResolvers<void>();
    behave = () => never.promise;
    expect(await send('/v1/slow')).toMatchObject({ status: 500 });
    never.resolve();
  });

  it.each([
    ['another stage', '/v2/rooms/1', 'ForbiddenException', 'Forbidden'],
    ['a longer stage', '/v10', 'ForbiddenException', 'Forbidden'],
    ['no stage', '/', 'ForbiddenException', 'Forbidden'],
    ['no resource', '/v1/nowhere', 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  ])('is a 403 for %s', async (_, path, errorType, message) => {
    const { status, headers, body } = await send(path);
    expect([status, headers['x-amzn-errortype'], JSON.parse(body)]).toEqual([403, errorType, { message }]);
    expect(events).toEqual([]);
  });

  it('is a 403 for a method that the resource lacks', async () => {
    expect(await send('/v1/slow', { method: 'POST' })).toMatchObject({ status: 403 });
  });

  it('is a 400 for a path that cannot be decoded', async () => {
    expect(await send('/v1/rooms/%zz')).toMatchObject({ status: 400 });
  });
});

describe('the quotas', () => {
  it('reject a body of more than 10 MB', async () => {
    const refused = await send('/v1/rooms/1', { method: 'POST', body: Buffer.alloc(10_485_761) });
    expect(refused).toMatchObject({ status: 413, body: 'HTTP content length exceeded 10485760 bytes.' });
    expect(events).toEqual([]);
  });

  it('reject an event of more than 6 MB, which a smaller body can make', async () => {
    const body = Buffer.alloc(3_500_000, '"');
    expect(await send('/v1/rooms/1', { method: 'POST', body })).toMatchObject({
      status: 413,
      body: '{"message":"Request Too Long"}',
    });
    expect(await send('/v1/rooms/1', { method: 'POST', body: Buffer.alloc(3_500_000, 'x') })).toMatchObject({
      status: 200,
    });
  });

  it('reject more than 10240 bytes of header values', async () => {
    const ALWAYS = 'example.test'.length + 'close'.length;
    const headers = (length: number) => ['X-Long', 'x'.repeat(length)];
    expect(await send('/v1', { headers: headers(10_240 - ALWAYS) })).toMatchObject({ status: 200 });
    expect(await send('/v1', { headers: headers(10_241 - ALWAYS) })).toMatchObject({
      status: 413,
      body: 'HTTP header is larger than 10240 bytes.',
    });
  });

  it('answer 429 beyond the throttle of the stage', async () => {
    const throttled = await startGateway(
      { ...API, throttle: { requestsPerSecond: 0.001, burst: 2 } },
      { port: 0, functions: new Map([[ARN, { invoke: async () => ({ statusCode: 200 }) }]]) },
    );
    const statuses = [];
    for (let count = 0; count < 3; count++) statuses.push((await fetch(throttled.url)).status);
    expect(statuses).toEqual([200, 200, 429]);
    await throttled.close();
  });

  it("keep a method's own throttle apart from the stage's", async () => {
    const once = { requestsPerSecond: 0.001, burst: 1 };
    const throttled = await startGateway(
      { ...API, throttle: once, methodThrottles: { 'OPTIONS /rooms/{roomId}': once } },
      { port: 0, functions: new Map([[ARN, { invoke: async () => ({ statusCode: 200 }) }]]) },
    );
    const statuses = [];
    for (const method of ['OPTIONS', 'OPTIONS', 'POST', 'POST']) {
      statuses.push((await fetch(`${throttled.url}/rooms/1`, { method })).status);
    }
    expect(statuses).toEqual([200, 429, 200, 429]);
    await throttled.close();
  });
});

describe('the gateway', () => {
  it('keeps running when a client disconnects', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /v1/rooms/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect(await send('/v1')).toMatchObject({ status: 200 });
    expect(events).toHaveLength(1);
  });

  it('rejects a missing function', async () => {
    await expect(startGateway(API, { port: 0, functions: new Map() })).rejects.toThrow(ARN);
  });
});
