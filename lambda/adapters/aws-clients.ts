import type { Readable } from 'node:stream';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { attemptDirectly, jsonAsItIs, MOST_IDLE_MS } from './direct-attempt.ts';
import { Sha256 } from './sha256.ts';

/** A service where a function finds it. */
export interface Service {
  region: string;
  /** Scheme, host and port, without a path. */
  endpoint: string;
}

/** Limits on every request, for whoever sets none when calling (the SDK's `requestHandler`). */
export interface RequestLimits {
  /** Milliseconds. */
  connectionTimeout: number;
  /** Milliseconds. */
  requestTimeout: number;
  throwOnRequestTimeout: true;
}

/**
 * The SDK's client of Chime. A call is one attempt: repeating is up to the caller, whose SDK does it, and never right
 * where the outcome is unknown.
 */
export function chimeClient(service: Service, limits?: RequestLimits): ChimeSDKMeetingsClient {
  const client = new ChimeSDKMeetingsClient({ ...settings(service, limits), maxAttempts: 1 });
  attemptDirectly(client, service.endpoint, { repeats: () => false });
  return client;
}

/** The SDK's client of DynamoDB. A call is three attempts at most. */
export function dynamodbClient(service: Service, limits?: RequestLimits): DynamoDBClient {
  const client = new DynamoDBClient({
    ...settings(service, limits),
    // After the direct one.
    maxAttempts: 2,
    accountIdEndpointMode: 'disabled',
    endpointDiscoveryEnabledProvider: async () => false,
  });
  jsonAsItIs(client);
  attemptDirectly(client, service.endpoint, {
    repeats: (error) => !(error instanceof ConditionalCheckFailedException),
  });
  return client;
}

/**
 * Says all that a client would otherwise look for: in variables that no function has, in files of a home directory, and
 * in rules for endpoints. What looks for it is not in the bundles (docs/decisions/0009-what-the-bundles-leave-out.md).
 */
function settings({ region, endpoint }: Service, limits: RequestLimits | undefined) {
  const resolved = { url: new URL(endpoint) };
  const agent = { timeout: MOST_IDLE_MS };
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
    requestHandler: { ...limits, httpAgent: agent, httpsAgent: agent },
    sha256: Sha256,
    streamCollector: (body: Readable) => collect(body, limits?.requestTimeout),
  };
}

/**
 * The whole body of an answer.
 *
 * @param timeoutMs how long that may take: the SDK's own limit ends with an answer's headers
 */
function collect(body: Readable, timeoutMs?: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => body.destroy(new DOMException('Out of time', 'TimeoutError')), timeoutMs);
    body
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => resolve(Buffer.concat(chunks)))
      .on('error', reject)
      .on('close', () => clearTimeout(timer));
  });
}
