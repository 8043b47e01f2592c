import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateQuery,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { AdmissionRecord } from '../audit-records.ts';
import type { Admissions } from '../reconciler/ports.ts';

/** DynamoDB takes this many items in one BatchWriteItem. */
const BATCH_WRITE_LIMIT = 25;
/** So many users are asked for at a time. */
const USERS_AT_ONCE = 10;

/** The derived entries of single batches, in DynamoDB. */
export function dynamodbAdmissions(
  client: DynamoDBClient,
  { admissionTableName }: { admissionTableName: string },
): Admissions {
  return {
    async ofBatch(batchId, externalUserIds) {
      const found: AdmissionRecord[] = [];
      for (let start = 0; start < externalUserIds.length; start += USERS_AT_ONCE) {
        const users = externalUserIds.slice(start, start + USERS_AT_ONCE);
        const ofUsers = await Promise.all(users.map((user) => ofUser(batchId, user)));
        found.push(...ofUsers.flat());
      }
      return found;
    },

    async remove(admissions) {
      for (let start = 0; start < admissions.length; start += BATCH_WRITE_LIMIT) {
        const deletes = admissions.slice(start, start + BATCH_WRITE_LIMIT).map(
          ({ externalUserId, admissionId }): WriteRequest => ({
            DeleteRequest: { Key: marshall({ externalUserId, admissionId }) },
          }),
        );
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [admissionTableName]: deletes } }),
        );
        const left = UnprocessedItems?.[admissionTableName]?.length ?? 0;
        if (left > 0) throw new Error(`${left} admissions were not removed.`);
      }
    },
  };

  async function ofUser(batchId: string, externalUserId: string): Promise<AdmissionRecord[]> {
    const found: AdmissionRecord[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName: admissionTableName,
        KeyConditionExpression: 'externalUserId = :user AND begins_with(admissionId, :batch)',
        ExpressionAttributeValues: marshall({ ':user': externalUserId, ':batch': `${batchId}/` }),
        ConsistentRead: true,
      },
    );
    for await (const { Items } of pages) {
      found.push(...(Items ?? []).map((item) => unmarshall(item) as AdmissionRecord));
    }
    return found;
  }
}
