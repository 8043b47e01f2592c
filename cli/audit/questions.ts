import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { dayOfBatch } from '../../lambda/audit/batch-id.ts';
import {
  type AdmissionRecord,
  type AuditRecord,
  admissionsOf,
  type DenialRecord,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from '../../lambda/audit/records.ts';
import {
  keysOfBatches,
  LISTS,
  queryOf,
  SLOW_LAG_MS,
  type Span,
  SWEEP_KEYS,
  TABLES,
} from '../../lambda/audit/schema.ts';
import { BATCH_GET_LIMIT } from '../../lambda/aws/dynamodb-batches.ts';
import { type Admission, type Batch, batchOf, timeOfBatch } from './batches.ts';
import { getItems, queryItems } from './dynamodb.ts';
import { inGroups, mergeByBatchId } from './streams.ts';
import type { AskedTables } from './tables.ts';
import { batchIdBounds, DAY_MS, daysIn, type Range } from './times.ts';

/** What the indexes of the audit table tell of a batch. */
interface BatchKey {
  meetingId: string;
  batchId: string;
  /** Of the record that an index names. */
  recordId?: string;
}

/** A question that is answered with batches. */
export type BatchQuestion =
  | { about: 'meeting'; meetingId: string }
  | { about: 'caller'; callerId: string }
  | { about: 'batch'; batchId: string }
  | { about: 'day'; day: string }
  | { about: 'denied' }
  | { about: 'open' };

/** A question that is answered with admissions. */
export type AdmissionQuestion =
  | { about: 'user'; externalUserId: string }
  | { about: 'attendee'; attendeeId: string };

/** How far back `denied` and `open` look where nothing says otherwise. */
const DEFAULT_LOOK_BACK_MS = DAY_MS;

/** Where a range begins that need not say so: so long before its end. */
export function startOf({ sinceMs, untilMs }: Range, nowMs: number): number {
  return sinceMs ?? Math.max(0, Math.min(untilMs ?? nowMs, nowMs) - DEFAULT_LOOK_BACK_MS);
}

/** A reconciler that runs has written pending admissions by then. */
export const ENTERED_WITHIN_MS = 5 * 60 * 1000;

/** The batches that answer a question, by time, read as they are asked for. */
export function findBatches(
  tables: AskedTables,
  question: BatchQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<Batch> {
  const recent = { ...range, sinceMs: startOf(range, nowMs) };
  switch (question.about) {
    case 'meeting':
      return batchesOfMeeting(tables, question.meetingId.toLowerCase(), batchIdBounds(range));
    case 'caller':
      return batchesWithKeys(tables, keysByCaller(tables, question.callerId, range));
    case 'batch':
      return batchWithId(tables, question.batchId);
    case 'day': {
      const { day } = question;
      return mergeByBatchId(
        batchesWithKeys(tables, keysByDay(tables, day, {})),
        denialsByDay(tables, day, {}),
      );
    }
    case 'denied':
      return denialsOver(tables, recent, nowMs);
    case 'open':
      return openBatches(tables, range, nowMs);
  }
}

/** The admissions that answer a question, by time. */
export async function* findAdmissions(
  tables: AskedTables & { admissionTableName: string },
  question: AdmissionQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<Admission> {
  // First, so that what is entered meanwhile is met twice rather than never.
  const awaited = new Map<string, AdmissionRecord>();
  for await (const admission of admissionsAwaited(tables, question, range, nowMs)) {
    awaited.set(keyOf(admission), admission);
  }
  const entered = without(awaited, admissionsEntered(tables, question, range));
  for await (const group of inGroups(mergeByBatchId(awaited.values(), entered), BATCH_GET_LIMIT / 2)) {
    const facts = await factsOf(tables, group);
    for (const { externalUserId, attendeeId, meetingId, batchId } of group) {
      const { holds, ...fact } = facts.get(batchId) ?? {};
      // A handler that was killed leaves entries without an outcome: they admitted no attendee.
      if (!holds?.has(attendeeId)) continue;
      yield { externalUserId, attendeeId, meetingId, batchId, time: timeOfBatch(batchId), ...fact };
    }
  }
}

function admissionsEntered(
  tables: AskedTables & { admissionTableName: string },
  question: AdmissionQuestion,
  range: Range,
): AsyncGenerator<AdmissionRecord> {
  return queryItems<AdmissionRecord>(tables.client, {
    TableName: tables.admissionTableName,
    ...(question.about === 'user'
      ? {
          ...queryOf(TABLES.admissions, question.externalUserId, batchIdBounds(range)),
          ConsistentRead: true,
        }
      : queryOf(TABLES.admissions.indexes.byAttendee, question.attendeeId, batchIdBounds(range))),
  });
}

/** What the outcomes say of batches that the reconciler may not have entered yet. */
async function* admissionsAwaited(
  tables: AskedTables,
  question: AdmissionQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<AdmissionRecord> {
  const { client, auditTableName, openIntentTableName } = tables;
  const fallback =
    openIntentTableName === undefined
      ? { sinceMs: Math.max(range.sinceMs ?? 0, nowMs - ENTERED_WITHIN_MS) }
      : { sinceMs: startOf(range, nowMs) };
  const lists = [LISTS.open, LISTS.incomplete, LISTS.earlier];
  const sweptMs = await sweptThroughMs(tables, 'fast', nowMs);
  const keys = keysNotSwept(tables, lists, range, sweptMs ?? fallback.sinceMs, nowMs);
  for await (const group of inGroups(keys, BATCH_GET_LIMIT)) {
    const outcomes = await getItems<OutcomeRecord>(
      client,
      auditTableName,
      group.map(({ meetingId, batchId }) => ({ meetingId, recordId: recordId(batchId, 'outcome') })),
    );
    const byBatchId = new Map(outcomes.map((outcome) => [outcome.batchId, outcome]));
    for (const { batchId } of group) {
      const outcome = byBatchId.get(batchId);
      if (outcome === undefined || outcome.admissions === 'written') continue;
      yield* admissionsOf(outcome).filter((admission) =>
        question.about === 'user'
          ? admission.externalUserId === question.externalUserId
          : admission.attendeeId === question.attendeeId,
      );
    }
  }
}

/** One query of one partition, so that what has been answered a moment ago is in it. */
async function* batchesOfMeeting(
  { client, auditTableName }: AskedTables,
  meetingId: string,
  span: Span,
): AsyncGenerator<Batch> {
  const records = queryItems<AuditRecord>(client, {
    TableName: auditTableName,
    ...queryOf(TABLES.audit, meetingId, span),
    ConsistentRead: true,
  });
  let batch: AuditRecord[] = [];
  for await (const record of records) {
    if (batch[0] !== undefined && batch[0].batchId !== record.batchId) {
      yield* paired(batch);
      batch = [];
    }
    batch.push(record);
  }
  yield* paired(batch);
}

function paired(records: AuditRecord[]): Batch[] {
  const batch = batchOf(Object.fromEntries(records.map((record) => [record.kind, record])));
  return batch === undefined ? [] : [batch];
}

async function* batchWithId(tables: AskedTables, batchId: string): AsyncGenerator<Batch> {
  const { byDay, denialsByDay } = TABLES.audit.indexes;
  for (const index of [byDay, denialsByDay]) {
    const found = queryItems<BatchKey>(tables.client, {
      TableName: tables.auditTableName,
      ...queryOf(index, dayOfBatch(batchId), { from: batchId, to: batchId }),
    });
    for await (const { meetingId } of found) {
      yield* batchesOfMeeting(tables, meetingId, keysOfBatches(batchId));
    }
  }
}

function keysByCaller(tables: AskedTables, callerId: string, range: Range): AsyncGenerator<BatchKey> {
  return queryItems(tables.client, {
    TableName: tables.auditTableName,
    ...queryOf(TABLES.audit.indexes.byCaller, callerId, batchIdBounds(range)),
  });
}

function keysByDay(tables: AskedTables, day: string, range: Range): AsyncGenerator<BatchKey> {
  return queryItems(tables.client, {
    TableName: tables.auditTableName,
    ...queryOf(TABLES.audit.indexes.byDay, day, batchIdBounds(range)),
  });
}

/** The intents of a range, by time. */
export async function* keysOver(
  tables: AskedTables,
  range: Range & { sinceMs: number },
  nowMs: number,
): AsyncGenerator<BatchKey> {
  if (isEmpty(range)) return;
  for (const day of daysIn(range.sinceMs, range.untilMs ?? nowMs)) yield* keysByDay(tables, day, range);
}

async function* denialsByDay(tables: AskedTables, day: string, range: Range): AsyncGenerator<Batch> {
  const denials = queryItems<DenialRecord>(tables.client, {
    TableName: tables.auditTableName,
    ...queryOf(TABLES.audit.indexes.denialsByDay, day, batchIdBounds(range)),
  });
  for await (const denial of denials) yield* paired([denial]);
}

async function* denialsOver(
  tables: AskedTables,
  range: Range & { sinceMs: number },
  nowMs: number,
): AsyncGenerator<Batch> {
  if (isEmpty(range)) return;
  for (const day of daysIn(range.sinceMs, range.untilMs ?? nowMs)) yield* denialsByDay(tables, day, range);
}

/** DynamoDB refuses a range that ends before it begins. */
function isEmpty({ sinceMs, untilMs }: Range & { sinceMs: number }): boolean {
  return untilMs !== undefined && untilMs <= sinceMs;
}

async function* without(
  known: ReadonlyMap<string, unknown>,
  admissions: AsyncIterable<AdmissionRecord>,
): AsyncGenerator<AdmissionRecord> {
  for await (const admission of admissions) if (!known.has(keyOf(admission))) yield admission;
}

function keyOf({ externalUserId, admissionId }: AdmissionRecord): string {
  return JSON.stringify([externalUserId, admissionId]);
}

/** What is open: on a list, or begun since all that was not on a list was looked at for the second time. */
async function* openBatches(tables: AskedTables, range: Range, nowMs: number): AsyncGenerator<Batch> {
  const sweptMs = await sweptThroughMs(tables, 'slow', nowMs);
  const sinceMs = sweptMs ?? startOf(range, nowMs);
  const keys = keysNotSwept(tables, [LISTS.open, LISTS.earlier], range, sinceMs, nowMs);
  for await (const batch of batchesWithKeys(tables, withoutOutcome(tables, keys))) {
    if (batch.state === 'OPEN') yield batch;
  }
}

/** What is on the reconciler's lists, or began since the sweep that fills them went through. */
async function* keysNotSwept(
  tables: AskedTables,
  lists: readonly string[],
  range: Range,
  sweptMs: number,
  nowMs: number,
): AsyncGenerator<BatchKey> {
  const recentRange = { ...range, sinceMs: Math.max(range.sinceMs ?? 0, sweptMs) };
  let keys: AsyncIterable<BatchKey> = keysOver(tables, recentRange, nowMs);
  for (const list of lists) keys = mergeByBatchId(listed(tables, list, range), keys);
  yield* withoutRepeats(keys);
}

async function* listed(tables: AskedTables, list: string, range: Range): AsyncGenerator<BatchKey> {
  if (tables.openIntentTableName === undefined) return;
  yield* queryItems<BatchKey>(tables.client, {
    TableName: tables.openIntentTableName,
    ...queryOf(TABLES.openIntents, list, batchIdBounds(range)),
    ConsistentRead: true,
  });
}

/** Of many batches, those that may have no outcome: one of the last seconds may be missed, and is read again. */
async function* withoutOutcome(
  { client, auditTableName }: AskedTables,
  keys: AsyncIterable<BatchKey>,
): AsyncGenerator<BatchKey> {
  for await (const group of inGroups(keys, BATCH_GET_LIMIT)) {
    const outcomes = await getItems<{ batchId: string }>(
      client,
      auditTableName,
      group.map(({ meetingId, batchId }) => ({ meetingId, recordId: recordId(batchId, 'outcome') })),
      { ProjectionExpression: 'batchId' },
    );
    const settled = new Set(outcomes.map(({ batchId }) => batchId));
    yield* group.filter(({ batchId }) => !settled.has(batchId));
  }
}

/** How far a cursor came; a mark that is further than it can be was set by a clock that is off. */
async function sweptThroughMs(
  { client, openIntentTableName }: AskedTables,
  cursor: 'fast' | 'slow',
  nowMs: number,
): Promise<number | undefined> {
  if (openIntentTableName === undefined) return undefined;
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: openIntentTableName,
      Key: marshall(SWEEP_KEYS[cursor]),
      ConsistentRead: true,
    }),
  );
  const through = Item?.['through']?.S;
  if (through === undefined) return undefined;
  return Math.min(Date.parse(through), nowMs - (cursor === 'slow' ? SLOW_LAG_MS : 0));
}

async function* withoutRepeats(keys: AsyncIterable<BatchKey>): AsyncGenerator<BatchKey> {
  let last: string | undefined;
  for await (const key of keys) {
    if (key.batchId !== last) yield key;
    last = key.batchId;
  }
}

/** The batches with these keys, in their order. An index may name one that has expired since: it is left out. */
export async function* batchesWithKeys(
  { client, auditTableName }: AskedTables,
  keys: AsyncIterable<BatchKey>,
): AsyncGenerator<Batch> {
  // Intent and outcome of each.
  for await (const group of inGroups(keys, BATCH_GET_LIMIT / 2)) {
    const records = await getItems<AuditRecord>(
      client,
      auditTableName,
      group.flatMap((key) => recordKeys(key)),
    );
    const byBatchId = Map.groupBy(records, ({ batchId }) => batchId);
    for (const { batchId } of group) yield* paired(byBatchId.get(batchId) ?? []);
  }
}

function recordKeys({ meetingId, batchId, recordId: found }: BatchKey): Record<string, string>[] {
  if (found === recordId(batchId, 'denial')) return [{ meetingId, recordId: found }];
  return [
    { meetingId, recordId: recordId(batchId, 'intent') },
    { meetingId, recordId: recordId(batchId, 'outcome') },
  ];
}

interface BatchFacts extends Pick<Admission, 'state' | 'callerId'> {
  /** The attendees in its outcome. */
  holds?: Set<string>;
}

/** For each batch id, who asked, and what its outcome says. */
async function factsOf(
  { client, auditTableName }: AskedTables,
  keys: BatchKey[],
): Promise<Map<string, BatchFacts>> {
  const batches = [...new Map(keys.map((key) => [key.batchId, key])).values()];
  const records = await getItems<
    | Pick<IntentRecord, 'batchId' | 'kind' | 'callerId'>
    | Pick<OutcomeRecord, 'batchId' | 'kind' | 'state' | 'issued'>
  >(
    client,
    auditTableName,
    batches.flatMap((key) => recordKeys(key)),
    {
      ProjectionExpression: 'batchId, kind, callerId, #state, issued',
      ExpressionAttributeNames: { '#state': 'state' },
    },
  );
  const facts = new Map<string, BatchFacts>();
  for (const record of records) {
    const fact: BatchFacts =
      record.kind === 'intent'
        ? { callerId: record.callerId }
        : { state: record.state, holds: new Set(record.issued.map(({ attendeeId }) => attendeeId)) };
    facts.set(record.batchId, { ...facts.get(record.batchId), ...fact });
  }
  return facts;
}
