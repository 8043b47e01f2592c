import { type DynamoDBClient, paginateQuery, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { withinTime } from '../aws/time-limit.ts';
import type { Admissions } from './ports.ts';
import type { AdmissionRecord } from './records.ts';
import { keysOfBatches, queryOf, TABLES } from './schema.ts';
import { putAdmissions, writeAdmissions } from './write-admissions.ts';

/** How many users are queried at a time. */
const USERS_AT_ONCE = 10;

/** The derived items of single batches, in DynamoDB. */
export function createAdmissions(
  client: DynamoDBClient,
  { admissionTableName }: { admissionTableName: string },
): Admissions {
  return {
    async write(admissions, { timeoutMs }) {
      await withinTime(timeoutMs, (signal) => putAdmissions(client, admissionTableName, admissions, signal));
    },

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
      const deletes = admissions.map(
        ({ externalUserId, admissionId }): WriteRequest => ({
          DeleteRequest: { Key: marshall({ externalUserId, admissionId }) },
        }),
      );
      await writeAdmissions(client, admissionTableName, deletes);
    },
  };

  async function ofUser(batchId: string, externalUserId: string): Promise<AdmissionRecord[]> {
    const found: AdmissionRecord[] = [];
    const pages = paginateQuery(
      { client },
      {
        TableName: admissionTableName,
        ...queryOf(TABLES.admissions, externalUserId, keysOfBatches(batchId)),
        ConsistentRead: true,
      },
    );
    for await (const { Items } of pages) {
      found.push(...(Items ?? []).map((item) => unmarshall(item) as AdmissionRecord));
    }
    return found;
  }
}
