import { type DynamoDBClient, ExecuteStatementCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { isTaken } from '../aws/dynamodb-errors.ts';
import type { AuditRecord } from './records.ts';

/**
 * Inserts a record into the table of facts. PartiQL's INSERT never overwrites, and IAM has a separate action for it,
 * `dynamodb:PartiQLInsert`, the only write that a role of ours has on this table. Values are parameters, which
 * CloudTrail redacts, and never part of the statement, which it keeps.
 *
 * @returns whether this very record is the recorded one: false if another writer was first
 * @throws if it is not known whether the record is durable
 */
export async function insertFact(
  client: DynamoDBClient,
  { auditTableName }: { auditTableName: string },
  record: AuditRecord,
  abortSignal: AbortSignal,
): Promise<boolean> {
  const item = marshall(record, { removeUndefinedValues: true });
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
  // The answer to an earlier attempt may be lost.
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: auditTableName,
      Key: marshall({ meetingId: record.meetingId, recordId: record.recordId }),
      ProjectionExpression: 'writerId',
      ConsistentRead: true,
    }),
    { abortSignal },
  );
  return Item?.['writerId']?.S === record.writerId;
}
