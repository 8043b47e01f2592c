import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Link } from './link.ts';
import { SERVICES, type Service, type StandIn } from './stand-in.ts';
import type { ToStandIn } from './stand-in-process.ts';
import type { Block, BlockResult, Started } from './worker.ts';

/** A process with one bundle in it. */
export interface BundleProcess {
  pid: number;
  started: Started;
  run(block: Block): Promise<BlockResult>;
  close(): Promise<void>;
}

type Remote<T> = {
  [Name in keyof T as T[Name] extends (...args: never[]) => unknown ? Name : never]: T[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/** The stand-in, in another process. */
export interface RemoteStandIn extends Pick<StandIn, 'urls' | 'certificate'>, Remote<StandIn> {
  links: Record<Service, Remote<Link>>;
}

/**
 * Starts a process that loads a bundle and measures how long that takes.
 *
 * @param options.env its whole environment
 * @param options.measureHeap it collects garbage after each block and keeps one answer of it only
 * @param options.firstEvent the event of a request that follows at once, as on Lambda
 * @param options.limitCpu limits the process until it has started and answered that request; returns what ends the limit
 * @throws where it ends before it is ready
 */
export async function startBundle(
  directory: string,
  options: {
    env: Record<string, string>;
    measureHeap?: boolean;
    firstEvent?: unknown;
    limitCpu?(pid: number): () => void;
  },
): Promise<BundleProcess> {
  const { env, measureHeap = false, firstEvent } = options;
  const child = fork(
    fileURLToPath(new URL('worker.ts', import.meta.url)),
    [
      directory,
      measureHeap ? 'last' : 'all',
      ...(firstEvent === undefined ? [] : [JSON.stringify(firstEvent)]),
    ],
    {
      env,
      execArgv: measureHeap ? ['--expose-gc'] : [],
      // What the function logs is written as on Lambda, and no one reads it.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    },
  );
  const endLimit = options.limitCpu?.(child.pid as number);
  const started = (await answerOf(child)) as Started;
  endLimit?.();
  return {
    pid: child.pid as number,
    started,
    async run(block) {
      child.send(block);
      return (await answerOf(child)) as BlockResult;
    },
    close: () => end(child),
  };
}

/** Starts the stand-in for Chime, DynamoDB and an issuer. */
export async function startStandInProcess(): Promise<RemoteStandIn> {
  const child = fork(fileURLToPath(new URL('stand-in-process.ts', import.meta.url)), [], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const ready = (await answerOf(child)) as Pick<StandIn, 'urls' | 'certificate'>;
  const remote = (service?: Service) =>
    new Proxy(
      {},
      {
        get: (own: object, name: ToStandIn['name'] & keyof typeof own) =>
          // Not a promise, whatever awaits it.
          name in own || name === 'then'
            ? own[name]
            : async (...args: unknown[]) => {
                child.send({ service, name, args });
                return ((await answerOf(child)) as { result: unknown }).result;
              },
      },
    );
  const links = Object.fromEntries(SERVICES.map((name) => [name, remote(name)]));
  return Object.assign(remote(), ready, { links, close: () => end(child) }) as RemoteStandIn;
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
  // Ends it, and lets it write what Node is set to write at its end.
  child.disconnect();
  await exited;
}
