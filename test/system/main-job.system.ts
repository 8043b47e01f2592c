import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  type CreateAttendeeRequestItem,
  CreateMeetingCommand,
  ListAttendeesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Call } from '../../local/chime-emulator/calls.ts';
import { audited, auditedMeeting } from '../support/audited.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

const ABSENT = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const WATCH = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } as const;

let system: RunningSystem;
let backend: string;
beforeAll(async () => {
  system = await startSystem();
  backend = await system.token('--sub', 'backend-7', '--scope', 'attendees.create');
}, 60_000);
afterAll(() => system.stop());

/** A stock client with nothing changed but the endpoint and the way it signs. */
function client(token: string | null): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: system.environment.region,
    endpoint: system.environment.apiUrl,
    // The client wants some before it asks its signer, which makes no use of them.
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: {
      sign: async (request) => {
        if (token !== null) request.headers['authorization'] = `Bearer ${token}`;
        return request;
      },
    },
  });
}

const create = (
  Attendees: CreateAttendeeRequestItem[],
  { token = backend as string | null, MeetingId = system.environment.meetingId } = {},
) => client(token).send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }));

const control = async (path: string, method = 'GET', body?: unknown) => {
  const response = await fetch(`${system.environment.chimeUrl}/_emulator/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
};
const batchesAtChime = async (): Promise<Call[]> =>
  (await control('calls')).calls.filter((call: Call) => call.operation === 'BatchCreateAttendee');

/** A meeting of its own for a test, made as its owner makes it: with AWS credentials, at Chime. */
async function createMeeting(): Promise<string> {
  const { Meeting } = await chime().send(
    new CreateMeetingCommand({
      ClientRequestToken: crypto.randomUUID(),
      ExternalMeetingId: 'test',
      MediaRegion: 'us-east-1',
      TenantIds: ['acme'],
    }),
  );
  return Meeting?.MeetingId ?? '';
}

const chime = () =>
  new ChimeSDKMeetingsClient({
    region: 'us-east-1',
    endpoint: system.environment.chimeUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

describe('the main job', () => {
  it('runs under the Node that Lambda runs', () => {
    expect(process.versions.node).toMatch(/^24\./);
  });

  it('lets 100 attendees in, and the audit says which', async () => {
    const meetingId = await createMeeting();
    const names = Array.from({ length: 100 }, (_, i) => `guest-${i}`);
    const { Attendees, Errors, $metadata } = await create(
      names.map((ExternalUserId) => ({ ExternalUserId })),
      { MeetingId: meetingId },
    );
    expect($metadata.httpStatusCode).toBe(200);
    expect(Errors).toEqual([]);
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(names);
    expect(new Set(Attendees?.map(({ JoinToken }) => JoinToken)).size).toBe(100);

    const listed = await chime().send(new ListAttendeesCommand({ MeetingId: meetingId, MaxResults: 100 }));
    const idsAtChime = listed.Attendees?.map(({ AttendeeId }) => AttendeeId).sort();
    expect(Attendees?.map(({ AttendeeId }) => AttendeeId).sort()).toEqual(idsAtChime);

    const [batch, ...more] = await auditedMeeting(system, meetingId);
    expect(more).toEqual([]);
    expect(batch).toMatchObject({ state: 'ISSUED', outcome: { errors: [], withheld: [] } });
    expect(batch?.outcome?.issued.map(({ attendeeId }) => attendeeId).sort()).toEqual(idsAtChime);
    expect(batch?.intent?.caller).toMatchObject({
      subject: 'backend-7',
      clientId: 'local-client',
      scope: 'attendees.create',
    });

    const [last] = Attendees?.slice(-1) ?? [];
    const admission = {
      externalUserId: 'guest-99',
      attendeeId: last?.AttendeeId,
      meetingId,
      state: 'ISSUED',
    };
    expect(await audited(system, '--user', 'guest-99')).toMatchObject([admission]);
    expect(await audited(system, '--attendee', last?.AttendeeId ?? '')).toMatchObject([admission]);
  });

  it('admits a user once who is named twice, and says so', async () => {
    const meetingId = await createMeeting();
    const twice = { ExternalUserId: 'named-twice' };
    const { Attendees } = await create([twice, { ExternalUserId: 'other' }, twice], { MeetingId: meetingId });
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual([
      'named-twice',
      'other',
      'named-twice',
    ]);
    expect(await audited(system, '--user', 'named-twice')).toMatchObject([{ meetingId, state: 'ISSUED' }]);
    expect(await auditedMeeting(system, meetingId)).toMatchObject([{ outcome: { admissions: 'written' } }]);
  });

  it('returns the same attendee for a repeated request', async () => {
    const first = await create([{ ExternalUserId: 'again', Capabilities: WATCH }]);
    const second = await create([{ ExternalUserId: 'again', Capabilities: WATCH }]);
    expect(second.Attendees).toEqual(first.Attendees);
  });

  it('lets a guest in under its own name, within its ceiling', async () => {
    const token = await system.token('--sub', 'gail', '--scope', 'attendees.create.self');
    const { Attendees } = await create([{ ExternalUserId: 'gail', Capabilities: WATCH }], { token });
    expect(Attendees).toMatchObject([{ ExternalUserId: 'gail', Capabilities: WATCH }]);
  });

  it('keeps the answers of ten batches at once apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, batch) => {
        const names = Array.from({ length: 10 }, (_, i) => `batch-${batch}-guest-${i}`);
        const { Attendees } = await create(
          names.map((ExternalUserId) => ({ ExternalUserId })),
          { MeetingId: await createMeeting() },
        );
        return { names, answered: Attendees?.map(({ ExternalUserId }) => ExternalUserId) };
      }),
    );
    for (const { names, answered } of answers) expect(answered).toEqual(names);
  });

  it('passes on the errors of single attendees in an answer of 200', async () => {
    await control('faults', 'POST', {
      operation: 'BatchCreateAttendee',
      times: 1,
      partialErrors: { externalUserIds: ['unlucky'], errorCode: 'ServiceFailure', errorMessage: 'not today' },
    });
    const meetingId = await createMeeting();
    const { Attendees, Errors } = await create([{ ExternalUserId: 'lucky' }, { ExternalUserId: 'unlucky' }], {
      MeetingId: meetingId,
    });
    expect(Attendees).toMatchObject([{ ExternalUserId: 'lucky' }]);
    expect(Errors).toEqual([
      { ExternalUserId: 'unlucky', ErrorCode: 'ServiceFailure', ErrorMessage: 'not today' },
    ]);
    expect(await auditedMeeting(system, meetingId)).toMatchObject([{ state: 'PARTIAL' }]);
  });
});

describe('what is rejected', () => {
  beforeEach(() => control('calls', 'DELETE'));

  const alice = [{ ExternalUserId: 'alice' }];
  const bad = (what: RegExp) => ({ name: 'BadRequestException', status: 400, message: what });
  const cases: [
    string,
    CreateAttendeeRequestItem[],
    { token?: () => Promise<string | null>; MeetingId?: string },
    { name: string; status: number; message: RegExp },
  ][] = [
    ['no attendee', [], {}, bad(/'attendees' failed.*greater than or equal to 1/)],
    [
      '101 attendees',
      Array.from({ length: 101 }, () => ({ ExternalUserId: 'xx' })),
      {},
      bad(/'attendees' failed.*less than or equal to 100/),
    ],
    ['a malformed meeting id', alice, { MeetingId: 'not-a-meeting' }, bad(/'meetingId' failed.*pattern/)],
    [
      'a capability left out',
      [{ ExternalUserId: 'alice', Capabilities: { Audio: 'None', Video: 'None' } as never }],
      {},
      bad(/'attendees\.1\.member\.capabilities\.content'.*must not be null/),
    ],
    [
      'content without video',
      [{ ExternalUserId: 'alice', Capabilities: { Audio: 'None', Video: 'None', Content: 'Receive' } }],
      {},
      bad(/content'.*unless video/),
    ],
    ['a reserved name', [{ ExternalUserId: 'aws:x' }], {}, bad(/externalUserId'.*aws:.*reserved/)],
    [
      'an unknown meeting',
      alice,
      { MeetingId: ABSENT },
      { name: 'NotFoundException', status: 404, message: new RegExp(`Meeting ${ABSENT} not found`) },
    ],
    [
      'no token',
      alice,
      { token: async () => null },
      {
        name: 'UnauthorizedException',
        status: 401,
        message: /Authorization header with a bearer token is required/,
      },
    ],
    [
      'an expired token',
      alice,
      { token: () => system.token('--expires-in', '-60') },
      { name: 'UnauthorizedException', status: 401, message: /has expired/ },
    ],
    [
      'a token without scope',
      alice,
      { token: () => system.token('--claim', 'scope=') },
      { name: 'ForbiddenException', status: 403, message: /rule scope/ },
    ],
    [
      'a token of another tenant',
      alice,
      { token: () => system.token('--claim', 'tenant=globex') },
      { name: 'NotFoundException', status: 404, message: /not found/ },
    ],
    [
      'a guest under another name',
      [{ ExternalUserId: 'alice', Capabilities: WATCH }],
      { token: () => system.token('--sub', 'eve', '--scope', 'attendees.create.self') },
      { name: 'ForbiddenException', status: 403, message: /rule self-own-name/ },
    ],
    [
      'a guest that would send content',
      [
        {
          ExternalUserId: 'alice',
          Capabilities: { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' },
        },
      ],
      { token: () => system.token('--sub', 'alice', '--scope', 'attendees.create.self') },
      { name: 'ForbiddenException', status: 403, message: /rule capability-ceiling/ },
    ],
  ];
  it.each(cases)('is %s', async (_what, attendees, { token, MeetingId }, { name, status, message }) => {
    const error = await create(attendees, {
      token: token === undefined ? backend : await token(),
      ...(MeetingId === undefined ? {} : { MeetingId }),
    }).catch((e) => e);
    expect({ name: error.name, status: error.$metadata.httpStatusCode }).toEqual({ name, status });
    expect(error.message).toMatch(message);
    expect(error.RequestId).toBe(error.$metadata.requestId);
    expect(error.Code).toBe(name.replace('Exception', ''));
    expect(await batchesAtChime()).toEqual([]);
  });

  const post = (path: string, init: RequestInit = {}) =>
    fetch(`${system.environment.apiUrl}${path}`, {
      method: 'POST',
      body: '{}',
      ...init,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${backend}`, ...init.headers },
    });
  const attendeesPath = () => `/meetings/${system.environment.meetingId}/attendees?operation=batch-create`;
  const raw: [string, () => Promise<Response>, number, string][] = [
    ['a malformed body', () => post(attendeesPath(), { body: '{"Attendees":[{]}' }), 400, 'BadRequest'],
    ['a body that is no JSON', () => post(attendeesPath(), { body: 'Attendees=alice' }), 400, 'BadRequest'],
    ['no body', () => post(attendeesPath(), { body: null }), 400, 'BadRequest'],
    [
      'a form',
      () => post(attendeesPath(), { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      400,
      'BadRequest',
    ],
    [
      'another operation',
      () => post(`/meetings/${ABSENT}/attendees?operation=batch-delete`),
      400,
      'BadRequest',
    ],
    ['no operation', () => post(`/meetings/${ABSENT}/attendees`), 400, 'BadRequest'],
    ['another method', () => post(attendeesPath(), { method: 'GET', body: null }), 400, 'BadRequest'],
    ['another path', () => post('/meetings'), 404, 'NotFound'],
    ['the root', () => post('/'), 404, 'NotFound'],
  ];
  it.each(raw)('is %s', async (_what, send, status, code) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(response.headers.get('x-amzn-errortype')).toBe(`${code}Exception`);
    expect(await response.json()).toEqual({
      Code: code,
      Message: expect.stringMatching(/\w+/),
      RequestId: response.headers.get('x-amzn-requestid'),
    });
    expect(await batchesAtChime()).toEqual([]);
  });
});

