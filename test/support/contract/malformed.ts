import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ABSENT_MEETING } from './clients.ts';

/** In every name, token and query that is made up here, so that one can look for it where it must not be. */
export const CANARY = 'Zq9canary';

/** A request with at least one thing wrong with it. */
export interface MalformedRequest {
  defect: string;
  method: string;
  /** Raw, without the stage. */
  path: string;
  headers: Record<string, string | string[]>;
  body: Buffer;
}

/** Tokens that verify, by what they may do. */
export interface Tokens {
  delegate: string;
  scopeless: string;
  expired: string;
  foreign: string;
  guest: string;
}

const text = fc.string({ unit: 'grapheme', maxLength: 24 });
const canary = text.map((rest) => CANARY + rest);
const ATTENDEES = (meetingId: string, query = '?operation=batch-create') =>
  `/meetings/${meetingId}/attendees${query}`;

/** A valid body, with names to look for. */
const validBody = fc
  .array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 3 })
  .map((names) => JSON.stringify({ Attendees: names.map((i) => ({ ExternalUserId: `${CANARY}-${i}` })) }));

const brokenBody: fc.Arbitrary<string | Buffer> = fc.oneof(
  text,
  fc.constantFrom('', 'null', '[]', '42', '{}', '{"Attendees":null}', '{"Attendees":[]}', '\ufeff{}'),
  validBody.chain((body) => fc.integer({ min: 1, max: body.length - 1 }).map((end) => body.slice(0, end))),
  validBody.map((body) => `${body},`),
  validBody.map((body) => `\ufeff${body}`),
  validBody.map((body) => gzipSync(body)),
  validBody.map((body) => Buffer.from(body, 'utf16le')),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from([0xff, ...bytes])),
  fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify({ Attendees: [value, CANARY] })),
  fc
    .array(
      fc.oneof(
        canary.map((name) => `${name}\u0000`),
        fc.constantFrom('x', 'aws:x', CANARY.repeat(9)),
      ),
      {
        minLength: 1,
        maxLength: 120,
      },
    )
    .map((names) => JSON.stringify({ Attendees: names.map((ExternalUserId) => ({ ExternalUserId })) })),
  canary.map((medium) =>
    JSON.stringify({
      Attendees: [{ ExternalUserId: CANARY, Capabilities: { Audio: medium, Video: 'Send', [medium]: 1 } }],
    }),
  ),
  fc
    .integer({ min: 10, max: 4_000 })
    .map((depth) => `{"Attendees":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  fc.integer({ min: 101, max: 3_000 }).map((count) => `{"Attendees":[${'{},'.repeat(count)}{}]}`),
  fc.constant(`{"__proto__":{"Attendees":[{"ExternalUserId":"${CANARY}"}]},"constructor":{"prototype":1}}`),
);

const brokenMeeting = fc.oneof(
  text.filter((id) => id !== '' && id !== '.' && id !== '..').map(encodeURIComponent),
  fc.constantFrom('%00', '%2e%2e', '%20', `${ABSENT_MEETING}%0a`, `${ABSENT_MEETING}x`, '{MeetingId}', '-'),
  fc.constant('a'.repeat(3_000)),
);

const brokenPath = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '/meetings',
    '/meetings/',
    `/meetings/${ABSENT_MEETING}`,
    '//',
    '/%zz',
    '/%',
    '/..%2f..%2fetc%2fpasswd',
    `/meetings//${ABSENT_MEETING}/attendees?operation=batch-create`,
    `//meetings/${ABSENT_MEETING}/attendees?operation=batch-create`,
    `/meetings/${ABSENT_MEETING}/attendees/?operation=batch-create`,
    `/Meetings/${ABSENT_MEETING}/attendees?operation=batch-create`,
    `/meetings/${ABSENT_MEETING}/attendees/x?operation=batch-create`,
    `/meetings/${ABSENT_MEETING}%2Fattendees?operation=batch-create`,
  ),
  fc
    .array(text.map(encodeURIComponent), { minLength: 1, maxLength: 5 })
    .map((parts) => `/x${parts.join('/')}`),
);

const brokenQuery = fc.oneof(
  fc.constantFrom(
    '',
    '?',
    '?operation',
    '?operation=',
    '?operation=batch-delete',
    '?Operation=batch-create',
    '?operation=Batch-Create',
    '?operation=batch-create&operation=batch-create',
    '?operation=batch-create&operation=x',
    '?operation[]=batch-create',
    '?operation=batch-create%00',
    '?%',
    '?operation=%zz',
  ),
  canary.map((value) => `?operation=${encodeURIComponent(value)}`),
);

