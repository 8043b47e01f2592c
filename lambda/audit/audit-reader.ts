import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  type KeysAndAttributes,
  paginateQuery,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { BATCH_GET_LIMIT, untilDone } from '../aws/dynamodb-batches.ts';
import { dayOfBatch, mintBatchId } from './batch-id.ts';
import type { AuditReader, Batch, BatchKey, Unreadable } from './ports.ts';
import { isBatchKey, isHeld, isIntent, isNote, isOutcome } from './readable-records.ts';
import { recordId } from './records.ts';
import { queryOf, TABLES } from './schema.ts';

const DAY_MS = 24 * 60 * 60_000;
/** How many attendees are queried at a time. */
const ATTENDEES_AT_ONCE = 10;
/** How many items of one attendee are read: one that is requested again and again has more. */
const ENTRIES_OF_ATTENDEE = 5;

/** Reads the audit in DynamoDB; no call here can write. */
export function createAuditReader(
  client: DynamoDBClient,
  { auditTableName, admissionTableName }: { auditTableName: string; admissionTableName: string },
): AuditReader {
  return {
    async *intentsBegun({ through, afterBatch }, toMs) {
      const fromMs = Date.parse(through);
      const span = {
        // Sorts before every hexadecimal digit, and after.
        from: afterBatch === undefined ? mintBatchId(fromMs, '') : `${afterBatch}!`,
        to: mintBatchId(toMs, 'g'),
      };
      // DynamoDB refuses a span that ends before it begins.
      if (span.from > span.to) return;
      for (const day of daysOf(fromMs, toMs)) {
        const pages = paginateQuery(
          { client, pageSize: BATCH_GET_LIMIT },
          { TableName: auditTableName, ...queryOf(TABLES.audit.indexes.byDay, day, span) },
        );
        for await (const { Items = [] } of pages) {
          if (Items.length > 0) yield Items.map((item) => keyIn(unmarshall(item)));
        }
      }
    },

    async admissionsNoted(keys) {
      const notes = await getRecords(
        keys.map((key) => keyOf(key, 'outcome')),
        { ProjectionExpression: 'batchId, admissions' },
      );
      // An unreadable one is skipped: its batch counts as incomplete, and is reported where all of it is read.
      return new Map(notes.filter(isNote).map(({ batchId, admissions }) => [batchId, admissions]));
    },

    async batches(keys) {
      const records = await getRecords(
        keys.flatMap((key) => [keyOf(key, 'intent'), keyOf(key, 'outcome')]),
        { ConsistentRead: true },
      );
      const batches = new Map<string, Batch>();
      for (const record of records) {
        const [batchId = ''] = String(record['recordId']).split('/');
        batches.set(batchId, { ...batches.get(batchId), ...readRecord(record) });
      }
      return batches;
    },

    async holders(meetingId, attendeeIds) {
      const claims = await inGroups(attendeeIds, ATTENDEES_AT_ONCE, (attendeeId) =>
        batchesNaming(meetingId, attendeeId),
      );
      const batchIds = [...new Set(claims.flat())].slice(0, BATCH_GET_LIMIT);
      // A killed handler leaves items without an outcome: the item alone says nothing.
      const records = await getRecords(
        batchIds.map((batchId) => keyOf({ meetingId, batchId }, 'outcome')),
        { ConsistentRead: true, ProjectionExpression: 'batchId, issued, withheld' },
      );
      const asked = new Set(attendeeIds);
      const holders = new Map<string, string>();
      for (const { batchId, issued, withheld } of records.filter(isHeld)) {
        for (const { attendeeId } of [...issued, ...withheld]) {
          if (asked.has(attendeeId)) holders.set(attendeeId, batchId);
        }
      }
      return holders;
    },
  };

  /** Batches of a meeting that have an item for an attendee, latest first: a retried batch is likely to have its answer. */
  async function batchesNaming(meetingId: string, attendeeId: string): Promise<string[]> {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: admissionTableName,
        ...queryOf(TABLES.admissions.indexes.byAttendee, attendeeId),
        ScanIndexForward: false,
        Limit: ENTRIES_OF_ATTENDEE,
      }),
    );
    return Items.map((item) => unmarshall(item))
      .filter(isBatchKey)
      .filter((key) => key.meetingId === meetingId)
      .map(({ batchId }) => batchId);
  }

  async function getRecords(
    keys: Record<string, AttributeValue>[],
    how: Pick<KeysAndAttributes, 'ConsistentRead' | 'ProjectionExpression'>,
  ): Promise<Record<string, unknown>[]> {
    const records: Record<string, unknown>[] = [];
    for (let start = 0; start < keys.length; start += BATCH_GET_LIMIT) {
      await untilDone(keys.slice(start, start + BATCH_GET_LIMIT), async (left) => {
        const { Responses, UnprocessedKeys } = await client.send(
          new BatchGetItemCommand({ RequestItems: { [auditTableName]: { Keys: left, ...how } } }),
        );
        for (const item of Responses?.[auditTableName] ?? []) records.push(unmarshall(item));
        return UnprocessedKeys?.[auditTableName]?.Keys ?? [];
      });
    }
    return records;
  }
}

function keyIn(item: Record<string, unknown>): BatchKey | Unreadable {
  return isBatchKey(item)
    ? { meetingId: item.meetingId, batchId: item.batchId }
    : { batchId: String(item['batchId']), unreadable: true };
}

/** The content of a record, if it agrees with its key. */
function readRecord(record: Record<string, unknown>): Batch {
  if (isIntent(record) && record.recordId === recordId(record.batchId, 'intent')) return { intent: record };
  if (isOutcome(record) && record.recordId === recordId(record.batchId, 'outcome'))
    return { outcome: record };
  return { unreadable: true };
}

async function inGroups<Item, Answer>(
  items: readonly Item[],
  size: number,
  work: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < items.length; start += size) {
    answers.push(...(await Promise.all(items.slice(start, start + size).map(work))));
  }
  return answers;
}

function keyOf({ meetingId, batchId }: BatchKey, kind: 'intent' | 'outcome') {
  return marshall({ meetingId, recordId: recordId(batchId, kind) });
}

function* daysOf(fromMs: number, toMs: number): Generator<string> {
  const last = dayOfBatch(mintBatchId(toMs, ''));
  for (let atMs = fromMs; ; atMs += DAY_MS) {
    const day = dayOfBatch(mintBatchId(atMs, ''));
    if (day > last) return;
    yield day;
  }
}
