import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateQuery,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { BATCH_WRITE_LIMIT, untilDone } from '../aws/dynamodb-batches.ts';
import { withinTime } from '../aws/time-limit.ts';
import type { Admissions } from './ports.ts';
import type { AdmissionRecord } from './records.ts';
import { keysOfBatches, queryOf, TABLES } from './schema.ts';

/** So many users are asked for at a time. */
const USERS_AT_ONCE = 10;

/** The derived entries of single batches, in DynamoDB. */
export function createAdmissions(
  client: DynamoDBClient,
  { admissionTableName }: { admissionTableName: string },
): Admissions {
  return {
    async enter([first, ...others], { timeoutMs }) {
      if (first === undefined) return;
      await withinTime(timeoutMs, async (signal) => {
        await Promise.all(inWrites(others.map(putOf)).map((writes) => write(writes, signal)));
        // DynamoDB does a batch in any order: in one write with others, the first could be there before them.
        await write([putOf(first)], signal);
      });
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
      for (const writes of inWrites(deletes)) await write(writes);
    },
  };

  async function write(writes: WriteRequest[], abortSignal?: AbortSignal): Promise<void> {
    await untilDone(
      writes,
      async (left) => {
        const { UnprocessedItems } = await client.send(
          new BatchWriteItemCommand({ RequestItems: { [admissionTableName]: left } }),
          { ...(abortSignal && { abortSignal }) },
        );
        return UnprocessedItems?.[admissionTableName] ?? [];
      },
      abortSignal,
    );
  }

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

function putOf(admission: AdmissionRecord): WriteRequest {
  return { PutRequest: { Item: marshall(admission) } };
}

function inWrites(writes: WriteRequest[]): WriteRequest[][] {
  return Array.from({ length: Math.ceil(writes.length / BATCH_WRITE_LIMIT) }, (_, index) =>
    writes.slice(index * BATCH_WRITE_LIMIT, (index + 1) * BATCH_WRITE_LIMIT),
  );
}
