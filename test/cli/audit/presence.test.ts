import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Batch } from '../../../cli/audit/batches.ts';
import { filtered, NO_FILTER_COUNTS } from '../../../cli/audit/filters.ts';
import { withResults } from '../../../cli/audit/output/json.ts';
import { batchesInFull } from '../../../cli/audit/output/table.ts';
import { admissionsWithPresence, batchesWithPresence } from '../../../cli/audit/presence.ts';
import { findAdmissions, findBatches } from '../../../cli/audit/questions.ts';
import type { Range } from '../../../cli/audit/times.ts';
import type { AttendeeLine } from '../../../cli/audit/words.ts';
import { quarterAt } from '../../../lambda/audit/attendee-events.ts';
import { mintBatchId } from '../../../lambda/audit/batch-id.ts';
import { startTables } from '../../support/tables.ts';

const START_MS = Date.UTC(2026, 10, 23, 13, 45);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const iso = (minutes: number) => new Date(START_MS + minutes * MINUTE_MS).toISOString();

let tables: Awaited<ReturnType<typeof startTables>>;
let meetingId: string;
beforeAll(async () => {
  tables = await startTables();
}, 60_000);
afterAll(() => tables.close());
beforeEach(() => {
  meetingId = randomUUID();
});

const put = (TableName: string, item: object) =>
  tables.client.send(
    new PutItemCommand({ TableName, Item: marshall(item, { removeUndefinedValues: true }) }),
  );

/** A batch that asked for these names, with the records that it has. */
async function batch(names: string[], outcome?: object, minutes = 0): Promise<string[]> {
  const batchId = mintBatchId(START_MS + minutes * MINUTE_MS, randomUUID().replaceAll('-', ''));
  const base = { meetingId, batchId, recordedAt: iso(minutes) };
  const attendees = names.map((externalUserId) => ({ externalUserId, attendeeId: randomUUID() }));
  const requested = names.map((externalUserId) => ({ externalUserId }));
  await put(tables.auditTableName, {
    ...base,
    recordId: `${batchId}/intent`,
    kind: 'intent',
    day: iso(minutes).slice(0, 10),
    requested,
  });
  if (outcome !== undefined) {
    await put(tables.auditTableName, {
      ...base,
      recordId: `${batchId}/outcome`,
      kind: 'outcome',
      state: 'ISSUED',
      issued: attendees,
      withheld: [],
      errors: [],
      admissions: 'written',
      ...outcome,
    });
    for (const { externalUserId, attendeeId } of attendees) {
      const admissionId = `${batchId}/${attendeeId}`;
      await put(tables.admissionTableName, { externalUserId, admissionId, attendeeId, batchId, meetingId });
    }
  }
  return attendees.map(({ attendeeId }) => attendeeId);
}

async function event(
  attendeeId: string,
  minutes: number,
  { type = 'Joined', name = 'someone', ...others }: { type?: string; name?: string; expiresAt?: number } = {},
): Promise<void> {
  const eventType = `chime:Attendee${type}`;
  const eventId = `${iso(minutes)}/${eventType}`;
  const times = {
    at: iso(minutes),
    arrivedAt: iso(minutes),
    arrivedIn: quarterAt(START_MS + minutes * MINUTE_MS),
  };
  await put(tables.eventTableName, {
    ...{ attendeeId, eventId, eventType, meetingId, externalUserId: name },
    ...times,
    ...others,
  });
}

async function asked(minutes: number, range: Range = {}): Promise<Batch[]> {
  const nowMs = START_MS + minutes * MINUTE_MS;
  const question = { about: 'meeting', meetingId } as const;
  const found = findBatches(tables, question, range, nowMs);
  const batches: Batch[] = [];
  for await (const one of batchesWithPresence(tables, found, { meetingId, range }, nowMs)) batches.push(one);
  return batches;
}

const lines = async (minutes: number, range?: Range) =>
  (await asked(minutes, range)).flatMap(
    (one) => (withResults(one) as { attendees: AttendeeLine[] }).attendees,
  );

it('says when an attendee first joined, of joins in any order, and of whom there is no event', async () => {
  const [alice = ''] = await batch(['alice', 'bob'], {});
  await event(alice, 9);
  await event(alice, 2);
  await event(alice, 1, { type: 'Added' });
  expect(await lines(10)).toMatchObject([
    { externalUserId: 'alice', presence: 'joined', firstJoinAt: iso(2) },
    { externalUserId: 'bob', presence: 'too early to say' },
  ]);
  expect((await lines(15))[1]).toMatchObject({ presence: 'no join event received' });
});

