import type { Readable } from 'node:stream';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { CallOptions } from '../model/ports.ts';
import { attemptDirectly, jsonAsItIs, MAX_IDLE_MS } from './direct-attempt.ts';
import { isTaken } from './dynamodb-errors.ts';
import { Sha256 } from './sha256.ts';
import { withinTime } from './time-limit.ts';

/** A service where a function finds it. */
export interface Service {
  region: string;
  /** Scheme, host and port, without a path. */
  endpoint: string;
}

/**
 * The SDK's client of Chime. A call is one attempt: repeating is up to the caller, whose SDK does it, and never right
 * where the outcome is unknown.
 */
export function createChimeClient(service: Service): ChimeSDKMeetingsClient {
  const client = new ChimeSDKMeetingsClient({ ...settings(service), maxAttempts: 1 });
  attemptDirectly(client, service.endpoint, { repeats: () => false });
  return client;
}

/** The SDK's client of DynamoDB. A call is three attempts at most. */
export function createDynamoDBClient(service: Service): DynamoDBClient {
  const client = new DynamoDBClient({
    ...settings(service),
    // After the direct one.
    maxAttempts: 2,
    accountIdEndpointMode: 'disabled',
    endpointDiscoveryEnabledProvider: async () => false,
  });
  jsonAsItIs(client);
  attemptDirectly(client, service.endpoint, {
    repeats: (error) => !(error instanceof ConditionalCheckFailedException || isTaken(error)),
  });
  return client;
}

/**
 * Gives every call of a client a limit, for whoever sets none when calling: one for all its attempts, and for its answer to
 * the end, where the SDK's own limits are for each attempt and end with an answer's headers.
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

/**
 * Says all that a client would otherwise look for: in variables that no function has, in files of a home directory, and
 * in rules for endpoints. What looks for it is not in the bundles (docs/decisions/0009-what-the-bundles-leave-out.md).
 */
function settings({ region, endpoint }: Service) {
  const resolved = { url: new URL(endpoint) };
  const agent = { timeout: MAX_IDLE_MS };
  return {
    region,
    endpoint,
    endpointProvider: () => resolved,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: [],
    disableClockSkewCorrection: false,
    defaultsMode: 'legacy' as const,
    retryMode: 'standard',
    userAgentAppId: async () => undefined,
    defaultUserAgentProvider: async () => [],
    requestHandler: { httpAgent: agent, httpsAgent: agent },
    sha256: Sha256,
    streamCollector: collect,
  };
}

/** The whole body of an answer. */
function collect(body: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => resolve(Buffer.concat(chunks)))
      .on('error', reject);
  });
}
