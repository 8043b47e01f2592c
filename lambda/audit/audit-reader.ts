import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  type KeysAndAttributes,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { BATCH_GET_LIMIT, untilDone } from '../aws/dynamodb-batches.ts';
import { dayOfBatch, mintBatchId } from './batch-id.ts';
import type { AuditReader, Batch, BatchKey } from './ports.ts';
import { isBatchKey, isIntent, isMeetingRecord, isNote, isOutcome } from './readable-records.ts';
import { recordId } from './records.ts';
import { queryOf, TABLES } from './schema.ts';
import { UnreadableRecord } from './unreadable-record.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Reads the audit in DynamoDB; no call here can write. */
export function createAuditReader(
  client: DynamoDBClient,
  { auditTableName }: { auditTableName: string },
): AuditReader {
  return {
    async *intentsBegun(fromMs, toMs) {
      // Above every hexadecimal digit.
      const span = { from: mintBatchId(fromMs, ''), to: mintBatchId(toMs, 'g') };
      for (const day of daysOf(fromMs, toMs)) {
        const pages = paginateQuery(
          { client, pageSize: BATCH_GET_LIMIT },
          { TableName: auditTableName, ...queryOf(TABLES.audit.indexes.byDay, day, span) },
        );
        for await (const { Items } of pages) {
          yield (Items ?? []).map((item) => {
            const key = unmarshall(item);
            return isBatchKey(key) ? key : { batchId: String(key['batchId']), unreadable: true };
          });
        }
      }
    },

    async admissionsNoted(keys) {
      const notes = await getRecords(
        keys.map((key) => keyOf(key, 'outcome')),
        { ProjectionExpression: 'batchId, admissions' },
      );
      // One that cannot be read is none: its batch is not complete, and is told of where all of it is read.
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
        const read = isIntent(record)
          ? { intent: record }
          : isOutcome(record)
            ? { outcome: record }
            : { unreadable: true as const };
        batches.set(batchId, { ...batches.get(batchId), ...read });
      }
      return batches;
    },

    async *meeting(meetingId) {
      const query = queryOf(TABLES.audit, meetingId);
      const pages = paginateQuery(
        { client },
        {
          TableName: auditTableName,
          ...query,
          FilterExpression: 'kind IN (:intent, :outcome)',
          ProjectionExpression: 'batchId, kind, requested, issued, withheld',
          ExpressionAttributeValues: {
            ...query.ExpressionAttributeValues,
            ...marshall({ ':intent': 'intent', ':outcome': 'outcome' }),
          },
          ConsistentRead: true,
        },
      );
      for await (const { Items } of pages) {
        yield (Items ?? []).map((item) => {
          const record = unmarshall(item);
          if (!isMeetingRecord(record)) throw new UnreadableRecord(String(record['batchId']));
          return record;
        });
      }
    },
  };

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
