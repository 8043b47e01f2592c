import { type DynamoDBClient, ExecuteStatementCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { itemOf } from '../aws/dynamodb-item.ts';
import type { AuditRecord } from './records.ts';

/**
 * What DynamoDB calls a key that is taken: the documented name (Developer Guide, "PartiQL insert statements for DynamoDB"),
 * and the one that DynamoDB Local answers, for which the SDK has no class.
 */
const TAKEN = ['DuplicateItemException', 'DuplicateItem'];

/** Whether DynamoDB refused an INSERT because there is an item with its key. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && TAKEN.includes(error.name);
}

/**
 * Adds a record to the table of facts. PartiQL's INSERT never overwrites, and IAM knows it as an action of its own,
 * `dynamodb:PartiQLInsert`, the only write that a role of ours has on this table. Values are parameters, which CloudTrail
 * redacts, and never part of the statement, which it keeps.
 *
 * @returns whether this very record is the one on record: false where another writer was first
 * @throws where it is not known whether the record is durable
 */
export async function insertFact(
  client: DynamoDBClient,
  { auditTableName }: { auditTableName: string },
  record: AuditRecord,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const item = itemOf(record);
  const fields = Object.keys(item).map((name) => `'${name}': ?`);
  try {
    await client.send(
      new ExecuteStatementCommand({
        Statement: `INSERT INTO "${auditTableName}" VALUE {${fields.join(', ')}}`,
        Parameters: Object.values(item),
      }),
      { abortSignal },
    );
    return true;
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  // The answer to an earlier attempt may have got lost.
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: auditTableName,
      Key: itemOf({ meetingId: record.meetingId, recordId: record.recordId }),
      ProjectionExpression: 'writerId',
      ConsistentRead: true,
    }),
    { abortSignal },
  );
  return Item?.['writerId']?.S === record.writerId;
}
