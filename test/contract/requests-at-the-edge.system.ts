import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ABSENT_MEETING, createMeeting, mintToken } from '../support/contract/clients.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

let system: RunningSystem;
let token: string;
let meetingId: string;
beforeAll(async () => {
  system = await startSystem({ config: { ...unthrottledConfig(), allowedHeaders: ['X-Correlation-Id'] } });
  token = await mintToken(system.environment);
  meetingId = await createMeeting(system.environment);
}, 60_000);
afterAll(() => system.stop());

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface RawRequest {
  method?: string;
  /** With the stage; `MEETING` stands for one that exists. */
  path?: string;
  /** Added to a bearer token and the content type; an undefined one is taken away. */
  headers?: Record<string, string | string[] | undefined>;
  body?: string | Buffer;
}

const BODY = '{"Attendees":[{"ExternalUserId":"alice"}]}';
const PATH = '/v1/meetings/MEETING/attendees?operation=batch-create';
/** GetMeeting. */
const GET: RawRequest = { method: 'GET', path: '/v1/meetings/MEETING', body: '' };
const getAt = (path: string): RawRequest => ({ ...GET, path });

/** As raw as Node sends it: `fetch` would tidy up. */
async function send({
  method = 'POST',
  path = PATH,
  headers = {},
  body = BODY,
}: RawRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const given: Record<string, string | string[] | undefined> = {
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const { hostname, port } = new URL(system.environment.apiUrl);
  const request = httpRequest(
    {
      hostname,
      port,
      method,
      path: path.replace('MEETING', meetingId),
      headers: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      agent: false,
    },
    resolve,
  );
  request.on('error', reject);
  request.end(body);
  const response = await promise;
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** The class of a modelled error, seen from all three places that tell it. */
function classOf({ status, headers, body }: Answer): string {
  if (status === 200) return `200 with ${Object.keys(JSON.parse(body))}`;
  const { Code, Message, RequestId } = JSON.parse(body);
  expect(Message).toMatch(/\w/);
  expect(RequestId).toBe(headers['x-amzn-requestid']);
  expect(headers['x-amzn-errortype']).toBe(`${Code}Exception`);
  return `${status} ${Code}Exception`;
}

const OK = '200 with Attendees,Errors';
const MEETING_OK = '200 with Meeting';
const BAD_REQUEST = '400 BadRequestException';
const UNAUTHORIZED = '401 UnauthorizedException';
const NOT_FOUND = '404 NotFoundException';

describe('a request', () => {
  const cases: [string, RawRequest, string][] = [
    ['as it should be', {}, OK],
    ['without a content type', { headers: { 'Content-Type': undefined } }, OK],
    ['with a charset', { headers: { 'Content-Type': 'application/json; charset=iso-8859-1' } }, OK],
    ['with a content type in capitals', { headers: { 'Content-Type': 'APPLICATION/JSON' } }, OK],
    ['of plain text', { headers: { 'Content-Type': 'text/plain' } }, BAD_REQUEST],
    ['of another JSON', { headers: { 'Content-Type': 'application/x-amz-json-1.1' } }, BAD_REQUEST],
    ['with a byte order mark', { body: `\ufeff${BODY}` }, BAD_REQUEST],
    ['in UTF-16', { body: Buffer.from(BODY, 'utf16le') }, BAD_REQUEST],
    ['packed', { body: gzipSync(BODY), headers: { 'Content-Encoding': 'gzip' } }, BAD_REQUEST],
    ['without a body', { body: '' }, BAD_REQUEST],
    ['with one more parameter', { path: `${PATH}&max-results=5` }, OK],
    ['with the operation twice', { path: `${PATH}&operation=batch-create` }, BAD_REQUEST],
    ['with an encoded operation', { path: PATH.replace('batch-create', 'batch%2Dcreate') }, OK],
    ['with the operation in capitals', { path: PATH.replace('batch-create', 'BATCH-CREATE') }, BAD_REQUEST],
    ['without operation', { path: PATH.replace(/\?.*/, '') }, BAD_REQUEST],
    ['with an encoded id', { path: PATH.replace('MEETING', ABSENT_MEETING.replace('3', '%33')) }, NOT_FOUND],
    ['with an id encoded twice', { path: PATH.replace('MEETING', 'MEETING%2533') }, BAD_REQUEST],
    ['with a path that cannot be decoded', { path: PATH.replace('MEETING', '%zz') }, BAD_REQUEST],
    ['with a trailing slash', { path: PATH.replace('?', '/?') }, NOT_FOUND],
    ['with a doubled slash', { path: PATH.replace('/meetings', '//meetings') }, NOT_FOUND],
    ['with a doubled slash before the id', { path: PATH.replace('MEETING', '/MEETING') }, NOT_FOUND],
    ['with a doubled slash at the end', { path: PATH.replace('?', '//?') }, NOT_FOUND],
    ['for another path', { path: '/v1/meetings' }, NOT_FOUND],
    ['for the root', { path: '/v1' }, NOT_FOUND],
    ['by GET', { method: 'GET', body: '' }, BAD_REQUEST],
    ['for a meeting', GET, MEETING_OK],
    ['for a meeting, with a body that it does not need', { ...GET, body: '{' }, MEETING_OK],
    ['for a meeting, of plain text', { ...GET, headers: { 'Content-Type': 'text/plain' } }, MEETING_OK],
    ['for a meeting, with one more parameter', getAt(`${GET.path}?x=5`), MEETING_OK],
    ['for a meeting, with an operation', getAt(`${GET.path}?operation=batch-create`), BAD_REQUEST],
    ['for a meeting that is not there', getAt(`/v1/meetings/${ABSENT_MEETING}`), NOT_FOUND],
    ['for a meeting, with an encoded id', getAt(`/v1/meetings/%33${ABSENT_MEETING.slice(1)}`), NOT_FOUND],
    ['for a meeting, with no id', getAt('/v1/meetings/MEETING%0a'), BAD_REQUEST],
    ['for a meeting, with a trailing slash', getAt('/v1/meetings/MEETING/'), NOT_FOUND],
    ['for a meeting, with a doubled slash', getAt('/v1//meetings/MEETING'), NOT_FOUND],
    ['for a meeting, by POST', { path: '/v1/meetings/MEETING' }, BAD_REQUEST],
    ['for a meeting, by DELETE', { ...GET, method: 'DELETE' }, BAD_REQUEST],
    ['for a meeting, without a token', { ...GET, headers: { Authorization: undefined } }, UNAUTHORIZED],
    ['by PUT', { method: 'PUT' }, BAD_REQUEST],
    ['by DELETE elsewhere', { method: 'DELETE', path: '/v1/x' }, NOT_FOUND],
    ['by TRACE', { method: 'TRACE', body: '' }, NOT_FOUND],
    ['without a token', { headers: { Authorization: undefined } }, UNAUTHORIZED],
    ['with another scheme', { headers: { Authorization: 'Basic YWxpY2U6' } }, UNAUTHORIZED],
    ['with two tokens', { headers: { Authorization: ['Bearer a', 'Bearer b'] } }, UNAUTHORIZED],
    ['with a token of 9 KB', { headers: { Authorization: `Bearer ${'a'.repeat(9_000)}` } }, UNAUTHORIZED],
    ['nested beyond all measure', { body: `{"Attendees":${'['.repeat(100_000)}` }, BAD_REQUEST],
  ];
  it.each(cases)('%s has its modelled answer', async (_what, request, expected) => {
    expect(classOf(await send(request))).toBe(expected);
  });

  it('has no body by HEAD, and names the class in a header', async () => {
    const { status, headers, body } = await send({ method: 'HEAD', body: '' });
    expect([status, headers['x-amzn-errortype'], body]).toEqual([400, 'BadRequestException', '']);
  });

  it('reaches Chime with the meeting id in capitals as spelt', async () => {
    const { status, body } = await send({ path: PATH.replace('MEETING', ABSENT_MEETING.toUpperCase()) });
    expect(status).toBe(404);
    expect(JSON.parse(body).Message).toBe(`Meeting ${ABSENT_MEETING.toUpperCase()} not found`);
  });

  it('is rejected at once, unread, with five megabytes', async () => {
    const startedMs = performance.now();
    const answer = await send({ body: `{"Attendees":[${'{},'.repeat(1_700_000)}{}]}` });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(classOf(answer)).toBe(BAD_REQUEST);
    expect(JSON.parse(answer.body).Message).toBe('The body must have at most 262144 characters.');
  });

  it('is rejected for the decisive violation among as many as fit', async () => {
    const answer = await send({ body: `{"Attendees":[${'{},'.repeat(80_000)}{}]}` });
    expect(classOf(answer)).toBe(BAD_REQUEST);
    expect(JSON.parse(answer.body).Message).toMatch(
      /^1 validation error detected: .*less than or equal to 100$/,
    );
  });

  it('is within the bounds with the longest valid names, every character escaped', async () => {
    const name = (i: number) => '\\u00e9'.repeat(60) + String(i).padStart(4, '0');
    const attendees = Array.from({ length: 100 }, (_, i) => `{"ExternalUserId":"${name(i)}"}`);
    const answer = await send({
      path: PATH.replace('MEETING', await createMeeting(system.environment)),
      body: `{"Attendees":[${attendees}]}`,
    });
    expect(classOf(answer)).toBe(OK);
  });
});

/** The list of docs/wire-contract.md, as far as this machine has it. */
describe('what the gateway cannot shape', () => {
  const cases: [string, RawRequest, number, string][] = [
    [
      'headers of more than 10,240 bytes',
      { headers: { 'X-Long': 'x'.repeat(10_241) } },
      413,
      'HTTP header is larger than 10240 bytes.',
    ],
    [
      'a body of more than 10 MB',
      { body: Buffer.alloc(10_485_761, 'x') },
      413,
      'HTTP content length exceeded 10485760 bytes.',
    ],
    [
      'an event of more than 6 MB',
      { body: Buffer.alloc(3_500_000, '"') },
      413,
      '{"message":"Request Too Long"}',
    ],
    ['another stage', { path: PATH.replace('/v1', '/v2') }, 403, '{"message":"Forbidden"}'],
  ];
  it.each(cases)('is %s', async (_what, request, status, body) => {
    const answer = await send(request);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers['x-usher-batch-id']).toBeUndefined();
  });
});

describe('a page', () => {
  const Origin = 'http://localhost:5173';
  const SDK_HEADERS =
    'amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,x-amz-date,x-amz-security-token,x-amz-user-agent';
  const preflight = (headers: Record<string, string>, path = PATH) =>
    send({
      method: 'OPTIONS',
      path,
      body: '',
      headers: { Authorization: undefined, 'Content-Type': undefined, Origin, ...headers },
    });

  it.each([
    ['an SDK', SDK_HEADERS],
    ['fetch', 'authorization,content-type'],
    ['a trace of the W3C', 'authorization,baggage,traceparent,tracestate'],
    ['X-Ray', 'authorization,x-amzn-requestid,x-amzn-trace-id'],
    ['Sentry', 'authorization,baggage,sentry-trace'],
    ['Datadog', 'authorization,x-datadog-origin,x-datadog-sampling-priority,x-datadog-some-day'],
    ['the configuration', 'authorization,x-correlation-id'],
    ['a client that spells them otherwise', 'Authorization, Content-Type, X-Amz-User-Agent'],
  ])('may send the headers of %s', async (_what, names) => {
    const { status, headers } = await preflight({
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': names,
    });
    expect([status, headers['access-control-allow-origin']]).toEqual([204, Origin]);
    const allowed = headers['access-control-allow-headers']?.split(',') ?? [];
    expect(allowed).toEqual(expect.arrayContaining(names.toLowerCase().split(/, ?/)));
    expect(headers['access-control-allow-methods']).toBe('GET,POST');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(headers['vary']).toContain('Origin');
  });

  it('may ask for a meeting', async () => {
    const headers = {
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    };
    const answer = await preflight(headers, GET.path);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, Origin]);
    expect(answer.headers['access-control-allow-methods']).toBe('GET,POST');
  });

  it.each([
    ['of another origin', { Origin: 'https://evil.example.com', 'Access-Control-Request-Method': 'POST' }],
    [
      'of a look-alike',
      { Origin: 'http://localhost.evil.example:80', 'Access-Control-Request-Method': 'POST' },
    ],
    ['without an origin', { Origin: 'null', 'Access-Control-Request-Method': 'POST' }],
  ])('may not, %s', async (_what, headers) => {
    const answer = await preflight(headers);
    expect(answer.status).toBe(204);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    const lines = system
      .stdout()
      .split('\n')
      .filter((line) => line.includes('"origin refused"'));
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ level: 'WARN', setting: 'allowedOrigins' });
    expect(lines.join()).not.toMatch(/evil/);
  });

  it.each([
    ['method', { 'Access-Control-Request-Method': 'DELETE' }, 'access-control-allow-methods', 'DELETE'],
    [
      'header',
      { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-evil' },
      'access-control-allow-headers',
      'x-evil',
    ],
  ])('may not send a %s that the answer does not list', async (_what, headers, list, name) => {
    const answer = await preflight(headers);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, Origin]);
    expect(String(answer.headers[list]).split(',')).not.toContain(name);
  });

  const answers: [string, RawRequest, number][] = [
    ['a success', {}, 200],
    ['bad input', { body: '{}' }, 400],
    ['no token', { headers: { Authorization: undefined } }, 401],
    ['no such meeting', { path: PATH.replace('MEETING', ABSENT_MEETING) }, 404],
    ['another path', { path: '/v1/x' }, 404],
    ['another method', { method: 'PUT' }, 400],
    ['a meeting', GET, 200],
    ['a meeting that is not there', getAt(`/v1/meetings/${ABSENT_MEETING}`), 404],
    ['no token for a meeting', { ...GET, headers: { Authorization: undefined } }, 401],
  ];
  it.each(answers)('can read %s', async (_what, request, status) => {
    const answer = await send({ ...request, headers: { ...request.headers, Origin } });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(Origin);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    for (const name of ['x-amzn-RequestId', 'x-amzn-ErrorType', 'Retry-After', 'x-usher-batch-id']) {
      expect(answer.headers['access-control-expose-headers']).toContain(name);
    }
  });

  it.each(answers)('cannot read %s from another origin', async (_what, request, status) => {
    const headers = { ...request.headers, Origin: 'https://evil.example.com' };
    const answer = await send({ ...request, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});
