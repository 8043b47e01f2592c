import { randomUUID } from 'node:crypto';
import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';
import { type Answer, admit, ask, batchPath, oneAttendee, type Question } from '../requests.ts';
import type { World } from '../world.ts';

/** A request that must be rejected, and how. */
interface Rejection {
  name: string;
  question(world: World): Question;
  status: number;
  errorType: string;
}

const BAD_REQUEST = { status: 400, errorType: 'BadRequestException' };
const UNAUTHORIZED = { status: 401, errorType: 'UnauthorizedException' };
const NOT_FOUND = { status: 404, errorType: 'NotFoundException' };

/** More than the function reads. */
const LARGE_BODY_CHARACTERS = 300_000;
/** More than API Gateway accepts. */
const OVERSIZE_BODY_BYTES = 10_485_761;
const OVERSIZE_HEADER_BYTES = 11_000;

const REJECTIONS: Rejection[] = [
  { name: 'a request without a token', question: () => ({ token: null }), ...UNAUTHORIZED },
  { name: 'a token that is none', question: () => ({ token: 'no-token' }), ...UNAUTHORIZED },
  {
    name: 'a token with a forged signature',
    question: ({ token }) => ({ token: forged(token) }),
    ...UNAUTHORIZED,
  },
  {
    name: 'another scheme than Bearer',
    question: () => ({ token: null, headers: { authorization: 'Basic dXNlcjpzZWNyZXQ=' } }),
    ...UNAUTHORIZED,
  },
  { name: 'a body that is no JSON', question: () => ({ body: '{"Attendees":' }), ...BAD_REQUEST },
  { name: 'a batch of no attendees', question: () => ({ body: { Attendees: [] } }), ...BAD_REQUEST },
  {
    name: 'a batch of 101 attendees',
    question: (world) => ({
      body: { Attendees: Array.from({ length: 101 }, (_, i) => ({ ExternalUserId: world.nameOf(i) })) },
    }),
    ...BAD_REQUEST,
  },
  {
    name: 'a capability that does not exist',
    question: (world) => ({
      body: {
        Attendees: [
          {
            ExternalUserId: world.nameOf('rejected'),
            Capabilities: { Audio: 'Shout', Video: 'None', Content: 'None' },
          },
        ],
      },
    }),
    ...BAD_REQUEST,
  },
  {
    name: 'a name that AWS reserves',
    question: () => ({ body: { Attendees: [{ ExternalUserId: 'aws:verify' }] } }),
    ...BAD_REQUEST,
  },
  {
    name: 'another content type',
    question: () => ({ headers: { 'content-type': 'application/xml' } }),
    ...BAD_REQUEST,
  },
  {
    name: `a body of ${LARGE_BODY_CHARACTERS} characters`,
    question: (world) => ({
      body: JSON.stringify({ ...oneAttendee(world), Padding: 'x'.repeat(LARGE_BODY_CHARACTERS) }),
    }),
    ...BAD_REQUEST,
  },
  {
    name: 'a malformed meeting id',
    question: () => ({ path: batchPath('no-meeting') }),
    ...BAD_REQUEST,
  },
  {
    name: 'a meeting that does not exist',
    question: () => ({ path: batchPath(randomUUID()) }),
    ...NOT_FOUND,
  },
  {
    name: 'a request without an operation',
    question: ({ meetingId }) => ({ path: `/meetings/${meetingId}/attendees` }),
    ...BAD_REQUEST,
  },
  {
    name: 'another operation',
    question: ({ meetingId }) => ({ path: `/meetings/${meetingId}/attendees?operation=batch-delete` }),
    ...BAD_REQUEST,
  },
  { name: 'another method', question: () => ({ method: 'DELETE' }), ...BAD_REQUEST },
  { name: 'another path', question: () => ({ path: '/some/where' }), ...NOT_FOUND },
  { name: "the API's root", question: () => ({ method: 'GET', path: '/' }), ...NOT_FOUND },
  {
    name: 'a path that cannot be decoded',
    question: () => ({ path: '/meetings/%zz/attendees?operation=batch-create' }),
    ...BAD_REQUEST,
  },
];

const SLASHES = [
  { name: 'a trailing slash', path: (id: string) => `/meetings/${id}/attendees/?operation=batch-create` },
  { name: 'a doubled slash', path: (id: string) => `/meetings//${id}/attendees?operation=batch-create` },
];

