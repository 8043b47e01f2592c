import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Latency, Taken } from './stand-in.ts';
import type { Block, BlockResult, Started } from './worker.ts';

/** A process with one bundle in it. */
export interface BundleProcess {
  started: Started;
  run(block: Block): Promise<BlockResult>;
  close(): Promise<void>;
}

export interface StandIn {
  url: string;
  setLatency(latency: Latency): Promise<void>;
  take(): Promise<Taken>;
  close(): Promise<void>;
}

/**
 * Starts a process that loads a bundle and measures how long that takes.
 *
 * @param options.env its whole environment
 * @param options.measureHeap it collects garbage after each block and keeps one answer of it only
 * @param options.nodeOptions more of Node's own options
 * @throws where it ends before it is ready
 */
export async function startBundle(
  directory: string,
  options: { env: Record<string, string>; measureHeap?: boolean; nodeOptions?: string[] },
): Promise<BundleProcess> {
  const { env, measureHeap = false, nodeOptions = [] } = options;
  const child = fork(
    fileURLToPath(new URL('worker.ts', import.meta.url)),
    [directory, measureHeap ? 'last' : 'all'],
    {
      env,
      execArgv: [...nodeOptions, ...(measureHeap ? ['--expose-gc'] : [])],
      // What the function logs is written as on Lambda, and read by nobody.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    },
  );
  const started = (await answerOf(child)) as Started;
  return {
    started,
    async run(block) {
      child.send(block);
      return (await answerOf(child)) as BlockResult;
    },
    close: () => end(child),
  };
}

/** Starts the stand-in for Chime and DynamoDB. */
export async function startStandInProcess(): Promise<StandIn> {
  const child = fork(fileURLToPath(new URL('stand-in-process.ts', import.meta.url)), [], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const url = (await answerOf(child)) as string;
  return {
    url,
    async setLatency(latency) {
      child.send({ latency });
      await answerOf(child);
    },
    async take() {
      child.send('take');
      return (await answerOf(child)) as Taken;
    },
    close: () => end(child),
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A process ended with ${code} before it answered.`);
      }),
    ]);
  } finally {
    stop.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Ends it, and lets it write what Node was told to write at its end.
  child.disconnect();
  await exited;
}
