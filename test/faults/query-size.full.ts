import { randomBytes, randomUUID } from 'node:crypto';
import { BlockList } from 'node:net';
import { BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareCalls, NO_CALL_COUNTS } from '../../cli/audit/cloudtrail.ts';
import { type BatchFilter, filtered, NO_FILTER_COUNTS } from '../../cli/audit/filters.ts';
import { type BatchQuestion, batchesAbout, findAdmissions, findBatches } from '../../cli/audit/questions.ts';
import type { AskedTables } from '../../cli/audit/tables.ts';
import type { Range } from '../../cli/audit/times.ts';
import { dayOfBatch, mintBatchId } from '../../lambda/audit/batch-id.ts';
import { DUMMY_CREDENTIALS } from '../../local/lambda/environment.ts';
import { inLanes, type Lane, startLane } from '../support/faults/lane.ts';
import { type Reply, startWire } from '../support/faults/wire.ts';

/** Batches that no question is about, before and after the table has grown: each has three items, some a denial too. */
const SMALL = 500;
const LARGE = 20_000;
/** Batches that each question is about, before and after the answers have grown. */
const FEW = 5;
const MANY = 50;

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-11-23T12:00:00Z');
const MEETING = randomUUID();
const ASKED = { meetingId: MEETING, callerId: 'https://issuer|client|asked', externalUserId: 'asked' };
const ATTENDEE = randomUUID();

let lane: Lane;
let wire: Awaited<ReturnType<typeof startWire>>;
let tables: AskedTables & { admissionTableName: string };
let itemsRead = 0;
let items = 0;
let firstBatch = '';

beforeAll(async () => {
  lane = await startLane();
  wire = await startWire('dynamodb', lane.dynamodbUrl);
  wire.intercept(async (_, act) => {
    const reply = await act();
    itemsRead += itemsIn(reply);
    return reply;
  });
  tables = {
    client: new DynamoDBClient({ region: 'us-east-1', endpoint: wire.url, credentials: DUMMY_CREDENTIALS }),
    auditTableName: lane.tableNames.audit,
    admissionTableName: lane.tableNames.admissions,
    openIntentTableName: lane.tableNames.openIntents,
  };
}, 60_000);

afterAll(async () => {
  tables.client.destroy();
  await wire.close();
  await lane.close();
});

describe('every question of the audit', () => {
  it('reads more for a longer answer, and not for a larger table', async () => {
    await put([[lane.tableNames.openIntents, { list: 'sweep', batchId: 'through', through: iso(NOW_MS) }]]);
    await put(Array.from({ length: FEW }, asked).flat());
    await put(Array.from({ length: SMALL }, background).flat());
    const small = await askAll();
    await put(Array.from({ length: LARGE - SMALL }, background).flat());
    const tableItems = items;
    const large = await askAll();
    await put(Array.from({ length: MANY - FEW }, asked).flat());
    const many = await askAll();

    expect(large).toEqual(small);
    for (const [question, { answer, read }] of Object.entries(many)) {
      const before = small[question] as { answer: number; read: number };
      // One question's answer is one batch, whatever else there is.
      expect([question, answer]).toEqual([question, question === 'batch' ? 1 : (before.answer * MANY) / FEW]);
      expect(read).toBeLessThanOrEqual((before.read * answer) / before.answer);
    }
    const figures = Object.entries(many).map(([question, { answer, read }]) => {
      const before = large[question] as { answer: number; read: number };
      return `${question}: ${before.read} for ${before.answer}, ${read} for ${answer}`;
    });
    console.log(`items read in tables of ${tableItems} items:\n${figures.join('\n')}`);
  }, 900_000);
});

/** By question, how many items were answered and how many read for that. */
async function askAll(): Promise<Record<string, { answer: number; read: number }>> {
  const range = { sinceMs: NOW_MS - DAY_MS / 4, untilMs: NOW_MS + 1 };
  const sources = new BlockList();
  sources.addAddress('192.0.2.1');
  const questions = {
    meeting: () => findBatches(tables, { about: 'meeting', meetingId: MEETING }, {}, NOW_MS),
    caller: () => findBatches(tables, { about: 'caller', callerId: ASKED.callerId }, {}, NOW_MS),
    batch: () => findBatches(tables, { about: 'batch', batchId: firstBatch }, {}, NOW_MS),
    day: () => findBatches(tables, { about: 'day', day: iso(NOW_MS).slice(0, 10) }, {}, NOW_MS),
    denied: () => findBatches(tables, { about: 'denied' }, range, NOW_MS),
    open: () => findBatches(tables, { about: 'open' }, {}, NOW_MS),
    time: () => findBatches(tables, { about: 'time' }, range, NOW_MS),
    'time, denied only': () => ask({ about: 'time' }, range, { states: new Set(['DENIED']) }),
    'time, open only': () => ask({ about: 'time' }, range, { states: new Set(['OPEN']) }),
    'time, by rule': () => ask({ about: 'time' }, range, { rules: new Set(['scope']) }),
    'time, by client': () => ask({ about: 'time' }, range, { clientId: 'client' }),
    'time, by subject': () => ask({ about: 'time' }, range, { subject: 'asked' }),
    'time, by source': () => ask({ about: 'time' }, range, { sources }),
    'time, by external meeting id': () => ask({ about: 'time' }, range, { externalMeetingId: 'asked' }),
    'time, by name': () => ask({ about: 'time' }, range, { name: ASKED.externalUserId }),
    'meeting, by client': () => ask({ about: 'meeting', meetingId: MEETING }, {}, { clientId: 'client' }),
    'caller within a time': () => ask({ about: 'caller', callerId: ASKED.callerId }, range, {}),
    'user, all that names it': () =>
      batchesAbout(tables, { about: 'user', externalUserId: ASKED.externalUserId }, range, NOW_MS),
    cloudtrail: () => compareCalls(tables, [], range, NOW_MS, { ...NO_CALL_COUNTS }),
    user: () => findAdmissions(tables, { about: 'user', externalUserId: ASKED.externalUserId }, {}, NOW_MS),
    attendee: () => findAdmissions(tables, { about: 'attendee', attendeeId: ATTENDEE }, {}, NOW_MS),
  };
  const ask = (question: BatchQuestion, during: Range, filter: BatchFilter) =>
    filtered(findBatches(tables, question, during, NOW_MS, filter), filter, { ...NO_FILTER_COUNTS });
  const found: Record<string, { answer: number; read: number }> = {};
  for (const [question, ask] of Object.entries(questions)) {
    itemsRead = 0;
    let answer = 0;
    for await (const _ of ask()) answer += 1;
    found[question] = { answer, read: itemsRead };
  }
  return found;
}

