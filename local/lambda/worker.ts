import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** One invocation, as it arrives over the process's channel. */
export interface ToWorker {
  event: unknown;
  deadlineEpochMs: number;
  functionArn: string;
}

export type FromWorker =
  | { type: 'loaded' }
  | { type: 'returned'; json: string }
  | { type: 'failed'; name: string; message: string };

type Handler = (event: unknown, context: object) => unknown;

/** The largest answer of a synchronous invocation (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const MAX_RESPONSE_BYTES = 6_291_556;

const [directory, handlerName] = process.argv.slice(2) as [string, string];

// Without its parent, the process has no one to answer.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches every process of the terminal; the parent decides when this one ends.
process.on('SIGINT', () => {});

try {
  const handler = await load();
  process.on('message', (invocation: ToWorker) => void answer(handler, invocation));
  send({ type: 'loaded' });
} catch (error) {
  send(failure(error));
}

async function load(): Promise<Handler> {
  const [moduleName, exportName] = handlerName.split(/\.(?=[^.]+$)/) as [string, string];
  const file = ['.js', '.mjs', '.cjs'].map((ext) => path.join(directory, moduleName + ext)).find(existsSync);
  if (file === undefined) throw new Error(`There is no module ${moduleName} in ${directory}.`);
  const loaded = await import(pathToFileURL(file).href);
  const handler = loaded[exportName] ?? loaded.default?.[exportName];
  if (typeof handler !== 'function') throw new Error(`${file} exports no function ${exportName}.`);
  return handler;
}

async function answer(handler: Handler, invocation: ToWorker): Promise<void> {
  try {
    const json = JSON.stringify((await handler(invocation.event, createContext(invocation))) ?? null);
    if (Buffer.byteLength(json) > MAX_RESPONSE_BYTES) {
      throw new Error(
        `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
      );
    }
    send({ type: 'returned', json });
  } catch (error) {
    const { name, message } = failure(error);
    const stack = error instanceof Error ? error.stack : undefined;
    // In the format of Lambda's runtime: one line of JSON.
    console.error(
      JSON.stringify({
        level: 'ERROR',
        message: 'Invoke Error',
        errorType: name,
        errorMessage: message,
        stack,
      }),
    );
    send({ type: 'failed', name, message });
  }
}

/** Lambda's context object (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html). */
function createContext({ deadlineEpochMs, functionArn }: ToWorker): object {
  const { env } = process;
  return {
    awsRequestId: randomUUID(),
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineEpochMs - Date.now()),
  };
}

function failure(error: unknown): { type: 'failed'; name: string; message: string } {
  return error instanceof Error
    ? { type: 'failed', name: error.name, message: error.message }
    : { type: 'failed', name: 'Error', message: String(error) };
}

function send(message: FromWorker): void {
  process.send?.(message);
}
