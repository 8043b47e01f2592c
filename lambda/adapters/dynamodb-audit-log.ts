import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { type AuditRecord, admissionsOf } from '../audit-records.ts';
import type { AuditLog } from '../ports.ts';

/** DynamoDB takes this many items in one BatchWriteItem. */
const BATCH_WRITE_LIMIT = 25;

/** The audit log in DynamoDB: every write to the truth is a put on condition that nothing is there yet. */
export function dynamodbAuditLog(
  client: DynamoDBClient,
  tables: { auditTableName: string; admissionTableName: string },
): AuditLog {
  return {
    async recordIntent(intent, { timeoutMs }) {
      // A batch id is random, so a record that is already there is this very one: an answer got lost on the way.
      await putIfAbsent(intent, AbortSignal.timeout(timeoutMs));
    },

    async recordOutcome(outcome, { timeoutMs }) {
      // One limit for both calls: who finds out too late that the record is its own must not answer any more.
      const abortSignal = AbortSignal.timeout(timeoutMs);
      if (await putIfAbsent(outcome, abortSignal)) return true;
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: tables.auditTableName,
          Key: marshall({ meetingId: outcome.meetingId, recordId: outcome.recordId }),
          ProjectionExpression: 'writerId',
          ConsistentRead: true,
        }),
        { abortSignal },
      );
      return Item?.['writerId']?.S === outcome.writerId;
    },

    async recordDenial(denial, { timeoutMs }) {
      await putIfAbsent(denial, AbortSignal.timeout(timeoutMs));
    },

    async recordAdmissions(outcome, { timeoutMs }) {
      const abortSignal = AbortSignal.timeout(timeoutMs);
      const writes = admissionsOf(outcome).map(
        (admission): WriteRequest => ({ PutRequest: { Item: marshall(admission) } }),
      );
      const chunks = Array.from({ length: Math.ceil(writes.length / BATCH_WRITE_LIMIT) }, (_, index) =>
        writes.slice(index * BATCH_WRITE_LIMIT, (index + 1) * BATCH_WRITE_LIMIT),
      );
      await Promise.all(
        chunks.map(async (chunk) => {
          const { UnprocessedItems } = await client.send(
            new BatchWriteItemCommand({ RequestItems: { [tables.admissionTableName]: chunk } }),
            { abortSignal },
          );
          const left = UnprocessedItems?.[tables.admissionTableName]?.length ?? 0;
          if (left > 0) throw new Error(`${left} admissions were not taken.`);
        }),
      );
    },
  };

  /** @returns false where a record with this key is already there */
  async function putIfAbsent(record: AuditRecord, abortSignal: AbortSignal): Promise<boolean> {
    try {
      await client.send(
        new PutItemCommand({
          TableName: tables.auditTableName,
          Item: marshall(record),
          ConditionExpression: 'attribute_not_exists(recordId)',
        }),
        { abortSignal },
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
