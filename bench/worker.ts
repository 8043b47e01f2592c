import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A block of equal requests, one after the other. */
export interface Block {
  event: unknown;
  requests: number;
}

/** What a process says of its start: the time and the CPU that loading its bundle took. */
export interface Started {
  wallMs: number;
  cpuMs: number;
  /** Of a request that followed at once, where there was one. */
  first: BlockResult | undefined;
}

export interface BlockResult {
  /** Of each request, in order. */
  wallMs: number[];
  /** Of all of them together: this process, its garbage collection and compilation included. */
  cpuMs: number;
  /** After a full collection, where the process may ask for one. */
  heapBytes: number | undefined;
  residentBytes: number;
  /** Of each request: `statusCode` and body as they were returned. */
  answers: { statusCode: number; body: string }[];
}

type Handler = (event: unknown, context: object) => Promise<{ statusCode: number; body: string }>;

// Only this is between the start of the clock and its end: no import of ours is in the time of a bundle.
const [directory, keep, firstEvent] = process.argv.slice(2) as [string, string, string | undefined];
const first: Block | undefined =
  firstEvent === undefined ? undefined : { event: JSON.parse(firstEvent), requests: 1 };
// As Lambda's runtime does: an ES module is imported, and what it awaits is waited for
// (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html). Earlier commits have a CommonJS module.
const require = createRequire(path.join(directory, 'index.js'));
const esModule = pathToFileURL(path.join(directory, 'index.mjs'));
const isEsModule = existsSync(esModule);
const cpuBefore = process.cpuUsage();
const beforeMs = performance.now();
const { handler }: { handler: Handler } = isEsModule ? await import(esModule.href) : require('./index.js');
const wallMs = performance.now() - beforeMs;
const cpuMs = cpuMsSince(cpuBefore);
const started: Started = { wallMs, cpuMs, first: first && (await run(first)) };

process.on('disconnect', () => process.exit());
process.on('message', async (block: Block) => process.send?.(await run(block)));
process.send?.(started);

async function run({ event, requests }: Block): Promise<BlockResult> {
  const context = { getRemainingTimeInMillis: () => 15_000, awsRequestId: 'bench', functionName: 'bench' };
  const answers: BlockResult['answers'] = [];
  const wallMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  for (let request = 0; request < requests; request += 1) {
    const beforeMs = performance.now();
    const { statusCode, body } = await handler(event, context);
    wallMs.push(performance.now() - beforeMs);
    // Answers that are kept are garbage that is not collected: where memory is measured, only the last one is.
    if (keep === 'last') answers.length = 0;
    answers.push({ statusCode, body });
  }
  const cpuMs = cpuMsSince(cpuBefore);
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { wallMs, cpuMs, answers, heapBytes: globalThis.gc && heapUsed, residentBytes: rss };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
