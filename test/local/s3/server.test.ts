import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { type ListObjectVersionsOutput, S3, type S3ServiceException } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startS3 } from '../../../local/s3/server.ts';

const Bucket = 'seals';
const Key = 'usher/2026-11-23T13Z.json';
const START_MS = Date.parse('2026-11-23T16:00:01.500Z');
const DAY_MS = 24 * 60 * 60_000;

let nowMs: number;
let directory: string;
let server: Awaited<ReturnType<typeof startS3>>;
let s3: S3;

async function start(): Promise<void> {
  server = await startS3({ directory, nowMs: () => nowMs });
  s3 = new S3({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    // It warns of streams, one of which is here on purpose.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
}

async function stop(): Promise<void> {
  s3.destroy();
  await server.close();
}

beforeEach(async () => {
  nowMs = START_MS;
  directory = mkdtempSync(path.join(tmpdir(), 'usher-s3-'));
  await start();
  await s3.createBucket({ Bucket });
});

afterEach(async () => {
  await stop();
  rmSync(directory, { recursive: true });
});

const put = (Body: string, key = Key) => s3.putObject({ Bucket, Key: key, Body, IfNoneMatch: '*' });
const textOf = async (VersionId?: string) =>
  (await s3.getObject({ Bucket, Key, ...(VersionId && { VersionId }) })).Body?.transformToString();
const failure = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error: S3ServiceException) => [error.name, error.$metadata.httpStatusCode],
  );

describe('an object', () => {
  it('is answered as it was put, with the date of the clock and its checksum', async () => {
    const { VersionId } = await put('{"ä":1}');
    const found = await s3.getObject({ Bucket, Key });
    expect(found).toMatchObject({ VersionId, LastModified: new Date('2026-11-23T16:00:01.000Z') });
    expect(found.ChecksumCRC32).toBeDefined();
    expect(await found.Body?.transformToString()).toBe('{"ä":1}');
    expect(await s3.headObject({ Bucket, Key })).toMatchObject({ VersionId, ContentLength: 8 });
  });

  it('is not replaced by a conditional put, not even by one of two at once', async () => {
    const answers = await Promise.all([failure(put('one')), failure(put('two'))]);
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
    expect(answers).toContainEqual(['PreconditionFailed', 412]);
  });

  it('keeps its first version where a delete marker lets a second one pass', async () => {
    const { VersionId: first } = await put('first');
    const { DeleteMarker } = await s3.deleteObject({ Bucket, Key });
    expect(DeleteMarker).toBe(true);
    expect(await failure(textOf())).toEqual(['NoSuchKey', 404]);
    nowMs += 1000;
    await put('second');
    expect([await textOf(), await textOf(first)]).toEqual(['second', 'first']);
    const { Versions, DeleteMarkers } = await s3.listObjectVersions({ Bucket });
    expect(Versions?.map(({ IsLatest }) => IsLatest)).toEqual([true, false]);
    expect(Versions?.[1]).toMatchObject({ VersionId: first, LastModified: new Date(START_MS - 500) });
    expect(DeleteMarkers).toHaveLength(1);
  });

  it('arrives whole when a client streams it in chunks with a checksum behind them', async () => {
    const Body = Readable.from([Buffer.from('a'.repeat(9000)), Buffer.from('b')]);
    await s3.putObject({ Bucket, Key, Body, ContentLength: 9001 });
    expect(await textOf()).toBe(`${'a'.repeat(9000)}b`);
  });

  it('is refused where its checksum is another one', async () => {
    const wrong = s3.putObject({
      Bucket,
      Key,
      Body: 'a',
      ChecksumSHA256: Buffer.alloc(32).toString('base64'),
    });
    expect(await failure(wrong)).toEqual(['BadDigest', 400]);
    expect(await failure(textOf())).toEqual(['NoSuchKey', 404]);
  });

  it('persists over a restart, with its versions in order', async () => {
    const { VersionId: first } = await put('first');
    await s3.deleteObject({ Bucket, Key });
    await put('second');
    await stop();
    await start();
    expect([await textOf(), await textOf(first)]).toEqual(['second', 'first']);
    expect(await failure(put('third'))).toEqual(['PreconditionFailed', 412]);
  });
});

