import type { FunctionDescription } from './function-description.ts';
import { type FunctionProcess, startProcess } from './process.ts';

/** Processes that run one function. */
export interface FunctionPool {
  /**
   * Runs one invocation in a process that runs no other meanwhile; waits for one if all are busy.
   *
   * @returns what the handler returned, after a round trip through JSON
   * @throws if the handler throws, its process dies, or its time is over
   */
  invoke(event: unknown): Promise<unknown>;
  /** Starts one process ahead of the first invocation. @throws if the function cannot be loaded */
  warm(): Promise<void>;
  /** Ends all processes, busy or not, and rejects waiting invocations. */
  close(): Promise<void>;
  processIds(): number[];
}

interface Waiting {
  event: unknown;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Runs a function like Lambda: in separate processes, each with only the function's environment, one invocation at a
 * time, started on demand up to `maxProcesses`. Invocations beyond that wait, where Lambda would throttle them.
 *
 * @param options.environment the complete environment of the processes
 * @param options.output takes each line that the function prints; default: this process's standard output
 */
export function createFunctionPool(
  description: FunctionDescription,
  {
    environment,
    maxProcesses,
    output,
  }: { environment: Record<string, string>; maxProcesses: number; output?: (line: string) => void },
): FunctionPool {
  const processes = new Set<FunctionProcess>();
  const idle: FunctionProcess[] = [];
  const waiting: Waiting[] = [];
  let closed = false;

  function start(): FunctionProcess {
    const started = startProcess(description, environment, output, () => {
      processes.delete(started);
      if (idle.includes(started)) idle.splice(idle.indexOf(started), 1);
      dispatch();
    });
    processes.add(started);
    return started;
  }

  function dispatch(): void {
    while (waiting.length > 0) {
      const free = idle.pop() ?? (processes.size < maxProcesses ? start() : undefined);
      if (free === undefined) return;
      const { event, resolve, reject } = waiting.shift() as Waiting;
      free
        .run(event)
        .then(resolve, reject)
        .finally(() => release(free));
    }
  }

  function release(free: FunctionProcess): void {
    if (processes.has(free)) idle.push(free);
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
      const started = start();
      try {
        await started.ready;
      } catch (error) {
        throw new Error(`${description.name} cannot be loaded: ${(error as Error).message}`);
      }
      release(started);
    },

    async close() {
      closed = true;
      const stopped = new Error('The local system has stopped.');
      for (const { reject } of waiting.splice(0)) reject(stopped);
      await Promise.all([...processes].map((one) => one.end(stopped)));
    },

    processIds: () => [...processes].flatMap(({ pid }) => pid ?? []),
  };
}
