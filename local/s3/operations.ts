import type { IncomingMessage } from 'node:http';
import { type Body, readObject } from './body.ts';
import { S3Error } from './errors.ts';
import { listObjects, listVersions } from './listing.ts';
import type { LockMode, Objects, Version } from './objects.ts';
import { textOf, toXml } from './xml.ts';

/** What goes back over the wire. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** A request to S3, with its address taken apart. */
export interface S3Request {
  bucket: string;
  /** Empty for what is asked of the bucket. */
  key: string;
  query: URLSearchParams;
  message: IncomingMessage;
}

/** Headers of a PutObject that S3 keeps and answers. */
const KEPT = /^(content-type|content-encoding|cache-control|x-amz-meta-.+|x-amz-server-side-encryption.*)$/;

type Operation = (request: S3Request, objects: Objects) => Answer | Promise<Answer>;

/** Which parameters an operation knows; another one is refused, since ignoring it would answer another question. */
const OPERATIONS: {
  method: string;
  of: 'bucket' | 'object';
  asks?: string;
  knows: string[];
  run: Operation;
}[] = [
  { method: 'PUT', of: 'bucket', asks: 'object-lock', knows: [], run: putLock },
  { method: 'GET', of: 'bucket', asks: 'object-lock', knows: [], run: getLock },
  { method: 'GET', of: 'bucket', asks: 'versioning', knows: [], run: getVersioning },
  {
    method: 'GET',
    of: 'bucket',
    asks: 'versions',
    knows: ['prefix', 'key-marker', 'version-id-marker', 'max-keys', 'encoding-type'],
    run: ({ bucket, query }, objects) => xml('ListVersionsResult', listVersions(objects, bucket, query)),
  },
  {
    method: 'GET',
    of: 'bucket',
    asks: 'list-type',
    knows: ['prefix', 'start-after', 'continuation-token', 'max-keys', 'encoding-type', 'fetch-owner'],
    run: ({ bucket, query }, objects) => xml('ListBucketResult', listObjects(objects, bucket, query)),
  },
  { method: 'PUT', of: 'bucket', knows: [], run: createBucket },
  { method: 'HEAD', of: 'bucket', knows: [], run: headBucket },
  { method: 'PUT', of: 'object', knows: [], run: putObject },
  { method: 'GET', of: 'object', knows: ['versionId'], run: getObject },
  { method: 'HEAD', of: 'object', knows: ['versionId'], run: getObject },
  { method: 'DELETE', of: 'object', knows: ['versionId'], run: deleteObject },
];

/** @throws S3Error for what S3 refuses, and for what is not modelled here */
export async function answer(request: S3Request, objects: Objects): Promise<Answer> {
  const { method } = request.message;
  const names = [...request.query.keys()].filter((name) => name !== 'x-id');
  const operation = OPERATIONS.find(
    ({ of, asks, ...each }) =>
      each.method === method && (of === 'object') === (request.key !== '') && (!asks || names.includes(asks)),
  );
  const unknown = names.find((name) => name !== operation?.asks && !operation?.knows.includes(name));
  if (operation === undefined || unknown !== undefined || request.bucket === '') {
    const asked = unknown === undefined ? '' : ` with ${unknown}`;
    throw new S3Error(
      'NotImplemented',
      `The local S3 does not know ${method} of ${operation?.of ?? 'this'}${asked}.`,
    );
  }
  return operation.run(request, objects);
}

function createBucket({ bucket, message }: S3Request, objects: Objects): Answer {
  message.resume();
  objects.createBucket(bucket);
  return { status: 200, headers: { Location: `/${bucket}` } };
}

function headBucket({ bucket }: S3Request, objects: Objects): Answer {
  objects.bucket(bucket);
  return { status: 200 };
}

function getVersioning({ bucket }: S3Request, objects: Objects): Answer {
  objects.bucket(bucket);
  return xml('VersioningConfiguration', { Status: 'Enabled' });
}

