import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  type DynamoDBClient,
  type KeysAndAttributes,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type IntentRecord, type OutcomeRecord, recordId } from '../audit-records.ts';
import { dayOfBatch, mintBatchId } from '../batch-id.ts';
import type { AuditReader, Batch, BatchKey, MeetingRecords } from '../reconciler/ports.ts';

const DAY_MS = 24 * 60 * 60_000;
/** DynamoDB takes this many keys in one BatchGetItem. */
const BATCH_GET_LIMIT = 100;
/** Keys that DynamoDB did not get round to are asked for so often. */
const BATCH_GET_ATTEMPTS = 5;

/** Reads the audit in DynamoDB; no call here can write. */
export function dynamodbAuditReader(
  client: DynamoDBClient,
  { auditTableName }: { auditTableName: string },
): AuditReader {
  return {
    async *intentsBegun(fromMs, toMs) {
      for (const day of daysOf(fromMs, toMs)) {
        const pages = paginateQuery(
          { client, pageSize: BATCH_GET_LIMIT },
          {
            TableName: auditTableName,
            IndexName: 'by-day',
            KeyConditionExpression: '#day = :day AND batchId BETWEEN :from AND :to',
            ExpressionAttributeNames: { '#day': 'day' },
            ExpressionAttributeValues: marshall({
              ':day': day,
              ':from': mintBatchId(fromMs, ''),
              // Above every hexadecimal digit.
              ':to': mintBatchId(toMs, 'g'),
            }),
          },
        );
        for await (const { Items } of pages) yield (Items ?? []).map((item) => unmarshall(item) as BatchKey);
      }
    },

    async admissionsNoted(keys) {
      const notes = await getRecords<Pick<OutcomeRecord, 'batchId' | 'admissions' | 'issued'>>(
        keys.map((key) => keyOf(key, 'outcome')),
        { ProjectionExpression: 'batchId, admissions, issued[0]' },
      );
      return new Map(
        notes.map(({ batchId, admissions, issued: [first] = [] }) => [batchId, { admissions, first }]),
      );
    },

    async batches(keys) {
      const records = await getRecords<IntentRecord | OutcomeRecord>(
        keys.flatMap((key) => [keyOf(key, 'intent'), keyOf(key, 'outcome')]),
        { ConsistentRead: true },
      );
      const batches = new Map<string, Batch>();
      for (const record of records) {
        batches.set(record.batchId, { ...batches.get(record.batchId), [record.kind]: record });
      }
      return batches;
    },

    async meeting(meetingId) {
      const found: MeetingRecords = { intents: [], outcomes: [] };
      const pages = paginateQuery(
        { client },
        {
          TableName: auditTableName,
          KeyConditionExpression: 'meetingId = :meetingId',
          FilterExpression: 'kind IN (:intent, :outcome)',
          ProjectionExpression: 'batchId, kind, requested, issued, withheld',
          ExpressionAttributeValues: marshall({
            ':meetingId': meetingId,
            ':intent': 'intent',
            ':outcome': 'outcome',
          }),
          ConsistentRead: true,
        },
      );
      for await (const { Items } of pages) {
        for (const item of Items ?? []) {
          const record = unmarshall(item) as IntentRecord | OutcomeRecord;
          if (record.kind === 'intent') found.intents.push(record);
          else found.outcomes.push(record);
        }
      }
      return found;
    },
  };

  async function getRecords<Found>(
    keys: Record<string, AttributeValue>[],
    how: Pick<KeysAndAttributes, 'ConsistentRead' | 'ProjectionExpression'>,
  ): Promise<Found[]> {
    const records: Found[] = [];
    for (let start = 0; start < keys.length; start += BATCH_GET_LIMIT) {
      let left: KeysAndAttributes | undefined = { Keys: keys.slice(start, start + BATCH_GET_LIMIT), ...how };
      for (let attempt = 1; left !== undefined; attempt += 1) {
        if (attempt > BATCH_GET_ATTEMPTS) throw new Error('DynamoDB keeps putting off part of the answer.');
        const answer: BatchGetItemCommandOutput = await client.send(
          new BatchGetItemCommand({ RequestItems: { [auditTableName]: left } }),
        );
        for (const item of answer.Responses?.[auditTableName] ?? []) records.push(unmarshall(item) as Found);
        left = answer.UnprocessedKeys?.[auditTableName];
      }
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
