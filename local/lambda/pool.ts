import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from './worker.ts';

/** A Lambda function, as far as running it here needs. */
export interface FunctionDescription {
  name: string;
  arn: string;
  /** Lambda's `Handler`: file and export, `index.handler`. */
  handler: string;
  /** The directory that holds the bundle. */
  directory: string;
  /** The function's own variables, without those that Lambda sets. */
  environment: Record<string, string>;
  timeoutMs: number;
  memoryMb: number;
  /** Lambda's name of it: `nodejs24.x`. The processes run on this process's own Node.js, whatever it says. */
  runtime: string;
  logging: { group: string; format?: string; level?: string };
}

/** Processes that run one function. */
export interface FunctionPool {
  /**
   * Runs one invocation in a process that runs no other meanwhile; waits for one if all are busy.
   *
   * @returns what the handler returned, after a round trip through JSON
   * @throws where the handler throws, its process dies, or its time is over
   */
  invoke(event: unknown): Promise<unknown>;
  /** Starts one process ahead of the first invocation. @throws where the function cannot be loaded */
  warm(): Promise<void>;
  /** Ends all processes, busy or not, and fails what waits. */
  close(): Promise<void>;
  processIds(): number[];
}

interface Worker {
  child: ChildProcess;
  ready: Promise<void>;
  fail: (error: Error) => void;
  receive: (message: FromWorker) => void;
}

interface Waiting {
  event: unknown;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

const WORKER_FILE = fileURLToPath(new URL('worker.ts', import.meta.url));

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: the init phase is limited to 10 s. */
const INIT_TIMEOUT_MS = 10_000;

/**
 * Runs a function as Lambda does: in processes of their own, each with the function's environment and nothing else, one
 * invocation at a time, started on demand up to `maxProcesses`. What Lambda would throttle beyond that waits instead.
 * What the function prints goes to this process's standard output, unchanged.
 *
 * @param environment the complete environment of the processes
 */
export function createFunctionPool(
  description: FunctionDescription,
  { environment, maxProcesses }: { environment: Record<string, string>; maxProcesses: number },
): FunctionPool {
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const waiting: Waiting[] = [];
  let closed = false;

  function start(): Worker {
    const child = fork(WORKER_FILE, [description.directory, description.handler], {
      env: environment,
      execArgv: [`--max-old-space-size=${description.memoryMb}`],
      stdio: ['ignore', 1, 1, 'ipc'],
    });
    const initialized = Promise.withResolvers<void>();
    const worker: Worker = {
      child,
      ready: initialized.promise,
      fail: initialized.reject,
      receive: (message) => {
        if (message.type === 'loaded') initialized.resolve();
        else if (message.type === 'failed') retire(worker, functionError(message));
      },
    };
    const timer = setTimeout(
      () => retire(worker, new Error(`${description.name} did not load in time.`)),
      INIT_TIMEOUT_MS,
    );
    // Whoever needs the process awaits `ready`; one that dies while nobody does must not end this process.
    initialized.promise.catch(() => {}).finally(() => clearTimeout(timer));
    child.on('message', (message: FromWorker) => worker.receive(message));
    child.on('error', (error) => retire(worker, error));
    child.on('exit', (code, signal) => {
      retire(worker, new Error(`${description.name} exited with ${signal ?? `code ${code}`}.`));
      dispatch();
    });
    workers.add(worker);
    return worker;
  }

  /** Takes a process out of service at once, so that no further invocation meets it while it dies. */
  function retire(worker: Worker, error: Error): void {
    workers.delete(worker);
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    worker.child.kill('SIGKILL');
    worker.fail(error);
  }

  async function run(worker: Worker, event: unknown): Promise<unknown> {
    await worker.ready;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.fail = reject;
    worker.receive = (message) => {
      if (message.type === 'returned') resolve(JSON.parse(message.json));
      else if (message.type === 'failed') reject(functionError(message));
    };
    const seconds = (description.timeoutMs / 1000).toFixed(2);
    const timer = setTimeout(
      () => retire(worker, new Error(`Task timed out after ${seconds} seconds`)),
      description.timeoutMs,
    );
    const invocation: ToWorker = {
      event,
      deadlineEpochMs: Date.now() + description.timeoutMs,
      functionArn: description.arn,
    };
    worker.child.send(invocation, (error) => error && reject(error));
    return promise.finally(() => clearTimeout(timer));
  }

  function dispatch(): void {
    while (waiting.length > 0) {
      const worker = idle.pop() ?? (workers.size < maxProcesses ? start() : undefined);
      if (worker === undefined) return;
      const { event, resolve, reject } = waiting.shift() as Waiting;
      run(worker, event)
        .then(resolve, reject)
        .finally(() => release(worker));
    }
  }

  function release(worker: Worker): void {
    worker.fail = () => {};
    if (workers.has(worker)) idle.push(worker);
    dispatch();
  }

  return {
    invoke: (event) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new Error('The local system has stopped.'));
          return;
        }
        waiting.push({ event, resolve, reject });
        dispatch();
      }),

    async warm() {
      const worker = start();
      try {
        await worker.ready;
      } catch (error) {
        throw new Error(`${description.name} cannot be loaded: ${(error as Error).message}`);
      }
      release(worker);
    },

    async close() {
      closed = true;
      const stopped = new Error('The local system has stopped.');
      for (const { reject } of waiting.splice(0)) reject(stopped);
      await Promise.all(
        [...workers].map(async (worker) => {
          const exited = once(worker.child, 'exit');
          retire(worker, stopped);
          await exited;
        }),
      );
    },

    processIds: () => [...workers].flatMap(({ child }) => child.pid ?? []),
  };
}

function functionError({ name, message }: { name: string; message: string }): Error {
  return Object.assign(new Error(message), { name });
}
