import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { createSealStore, type SealStore } from '../../lambda/audit/seal-store.ts';
import { hourAfter, sealDueMs } from '../../lambda/audit/seals.ts';
import { createObjects } from '../../lambda/aws/s3-objects.ts';
import { createFacts } from '../../lambda/sealer/facts.ts';
import { sealDueHours } from '../../lambda/sealer/seal.ts';

/** Between the time at which an hour is due and its run. */
const AFTER_DUE_MS = 60_000;

/** The sealer, over a real table and a real bucket, with a clock of its own. */
export interface TestSealer {
  /** Creates the bucket and seals the first hour. */
  begin(firstHour: string): Promise<void>;
  /** Seals all hours that follow, each when it is due, in one run. */
  through(lastHour: string): Promise<void>;
}

/** @param setClock is called with the time of each seal, in milliseconds since the epoch, before it is made */
export function createTestSealer(
  s3: S3Client,
  { bucket, prefix }: { bucket: string; prefix: string },
  tables: { client: DynamoDBClient; auditTableName: string },
  setClock: (nowMs: number) => void,
): TestSealer {
  const store = createSealStore(createObjects(s3, { bucketName: bucket }), { prefix });
  let nowMs = 0;
  const step = (hour: string) => {
    nowMs = sealDueMs(hour) + AFTER_DUE_MS;
    setClock(nowMs);
  };
  const seals: SealStore = {
    ...store,
    async newest(upTo) {
      const newest = await store.newest(upTo);
      // Which hours are due was decided before; from here on, each is sealed at its own time.
      if (newest !== undefined) step(hourAfter(newest));
      return newest;
    },
    async write(hour, text) {
      const isWritten = await store.write(hour, text);
      step(hourAfter(hour));
      return isWritten;
    },
  };
  const run = async (hour: string) => {
    step(hour);
    await sealDueHours(Number.POSITIVE_INFINITY, {
      ...{ seals, facts: createFacts(tables.client, tables), auditTableName: tables.auditTableName },
      ...{ clock: { now: () => nowMs }, addMetrics() {}, report() {} },
    });
    // The last step was beyond what this run seals.
    step(hour);
  };
  return {
    async begin(firstHour) {
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      await run(firstHour);
    },
    through: run,
  };
}
