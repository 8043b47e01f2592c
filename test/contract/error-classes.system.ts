import { readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ABSENT_MEETING,
  chimeControl,
  clientOfChime,
  clientOfUsher,
  createMeeting,
  mintToken,
} from '../support/contract/clients.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

let system: RunningSystem;
let token: string;
beforeAll(async () => {
  system = await startSystem();
  token = await mintToken(system.environment);
}, 60_000);
afterAll(() => system.stop());
afterEach(() => chimeControl(system.environment).clearFaults());

const ALICE = [{ ExternalUserId: 'alice' }];
const batch = (MeetingId: string, Attendees: sdk.CreateAttendeeRequestItem[] = ALICE) =>
  new sdk.BatchCreateAttendeeCommand({ MeetingId, Attendees });

/** The modelled classes, each brought about in a real way where there is one. */
interface Scenario {
  class: { name: string; prototype: Error };
  status: number;
  fault?: object;
  meeting?: () => Promise<string>;
  attendees?: sdk.CreateAttendeeRequestItem[];
  token?: () => Promise<string | null>;
  /** How often a stock client that may try twice tries. */
  attempts: 1 | 2;
}
const scenarios: Scenario[] = [
  { class: sdk.BadRequestException, status: 400, attendees: [], attempts: 1 },
  {
    class: sdk.LimitExceededException,
    status: 400,
    meeting: () => createMeeting(system.environment, { MeetingFeatures: { Attendee: { MaxCount: 1 } } }),
    attendees: [{ ExternalUserId: 'alice' }, { ExternalUserId: 'bob' }],
    // The SDK counts this class among those that throttle.
    attempts: 2,
  },
  { class: sdk.UnauthorizedException, status: 401, token: async () => null, attempts: 1 },
  {
    class: sdk.ForbiddenException,
    status: 403,
    token: () => mintToken(system.environment, { scope: '' }),
    attempts: 1,
  },
  { class: sdk.NotFoundException, status: 404, meeting: async () => ABSENT_MEETING, attempts: 1 },
  {
    class: sdk.UnprocessableEntityException,
    status: 422,
    fault: { status: 422, errorType: 'UnprocessableEntityException' },
    attempts: 1,
  },
  {
    class: sdk.ThrottlingException,
    status: 429,
    fault: { status: 429, errorType: 'ThrottlingException', retryAfterSeconds: 1 },
    attempts: 2,
  },
  {
    class: sdk.ServiceFailureException,
    status: 500,
    fault: { status: 403, errorType: 'AccessDeniedException' },
    attempts: 2,
  },
  {
    class: sdk.ServiceUnavailableException,
    status: 503,
    fault: { status: 503, errorType: 'ServiceUnavailableException', retryAfterSeconds: 1 },
    attempts: 2,
  },
];

describe('an error class of the contract', () => {
  it.each(scenarios.map((scenario) => [scenario.class.name, scenario] as const))(
    '%s reaches the stock SDK as itself, and is retried as it should be',
    async (name, { class: errorClass, status, fault, meeting, attendees, token: other, attempts }) => {
      if (fault) await chimeControl(system.environment).fault({ operation: 'BatchCreateAttendee', ...fault });
      const client = clientOfUsher(system.environment.apiUrl, other ? await other() : token, {
        maxAttempts: 2,
      });
      const meetingId = await (meeting ?? (() => createMeeting(system.environment)))();
      const error = await client.send(batch(meetingId, attendees)).catch((e) => e);
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({
        name,
        $fault: status < 500 ? 'client' : 'server',
        Code: name.replace('Exception', ''),
        message: expect.stringMatching(/\w/),
        RequestId: error.$metadata.requestId,
        $metadata: { httpStatusCode: status, attempts },
      });
      expect(error.$response.headers['cache-control']).toBe('no-store');
      expect(error.$response.headers['x-usher-batch-id']).toMatch(/^\d{8}T\d{9}Z-/);
    },
  );

  it('covers every class that the model gives the operation', () => {
    const modelled = Object.keys(sdk).filter((name) => /^[A-Z].*Exception$/.test(name));
    const others = ['ChimeSDKMeetingsServiceException', 'ConflictException', 'ResourceNotFoundException'];
    const untold = modelled.filter((name) => ![...others, 'TooManyTagsException'].includes(name));
    expect(scenarios.map((scenario) => scenario.class.name).toSorted()).toEqual(untold.toSorted());
  });

  it('has the time to wait in the member that the model has for it', async () => {
    await chimeControl(system.environment).fault({
      operation: 'BatchCreateAttendee',
      status: 503,
      errorType: 'ServiceUnavailableException',
      retryAfterSeconds: 7,
    });
    const MeetingId = await createMeeting(system.environment);
    const send = (client: sdk.ChimeSDKMeetingsClient) => client.send(batch(MeetingId)).catch((e) => e);
    const direct = await send(clientOfChime(system.environment.chimeUrl, { maxAttempts: 1 }));
    const usher = await send(clientOfUsher(system.environment.apiUrl, token, { maxAttempts: 1 }));
    expect(usher.RetryAfterSeconds).toBe('7');
    expect(usher.RetryAfterSeconds).toBe(direct.RetryAfterSeconds);
  });
});

