import type { IncomingMessage } from 'node:http';

/** The whole body as text. Rejects if the client goes away before the end. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
