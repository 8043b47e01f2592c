import type { Agent } from 'node:https';
import {
  ChimeSDKMeetingsClient,
  type ChimeSDKMeetingsClientConfig,
} from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { CallOptions } from '../model/ports.ts';
import { withinTime } from './time-limit.ts';

/**
 * A connection that was idle for so long is not used again. Lambda freezes a process between two invocations, and what is
 * on the way of its idle connections forgets them after some minutes
 * (docs/decisions/0005-repeating-is-the-clients-part.md).
 */
export const MAX_IDLE_MS = 5_000;

/** Node's agents end a connection that is idle for so long (https://nodejs.org/api/http.html#new-agentoptions, `timeout`). */
export const AGENT_OPTIONS = { keepAlive: true, timeout: MAX_IDLE_MS };
const requestHandlerWith = (httpsAgent?: Agent) => ({
  httpAgent: AGENT_OPTIONS,
  httpsAgent: httpsAgent ?? AGENT_OPTIONS,
});

/**
 * The SDK's client of Chime. A call is one attempt: a retry is up to the caller, whose SDK does it, and never right where
 * the outcome is unknown.
 */
export function createChimeClient(
  config: ChimeSDKMeetingsClientConfig,
  httpsAgent?: Agent,
): ChimeSDKMeetingsClient {
  const requestHandler = requestHandlerWith(httpsAgent);
  const client = new ChimeSDKMeetingsClient({ requestHandler, ...config, maxAttempts: 1 });
  afterTimers(client);
  return client;
}

/** The SDK's client of DynamoDB. A call is three attempts at most, within the SDK's retry quota. */
export function createDynamoDBClient(config: DynamoDBClientConfig = {}, httpsAgent?: Agent): DynamoDBClient {
  const requestHandler = requestHandlerWith(httpsAgent);
  const client = new DynamoDBClient({ requestHandler, retryMode: 'standard', maxAttempts: 3, ...config });
  afterTimers(client);
  return client;
}

/**
 * Lets timers go first where a client was idle: a process that was just thawed may be here before the timers that end its
 * old connections.
 */
function afterTimers(client: DynamoDBClient | ChimeSDKMeetingsClient): void {
  const middlewareStack = client.middlewareStack as DynamoDBClient['middlewareStack'];
  // Monotonic, as `performance.now()` is, and there without a module that has to be loaded.
  const nowMs = () => process.uptime() * 1_000;
  let usedAtMs = nowMs();
  middlewareStack.add(
    (next) => async (args) => {
      if (nowMs() - usedAtMs >= MAX_IDLE_MS) await new Promise((resolve) => setTimeout(resolve));
      try {
        return await next(args);
      } finally {
        usedAtMs = nowMs();
      }
    },
    { name: 'afterTimers', step: 'initialize' },
  );
}

/**
 * Gives every call of a client a limit, for callers that set none: one for all its attempts, and for its answer to the end,
 * where the SDK's own limits are for each attempt and end with an answer's headers.
 */
export function withCallLimit<Client extends { send: unknown }>(
  client: Client,
  { timeoutMs }: CallOptions,
): Client {
  const send = (client.send as Send).bind(client);
  const limited: Send = (command, { abortSignal, ...options } = {}) =>
    withinTime(timeoutMs, (cut) =>
      send(command, { ...options, abortSignal: abortSignal ? AbortSignal.any([abortSignal, cut]) : cut }),
    );
  return Object.assign(client, { send: limited });
}

type Send = (command: unknown, options?: { abortSignal?: AbortSignal }) => Promise<unknown>;