const brokenAuthorization = ({ scopeless, expired, foreign, delegate, guest }: Tokens) => {
  const [header, payload, signature] = delegate.split('.') as [string, string, string];
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return fc.oneof<fc.Arbitrary<string | string[] | undefined>[]>(
    fc.constantFrom(
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Basic ${CANARY}`,
      delegate,
      `Bearer ${delegate}x`,
      `Bearer ${header}.${payload}.`,
      `Bearer ${header}.${payload}`,
      `Bearer ${part({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `Bearer ${part({ alg: 'HS256', typ: 'at+jwt', kid: CANARY })}.${payload}.${signature}`,
      `Bearer ${header}.${part({ sub: CANARY, scope: 'attendees.create' })}.${signature}`,
      `Bearer ${header}.${Buffer.from('[').toString('base64url')}.${signature}`,
      `Bearer ${delegate} ${delegate}`,
      `Bearer ${scopeless}`,
      `Bearer ${expired}`,
      `Bearer ${foreign}`,
      `Bearer ${guest}`,
      `Bearer ${CANARY.repeat(900)}`,
      'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/chime/aws4_request, SignedHeaders=host, Signature=0',
    ),
    fc.base64String({ maxLength: 200 }).map((token) => `Bearer ${CANARY}${token}`),
    fc.integer({ min: 1, max: 200 }).map((end) => `Bearer ${delegate.slice(0, end)}`),
    fc.constant([`Bearer ${delegate}`, `Bearer ${delegate}`]),
  );
};

const brokenContentType = fc.constantFrom(
  '',
  'text/plain',
  'application/x-amz-json-1.1',
  'application/json+x',
  'application/jsonx',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  `${CANARY}/json`,
);

/** Headers that a request may have beside its defect, and that must change nothing for the better. */
const noise = fc.dictionary(
  fc.constantFrom(
    'Origin',
    'X-Forwarded-For',
    'x-amz-user-agent',
    'amz-sdk-request',
    'Content-Encoding',
    'Accept-Encoding',
    'User-Agent',
    'x-amzn-RequestId',
    'X-Amzn-Trace-Id',
    'Cookie',
  ),
  fc.stringMatching(/^[a-zA-Z0-9 =;:/,."-]{1,60}$/).map((value) => value.trim() || 'x'),
  { maxKeys: 4 },
);

/** Malformed requests, the same ones for the same seed: each has one defect by design and is otherwise sound. */
export function malformedRequests(
  count: number,
  seed: number,
  meetingId: string,
  tokens: Tokens,
): MalformedRequest[] {
  const sound = {
    method: 'POST',
    path: ATTENDEES(meetingId),
    authorization: `Bearer ${tokens.delegate}` as string | string[] | undefined,
    contentType: 'application/json' as string,
  };
  type Parts = typeof sound & { body: string | Buffer };
  const defect = (name: string, arbitrary: fc.Arbitrary<Partial<Parts>>) =>
    arbitrary.map((parts) => ({ defect: name, parts }));
  const arbitrary = fc.record({
    broken: fc.oneof(
      {
        weight: 8,
        arbitrary: defect(
          'body',
          brokenBody.map((body) => ({ body })),
        ),
      },
      {
        weight: 2,
        arbitrary: defect(
          'meeting',
          brokenMeeting.map((id) => ({ path: ATTENDEES(id) })),
        ),
      },
      {
        weight: 2,
        arbitrary: defect(
          'path',
          brokenPath.map((path) => ({ path })),
        ),
      },
      {
        weight: 2,
        arbitrary: defect(
          'query',
          brokenQuery.map((query) => ({ path: ATTENDEES(meetingId, query) })),
        ),
      },
      {
        weight: 4,
        arbitrary: defect(
          'authorization',
          brokenAuthorization(tokens).map((authorization) => ({ authorization })),
        ),
      },
      {
        weight: 1,
        arbitrary: defect(
          'content type',
          brokenContentType.map((contentType) => ({ contentType })),
        ),
      },
      {
        weight: 1,
        arbitrary: defect(
          'method',
          fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'HEAD').map((method) => ({ method })),
        ),
      },
    ),
    body: validBody,
    noise,
  });
  return fc.sample(arbitrary, { numRuns: count, seed }).map(({ broken, body, noise: extra }) => {
    const parts: Parts = { ...sound, body, ...broken.parts };
    return {
      defect: broken.defect,
      method: parts.method,
      path: parts.path,
      headers: {
        ...extra,
        'Content-Type': parts.contentType,
        ...(parts.authorization === undefined ? {} : { Authorization: parts.authorization }),
      },
      body: Buffer.from(parts.body),
    };
  });
}
