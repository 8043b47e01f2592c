import { existsSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readLocalEnvironment, stateDirectory } from '../../local/environment.ts';

/** The tables that are asked, and the client to ask them with. */
export interface AskedTables {
  client: DynamoDBClient;
  auditTableName: string;
  admissionTableName?: string;
  openIntentTableName?: string;
}

/** Which tables somebody named; none names the local system's. */
export interface NamedTables {
  table?: string;
  admissionTable?: string;
  openIntentTable?: string;
  region?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Finds the tables: the named ones with the SDK's own Region, credentials and endpoint, else those of the local system
 * that runs here.
 *
 * @returns undefined where no table is named and no local system runs
 */
export function findTables(named: NamedTables, env: NodeJS.ProcessEnv): AskedTables | undefined {
  const requestHandler = {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Without it, a time-out is a warning.
    throwOnRequestTimeout: true,
  };
  if (named.table !== undefined) {
    // As the SDK would find it, said here so that it can be told.
    const endpoint = env['AWS_ENDPOINT_URL_DYNAMODB'] ?? env['AWS_ENDPOINT_URL'];
    return {
      client: new DynamoDBClient({
        requestHandler,
        ...(named.region && { region: named.region }),
        ...(endpoint && { endpoint }),
      }),
      auditTableName: named.table,
      ...(named.admissionTable && { admissionTableName: named.admissionTable }),
      ...(named.openIntentTable && { openIntentTableName: named.openIntentTable }),
    };
  }
  const directory = stateDirectory(env);
  if (!existsSync(path.join(directory, 'environment.json'))) return undefined;
  const local = readLocalEnvironment(directory);
  return {
    client: new DynamoDBClient({
      requestHandler,
      region: local.region,
      endpoint: local.dynamodbUrl,
      // A DynamoDB on this machine takes any credentials; another one, which the local system can be told to use, wants
      // the caller's own.
      ...(new URL(local.dynamodbUrl).hostname === '127.0.0.1' && {
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      }),
    }),
    auditTableName: local.tableName,
    admissionTableName: local.admissionTableName,
    openIntentTableName: local.openIntentTableName,
  };
}

/**
 * Where the tables are, for people.
 *
 * @throws where no Region is configured
 */
export async function describePlace({ client }: AskedTables): Promise<string> {
  const region = await client.config.region();
  const endpoint = await client.config.endpoint?.();
  if (endpoint === undefined) return region;
  return `${region} at ${endpoint.protocol}//${endpoint.hostname}${endpoint.port ? `:${endpoint.port}` : ''}`;
}