describe('a lock', () => {
  const lock = (Mode: 'GOVERNANCE' | 'COMPLIANCE') =>
    s3.putObjectLockConfiguration({
      Bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode, Days: 30 } },
      },
    });
  const remove = (VersionId?: string, BypassGovernanceRetention = false) =>
    s3.deleteObject({
      Bucket,
      Key,
      ...(VersionId && { VersionId }),
      ...(BypassGovernanceRetention && { BypassGovernanceRetention }),
    });

  it('keeps a version until it ends', async () => {
    await lock('COMPLIANCE');
    const { VersionId } = await put('kept');
    expect(await s3.headObject({ Bucket, Key })).toMatchObject({
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: new Date(START_MS + 30 * DAY_MS),
    });
    expect(await failure(remove(VersionId, true))).toEqual(['AccessDenied', 403]);
    nowMs += 30 * DAY_MS;
    expect(await failure(remove(VersionId))).toBeUndefined();
    expect(await failure(textOf())).toEqual(['NoSuchKey', 404]);
  });

  it('in governance mode gives way to a caller who bypasses it', async () => {
    await lock('GOVERNANCE');
    const { VersionId } = await put('kept');
    expect(await failure(remove(VersionId))).toEqual(['AccessDenied', 403]);
    expect(await failure(remove(VersionId, true))).toBeUndefined();
  });
});

describe('a listing', () => {
  it('pages through the keys of a prefix in order, without those that are deleted', async () => {
    for (const key of ['usher/b', 'usher/a', 'usher/c', 'usher/d&ä', 'other/a']) await put('x', key);
    await s3.deleteObject({ Bucket, Key: 'usher/c' });
    const pages: (string | undefined)[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.listObjectsV2({
        Bucket,
        Prefix: 'usher/',
        MaxKeys: 2,
        ...(ContinuationToken && { ContinuationToken }),
      });
      pages.push((page.Contents ?? []).map((one) => one.Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(pages).toEqual([['usher/a', 'usher/b'], ['usher/d&ä']]);
    const after = await s3.listObjectsV2({ Bucket, Prefix: 'usher/', StartAfter: 'usher/a' });
    expect(after.Contents?.map((one) => one.Key)).toEqual(['usher/b', 'usher/d&ä']);
  });

  it('pages through all versions, also in the midst of those of one key', async () => {
    for (const text of ['1', '2', '3']) await s3.putObject({ Bucket, Key, Body: text });
    await s3.deleteObject({ Bucket, Key });
    await put('x', 'usher/later');
    const found: string[] = [];
    let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
    while (next !== undefined) {
      const page: ListObjectVersionsOutput = await s3.listObjectVersions({
        ...{ Bucket, MaxKeys: 2 },
        ...next,
      });
      found.push(...[...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map((one) => `${one.Key}`));
      next = page.IsTruncated
        ? { KeyMarker: `${page.NextKeyMarker}`, VersionIdMarker: `${page.NextVersionIdMarker}` }
        : undefined;
    }
    expect(found).toEqual([Key, Key, Key, Key, 'usher/later']);
  });
});

it.each([
  ['a missing bucket', () => s3.listObjectsV2({ Bucket: 'missing' }), 'NoSuchBucket'],
  ['an existing bucket', () => s3.createBucket({ Bucket }), 'BucketAlreadyOwnedByYou'],
  ['another condition', () => s3.putObject({ Bucket, Key, Body: '', IfMatch: '"x"' }), 'NotImplemented'],
  ['another operation', () => s3.getBucketPolicy({ Bucket }), 'NotImplemented'],
  ['a parameter that it does not know', () => s3.listObjectsV2({ Bucket, Delimiter: '/' }), 'NotImplemented'],
])('refuses %s', async (_what, ask, expected) => {
  expect((await failure(ask()))?.[0]).toBe(expected);
});

it('answers no web page', async () => {
  const answer = await fetch(`${server.url}/${Bucket}?list-type=2`, {
    headers: { Origin: 'https://a.example' },
  });
  expect(answer.status).toBe(403);
});
