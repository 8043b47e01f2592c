import { readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ABSENT_MEETING,
  chimeControl,
  clientOfChime,
  clientOfUsher,
  createMeeting,
  mintToken,
} from '../support/contract/clients.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

let system: RunningSystem;
let control: ReturnType<typeof chimeControl>;
beforeAll(async () => {
  // One process, so that what it remembers is what every request meets.
  system = await startSystem({ config: unthrottledConfig(), env: { USHER_LOCAL_CONCURRENCY: '1' } });
  control = chimeControl(system.environment);
}, 60_000);
afterAll(() => system.stop());
beforeEach(() => control.clearCalls());
afterEach(() => control.clearFaults());

/** A caller of its own, so that none has used up another's budget for look-ups. */
const callerWith = async (scope: string, options: object = {}) => {
  const token = await mintToken(system.environment, { sub: `c-${crypto.randomUUID()}`, scope, ...options });
  return clientOfUsher(system.environment.apiUrl, token, { maxAttempts: 1 });
};
const get = (MeetingId: string) => new sdk.GetMeetingCommand({ MeetingId });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error) => error,
  );

const classOf = (name: string) => Object.entries(sdk).find(([exported]) => exported === name)?.[1] as never;

/** What is on record of a meeting. */
async function recordsOf(meetingId: string) {
  const db = new DynamoDBClient({
    region: system.environment.region,
    endpoint: system.environment.dynamodbUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { Items = [] } = await db.send(
    new QueryCommand({
      TableName: system.environment.tableName,
      KeyConditionExpression: 'meetingId = :meetingId',
      ExpressionAttributeValues: { ':meetingId': { S: meetingId } },
    }),
  );
  db.destroy();
  return Items.map((item) => unmarshall(item));
}

describe('GetMeetingCommand of the stock SDK', () => {
  it.each(['attendees.create', 'attendees.create.self'])(
    'answers a caller with the scope %s what Chime answers, without four members',
    async (scope) => {
      const PrimaryMeetingId = await createMeeting(system.environment);
      const meetingId = await createMeeting(system.environment, {
        PrimaryMeetingId,
        MeetingHostId: 'the-host',
        TenantIds: ['globex', 'acme'],
        MeetingFeatures: {
          Audio: { EchoReduction: 'AVAILABLE' },
          Video: { MaxResolution: 'FHD' },
          Attendee: { MaxCount: 20 },
        },
      });
      const usher = await callerWith(scope);
      const { Meeting, $metadata } = await usher.send(get(meetingId));
      const direct = await clientOfChime(system.environment.chimeUrl).send(get(meetingId));
      const { MeetingArn, MeetingHostId, PrimaryMeetingId: _, TenantIds, ...others } = direct.Meeting ?? {};
      expect([MeetingArn, MeetingHostId, TenantIds]).not.toContain(undefined);
      expect(Meeting).toEqual(others);
      expect(Object.keys(others).toSorted()).toEqual([
        'ExternalMeetingId',
        'MediaPlacement',
        'MediaRegion',
        'MeetingFeatures',
        'MeetingId',
      ]);
      expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: expect.stringMatching(/^[\w-]+$/) });
    },
  );

  it('is remembered for the tenants of the caller, and no intent is recorded', async () => {
    const meetingId = await createMeeting(system.environment);
    await (await callerWith('attendees.create')).send(get(meetingId));
    await (await callerWith('attendees.create.self')).send(get(meetingId.toUpperCase()));
    expect(await control.calls('GetMeeting')).toHaveLength(1);
    expect(await recordsOf(meetingId)).toEqual([]);
  });

  it('answers 404 for a meeting of which Chime has said that it has ended', async () => {
    const meetingId = await createMeeting(system.environment);
    const usher = await callerWith('attendees.create');
    await usher.send(get(meetingId));
    await clientOfChime(system.environment.chimeUrl).send(
      new sdk.DeleteMeetingCommand({ MeetingId: meetingId }),
    );
    const Attendees = [{ ExternalUserId: 'alice' }];
    const ended = await failure(
      usher.send(new sdk.BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees })),
    );
    expect(ended).toBeInstanceOf(sdk.NotFoundException);
    const error = await failure(usher.send(get(meetingId)));
    expect(error).toBeInstanceOf(sdk.NotFoundException);
    expect(error.message).toBe(`Meeting ${meetingId} not found`);
  });

  it('has a denial on record that names the operation, and nothing else', async () => {
    const meetingId = await createMeeting(system.environment, { TenantIds: ['globex'] });
    const { name, $response } = await failure((await callerWith('attendees.create')).send(get(meetingId)));
    expect([name, $response.headers['cache-control']]).toEqual(['NotFoundException', 'no-store']);
    await failure((await callerWith('openid')).send(get(meetingId)));
    expect(await recordsOf(meetingId)).toMatchObject([
      { kind: 'denial', operation: 'GetMeeting', rule: 'meeting-tenant', requestedCount: 0 },
      { kind: 'denial', operation: 'GetMeeting', rule: 'scope', requestedCount: 0 },
    ]);
  });

  it.each<[string, string, object, () => Promise<string>]>([
    ['BadRequestException', 'attendees.create', {}, async () => 'no-id'],
    ['UnauthorizedException', 'attendees.create', { expiresIn: '-60' }, async () => ABSENT_MEETING],
    ['ForbiddenException', '', {}, async () => ABSENT_MEETING],
    ['NotFoundException', 'attendees.create', {}, async () => ABSENT_MEETING],
  ])('gets a %s as itself', async (name, scope, options, meeting) => {
    const error = await failure((await callerWith(scope, options)).send(get(await meeting())));
    expect(error).toMatchObject({
      name,
      $fault: 'client',
      Code: name.replace('Exception', ''),
      RequestId: error.$metadata.requestId,
    });
    expect(error).toBeInstanceOf(classOf(name));
  });
});

