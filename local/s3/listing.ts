import { S3Error } from './errors.ts';
import type { Objects, Version } from './objects.ts';
import type { XmlContent } from './xml.ts';

const MAX_KEYS = 1000;

type Elements = Exclude<XmlContent, string | number | boolean>;

/** One page of ListObjectsV2: keys that a delete marker hides are left out. */
export function listObjects(objects: Objects, bucket: string, query: URLSearchParams): Elements {
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? query.get('start-after') : Buffer.from(token, 'base64url').toString();
  const limit = limitOf(query);
  const found = objects
    .keys(bucket, prefix)
    .filter((key) => after === null || after === '' || isAfter(key, after))
    .map((key) => objects.current(bucket, key) as Version)
    .filter(({ isMarker }) => !isMarker);
  const page = found.slice(0, limit);
  const isTruncated = found.length > page.length;
  const encode = encoderOf(query);
  return {
    Name: bucket,
    Prefix: encode(prefix),
    MaxKeys: limit,
    KeyCount: page.length,
    IsTruncated: isTruncated,
    EncodingType: query.get('encoding-type') ?? undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: isTruncated
      ? Buffer.from(page.at(-1)?.key ?? '').toString('base64url')
      : undefined,
    Contents: page.map((version) => ({ Key: encode(version.key), ...factsOf(version) })),
  };
}

/** One page of ListObjectVersions: by key, and of a key the newest first. */
export function listVersions(objects: Objects, bucket: string, query: URLSearchParams): Elements {
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  const limit = limitOf(query);
  const all = objects.keys(bucket, prefix).flatMap((key) => {
    const versions = (objects.bucket(bucket).versions.get(key) ?? []).toReversed();
    return versions.map((version, index) => ({ version, isLatest: index === 0 }));
  });
  const marked = all.findIndex(
    ({ version }) => version.key === keyMarker && version.versionId === versionMarker,
  );
  const found =
    marked >= 0
      ? all.slice(marked + 1)
      : all.filter(({ version }) => keyMarker === '' || isAfter(version.key, keyMarker));
  const page = found.slice(0, limit);
  const isTruncated = found.length > page.length;
  const last = isTruncated ? page.at(-1)?.version : undefined;
  const encode = encoderOf(query);
  const entries = (isMarker: boolean) =>
    page
      .filter(({ version }) => version.isMarker === isMarker)
      .map(({ version, isLatest }) => ({
        Key: encode(version.key),
        VersionId: version.versionId,
        IsLatest: isLatest,
        ...(isMarker ? { LastModified: dateOf(version) } : factsOf(version)),
      }));
  return {
    Name: bucket,
    Prefix: encode(prefix),
    KeyMarker: encode(keyMarker),
    VersionIdMarker: versionMarker,
    MaxKeys: limit,
    IsTruncated: isTruncated,
    EncodingType: query.get('encoding-type') ?? undefined,
    NextKeyMarker: last && encode(last.key),
    NextVersionIdMarker: last?.versionId,
    Version: entries(false),
    DeleteMarker: entries(true),
  };
}

function factsOf(version: Version): Elements {
  return {
    LastModified: dateOf(version),
    ETag: version.etag,
    Size: version.bytes.length,
    StorageClass: 'STANDARD',
  };
}

/** S3's own dates are of whole seconds. */
function dateOf({ lastModifiedMs }: Version): string {
  return `${new Date(lastModifiedMs).toISOString().slice(0, 19)}.000Z`;
}

function isAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}

function encoderOf(query: URLSearchParams): (text: string) => string {
  return query.get('encoding-type') === 'url'
    ? (text) => encodeURIComponent(text).replaceAll('%2F', '/')
    : (text) => text;
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('max-keys') ?? MAX_KEYS);
  if (!Number.isInteger(limit) || limit < 0) {
    throw new S3Error('InvalidArgument', 'max-keys is not a number of keys.');
  }
  return Math.min(limit, MAX_KEYS);
}
