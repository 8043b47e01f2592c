import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from '../../local/lambda/worker.ts';

/** A process that runs one bundle, and everything that it prints. */
export interface LoggedProcess {
  invoke(event: unknown): Promise<unknown>;
  /** Ends it. @returns what it printed, to both of its streams */
  close(): Promise<string>;
}

/** @param environment the complete environment of the process */
export async function startLoggedProcess(
  directory: string,
  environment: Record<string, string>,
): Promise<LoggedProcess> {
  const worker = fileURLToPath(new URL('../../local/lambda/worker.ts', import.meta.url));
  const child = fork(worker, [directory, 'index.handler'], {
    env: environment,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  const streams = [child.stdout, child.stderr] as Readable[];
  for (const stream of streams) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const ended = Promise.all(streams.map((stream) => once(stream, 'end')));
  await nextMessage(child);
  return {
    async invoke(event) {
      const invocation: ToWorker = {
        event,
        deadlineEpochMs: Date.now() + 20_000,
        functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:logged:1',
      };
      child.send(invocation);
      const message = await nextMessage(child);
      if (message.type !== 'returned') throw new Error(`The function ended with ${JSON.stringify(message)}.`);
      return JSON.parse(message.json);
    },
    async close() {
      child.kill();
      await ended;
      return printed;
    },
  };
}

async function nextMessage(child: ChildProcess): Promise<FromWorker> {
  const [message] = await once(child, 'message');
  return message as FromWorker;
}
