import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { guarded } from '../guard.ts';
import { close, LOOPBACK, listenNear } from '../http-server.ts';
import { S3Error } from './errors.ts';
import { Objects } from './objects.ts';
import { type Answer, answer } from './operations.ts';
import { toXml } from './xml.ts';

export interface S3Options {
  /** Another one is taken where it is in use; 0 (default) for a free one. */
  port?: number;
  /** Where the objects are kept; in this process's memory only where it is left out. */
  directory?: string;
  /** The clock of objects and locks, in milliseconds since the epoch. */
  nowMs?: () => number;
}

/**
 * Starts an S3 that no web page can reach, for the calls that Usher makes: CreateBucket, HeadBucket, PutObject (with
 * `If-None-Match: *`), GetObject and HeadObject (of a version too), DeleteObject (a marker, or a version),
 * ListObjectsV2, ListObjectVersions, GetBucketVersioning, and Put- and GetObjectLockConfiguration. Paths are
 * `/BUCKET/KEY`; the SDK uses this form for addresses of numbers. Buckets are always versioned, and every one may have
 * a lock. Signatures and policies are not checked. What is not modelled is refused with NotImplemented.
 */
export async function startS3({ port = 0, directory, nowMs = Date.now }: S3Options = {}): Promise<{
  url: string;
  close(): Promise<void>;
}> {
  const objects = new Objects(nowMs, directory);
  const listener: RequestListener = async (request, response) => {
    try {
      send(response, await answered(request, objects));
    } catch (error) {
      // No answer that could be taken for one of S3's; a client that went away is none of ours.
      if (!request.destroyed) console.error(error);
      request.socket.destroy();
    }
  };
  const server = createServer(guarded(listener, 'none'));
  const url = `http://${LOOPBACK}:${await listenNear(server, port)}`;
  return { url, close: () => close(server) };
}

async function answered(message: IncomingMessage, objects: Objects): Promise<Answer> {
  const { pathname, searchParams: query } = new URL(message.url ?? '/', 'http://local');
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  try {
    return await answer({ bucket, key: decodeURIComponent(key), query, message }, objects);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    // The body may not have been read; the connection can only be used again once it has.
    message.resume();
    return {
      status: error.status,
      headers: { 'Content-Type': 'application/xml', ...error.headers },
      body: toXml('Error', { Code: error.code, Message: error.message, RequestId: randomUUID() }),
    };
  }
}

/** For HEAD, Node keeps the body back. */
function send(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  const length = status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  response.writeHead(status, { 'x-amz-request-id': randomUUID(), ...length, ...headers });
  response.end(body);
}