/** Requests that must be rejected, with errors that a client can read. */
export const rejections: Check[] = [
  ...REJECTIONS.map(({ name, question, status, errorType }) => ({
    name: `rejects ${name} with ${status} ${errorType}`,
    run: async (world: World) => expectRejection(await ask(world, question(world)), status, errorType),
  })),
  ...SLASHES.map(({ name, path }) => ({
    name: `answers ${name} as another path, or as if it were not there`,
    run: async (world: World) => {
      // API Gateway decides which of the two: docs/wire-contract.md does not promise it.
      const answer = await ask(world, { path: path(world.meetingId) });
      if (answer.status === 200) return 'API Gateway leaves it out';
      expectRejection(answer, 404, 'NotFoundException');
      return 'another path';
    },
  })),
  {
    name: 'rejects a guest another name with 403 ForbiddenException',
    run: async (world) => {
      if (world.guest === undefined) {
        throw new NotCheckable('it takes a token of a guest: give --guest-token-command');
      }
      return expectRejection(await ask(world, { token: world.guest }), 403, 'ForbiddenException');
    },
  },
  {
    name: 'rejects a body of more than 10 MB',
    run: async (world) => {
      if (world.kind === 'emulator') throw new NotCheckable("its limits are not API Gateway's");
      const status = await statusOf(ask(world, { body: 'x'.repeat(OVERSIZE_BODY_BYTES) }));
      if (status === undefined) return 'the connection is cut';
      // docs/wire-contract.md lists it as unshaped.
      expectSame('the status', status, 413);
      return undefined;
    },
  },
  {
    name: 'rejects header values of more than 10,240 bytes',
    run: async (world) => {
      if (world.kind === 'emulator') throw new NotCheckable("its limits are not API Gateway's");
      const status = await statusOf(
        ask(world, { headers: { 'x-verify': 'x'.repeat(OVERSIZE_HEADER_BYTES) } }),
      );
      if (status === undefined) return 'the connection is cut';
      expectThat(status >= 400 && status < 500, `the status is ${status}, expected 4xx`);
      return String(status);
    },
  },
  {
    name: 'has errors that the stock SDK knows by class',
    run: async (world) => {
      const ExternalUserId = world.nameOf('rejected');
      const classes = [
        await classOf(admit(world, [{ ExternalUserId }], { token: null })),
        await classOf(admit(world, [{ ExternalUserId }], { meetingId: randomUUID() })),
        await classOf(admit(world, [])),
      ];
      expectSame('the classes', classes, [
        'UnauthorizedException',
        'NotFoundException',
        'BadRequestException',
      ]);
      return undefined;
    },
  },
  {
    name: 'names a request alike in header and body',
    run: async (world) => {
      if (world.kind === 'emulator') throw new NotCheckable('the emulator of API Gateway has ids of its own');
      const { headers, text } = await ask(world, { token: null });
      expectSame('RequestId', JSON.parse(text).RequestId, headers.get('x-amzn-requestid'));
      return undefined;
    },
  },
  {
    name: 'challenges a caller without a token, as RFC 6750 has it',
    run: async (world) => {
      const { headers } = await ask(world, { token: null });
      const challenge = headers.get('x-amzn-remapped-www-authenticate') ?? headers.get('www-authenticate');
      expectThat(challenge?.startsWith('Bearer') === true, `the challenge is ${challenge}`);
      return headers.has('www-authenticate') ? 'as WWW-Authenticate' : undefined;
    },
  },
];

/** @throws if the answer is not the error in the common shape */
function expectRejection(
  { status, headers, text }: Answer,
  wantedStatus: number,
  errorType: string,
): undefined {
  expectSame('the status', status, wantedStatus);
  expectSame('x-amzn-ErrorType', headers.get('x-amzn-errortype'), errorType);
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error('the body is no JSON');
  }
  expectSame('Code', body['Code'], errorType.replace(/Exception$/, ''));
  for (const member of ['Message', 'RequestId']) {
    expectThat(typeof body[member] === 'string', `${member} is no string`);
  }
  expectSame('Cache-Control', headers.get('cache-control'), 'no-store');
}

async function classOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'no error',
    (error: Error) => error.name,
  );
}

/** The signature of another token. */
function forged(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  return [header, payload, signature.split('').reverse().join('')].join('.');
}

/** Undefined if the connection ends before the answer. */
async function statusOf(answer: Promise<Answer>): Promise<number | undefined> {
  try {
    return (await answer).status;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET') return undefined;
    throw error;
  }
}
