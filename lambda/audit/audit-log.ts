import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { itemOf } from '../aws/dynamodb-item.ts';
import { withinTime } from '../aws/time-limit.ts';
import type { AuditLog } from './ports.ts';
import { type AuditRecord, admissionsOf } from './records.ts';

/** The audit log in DynamoDB: every write to the truth is a put on condition that nothing is there yet. */
export function createAuditLog(
  client: DynamoDBClient,
  tables: { auditTableName: string; admissionTableName: string },
): AuditLog {
  return {
    async recordIntent(intent, { timeoutMs }) {
      // A batch id is random, so a record that is already there is this very one: an answer got lost on the way.
      await withinTime(timeoutMs, (abortSignal) => putIfAbsent(intent, abortSignal));
    },

    recordOutcome(outcome, { timeoutMs }) {
      // One limit for both calls: who finds out too late that the record is its own must not answer any more.
      return withinTime(timeoutMs, async (abortSignal) => {
        if (await putIfAbsent(outcome, abortSignal)) return true;
        const { Item } = await client.send(
          new GetItemCommand({
            TableName: tables.auditTableName,
            Key: itemOf({ meetingId: outcome.meetingId, recordId: outcome.recordId }),
            ProjectionExpression: 'writerId',
            ConsistentRead: true,
          }),
          { abortSignal },
        );
        return Item?.['writerId']?.S === outcome.writerId;
      });
    },

    async recordDenial(denial, { timeoutMs }) {
      await withinTime(timeoutMs, (abortSignal) => putIfAbsent(denial, abortSignal));
    },

    async recordAdmissions(outcome, { timeoutMs }) {
      const writes = admissionsOf(outcome).map(
        (admission): WriteRequest => ({ PutRequest: { Item: itemOf(admission) } }),
      );
      if (writes.length === 0) return;
      const { UnprocessedItems } = await withinTime(timeoutMs, (abortSignal) =>
        client.send(new BatchWriteItemCommand({ RequestItems: { [tables.admissionTableName]: writes } }), {
          abortSignal,
        }),
      );
      const left = UnprocessedItems?.[tables.admissionTableName]?.length ?? 0;
      if (left > 0) throw new Error(`${left} admissions were not taken.`);
    },
  };

  /** @returns false where a record with this key is already there */
  async function putIfAbsent(record: AuditRecord, abortSignal: AbortSignal): Promise<boolean> {
    try {
      await client.send(
        new PutItemCommand({
          TableName: tables.auditTableName,
          Item: itemOf(record),
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
