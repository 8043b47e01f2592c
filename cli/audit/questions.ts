import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { dayOfBatch } from '../../lambda/audit/batch-id.ts';
import {
  type AdmissionRecord,
  type AuditRecord,
  admissionsOf,
  type OutcomeRecord,
  recordId,
} from '../../lambda/audit/records.ts';
import {
  type KeyQuery,
  keysOfBatches,
  LISTS,
  queryOf,
  SLOW_LAG_MS,
  type Span,
  SWEEP_KEYS,
  TABLES,
} from '../../lambda/audit/schema.ts';
import { BATCH_GET_LIMIT } from '../../lambda/aws/dynamodb-batches.ts';
import {
  type Admission,
  type Batch,
  batchOf,
  callerIdOf,
  callerOf,
  type DamagedRecord,
  externalMeetingIdOf,
  timeOfBatch,
} from './batches.ts';
import { getItems, queryItems } from './dynamodb.ts';
import { admits, admitsBatches, type BatchFilter, matches } from './filters.ts';
import { type BatchKey, readAdmission, readKey, readRecord } from './readable.ts';
import { attendeesOf } from './results.ts';
import { grouped, inGroups, mergeByBatchId } from './streams.ts';
import type { AskedTables } from './tables.ts';
import { batchIdBounds, DAY_MS, daysIn, type Range } from './times.ts';
import { RESULTS, STATES } from './words.ts';

/** A question that is answered with batches. */
export type BatchQuestion =
  | { about: 'meeting'; meetingId: string }
  | { about: 'caller'; callerId: string }
  | { about: 'batch'; batchId: string }
  | { about: 'day'; day: string }
  | { about: 'denied' }
  /** Everything of a time. */
  | { about: 'time' }
  | { about: 'open' };

/** A question that is answered with admissions. */
export type AdmissionQuestion =
  | { about: 'user'; externalUserId: string }
  | { about: 'attendee'; attendeeId: string };

/** How far back `time`, `denied` and `open` look where nothing says otherwise. */
const DEFAULT_LOOK_BACK_MS = DAY_MS;

/** Where a range begins that need not say so: so long before its end. */
export function startOf({ sinceMs, untilMs }: Range, nowMs: number): number {
  return sinceMs ?? Math.max(0, Math.min(untilMs ?? nowMs, nowMs) - DEFAULT_LOOK_BACK_MS);
}

/** A reconciler that runs has written pending admissions by then. */
export const WRITTEN_WITHIN_MS = 5 * 60 * 1000;

/**
 * The batches that answer a question, by time, read as they are asked for.
 *
 * @param filter what need not be read; what is read may not match it
 */
export function findBatches(
  tables: AskedTables,
  question: BatchQuestion,
  range: Range,
  nowMs: number,
  filter: BatchFilter = {},
): AsyncGenerator<Batch> {
  const recent = { ...range, sinceMs: startOf(range, nowMs) };
  switch (question.about) {
    case 'meeting':
      return batchesOfMeeting(tables, question.meetingId.toLowerCase(), batchIdBounds(range));
    case 'caller':
      return batchesWithKeys(tables, keysByCaller(tables, question.callerId, range));
    case 'batch':
      return batchWithId(tables, question.batchId, range);
    case 'day':
      return batchesOver(tables, withinDay(question.day, range), nowMs, filter);
    case 'time':
      return batchesOver(tables, recent, nowMs, filter);
    case 'denied':
      return denialsOver(tables, recent, nowMs);
    case 'open':
      return openBatches(tables, range, nowMs);
  }
}

/** The part of a range that lies in a day. */
function withinDay(day: string, { sinceMs, untilMs }: Range): Range & { sinceMs: number; untilMs: number } {
  const startMs = Date.parse(`${day}T00:00:00Z`);
  const endMs = startMs + DAY_MS;
  return { sinceMs: Math.max(startMs, sinceMs ?? startMs), untilMs: Math.min(endMs, untilMs ?? endMs) };
}