it('names those whom no record explains, once their event is a quarter of an hour old', async () => {
  await batch(['alice'], {});
  const stranger = randomUUID();
  await event(stranger, 5, { name: 'mallory' });
  const [, entry] = await asked(19);
  expect(entry).toMatchObject({ state: 'NO_RECORD', meetingId });
  expect((await lines(19))[1]).toMatchObject({
    result: 'unknown',
    reason: 'too early to say whether a record explains it',
  });
  expect((await lines(20))[1]).toMatchObject({
    result: 'present without a record',
    externalUserId: 'mallory',
    attendeeId: stranger,
    presence: 'joined',
    firstJoinAt: iso(5),
  });
  let text = '';
  const all = await asked(20);
  const each = (async function* () {
    yield* all;
  })();
  for await (const part of batchesInFull(each, { width: 200, colours: false })) text += part;
  expect(text).toContain('no record of Usher explains it');
  expect(text).toMatch(new RegExp(`mallory +${stranger} +present without a record +${iso(5)}`));
});

it('has a record explain whom it holds, and whose name a batch without a known outcome asked for', async () => {
  const held = randomUUID();
  await batch(['alice'], {
    issued: [],
    heldElsewhere: [{ externalUserId: 'alice', attendeeId: held, batchId: 'b' }],
  });
  await batch(['open']);
  await batch(['unresolved'], { state: 'UNRESOLVED', issued: [] });
  await event(held, 1);
  await event(randomUUID(), 1, { name: 'open' });
  await event(randomUUID(), 1, { name: 'unresolved' });
  expect((await asked(60)).map(({ state }) => state)).not.toContain('NO_RECORD');
});

it('has a record explain whom it holds, whatever range is asked for', async () => {
  const [alice = ''] = await batch(['alice'], {});
  await event(alice, 30);
  await event(randomUUID(), 40);
  const later = { sinceMs: START_MS + 20 * MINUTE_MS };
  expect((await asked(60, later)).map(({ state }) => state)).toEqual(['NO_RECORD']);
  expect(await lines(60, later)).toHaveLength(1);
  expect(await asked(60, { sinceMs: START_MS + 50 * MINUTE_MS })).toEqual([]);
});

it('does not judge where the records may have expired, or one cannot be read', async () => {
  const expiresAt = START_MS / 1000 + 30 * 86_400;
  await event(randomUUID(), 0, { expiresAt });
  const [dayBefore, late] = [29 * 24 * 60 - 1, 29 * 24 * 60];
  expect(await lines(dayBefore)).toMatchObject([{ result: 'present without a record' }]);
  expect(await lines(late)).toMatchObject([
    { result: 'unknown', reason: expect.stringContaining('expired') },
  ]);
  const batchId = mintBatchId(START_MS, '0123456789abcdef');
  await put(tables.auditTableName, { meetingId, recordId: `${batchId}/intent`, batchId, kind: 'intent' });
  const reasons = (await lines(60)).map(({ reason }) => reason);
  expect(reasons).toContain('a record of this meeting cannot be read');
  expect(DAY_MS).toBe(86_400_000);
});

it('says of what AWS itself added that it is', async () => {
  await event(randomUUID(), 0, { name: 'aws:MediaPipeline-1' });
  expect(await lines(60)).toMatchObject([
    { result: 'present without a record', reason: expect.stringContaining("AWS's own") },
  ]);
});

it('says of each admission when its attendee first joined', async () => {
  const [attendeeId = ''] = await batch(['carol'], {});
  await event(attendeeId, 3);
  const nowMs = START_MS + 60 * MINUTE_MS;
  const question = { about: 'attendee', attendeeId } as const;
  const admissions = [];
  const found = findAdmissions(tables, question, {}, nowMs);
  for await (const one of admissionsWithPresence(tables, found, nowMs)) admissions.push(one);
  expect(admissions).toMatchObject([{ presence: 'joined', firstJoinAt: iso(3) }]);
});

it('finds by person the events that no record explains, in whatever meeting, and no one else', async () => {
  const person = `visitor-${randomUUID()}`;
  const [admitted = ''] = await batch([person], {});
  await event(admitted, 1, { name: person });
  const stranger = randomUUID();
  await event(stranger, 20, { name: person });
  await event(randomUUID(), 20, { name: 'another' });
  const nowMs = START_MS + 90 * MINUTE_MS;
  const range = { sinceMs: START_MS };
  const found = filtered(
    findBatches(tables, { about: 'time' }, range, nowMs),
    { person },
    { ...NO_FILTER_COUNTS },
  );
  const batches: Batch[] = [];
  for await (const one of batchesWithPresence(tables, found, { person, range }, nowMs)) batches.push(one);
  expect(batches.map(({ state }) => state)).toEqual(['ISSUED', 'NO_RECORD']);
  expect(batches[1]).toMatchObject({
    meetingId,
    withoutRecord: [{ attendeeId: stranger, externalUserId: person, presence: 'joined' }],
  });
});
