import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { S3Error } from './errors.ts';

export type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** How long a bucket's new objects are locked. */
export interface Retention {
  mode: LockMode;
  days: number;
}

/** One version of an object, or a delete marker. */
export interface Version {
  key: string;
  versionId: string;
  lastModifiedMs: number;
  isMarker: boolean;
  bytes: Buffer;
  etag: string;
  /** Headers that are answered as they came: content type, encryption, checksum, metadata. */
  headers: Record<string, string>;
  lock?: { mode: LockMode; untilMs: number };
}

interface Bucket {
  retention?: Retention;
  /** By key, the oldest first; a key without versions has no entry. */
  versions: Map<string, Version[]>;
}

/** On disk, beside the versions. */
const BUCKET_FILE = 'bucket.json';
const DAY_MS = 24 * 60 * 60_000;

/** Buckets with versions that are never overwritten, in memory, and in a directory where one is given. */
export class Objects {
  readonly #buckets = new Map<string, Bucket>();
  readonly #nowMs: () => number;
  readonly #directory: string | undefined;
  #written = 0;

  constructor(nowMs: () => number, directory?: string) {
    this.#nowMs = nowMs;
    this.#directory = directory;
    if (directory !== undefined && existsSync(directory)) this.#load(directory);
  }

  createBucket(name: string): void {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
      throw new S3Error('InvalidBucketName', `${name} is no name for a bucket.`);
    }
    if (this.#buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou', `${name} exists.`);
    this.#buckets.set(name, { versions: new Map() });
    this.#saveBucket(name);
  }

  retain(name: string, retention: Retention): void {
    this.bucket(name).retention = retention;
    this.#saveBucket(name);
  }

  retentionOf(name: string): Retention | undefined {
    return this.bucket(name).retention;
  }

  /** @throws S3Error where it does not exist */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new S3Error('NoSuchBucket', `The bucket ${name} does not exist.`);
    return bucket;
  }

  put(
    bucketName: string,
    key: string,
    { bytes, headers, ifAbsent }: { bytes: Buffer; headers: Record<string, string>; ifAbsent: boolean },
  ): Version {
    const { retention } = this.bucket(bucketName);
    const current = this.current(bucketName, key);
    // A delete marker is no object: a conditional write passes over it, as S3's does.
    if (ifAbsent && current !== undefined && !current.isMarker) {
      throw new S3Error('PreconditionFailed', `${key} exists.`);
    }
    const lastModifiedMs = this.#nowMs();
    return this.#add(bucketName, {
      key,
      isMarker: false,
      lastModifiedMs,
      bytes,
      headers,
      ...(retention && {
        lock: { mode: retention.mode, untilMs: lastModifiedMs + retention.days * DAY_MS },
      }),
    });
  }

  current(bucketName: string, key: string): Version | undefined {
    return this.bucket(bucketName).versions.get(key)?.at(-1);
  }

  /** @throws S3Error where there is none, or it is a delete marker */
  get(bucketName: string, key: string, versionId?: string): Version {
    const version =
      versionId === undefined ? this.current(bucketName, key) : this.#find(bucketName, key, versionId);
    if (version === undefined) {
      throw versionId === undefined
        ? new S3Error('NoSuchKey', `${key} does not exist.`)
        : new S3Error('NoSuchVersion', `${key} has no version ${versionId}.`);
    }
    if (!version.isMarker) return version;
    const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId };
    throw versionId === undefined
      ? new S3Error('NoSuchKey', `${key} is deleted.`, headers)
      : new S3Error('MethodNotAllowed', `The version ${versionId} is a delete marker.`, headers);
  }

  /** @returns the marker that now hides the key */
  mark(bucketName: string, key: string): Version {
    return this.#add(bucketName, {
      key,
      isMarker: true,
      lastModifiedMs: this.#nowMs(),
      bytes: Buffer.alloc(0),
      headers: {},
    });
  }

  /**
   * Removes a version for good.
   *
   * @throws S3Error where a lock retains it
   */
  remove(
    bucketName: string,
    key: string,
    versionId: string,
    bypassesGovernance: boolean,
  ): Version | undefined {
    const { versions } = this.bucket(bucketName);
    const version = this.#find(bucketName, key, versionId);
    if (version === undefined) return undefined;
    const isLocked = version.lock !== undefined && version.lock.untilMs > this.#nowMs();
    if (isLocked && !(version.lock?.mode === 'GOVERNANCE' && bypassesGovernance)) {
      throw new S3Error('AccessDenied', 'Access Denied because object protected by object lock.');
    }
    const left = (versions.get(key) ?? []).filter((one) => one !== version);
    if (left.length > 0) versions.set(key, left);
    else versions.delete(key);
    if (this.#directory !== undefined) rmSync(this.#fileOf(bucketName, versionId));
    return version;
  }

  /** The keys that begin with `prefix`, sorted as S3 sorts them, by their bytes in UTF-8. */
  keys(bucketName: string, prefix: string): string[] {
    return [...this.bucket(bucketName).versions.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  #find(bucketName: string, key: string, versionId: string): Version | undefined {
    return this.bucket(bucketName)
      .versions.get(key)
      ?.find((version) => version.versionId === versionId);
  }

  #add(bucketName: string, content: Omit<Version, 'versionId' | 'etag'>): Version {
    this.#written += 1;
    const order = this.#written.toString().padStart(10, '0');
    const version: Version = {
      ...content,
      versionId: `${order}-${randomBytes(8).toString('hex')}`,
      etag: `"${createHash('md5').update(content.bytes).digest('hex')}"`,
    };
    this.#keep(bucketName, version);
    if (this.#directory !== undefined) {
      const file = this.#fileOf(bucketName, version.versionId);
      writeWhole(file, JSON.stringify({ ...version, bytes: version.bytes.toString('base64') }));
    }
    return version;
  }

  #keep(bucketName: string, version: Version): void {
    const { versions } = this.bucket(bucketName);
    versions.set(version.key, [...(versions.get(version.key) ?? []), version]);
  }

  #fileOf(bucketName: string, name: string): string {
    return path.join(this.#directory ?? '', bucketName, name);
  }

  #saveBucket(name: string): void {
    if (this.#directory === undefined) return;
    mkdirSync(path.join(this.#directory, name), { recursive: true, mode: 0o700 });
    writeWhole(this.#fileOf(name, BUCKET_FILE), JSON.stringify({ retention: this.bucket(name).retention }));
  }

  /** Version ids begin with the order in which they were made, so their files are in that order too. */
  #load(directory: string): void {
    for (const name of readdirSync(directory)) {
      const read = (file: string) => JSON.parse(readFileSync(path.join(directory, name, file), 'utf8'));
      this.#buckets.set(name, { ...read(BUCKET_FILE), versions: new Map() });
      for (const file of readdirSync(path.join(directory, name)).sort()) {
        if (file === BUCKET_FILE || file.endsWith('.draft')) continue;
        const version = read(file);
        this.#keep(name, { ...version, bytes: Buffer.from(version.bytes, 'base64') });
        this.#written = Math.max(this.#written, Number.parseInt(file, 10));
      }
    }
  }
}

/** A system that is killed leaves a file whole or not at all. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.draft`, text, { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}
