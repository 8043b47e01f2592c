import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAdmissions } from '../../../lambda/audit/admissions.ts';
import type { AdmissionRecord } from '../../../lambda/audit/records.ts';
import { type Intercept, type Reply, startWire } from '../../support/faults/wire.ts';
import { startTables } from '../../support/tables.ts';

const QUICK = { timeoutMs: 5_000 };

let tables: Awaited<ReturnType<typeof startTables>>;
let wire: Awaited<ReturnType<typeof startWire>>;
let client: DynamoDBClient;
beforeAll(async () => {
  tables = await startTables();
}, 60_000);
afterAll(() => tables.close());
beforeEach(async () => {
  wire = await startWire('dynamodb', tables.url);
  client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: wire.url,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterEach(async () => {
  client.destroy();
  await wire.close();
});

let batches = 0;
/** The entries of a batch, and which of them are in the table. */
function newBatch(size: number) {
  batches += 1;
  const batchId = `batch-${batches}`;
  const entries = Array.from(
    { length: size },
    (_, index): AdmissionRecord => ({
      externalUserId: `guest-${index}`,
      admissionId: `${batchId}/attendee-${index}`,
      attendeeId: `attendee-${index}`,
      batchId,
      meetingId: 'm',
    }),
  );
  const present = async () => {
    const { Items } = await tables.client.send(new ScanCommand({ TableName: tables.admissionTableName }));
    const items = (Items ?? []).map((item) => unmarshall(item) as AdmissionRecord);
    return items.filter((item) => item.batchId === batchId).map(({ externalUserId }) => externalUserId);
  };
  return { entries, present };
}

type Writes = { PutRequest: { Item: { externalUserId: { S: string } } } }[];
const writesOf = (step: Parameters<Intercept>[0]) =>
  Object.values(step.body?.['RequestItems'] as Record<string, Writes>).flat();
const answer = (UnprocessedItems: object): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(JSON.stringify({ UnprocessedItems })),
});

describe('a write of admissions', () => {
  it.each([0, 1, 25, 26, 100])('sends %d items in requests of 25, all at once', async (size) => {
    const { entries, present } = newBatch(size);
    const sizes: number[] = [];
    const requests = Math.ceil(size / 25);
    // None is answered before all are there.
    const all = Promise.withResolvers<void>();
    wire.intercept(async (step, act) => {
      sizes.push(writesOf(step).length);
      if (sizes.length === requests) all.resolve();
      await all.promise;
      return act();
    });
    await createAdmissions(client, tables).write(entries, QUICK);
    expect((await present()).toSorted()).toEqual(
      entries.map(({ externalUserId }) => externalUserId).toSorted(),
    );
    expect(sizes.reduce((sum, one) => sum + one, 0)).toBe(size);
  });

  it('retries the unprocessed items of a throttled table, and no others', async () => {
    const { entries, present } = newBatch(40);
    const sent: number[] = [];
    wire.intercept(async (step, act) => {
      const writes = writesOf(step);
      sent.push(writes.length);
      if (sent.length > 2) return act();
      // Of the first two requests, nothing is taken of one and all of the other.
      return sent.length === 1 ? answer(step.body?.['RequestItems'] as object) : act();
    });
    await createAdmissions(client, tables).write(entries, QUICK);
    expect(sent).toHaveLength(3);
    expect(sent.reduce((sum, one) => sum + one, 0)).toBe(40 + (sent[0] as number));
    expect(await present()).toHaveLength(40);
  });

  it.each(['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded'])(
    'retries a write that processed nothing, for %s',
    async (type) => {
      const { entries, present } = newBatch(26);
      let refusals = 0;
      wire.intercept(async (_step, act) => {
        refusals += 1;
        return refusals > 3
          ? act()
          : { status: 400, headers: {}, body: Buffer.from(JSON.stringify({ __type: type })) };
      });
      await createAdmissions(client, tables).write(entries, QUICK);
      expect(await present()).toHaveLength(26);
    },
  );

  it('aborts the other requests when one fails', async () => {
    const { entries } = newBatch(60);
    let requests = 0;
    wire.intercept(async (step) => {
      requests += 1;
      const first = requests === 1;
      return first
        ? { status: 400, headers: {}, body: Buffer.from('{}') }
        : answer(step.body?.['RequestItems'] as object);
    });
    await expect(createAdmissions(client, tables).write(entries, QUICK)).rejects.toThrow();
    // What is on its way arrives, and nothing comes after it.
    await pause(300);
    const asked = requests;
    await pause(400);
    expect(requests).toBe(asked);
  });

  it('ends in time when the table never processes it', async () => {
    const { entries, present } = newBatch(30);
    wire.intercept(async (step) => answer(step.body?.['RequestItems'] as object));
    await expect(createAdmissions(client, tables).write(entries, { timeoutMs: 400 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(await present()).toEqual([]);
  });
});
