import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FunctionDescription } from './function-description.ts';
import type { FromWorker, ToWorker } from './worker.ts';

/** A process that runs one function, one invocation at a time. */
export interface FunctionProcess {
  pid: number | undefined;
  /** Resolves once the function is loaded. */
  ready: Promise<void>;
  /** @throws if the handler throws, the process dies, or its time is over */
  run(event: unknown): Promise<unknown>;
  /** Kills it, and rejects its invocation with `error`. */
  end(error: Error): Promise<void>;
}

const WORKER_FILE = fileURLToPath(new URL('worker.ts', import.meta.url));

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: the init phase is limited to 10 s. */
const INIT_TIMEOUT_MS = 10_000;

/**
 * @param environment the complete environment of the process
 * @param output takes each line that the function prints; default: this process's standard output
 * @param onUnusable called at once when the process can take no further invocation, even if it is still dying; possibly
 * repeatedly
 */
export function startProcess(
  description: FunctionDescription,
  environment: Record<string, string>,
  output: ((line: string) => void) | undefined,
  onUnusable: () => void,
): FunctionProcess {
  // The name is for people who list processes.
  const child = fork(WORKER_FILE, [description.directory, description.handler, description.name], {
    env: environment,
    execArgv: [`--max-old-space-size=${description.memoryMb}`],
    stdio: output ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 1, 1, 'ipc'],
  });
  for (const stream of output ? [child.stdout, child.stderr] : []) {
    createInterface({ input: stream as NodeJS.ReadableStream }).on('line', output as (line: string) => void);
  }
  const loaded = Promise.withResolvers<void>();
  let fail: (error: Error) => void = loaded.reject;
  let receive = (message: FromWorker): void => {
    if (message.type === 'loaded') loaded.resolve();
    else if (message.type === 'failed') retire(functionError(message));
  };

  function retire(error: Error): void {
    child.kill('SIGKILL');
    onUnusable();
    fail(error);
  }

  function retireAfter(ms: number, message: string): NodeJS.Timeout {
    return setTimeout(() => retire(new Error(message)), ms);
  }

  const initTimer = retireAfter(INIT_TIMEOUT_MS, `${description.name} did not load in time.`);
  // A process that dies while no invocation awaits `ready` must not end this one.
  loaded.promise.catch(() => {}).finally(() => clearTimeout(initTimer));
  child.on('message', (message: FromWorker) => receive(message));
  child.on('error', retire);
  child.on('exit', (code, signal) =>
    retire(new Error(`${description.name} exited with ${signal ?? `code ${code}`}.`)),
  );

  return {
    pid: child.pid,
    ready: loaded.promise,

    async run(event) {
      await loaded.promise;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      fail = reject;
      receive = (message) => {
        if (message.type === 'returned') resolve(JSON.parse(message.json));
        else if (message.type === 'failed') reject(functionError(message));
      };
      const seconds = (description.timeoutMs / 1000).toFixed(2);
      const timer = retireAfter(description.timeoutMs, `Task timed out after ${seconds} seconds`);
      const invocation: ToWorker = {
        event,
        deadlineEpochMs: Date.now() + description.timeoutMs,
        functionArn: description.arn,
      };
      child.send(invocation, (error) => error && reject(error));
      return promise.finally(() => clearTimeout(timer));
    },

    async end(error) {
      const exited = once(child, 'exit');
      retire(error);
      await exited;
    },
  };
}

function functionError({ name, message }: { name: string; message: string }): Error {
  return Object.assign(new Error(message), { name });
}
