import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { AGENT_OPTIONS } from './clients.ts';

/** Objects of a bucket, none of which is ever replaced. */
export interface Objects {
  /** Keys in S3's order, by their bytes, in pages. */
  keys(prefix: string, after?: string): AsyncIterable<string[]>;
  /** @returns undefined where the key has no object */
  read(key: string): Promise<Buffer | undefined>;
  /** @returns false where the key has an object already, which stays as it is */
  put(key: string, text: string): Promise<boolean>;
}

/** A conflict is answered while another write of the key is under way: after six seconds of pauses, it is given up. */
const MAX_CONFLICTS = 6;
const FIRST_PAUSE_MS = 100;

/** The SDK's client of S3. A call is five attempts at most, within the SDK's retry quota. */
export function createS3Client(): S3Client {
  const requestHandler = { httpAgent: AGENT_OPTIONS, httpsAgent: AGENT_OPTIONS };
  return new S3Client({ requestHandler, retryMode: 'standard', maxAttempts: 5 });
}

export function createObjects(client: S3Client, { bucketName: Bucket }: { bucketName: string }): Objects {
  return {
    async *keys(Prefix, after) {
      const from = { Bucket, Prefix, ...(after !== undefined && { StartAfter: after }) };
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, from)) {
        yield Contents.map(({ Key = '' }) => Key);
      }
    },

    async read(Key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
    },

    async put(Key, text) {
      const command = new PutObjectCommand({
        Bucket,
        Key,
        Body: text,
        ContentType: 'application/json',
        ChecksumSHA256: createHash('sha256').update(text).digest('base64'),
        IfNoneMatch: '*',
      });
      for (let conflicts = 0; ; conflicts += 1) {
        try {
          await client.send(command);
          return true;
        } catch (error) {
          // What a conditional write may be answered with (User Guide, "How to prevent object overwrites with conditional writes").
          const { name } = error as Error;
          if (name === 'PreconditionFailed') return false;
          if (name !== 'ConditionalRequestConflict' || conflicts === MAX_CONFLICTS) throw error;
        }
        await pause(FIRST_PAUSE_MS * 2 ** conflicts);
      }
    },
  };
}