/** The table of docs/wire-contract.md. */
const rows = readFileSync(new URL('../../docs/wire-contract.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => /^\| (.+ to `GetMeeting`) \| `(\d+) (\w+)` \|$/.exec(line))
  .flatMap((row) => (row ? [[row[1] ?? '', row[2] ?? '', row[3] ?? ''] as const] : []));

const PECULIAR: Record<string, object> = {
  '200 that is not JSON': { garbage: true },
  '404 that is not JSON': { garbage: true, status: 404 },
  'an answer cut in the middle': { truncate: true },
  'a broken connection': { reset: true },
};

describe('an answer of Chime to GetMeeting', () => {
  it('is in the table', () => {
    expect(rows.length).toBeGreaterThan(10);
  });

  it.each(rows)('%s becomes %s %s', async (chime, status, errorClass) => {
    const what = chime.replace(' to `GetMeeting`', '');
    const [, chimeStatus, errorType] = /^`(\d+) (\w+)`$/.exec(what) ?? [];
    const fault = chimeStatus
      ? { status: Number(chimeStatus), errorType, message: "Chime's own words", retryAfterSeconds: 7 }
      : PECULIAR[what];
    if (fault === undefined) throw new Error(`What is ${what}?`);
    const meetingId = await createMeeting(system.environment);
    await control.fault({ operation: 'GetMeeting', ...fault });
    const error = await failure((await callerWith('attendees.create')).send(get(meetingId)));
    expect(`${error.$metadata.httpStatusCode} ${error.name}`).toBe(`${status} ${errorClass}`);
    expect(error).toBeInstanceOf(classOf(errorClass));
    if (status !== '429') expect(error.message).not.toContain("Chime's own words");
    if (status === '503') {
      expect(error.$response.headers['retry-after']).toBe('errorType' in fault ? '7' : '1');
    }
  });
});
