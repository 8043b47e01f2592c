import { existsSync } from 'node:fs';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { readLocalEnvironment, stateDirectory } from '../../../local/environment.ts';
import { sealsOfStack } from '../stack.ts';
import type { NamedTables } from '../tables.ts';
import { type SealSource, sealsInBucket, sealsInDirectory } from './source.ts';

/** Where seals are named to be; nothing means those of the stack, or of the local system. */
export interface NamedSeals {
  sealBucket?: string;
  sealPrefix?: string;
  /** A directory with a copy of them. */
  seals?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Finds the seals of the tables that are asked.
 *
 * @throws where there are none, in one line
 */
export async function findSeals(
  named: NamedTables & NamedSeals,
  env: NodeJS.ProcessEnv,
): Promise<{ source: SealSource; close(): void }> {
  const { sealBucket, sealPrefix = '', seals, stack, table, region } = named;
  if (seals !== undefined) return { source: sealsInDirectory(seals, sealPrefix), close: () => {} };
  const config = { ...(region && { region }) };
  if (sealBucket !== undefined) return inBucket(sealBucket, sealPrefix, config);
  if (stack !== undefined) {
    const found = await sealsOfStack(stack, config);
    return inBucket(found.sealBucket, found.sealPrefix, config);
  }
  const directory = stateDirectory(env);
  if (table !== undefined || !existsSync(path.join(directory, 'environment.json'))) {
    throw new Error('The place of the seals is not known: give --seal-bucket and --seal-prefix.');
  }
  const local = readLocalEnvironment(directory);
  if (local.sealBucketName === undefined) {
    throw new Error('This local system seals nothing: its configuration has switched seals off.');
  }
  return inBucket(local.sealBucketName, local.sealPrefix ?? '', {
    region: local.region,
    endpoint: local.s3Url,
    // An S3 on this machine takes any credentials.
    ...(new URL(local.s3Url).hostname === '127.0.0.1' && {
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  });
}

function inBucket(
  bucket: string,
  prefix: string,
  config: ConstructorParameters<typeof S3Client>[0] & object,
): { source: SealSource; close(): void } {
  const client = new S3Client({
    ...config,
    // The bucket may be of another Region than the tables.
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return { source: sealsInBucket(client, bucket, prefix), close: () => client.destroy() };
}