async function putLock({ bucket, message }: S3Request, objects: Objects): Promise<Answer> {
  const text = (await readObject(message)).bytes.toString();
  const mode = textOf(text, 'Mode');
  const days = Number(textOf(text, 'Days') ?? Number(textOf(text, 'Years')) * 365);
  if (!isLockMode(mode) || !(days > 0)) {
    throw new S3Error('InvalidRequest', 'A default retention has a Mode, and Days or Years.');
  }
  objects.retain(bucket, { mode, days });
  return { status: 200 };
}

function isLockMode(mode: string | undefined): mode is LockMode {
  return mode === 'GOVERNANCE' || mode === 'COMPLIANCE';
}

function getLock({ bucket }: S3Request, objects: Objects): Answer {
  const retention = objects.retentionOf(bucket);
  return xml('ObjectLockConfiguration', {
    ObjectLockEnabled: 'Enabled',
    Rule: retention && { DefaultRetention: { Mode: retention.mode, Days: retention.days } },
  });
}

async function putObject({ bucket, key, message }: S3Request, objects: Objects): Promise<Answer> {
  const condition = message.headers['if-none-match'];
  if ((condition !== undefined && condition !== '*') || message.headers['if-match'] !== undefined) {
    throw new S3Error('NotImplemented', 'The local S3 knows no condition but If-None-Match: *.');
  }
  if (message.headers['x-amz-copy-source'] !== undefined) {
    throw new S3Error('NotImplemented', 'The local S3 copies no objects.');
  }
  const body = await readObject(message);
  const version = objects.put(bucket, key, {
    bytes: body.bytes,
    headers: keptHeaders(message, body),
    ifAbsent: condition === '*',
  });
  return { status: 200, headers: { ETag: version.etag, 'x-amz-version-id': version.versionId } };
}

function keptHeaders({ headers }: IncomingMessage, { checksum }: Body): Record<string, string> {
  const kept = Object.entries(headers)
    .filter(([name]) => KEPT.test(name))
    .map(([name, value]) => [name, String(value).replace(/(^|,)\s*aws-chunked\s*/, '')])
    .filter(([, value]) => value !== '');
  return { ...Object.fromEntries(kept), ...(checksum && { [checksum[0]]: checksum[1] }) };
}

function getObject({ bucket, key, query, message }: S3Request, objects: Objects): Answer {
  if (message.headers.range !== undefined) {
    throw new S3Error('NotImplemented', 'The local S3 answers whole objects.');
  }
  const version = objects.get(bucket, key, query.get('versionId') ?? undefined);
  const wantsChecksum = message.headers['x-amz-checksum-mode']?.toString().toUpperCase() === 'ENABLED';
  const headers = Object.entries(version.headers).filter(
    ([name]) => wantsChecksum || !name.startsWith('x-amz-checksum-'),
  );
  return {
    status: 200,
    headers: { ...Object.fromEntries(headers), ...ownHeaders(version) },
    body: version.bytes,
  };
}

function ownHeaders({ etag, versionId, lastModifiedMs, lock }: Version): Record<string, string> {
  return {
    ETag: etag,
    'x-amz-version-id': versionId,
    'Last-Modified': new Date(lastModifiedMs).toUTCString(),
    ...(lock && {
      'x-amz-object-lock-mode': lock.mode,
      'x-amz-object-lock-retain-until-date': new Date(lock.untilMs).toISOString(),
    }),
  };
}

function deleteObject({ bucket, key, query, message }: S3Request, objects: Objects): Answer {
  const versionId = query.get('versionId');
  if (versionId === null) {
    const marker = objects.mark(bucket, key);
    return { status: 204, headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId } };
  }
  const bypasses = message.headers['x-amz-bypass-governance-retention'] === 'true';
  const removed = objects.remove(bucket, key, versionId, bypasses);
  return {
    status: 204,
    headers: { 'x-amz-version-id': versionId, ...(removed?.isMarker && { 'x-amz-delete-marker': 'true' }) },
  };
}

function xml(name: string, content: Parameters<typeof toXml>[1]): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/xml' }, body: toXml(name, content) };
}
