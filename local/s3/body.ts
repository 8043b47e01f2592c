import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { S3Error } from './errors.ts';

/** What a client sent, as it meant it. */
export interface Body {
  bytes: Buffer;
  /** The checksum header that came with it, such as `x-amz-checksum-crc32`, and its value. */
  checksum?: [header: string, value: string];
}

const DIGESTS: Record<string, (bytes: Buffer) => Buffer> = {
  'x-amz-checksum-crc32': (bytes) => {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(crc32(bytes));
    return digest;
  },
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest(),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest(),
};

/**
 * Reads a body, taken out of its chunks where a client streams it (`aws-chunked`, with a checksum in the trailer).
 *
 * @throws S3Error where a checksum does not fit, or is of a kind that is not modelled here
 */
export async function readObject(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const sent = Buffer.concat(chunks);
  const { headers } = request;
  const isChunked = String(headers['content-encoding'] ?? '').includes('aws-chunked');
  const { bytes, trailer } = isChunked ? unchunked(sent) : { bytes: sent, trailer: {} };
  const checksum = checksumIn({ ...headers, ...trailer });
  check(bytes, headers['content-md5'], checksum);
  return { bytes, ...(checksum && { checksum }) };
}

function checksumIn(headers: IncomingHttpHeaders): Body['checksum'] {
  const found = Object.entries(headers).find(
    ([name]) =>
      name.startsWith('x-amz-checksum-') && !['algorithm', 'mode', 'type'].includes(name.split('-')[3] ?? ''),
  );
  return found && [found[0], String(found[1])];
}

function check(bytes: Buffer, md5: unknown, checksum: Body['checksum']): void {
  if (md5 !== undefined && createHash('md5').update(bytes).digest('base64') !== md5) {
    throw new S3Error('BadDigest', 'The Content-MD5 is not that of the body.');
  }
  if (checksum === undefined) return;
  const [name, value] = checksum;
  const digest = DIGESTS[name];
  if (digest === undefined) throw new S3Error('NotImplemented', `The local S3 does not know ${name}.`);
  if (digest(bytes).toString('base64') !== value) {
    throw new S3Error('BadDigest', `The ${name} is not that of the body.`);
  }
}

/** Chunks are `<hexadecimal length>[;signature]CRLF<bytes>CRLF`; one of length 0 and then the trailer's headers end them. */
function unchunked(sent: Buffer): { bytes: Buffer; trailer: Record<string, string> } {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = sent.indexOf('\r\n', at);
    const length = Number.parseInt(sent.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (lineEnd < 0 || !Number.isFinite(length) || start + length > sent.length) {
      throw new S3Error('InvalidRequest', 'The chunks of the body cannot be read.');
    }
    if (length === 0)
      return { bytes: Buffer.concat(parts), trailer: headersIn(sent.toString('latin1', start)) };
    parts.push(sent.subarray(start, start + length));
    at = start + length + 2;
  }
}

function headersIn(text: string): Record<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
