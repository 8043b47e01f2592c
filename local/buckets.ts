import { BucketAlreadyOwnedByYou, S3, type S3ClientConfig } from '@aws-sdk/client-s3';

/** A bucket, as far as one machine has it: versioned, and with a lock where the stack's has one. */
export interface BucketDescription {
  name: string;
  lock?: { mode: 'GOVERNANCE' | 'COMPLIANCE'; days: number };
}

/** Creates buckets; an existing one stays, and gets the lock for what is written from now on. */
export async function createBuckets(
  config: S3ClientConfig,
  buckets: readonly BucketDescription[],
): Promise<void> {
  const client = new S3(config);
  try {
    for (const { name: Bucket, lock } of buckets) {
      await client
        .createBucket({ Bucket, ...(lock && { ObjectLockEnabledForBucket: true }) })
        .catch((error) => {
          if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
        });
      if (lock === undefined) continue;
      await client.putObjectLockConfiguration({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: lock.mode, Days: lock.days } },
        },
      });
    }
  } finally {
    client.destroy();
  }
}
