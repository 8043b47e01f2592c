import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createUsherClient,
  type UsherClientOptions,
  UsherError,
} from '../../examples/browser-client/client.ts';

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const ALICE = { ExternalUserId: 'alice', AttendeeId: 'id', JoinToken: 's3cret', Capabilities: EVERYTHING };
const GOOD = { Attendees: [ALICE], Errors: [] };
const GOOD_MEETING = { Meeting: { MeetingId: MEETING, MediaPlacement: { AudioHostUrl: 'audio' } } };

type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let url: string;
/** What the server does, request by request; the last one goes on. */
let behaviours: Behaviour[];
let tokens: (string | undefined)[];

beforeEach(async () => {
  tokens = [];
  server = createServer((request, response) => {
    const behave = behaviours[Math.min(tokens.length, behaviours.length - 1)] as Behaviour;
    tokens.push(request.headers.authorization);
    request.resume().on('end', () => behave(response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const client = (options: Partial<UsherClientOptions> = {}) =>
  createUsherClient({
    url,
    getToken: async ({ refresh }) => (refresh ? 'fresh' : 'stale'),
    timeLimitMs: 2_000,
    backoffMs: 1,
    ...options,
  });
const create = (options: Partial<UsherClientOptions> = {}, signal?: AbortSignal) =>
  client(options).createAttendees(MEETING, [{ ExternalUserId: 'alice' }], { signal });

/** The error that it comes to, which is of the one class whatever happens. */
async function failureOf(promise: Promise<unknown>): Promise<UsherError> {
  const error = await promise.then(
    () => Promise.reject(new Error('It did not fail.')),
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(UsherError);
  return error;
}

const answer =
  (status: number, body: string | Buffer, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  answer(status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });
const good = json(200, GOOD);
const html = (status: number) =>
  answer(status, '<!doctype html><title>Error</title>', { 'Content-Type': 'text/html' });
const shaped = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(
    status,
    { Code: code, Message: `It is ${code}.`, RequestId: 'request-1' },
    { 'x-amzn-ErrorType': `${code}Exception`, 'x-amzn-RequestId': 'request-1', ...headers },
  );
const cut: Behaviour = (response) => {
  response.writeHead(200, { 'Content-Length': '1000' });
  response.write('{"Attendees":[');
  setTimeout(() => response.destroy(), 20);
};

describe('an answer of a server that misbehaves', () => {
  const kinds: [string, Behaviour, Partial<UsherError>][] = [
    ['HTML of a CDN with 403', html(403), { code: 'Forbidden', status: 403 }],
    ['HTML of a CDN with 502', html(502), { code: 'ServiceUnavailable', status: 502 }],
    ['HTML of a sign-in page with 200', html(200), { code: 'UnreadableAnswer', status: 200 }],
    ['an empty body with 200', answer(200, ''), { code: 'UnreadableAnswer', status: 200 }],
    ['no content', answer(204, ''), { code: 'UnreadableAnswer', status: 204 }],
    ['an empty body with 500', answer(500, ''), { code: 'ServiceFailure', status: 500 }],
    ['an empty body with 404', answer(404, ''), { code: 'NotFound', status: 404 }],
    ['{"message":"Forbidden"}', json(403, { message: 'Forbidden' }), { code: 'Forbidden', status: 403 }],
    ['{"message":"Too Many"}', json(429, { message: 'Too Many' }), { code: 'Throttling', status: 429 }],
    ['plain text with 413', answer(413, 'HTTP content length exceeded'), { code: 'TooLarge', status: 413 }],
    ['a broken connection', (response) => response.destroy(), { code: 'NetworkError', status: 0 }],
    ['a body that breaks off', cut, { code: 'NetworkError', status: 0 }],
    ['no answer', () => {}, { code: 'Timeout', status: 0 }],
    [
      'a body that never ends',
      (response) => response.writeHead(200).write('{'),
      { code: 'Timeout', status: 0 },
    ],
    ['half of a JSON', answer(200, '{"Attendees":['), { code: 'UnreadableAnswer' }],
    ['null', json(200, null), { code: 'UnreadableAnswer' }],
    ['a number', json(500, 42), { code: 'ServiceFailure' }],
    ['a list', json(400, [1]), { code: 'BadRequest' }],
    ['JSON without Errors', json(200, { Attendees: [] }), { code: 'UnreadableAnswer' }],
    ['an attendee without a token', json(200, { Attendees: [{}], Errors: [] }), { code: 'UnreadableAnswer' }],
    [
      'members of other types',
      json(400, { Code: 7, Message: { a: 1 }, RequestId: [] }),
      { code: 'BadRequest', requestId: undefined },
    ],
    ['a code that is not known', json(409, { Code: 'Conflict', Message: 'm' }), { code: 'BadRequest' }],
    ['a status that is not known', answer(599, ''), { code: 'ServiceFailure', status: 599 }],
    ['a redirect that leads nowhere', answer(301, ''), { code: 'UnreadableAnswer', status: 301 }],
    [
      'an encoding that it is not',
      answer(200, 'x', { 'Content-Encoding': 'gzip' }),
      { code: 'UnreadableAnswer' },
    ],
    ['bytes that are no text', answer(400, Buffer.from([0xff, 0xfe, 0])), { code: 'BadRequest' }],
    [
      'an AWS error of what stands before the gateway',
      json(403, { message: 'Missing Authentication Token' }, { 'x-amzn-ErrorType': 'SomeException' }),
      { code: 'Forbidden' },
    ],
    [
      'a Retry-After that is no time',
      answer(503, '', { 'Retry-After': 'soon' }),
      { code: 'ServiceUnavailable', retryAfterMs: undefined },
    ],
  ];
  it.concurrent.each(kinds)('is one error with its code if it is %s', async (_what, behave, expected) => {
    const lone = createServer((request, response) => {
      request.resume().on('end', () => behave(response, request));
    });
    await new Promise<void>((resolve) => lone.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(lone.address() as AddressInfo).port}`;
    try {
      const error = await failureOf(create({ url: at, timeLimitMs: 400 }));
      expect(error).toMatchObject(expected);
      expect(error.message).toMatch(/\w/);
      expect(error.message).not.toMatch(/<|\[object|s3cret/);
    } finally {
      lone.closeAllConnections();
      lone.close();
    }
  });

  it('is an error of the meeting too, where that has nothing to join', async () => {
    for (const body of [{}, { Meeting: null }, { Meeting: { MeetingId: MEETING } }, GOOD]) {
      behaviours = [json(200, body)];
      const error = await failureOf(client().getMeeting(MEETING));
      expect(error.code).toBe('UnreadableAnswer');
    }
  });

  it('is read where only its encoding is unusual', async () => {
    behaviours = [
      answer(200, gzipSync(JSON.stringify(GOOD)), {
        'Content-Encoding': 'gzip',
        'Content-Type': 'text/plain',
      }),
    ];
    expect(await create()).toEqual(GOOD);
  });

  it('is a NetworkError if there is no server', async () => {
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(create({ timeLimitMs: 200 }));
    expect(error).toMatchObject({ code: 'NetworkError', cause: { name: 'TypeError' } });
    expect(error.message).toContain('allowedOrigins');
  });
});

describe('an error of Usher', () => {
  it('has all that its answer says', async () => {
    behaviours = [
      shaped(403, 'Forbidden', { 'x-usher-rule': 'capability-ceiling', 'x-usher-batch-id': 'batch-1' }),
    ];
    expect(await failureOf(create())).toMatchObject({
      name: 'UsherError',
      code: 'Forbidden',
      status: 403,
      message: 'It is Forbidden.',
      rule: 'capability-ceiling',
      requestId: 'request-1',
      batchId: 'batch-1',
      retryAfterMs: undefined,
    });
    expect(tokens).toHaveLength(1);
  });

  it.each(['BadRequest', 'LimitExceeded', 'NotFound', 'UnprocessableEntity'])(
    'has its own class and is not retried: %s',
    async (code) => {
      behaviours = [shaped(code === 'NotFound' ? 404 : 422, code)];
      expect((await failureOf(create())).code).toBe(code);
      expect(tokens).toHaveLength(1);
    },
  );
});

describe('a retry', () => {
  const passing: [string, Behaviour][] = [
    ['429', shaped(429, 'Throttling')],
    ['500', shaped(500, 'ServiceFailure')],
    ['503', shaped(503, 'ServiceUnavailable')],
    ['504 of a CDN', html(504)],
    ['a broken connection', (response) => response.destroy()],
    ['an answer that breaks off', cut],
  ];
  it.each(passing)('recovers from %s', async (_what, behave) => {
    behaviours = [behave, behave, good];
    expect(await create()).toEqual(GOOD);
    expect(tokens).toHaveLength(3);
  });

  it('sends the same request again', async () => {
    const seen: string[] = [];
    const see: Behaviour = (response, { method, url: path }) => {
      seen.push(`${method} ${path}`);
      (seen.length === 1 ? html(503) : json(200, GOOD_MEETING))(response, {} as IncomingMessage);
    };
    behaviours = [see];
    expect(await client({ url: `${url}/` }).getMeeting(MEETING)).toEqual(GOOD_MEETING.Meeting);
    expect(seen).toEqual(Array(2).fill(`GET /v1/meetings/${MEETING}`));
  });

  it('does not come before the time in Retry-After', async () => {
    behaviours = [shaped(429, 'Throttling', { 'Retry-After': '1' }), good];
    const startedMs = performance.now();
    await create({ timeLimitMs: 10_000 });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  });

  it.each([
    ['seconds', () => '60', 60_000],
    ['a date', () => new Date(Date.now() + 60_000).toUTCString(), 60_000],
    ['a date that has passed', () => new Date(0).toUTCString(), 0],
  ])(
    'is not waited for beyond the time limit, and the error says for how long, of %s',
    async (_what, after, ms) => {
      behaviours = [shaped(503, 'ServiceUnavailable', { 'Retry-After': after() })];
      const startedMs = performance.now();
      const { code, retryAfterMs } = await failureOf(create({ timeLimitMs: 500, backoffMs: 5_000 }));
      expect(performance.now() - startedMs).toBeLessThan(1_500);
      expect(code).toBe('ServiceUnavailable');
      expect(Math.abs((retryAfterMs ?? Number.NaN) - ms)).toBeLessThan(2_000);
    },
  );

  it('ends with the error itself, once the time limit is near', async () => {
    behaviours = [shaped(429, 'Throttling')];
    expect(await failureOf(create({ timeLimitMs: 300, backoffMs: 40 }))).toMatchObject({
      code: 'Throttling',
      requestId: 'request-1',
    });
    expect(tokens.length).toBeGreaterThan(2);
  });

  it('waits a different time in each client, so that many do not come back at once', async () => {
    behaviours = [shaped(429, 'Throttling')];
    const attempts = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const times: number[] = [];
        const counting: UsherClientOptions['fetch'] = (...args) => {
          times.push(performance.now());
          return fetch(...args);
        };
        await failureOf(create({ timeLimitMs: 600, backoffMs: 300, fetch: counting }));
        return times.length;
      }),
    );
    expect(new Set(attempts).size).toBeGreaterThan(1);
  });
});

describe('a token that is refused', () => {
  const only =
    (good401: string): Behaviour =>
    (response, request) =>
      (request.headers.authorization === `Bearer ${good401}` ? good : shaped(401, 'Unauthorized'))(
        response,
        request,
      );

  it('is replaced once', async () => {
    behaviours = [only('fresh')];
    expect(await create()).toEqual(GOOD);
    expect(tokens).toEqual(['Bearer stale', 'Bearer fresh']);
  });

  it('is not replaced twice', async () => {
    behaviours = [only('another')];
    expect((await failureOf(create())).code).toBe('Unauthorized');
    expect(tokens).toEqual(['Bearer stale', 'Bearer fresh']);
  });

  it('is asked for again before a retry', async () => {
    behaviours = [html(503), good];
    let asked = 0;
    await create({ getToken: async () => `token-${++asked}` });
    expect(tokens).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('is a clear error if it is missing', async () => {
    const cause = new Error('login_required');
    for (const getToken of [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ]) {
      expect(await failureOf(create({ getToken }))).toMatchObject({ code: 'NoToken', cause });
    }
    expect(tokens).toEqual([]);
  });
});

describe('a call that is aborted', () => {
  it.each<[string, Behaviour, Partial<UsherClientOptions>]>([
    ['during an attempt', () => {}, {}],
    ['during a wait', shaped(503, 'ServiceUnavailable', { 'Retry-After': '5' }), {}],
    ['while its token is fetched', good, { getToken: () => new Promise<string>(() => {}) }],
  ])('%s ends at once', async (_what, behave, options) => {
    behaviours = [behave];
    const controller = new AbortController();
    setTimeout(() => controller.abort('left the page'), 100);
    const startedMs = performance.now();
    const error = await failureOf(create({ timeLimitMs: 20_000, ...options }, controller.signal));
    expect(error).toMatchObject({ code: 'Aborted', cause: 'left the page' });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('sends nothing if it is aborted before it begins', async () => {
    behaviours = [good];
    const error = await failureOf(create({}, AbortSignal.abort()));
    expect(error.code).toBe('Aborted');
  });

  it('leaves no listener at a signal that is used for many', async () => {
    behaviours = [good];
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      },
    });
    for (let i = 0; i < 5; i += 1) await create({}, signal);
    expect(listeners).toBe(0);
  });
});