/** What DynamoDB charges for, at least: every item that it looked at. */
function itemsIn({ body }: Reply): number {
  const { ScannedCount, Responses, Item } = JSON.parse(body.toString('utf8'));
  if (ScannedCount !== undefined) return ScannedCount;
  if (Responses !== undefined) return Object.values<unknown[]>(Responses).flat().length;
  return Item === undefined ? 0 : 1;
}

type Put = [table: string, item: Record<string, unknown>];

/** One batch of today with an outcome, one that was denied, and one that is open, all of the meeting, caller and user asked for. */
function asked(): Put[] {
  const atMs = NOW_MS - 3_600_000 + Math.floor(Math.random() * 3_000_000);
  const [settled, denied, open] = [1, 2, 3].map(() => mintBatchId(atMs, randomBytes(8).toString('hex')));
  firstBatch ||= settled as string;
  return [
    ...settledBatch(settled as string, { ...ASKED, attendeeId: ATTENDEE }),
    denial(denied as string, ASKED),
    [lane.tableNames.audit, intent(open as string, ASKED)],
    [lane.tableNames.openIntents, { list: 'open', batchId: open, meetingId: MEETING, looks: 0, seen: [] }],
  ];
}

/** A batch of another caller, a year earlier; one in ten was denied. */
function background(_: unknown, index: number): Put[] {
  const batchId = mintBatchId(
    NOW_MS - DAY_MS - Math.floor(Math.random() * 364 * DAY_MS),
    randomBytes(8).toString('hex'),
  );
  const meetingId = randomUUID();
  const number = index % 1000;
  const whose = { meetingId, callerId: `https://issuer|client|${number}`, externalUserId: `guest-${number}` };
  if (index % 10 === 0) return [denial(batchId, whose)];
  return settledBatch(batchId, { ...whose, attendeeId: randomUUID() });
}

type Whose = typeof ASKED;

function settledBatch(batchId: string, whose: Whose & { attendeeId: string }): Put[] {
  const { meetingId, externalUserId, attendeeId } = whose;
  const issued = [{ externalUserId, attendeeId }];
  return [
    [lane.tableNames.audit, intent(batchId, whose)],
    [
      lane.tableNames.audit,
      {
        meetingId,
        recordId: `${batchId}/outcome`,
        batchId,
        kind: 'outcome',
        state: 'ISSUED',
        issued,
        chimeRequestId: batchId,
        withheld: [],
        errors: [],
      },
    ],
    [
      lane.tableNames.admissions,
      { externalUserId, admissionId: `${batchId}/${attendeeId}`, attendeeId, batchId, meetingId },
    ],
  ];
}

function intent(batchId: string, { meetingId, callerId, externalUserId }: Whose) {
  const day = dayOfBatch(batchId);
  const requested = [{ externalUserId }];
  const caller = { sourceIp: '192.0.2.1' };
  const record = {
    meetingId,
    recordId: `${batchId}/intent`,
    batchId,
    kind: 'intent',
    callerId,
    day,
    requested,
  };
  return { ...record, caller, externalMeetingId: externalUserId };
}

function denial(batchId: string, { meetingId, callerId, externalUserId }: Whose): Put {
  return [
    lane.tableNames.audit,
    {
      ...{ meetingId, recordId: `${batchId}/denial`, batchId, kind: 'denial', callerId },
      ...{ denialDay: dayOfBatch(batchId), rule: 'scope', caller: { sourceIp: '192.0.2.1' } },
      ...{ requestedCount: 1, names: [externalUserId], externalMeetingId: externalUserId },
    },
  ];
}

async function put(puts: Put[]): Promise<void> {
  items += puts.length;
  const chunks = Array.from({ length: Math.ceil(puts.length / 25) }, (_, index) =>
    puts.slice(index * 25, (index + 1) * 25),
  );
  await inLanes(chunks, 4, async (chunk) => {
    const RequestItems: Record<string, WriteRequest[]> = {};
    for (const [table, item] of chunk) {
      const Item: NonNullable<WriteRequest['PutRequest']>['Item'] = marshall(item);
      RequestItems[table] = [...(RequestItems[table] ?? []), { PutRequest: { Item } }];
    }
    await lane.client.send(new BatchWriteItemCommand({ RequestItems }));
  });
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
