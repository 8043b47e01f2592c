import { existsSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readLocalEnvironment, stateDirectory } from '../../local/environment.ts';
import type { ReportDamage } from './readable.ts';
import { tablesOfStack } from './stack.ts';

/** The tables that are asked, and the client to ask them with. */
export interface AskedTables {
  client: DynamoDBClient;
  auditTableName: string;
  admissionTableName?: string;
  openIntentTableName?: string;
  /** Called with each item that cannot be read; the item is skipped. */
  onDamage?: ReportDamage;
}

/** Which stack or tables are named; none names the local system's. */
export interface NamedTables {
  stack?: string;
  table?: string;
  admissionTable?: string;
  openIntentTable?: string;
  region?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Finds the tables: those of the named stack, or the named ones, with the SDK's own Region, credentials and endpoint, else those of the local system
 * that runs here.
 *
 * @returns undefined where none is named and no local system runs
 * @throws where the stack has no such tables
 */
export async function findTables(
  named: NamedTables,
  env: NodeJS.ProcessEnv,
): Promise<AskedTables | undefined> {
  const { region } = named;
  const config = { ...(region && { region }) };
  const found = named.stack === undefined ? {} : await tablesOfStack(named.stack, config);
  const { table, admissionTable, openIntentTable } = { ...named, ...found };
  const requestHandler = {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Without it, a time-out is a warning.
    throwOnRequestTimeout: true,
  };
  if (table !== undefined) {
    // As the SDK would find it, said here so that it can be told.
    const endpoint = env['AWS_ENDPOINT_URL_DYNAMODB'] ?? env['AWS_ENDPOINT_URL'];
    return {
      client: new DynamoDBClient({
        requestHandler,
        ...config,
        ...(endpoint && { endpoint }),
      }),
      auditTableName: table,
      ...(admissionTable && { admissionTableName: admissionTable }),
      ...(openIntentTable && { openIntentTableName: openIntentTable }),
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

/** @throws where the admission table is not known */
export function withAdmissions(tables: AskedTables): AskedTables & { admissionTableName: string } {
  const { admissionTableName } = tables;
  if (admissionTableName === undefined)
    throw new Error('The name of the admission table is unknown: give --admission-table.');
  return { ...tables, admissionTableName };
}