/** The table of docs/wire-contract.md. */
const rows = readFileSync(new URL('../../docs/wire-contract.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 6 && (cells[4] === 'refused' || cells[4] === 'open'))
  .map(([, chime = '', usher = '', message = '', record = '']) => ({ chime, usher, message, record }));

/** What Chime is made to do for the rows that are not simply an error in its own shape. */
const PECULIAR: Record<string, object> = {
  '`403 ForbiddenException` that names an ARN': {
    status: 403,
    errorType: 'ForbiddenException',
    message: 'User: arn:aws:sts::123456789012:assumed-role/usher is not authorized',
  },
  '200 that is not JSON': { garbage: true },
  '400 that is not JSON': { garbage: true, status: 400 },
  '500 that is not JSON': { garbage: true, status: 500 },
  'an answer cut in the middle': { truncate: true },
  'a 4xx cut in the middle': { truncate: true, status: 400, errorType: 'LimitExceededException' },
  'a broken connection': { reset: true, when: 'after' },
};

function faultOf(chime: string): object {
  const [, status, errorType] = /^`(\d+) (\w+)`$/.exec(chime) ?? [];
  const fault = status
    ? { status: Number(status), errorType, message: "Chime's own words" }
    : PECULIAR[chime];
  if (fault === undefined) throw new Error(`What is ${chime}?`);
  return 'errorType' in fault ? { ...fault, retryAfterSeconds: 7 } : fault;
}

describe('an answer of Chime', () => {
  const meetings = new Map<string, { record: string; chimeRequestId: string | undefined }>();

  it.each(rows.map((row) => [`${row.chime} ${row.message}`, row] as const))(
    '%s becomes what the table says',
    async (_, { chime, usher, message, record }) => {
      const fault = faultOf(chime);
      const control = chimeControl(system.environment);
      await control.clearCalls();
      await control.fault({ operation: 'BatchCreateAttendee', ...fault });
      const meetingId = await createMeeting(system.environment);
      const client = clientOfUsher(system.environment.apiUrl, token, { maxAttempts: 1 });
      const error = await client.send(batch(meetingId)).catch((e) => e);

      expect(`\`${error.$metadata.httpStatusCode} ${error.name}\``).toBe(usher);
      if (message === "Chime's") expect(error.message).toBe("Chime's own words");
      else expect(error.message).not.toMatch(/Chime's own words|arn:/);

      const headers = error.$response.headers;
      const [call, ...more] = await control.calls('BatchCreateAttendee');
      expect(more).toEqual([]);
      const chimeRequestId = 'reset' in fault ? undefined : call?.requestId;
      expect(headers['x-usher-chime-request-id']).toBe(chimeRequestId);
      if ('errorType' in fault) expect(headers['retry-after']).toBe('7');
      else expect(headers['retry-after']).toBe('1');
      meetings.set(meetingId, { record, chimeRequestId });
    },
  );

  it('leaves the record that the table says', async () => {
    const outcomes = await recordedOutcomes();
    expect(meetings.size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(25);
    for (const [meetingId, { record, chimeRequestId }] of meetings) {
      const outcome = outcomes.get(meetingId);
      if (record === 'open') expect(outcome).toBeUndefined();
      else expect(outcome).toMatchObject({ state: 'FAILED', issued: [], chimeRequestId });
    }
  });

  it('is passed on with its request id on success, and recorded', async () => {
    const control = chimeControl(system.environment);
    await control.clearCalls();
    const meetingId = await createMeeting(system.environment);
    const response = await fetch(
      `${system.environment.apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`,
      {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ Attendees: ALICE }),
      },
    );
    const [call] = await control.calls('BatchCreateAttendee');
    expect([response.status, response.headers.get('x-usher-chime-request-id')]).toEqual([
      200,
      call?.requestId,
    ]);
    expect((await recordedOutcomes()).get(meetingId)).toMatchObject({ chimeRequestId: call?.requestId });
  });
});

/** The outcomes on record, by meeting. */
async function recordedOutcomes(): Promise<Map<string, Record<string, unknown>>> {
  const db = new DynamoDBClient({
    region: system.environment.region,
    endpoint: system.environment.dynamodbUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { Items = [] } = await db.send(new ScanCommand({ TableName: system.environment.tableName }));
  return new Map(
    Items.map((item) => unmarshall(item))
      .filter(({ kind }) => kind === 'outcome')
      .map((outcome) => [outcome['meetingId'], outcome]),
  );
}