/** Batches and denials in one order. */
function batchesOver(
  tables: AskedTables,
  range: Range & { sinceMs: number },
  nowMs: number,
  filter: BatchFilter,
): AsyncGenerator<Batch> {
  const batches = () => batchesWithKeys(tables, keysOver(tables, range, nowMs));
  const denials = () => denialsOver(tables, range, nowMs);
  if (!admits(filter, 'DENIED') && !admits(filter, 'DAMAGED')) return batches();
  if (!admitsBatches(filter)) return denials();
  return mergeByBatchId(batches(), denials());
}

/**
 * The batches of a user's or an attendee's admissions, each once and by time; of a user also, where the range has a start,
 * all others of the range that name the user.
 */
export async function* batchesAbout(
  tables: AskedTables & { admissionTableName: string },
  question: AdmissionQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<Batch> {
  const keys: BatchKey[] = [];
  for await (const admission of findAdmissions(tables, question, range, nowMs)) keys.push(admission);
  const admitted = batchesWithKeys(tables, withoutRepeats(each(keys)));
  const { sinceMs } = range;
  if (question.about === 'attendee' || sinceMs === undefined) {
    yield* admitted;
    return;
  }
  const name = question.externalUserId;
  const others = (async function* () {
    for await (const batch of batchesOver(tables, { ...range, sinceMs }, nowMs, {})) {
      if (matches(batch, { name })) yield batch;
    }
  })();
  yield* withoutRepeats(mergeByBatchId(keys.length === 0 ? each([]) : admitted, others));
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** The admissions that answer a question, by time. */
export async function* findAdmissions(
  tables: AskedTables & { admissionTableName: string },
  question: AdmissionQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<Admission> {
  // First, so that an admission written meanwhile is read twice rather than never.
  const awaited = new Map<string, AdmissionRecord>();
  for await (const admission of admissionsAwaited(tables, question, range, nowMs)) {
    awaited.set(keyOf(admission), admission);
  }
  const written = without(awaited, writtenAdmissions(tables, question, range));
  for await (const group of inGroups(mergeByBatchId(awaited.values(), written), BATCH_GET_LIMIT / 2)) {
    const batches = new Map<string, Batch>();
    for await (const batch of batchesWithKeys(tables, withoutRepeats(each(group.toSorted(byBatchId))))) {
      batches.set(batch.batchId, batch);
    }
    for (const record of group) {
      const batch = batches.get(record.batchId);
      // A handler that was killed leaves entries, which its batch's outcome, once there is one, does not explain.
      const isExplained = batch?.outcome?.issued.some(({ attendeeId }) => attendeeId === record.attendeeId);
      if (isExplained !== false) yield admissionOf(record, batch);
    }
  }
}

function byBatchId(one: { batchId: string }, other: { batchId: string }): number {
  return one.batchId < other.batchId ? -1 : Number(one.batchId > other.batchId);
}

/** An entry with what the records of its batch say of it. */
function admissionOf(
  { externalUserId, attendeeId, meetingId, batchId, expiresAt }: AdmissionRecord,
  batch: Batch | undefined,
): Admission {
  const found = batch && attendeesOf(batch).find((line) => line.attendeeId === attendeeId);
  const line = found ?? {
    result: 'unknown' as const,
    explanation: RESULTS.unknown,
    reason: batch === undefined ? 'the records of the batch have expired' : whyUnknown(batch),
  };
  const record = batch?.intent ?? batch?.denial;
  const facts = batch && {
    state: batch.state,
    callerId: callerIdOf(batch),
    caller: callerOf(batch),
    externalMeetingId: externalMeetingIdOf(batch),
    rulesDigest: record?.rulesDigest,
    functionVersion: record?.functionVersion,
    chimeRequestId: batch.outcome?.chimeRequestId,
  };
  const all = {
    time: timeOfBatch(batchId),
    batchId,
    meetingId,
    attendeeId,
    ...line,
    externalUserId,
    ...facts,
    expiresAt,
    batch,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as Admission;
}

function whyUnknown({ state }: Batch): string {
  return state === 'DAMAGED' ? 'the outcome cannot be read' : 'the batch has no outcome yet';
}

function writtenAdmissions(
  tables: AskedTables & { admissionTableName: string },
  question: AdmissionQuestion,
  range: Range,
): AsyncGenerator<AdmissionRecord> {
  const items = queryItems<Record<string, unknown>>(tables.client, {
    TableName: tables.admissionTableName,
    ...(question.about === 'user'
      ? {
          ...queryOf(TABLES.admissions, question.externalUserId, batchIdBounds(range)),
          ConsistentRead: true,
        }
      : queryOf(TABLES.admissions.indexes.byAttendee, question.attendeeId, batchIdBounds(range))),
  });
  return readable(items, (item) => readAdmission(item, tables.onDamage));
}

/** What can be read; the rest is reported by `read`. */
async function* readable<Item>(
  items: AsyncIterable<Record<string, unknown>>,
  read: (item: Record<string, unknown>) => Item | undefined,
): AsyncGenerator<Item> {
  for await (const item of items) {
    const known = read(item);
    if (known !== undefined) yield known;
  }
}

/** What the outcomes say of batches whose admissions may be pending. */
async function* admissionsAwaited(
  tables: AskedTables,
  question: AdmissionQuestion,
  range: Range,
  nowMs: number,
): AsyncGenerator<AdmissionRecord> {
  const { client, auditTableName, openIntentTableName } = tables;
  const fallback =
    openIntentTableName === undefined
      ? { sinceMs: Math.max(range.sinceMs ?? 0, nowMs - WRITTEN_WITHIN_MS) }
      : { sinceMs: startOf(range, nowMs) };
  const lists = [LISTS.open, LISTS.incomplete, LISTS.earlier];
  const sweptMs = await sweptThroughMs(tables, 'fast', nowMs);
  const keys = keysNotSwept(tables, lists, range, sweptMs ?? fallback.sinceMs, nowMs);
  for await (const group of inGroups(keys, BATCH_GET_LIMIT)) {
    const items = await getItems<Record<string, unknown>>(
      client,
      auditTableName,
      group.map(({ meetingId, batchId }) => ({ meetingId, recordId: recordId(batchId, 'outcome') })),
    );
    const outcomes = new Map<string, OutcomeRecord>();
    for (const item of items) {
      const record = readRecord(item, tables.onDamage);
      if (record?.kind === 'outcome') outcomes.set(record.batchId, record);
    }
    for (const { batchId } of group) {
      const outcome = outcomes.get(batchId);
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
  { client, auditTableName, onDamage }: AskedTables,
  meetingId: string,
  span: Span,
): AsyncGenerator<Batch> {
  const items = queryItems<Record<string, unknown>>(client, {
    TableName: auditTableName,
    ...queryOf(TABLES.audit, meetingId, span),
    ConsistentRead: true,
  });
  let batch: (AuditRecord | DamagedRecord)[] = [];
  for await (const record of readable(items, (item) => readRecord(item, onDamage))) {
    if (batch[0] !== undefined && batch[0].batchId !== record.batchId) {
      yield* paired(batch);
      batch = [];
    }
    batch.push(record);
  }
  yield* paired(batch);
}

function paired(records: readonly (AuditRecord | DamagedRecord)[]): Batch[] {
  const batch = batchOf(records);
  return batch === undefined ? [] : [batch];
}

async function* batchWithId(tables: AskedTables, batchId: string, range: Range): AsyncGenerator<Batch> {
  const { from, to } = batchIdBounds(range);
  if (batchId < from || batchId > to) return;
  const { byDay, denialsByDay } = TABLES.audit.indexes;
  for (const index of [byDay, denialsByDay]) {
    const found = keysIn(tables, queryOf(index, dayOfBatch(batchId), { from: batchId, to: batchId }));
    for await (const { meetingId } of found) {
      yield* batchesOfMeeting(tables, meetingId, keysOfBatches(batchId));
    }
  }
}

function keysIn(tables: AskedTables, query: KeyQuery): AsyncGenerator<BatchKey> {
  const items = queryItems<Record<string, unknown>>(tables.client, {
    TableName: tables.auditTableName,
    ...query,
  });
  return readable(items, (item) => readKey(item, tables.onDamage));
}

function keysByCaller(tables: AskedTables, callerId: string, range: Range): AsyncGenerator<BatchKey> {
  return keysIn(tables, queryOf(TABLES.audit.indexes.byCaller, callerId, batchIdBounds(range)));
}

function keysByDay(tables: AskedTables, day: string, range: Range): AsyncGenerator<BatchKey> {
  return keysIn(tables, queryOf(TABLES.audit.indexes.byDay, day, batchIdBounds(range)));
}

/** The intents of a range, by time. */
export async function* keysOver(
  tables: AskedTables,
  range: Range & { sinceMs: number },
  nowMs: number,
): AsyncGenerator<BatchKey> {
  if (endsBeforeItBegins(range)) return;
  for (const day of daysIn(range.sinceMs, range.untilMs ?? nowMs)) yield* keysByDay(tables, day, range);
}

async function* denialsByDay(tables: AskedTables, day: string, range: Range): AsyncGenerator<Batch> {
  const denials = queryItems<Record<string, unknown>>(tables.client, {
    TableName: tables.auditTableName,
    ...queryOf(TABLES.audit.indexes.denialsByDay, day, batchIdBounds(range)),
  });
  for await (const denial of readable(denials, (item) => readRecord(item, tables.onDamage))) {
    yield* paired([denial]);
  }
}

async function* denialsOver(
  tables: AskedTables,
  range: Range & { sinceMs: number },
  nowMs: number,
): AsyncGenerator<Batch> {
  if (endsBeforeItBegins(range)) return;
  for (const day of daysIn(range.sinceMs, range.untilMs ?? nowMs)) yield* denialsByDay(tables, day, range);
}

/** DynamoDB refuses a range that ends before it begins. */
function endsBeforeItBegins({ sinceMs, untilMs }: Range & { sinceMs: number }): boolean {
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
    if (batch.state === 'OPEN' || batch.state === 'DAMAGED') yield batch;
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
  const items = queryItems<Record<string, unknown>>(tables.client, {
    TableName: tables.openIntentTableName,
    ...queryOf(TABLES.openIntents, list, batchIdBounds(range)),
    ConsistentRead: true,
  });
  yield* readable(items, (item) => readKey(item, tables.onDamage));
}

/** Of many batches, those that may have no outcome: one of the last seconds may be missed, and is read again. */
async function* withoutOutcome(
  { client, auditTableName }: AskedTables,
  keys: AsyncIterable<BatchKey>,
): AsyncGenerator<BatchKey> {
  for await (const group of inGroups(keys, BATCH_GET_LIMIT)) {
    const outcomes = await getItems<{ batchId: string; state?: unknown }>(
      client,
      auditTableName,
      group.map(({ meetingId, batchId }) => ({ meetingId, recordId: recordId(batchId, 'outcome') })),
      { ProjectionExpression: 'batchId, #state', ExpressionAttributeNames: { '#state': 'state' } },
    );
    const readable = outcomes.filter(({ state }) => Object.hasOwn(STATES, String(state)));
    const settled = new Set(readable.map(({ batchId }) => batchId));
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

async function* withoutRepeats<Item extends { batchId: string }>(
  keys: AsyncIterable<Item>,
): AsyncGenerator<Item> {
  let last: string | undefined;
  for await (const key of keys) {
    if (key.batchId !== last) yield key;
    last = key.batchId;
  }
}

/** The batches with these keys, in their order. An index may name one that has expired since: it is left out. */
export async function* batchesWithKeys(
  { client, auditTableName, onDamage }: AskedTables,
  keys: AsyncIterable<BatchKey>,
): AsyncGenerator<Batch> {
  // Intent and outcome of each.
  for await (const group of inGroups(keys, BATCH_GET_LIMIT / 2)) {
    const items = await getItems<Record<string, unknown>>(
      client,
      auditTableName,
      group.flatMap((key) => recordKeys(key)),
    );
    const records = items.flatMap((item) => readRecord(item, onDamage) ?? []);
    const byBatch = grouped(records, ({ meetingId, batchId }) => `${batchId}/${meetingId}`);
    for (const { meetingId, batchId } of group) yield* paired(byBatch.get(`${batchId}/${meetingId}`) ?? []);
  }
}

function recordKeys({ meetingId, batchId, recordId: found }: BatchKey): Record<string, string>[] {
  if (found === recordId(batchId, 'denial')) return [{ meetingId, recordId: found }];
  return [
    { meetingId, recordId: recordId(batchId, 'intent') },
    { meetingId, recordId: recordId(batchId, 'outcome') },
  ];
}
