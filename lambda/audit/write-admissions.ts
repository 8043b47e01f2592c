import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { BATCH_WRITE_LIMIT, untilDone } from '../aws/dynamodb-batches.ts';
import type { AdmissionRecord } from './records.ts';

/** Writes items, replacing existing ones, until all are acknowledged. */
export function putAdmissions(
  client: DynamoDBClient,
  admissionTableName: string,
  admissions: readonly AdmissionRecord[],
  abortSignal: AbortSignal,
): Promise<void> {
  const puts = admissions.map(
    (admission): WriteRequest => ({
      PutRequest: { Item: marshall(admission, { removeUndefinedValues: true }) },
    }),
  );
  return writeAdmissions(client, admissionTableName, puts, abortSignal);
}

/** Sends writes, 25 in a request and all requests at once; retries unprocessed ones. */
export async function writeAdmissions(
  client: DynamoDBClient,
  admissionTableName: string,
  writes: readonly WriteRequest[],
  abortSignal?: AbortSignal,
): Promise<void> {
  const send = async (left: WriteRequest[]): Promise<WriteRequest[]> => {
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [admissionTableName]: left } }),
      { ...(abortSignal && { abortSignal }) },
    );
    return UnprocessedItems?.[admissionTableName] ?? [];
  };
  const requests = Array.from({ length: Math.ceil(writes.length / BATCH_WRITE_LIMIT) }, (_, index) =>
    writes.slice(index * BATCH_WRITE_LIMIT, (index + 1) * BATCH_WRITE_LIMIT),
  );
  await Promise.all(requests.map((request) => untilDone(request, send, abortSignal)));
}
