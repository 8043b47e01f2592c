import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beginningOfHour, HOUR_MS, hourAt, hourOfKey, sealKey } from '../../../lambda/audit/seals.ts';

/** The object of an hour, and what its bucket says of it. */
export interface StoredSeal {
  hour: string;
  /** From the oldest to the newest. */
  versions: SealVersion[];
  /** The dates of its delete markers, in milliseconds since the epoch. */
  markedMs: number[];
}

export interface SealVersion {
  /** The object's own date, in milliseconds since the epoch; undefined in a copy, whose dates anyone can set. */
  lastModifiedMs: number | undefined;
  /** `lockedUntilMs` is undefined without a lock, in a copy, and without the right to see it. */
  read(): Promise<{ bytes: Buffer; lockedUntilMs: number | undefined }>;
}

/** Where seals are read from. */
export interface SealSource {
  /** For people. */
  name: string;
  /** Whether the objects' own dates and versions are known. */
  hasDates: boolean;
  /** Every hour that has an object, or had one, in order, from an hour on. */
  list(fromHour?: string): AsyncIterable<StoredSeal>;
}

/** Seals in a bucket, with all versions: a conditional write passes over a delete marker. */
export function sealsInBucket(client: S3Client, bucket: string, prefix: string): SealSource {
  async function read(key: string, versionId: string | undefined) {
    const { Body, ObjectLockRetainUntilDate } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(versionId && { VersionId: versionId }) }),
    );
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    return { bytes, lockedUntilMs: ObjectLockRetainUntilDate?.getTime() };
  }
  return {
    name: `s3://${bucket}/${prefix}`,
    hasDates: true,
    async *list(fromHour) {
      const start = fromHour && sealKey(prefix, hourAt(beginningOfHour(fromHour) - HOUR_MS));
      for await (const { key, versions, markedMs } of versionsByKey(client, bucket, prefix, start)) {
        const hour = hourOfKey(prefix, key);
        if (hour === undefined) continue;
        yield {
          hour,
          // Versions of a key are listed from the newest to the oldest.
          versions: versions.toReversed().map(({ VersionId, LastModified }) => ({
            lastModifiedMs: LastModified?.getTime(),
            read: () => read(key, VersionId),
          })),
          markedMs,
        };
      }
    },
  };
}

interface KeyVersions {
  key: string;
  versions: { VersionId?: string | undefined; LastModified?: Date | undefined }[];
  markedMs: number[];
}

/** By key; a key's versions may go on in the next page. */
async function* versionsByKey(
  client: S3Client,
  bucket: string,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<KeyVersions> {
  const found = new Map<string, KeyVersions>();
  for await (const page of versionPages(client, { Bucket: bucket, Prefix: prefix, KeyMarker: after })) {
    addVersions(page, found);
    for (const [key, entry] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (page.IsTruncated && key === page.NextKeyMarker) continue;
      yield entry;
      found.delete(key);
    }
  }
}

/** The SDK has no paginator for this operation. */
async function* versionPages(
  client: S3Client,
  input: ListObjectVersionsCommandInput,
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let next: ListObjectVersionsCommandInput | undefined = input;
  while (next !== undefined) {
    const page: ListObjectVersionsCommandOutput = await client.send(new ListObjectVersionsCommand(next));
    yield page;
    next = page.IsTruncated
      ? { ...input, KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
      : undefined;
  }
}

function addVersions(page: ListObjectVersionsCommandOutput, found: Map<string, KeyVersions>): void {
  const entry = (key: string) => {
    const known = found.get(key) ?? { key, versions: [], markedMs: [] };
    found.set(key, known);
    return known;
  };
  for (const version of page.Versions ?? []) entry(version.Key ?? '').versions.push(version);
  for (const { Key = '', LastModified } of page.DeleteMarkers ?? []) {
    entry(Key).markedMs.push(LastModified?.getTime() ?? 0);
  }
}

/** Seals in a directory: a copy of a bucket's, as `aws s3 sync` makes it. */
export function sealsInDirectory(directory: string, prefix = ''): SealSource {
  // The copy of `s3://BUCKET/a/b-` has files that begin with `b-`.
  const start = prefix.slice(prefix.lastIndexOf('/') + 1);
  return {
    name: directory,
    hasDates: false,
    async *list(fromHour) {
      for (const file of (await readdir(directory)).sort()) {
        const hour = hourOfKey(start, file);
        if (hour === undefined || (fromHour !== undefined && hour < fromHour)) continue;
        yield {
          hour,
          versions: [
            {
              lastModifiedMs: undefined,
              read: async () => ({
                bytes: await readFile(path.join(directory, file)),
                lockedUntilMs: undefined,
              }),
            },
          ],
          markedMs: [],
        };
      }
    },
  };
}
