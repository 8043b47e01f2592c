import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { type KeySet, parseKeySet } from './key-set.ts';

/** Why a key set could not be fetched, as facts for the log. */
export class KeySetFetchError extends Error {
  override name = 'KeySetFetchError';
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(problem: KeySetProblem, facts: Record<string, string | number> = {}, cause?: unknown) {
    super(problem, { cause });
    this.facts = { problem, ...facts };
  }
}

type KeySetProblem =
  | 'status'
  | 'redirect'
  | 'timed out'
  | 'no connection'
  | 'cut off'
  | 'too large'
  | 'unreadable encoding'
  | 'not JSON'
  | 'not a key set';

export interface FetchLimits {
  timeoutMs: number;
  /** Limits the answer, compressed or not. */
  maxBytes: number;
}

/** Some firewalls refuse a request without a User-Agent, and some servers compress without being asked. */
const HEADERS = {
  'user-agent': 'usher',
  accept: 'application/jwk-set+json, application/json, */*;q=0.1',
  'accept-encoding': 'identity',
};

/**
 * Fetches a key set. Content type and byte order mark do not matter; redirects are not followed, so that only the
 * configured address says which keys an issuer has.
 *
 * @throws KeySetFetchError
 */
export async function fetchKeySet(jwksUri: string, limits: FetchLimits): Promise<KeySet> {
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const response = await get(jwksUri, signal);
    assertAnswered(response, jwksUri);
    return keySetOf(await unpacked(await bodyOf(response, limits.maxBytes), response, limits.maxBytes));
  } catch (error) {
    if (error instanceof KeySetFetchError) throw error;
    if (signal.aborted) throw new KeySetFetchError('timed out', { timeoutMs: limits.timeoutMs }, error);
    throw new KeySetFetchError('no connection', { code: codeOf(error) }, error);
  }
}

function assertAnswered(response: IncomingMessage, jwksUri: string): void {
  const { statusCode: status = 0, headers } = response;
  if (status === 200) return;
  response.destroy();
  const target = headers.location;
  if (status >= 300 && status < 400 && target !== undefined) {
    const url = URL.parse(target, jwksUri);
    // Without its query, which may hold secrets.
    throw new KeySetFetchError('redirect', {
      status,
      target: url === null ? 'unreadable' : `${url.origin}${url.pathname}`.slice(0, 256),
    });
  }
  throw new KeySetFetchError('status', { status });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      // An issuer must not be able to fill the memory that requests with other issuers' tokens need.
      if (bytes > maxBytes) throw new KeySetFetchError('too large', { maxBytes });
      chunks.push(chunk);
    }
  } catch (error) {
    if (codeOf(error) === 'ECONNRESET') throw new KeySetFetchError('cut off', { bytes }, error);
    throw error;
  }
  return Buffer.concat(chunks);
}

async function unpacked(body: Buffer, { headers }: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return body;
  const { brotliDecompressSync, gunzipSync, inflateSync } = await import('node:zlib');
  const unpack = new Map([
    ['gzip', gunzipSync],
    ['x-gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br', brotliDecompressSync],
  ]).get(encoding);
  if (unpack === undefined) throw new KeySetFetchError('unreadable encoding');
  try {
    return unpack(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw new KeySetFetchError('too large', { maxBytes });
    throw new KeySetFetchError('unreadable encoding', {}, error);
  }
}

function keySetOf(body: Buffer): KeySet {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new KeySetFetchError('not JSON', { bytes: body.length }, error);
  }
  try {
    return parseKeySet(value);
  } catch (error) {
    throw new KeySetFetchError('not a key set', { bytes: body.length }, error);
  }
}

/**
 * Uses a new connection, because a kept one may have died while the process was frozen. Does not use `fetch`: loading
 * it takes longer than the rest of a first request, and the SDK has already loaded this module.
 */
async function get(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  // Only issuers on this machine lack TLS: no other start needs the second module.
  const { request } = url.startsWith('https:') ? https : await import('node:http');
  return new Promise((resolve, reject) => {
    request(url, { agent: false, signal, headers: HEADERS }, resolve)
      .on('error', reject)
      // The only event after an answer of 101; after any other answer, it comes too late to matter.
      .on('close', () => reject(new KeySetFetchError('no connection', { code: 'closed' })))
      .end();
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown';
}