describe('a browser', () => {
  const preflight = (origin: string) =>
    fetch(`${system.environment.apiUrl}/meetings/${ABSENT}/attendees?operation=batch-create`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers':
          'amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-user-agent',
      },
    });

  it('may call from an allowed origin', async () => {
    const response = await preflight('http://localhost:5173');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });

  it('may not call from elsewhere', async () => {
    const response = await preflight('https://evil.example.com');
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('can read errors too', async () => {
    const response = await fetch(
      `${system.environment.apiUrl}/meetings/${ABSENT}/attendees?operation=batch-create`,
      {
        method: 'POST',
        headers: { Origin: 'http://localhost:5173' },
      },
    );
    expect(response.status).toBe(401);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    expect(response.headers.get('access-control-expose-headers')).toContain('x-amzn-ErrorType');
  });
});

/** What must never happen is looked for last, over all that the tests above did. */
describe('secrets', () => {
  it('are neither in the tables nor in the log', async () => {
    const { attendees } = await control('attendees?gone=true');
    const tokens: string[] = attendees.map((attendee: { JoinToken: string }) => attendee.JoinToken);
    const names: string[] = attendees.map((attendee: { ExternalUserId: string }) => attendee.ExternalUserId);
    expect(tokens.length).toBeGreaterThan(100);

    const tables = JSON.stringify([
      ...(await everything(system.environment.tableName)),
      ...(await everything(system.environment.admissionTableName)),
      ...(await everything(system.environment.eventTableName as string)),
    ]);
    const log = system.stdout() + system.stderr();
    expect(log).toContain('"state":"ISSUED"');
    for (const token of [...tokens, backend]) {
      expect(tables).not.toContain(token);
      expect(log).not.toContain(token);
    }
    const logged = log.split('\n').filter((line) => line.startsWith('{'));
    expect(logged.length).toBeGreaterThan(20);
    for (const line of logged) {
      const facts = JSON.parse(line);
      // Metrics are lines too; they tell no request from another.
      if ('_aws' in facts) continue;
      // The observer has events, which know of no batch.
      if (!String(facts.message).startsWith('event '))
        expect(facts.batchId).toMatch(/^\d{8}T\d{9}Z-[0-9a-f]{16}$/);
      for (const name of [...names, 'backend-7']) expect(line).not.toContain(`"${name}"`);
    }
    expect(logged.join('\n')).not.toMatch(/guest-\d|backend-7|gail|alice|unlucky/);
  });
});

async function everything(TableName: string): Promise<unknown[]> {
  const db = new DynamoDBClient({
    region: system.environment.region,
    endpoint: system.environment.dynamodbUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const items: unknown[] = [];
  let ExclusiveStartKey: ScanCommand['input']['ExclusiveStartKey'];
  do {
    const page = await db.send(new ScanCommand({ TableName, ExclusiveStartKey }));
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items;
}
