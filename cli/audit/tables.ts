import { existsSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readLocalEnvironment, stateDirectory } from '../../local/environment.ts';
import type { ReportDamage } from './readable.ts';
import { tablesOfStack } from './stack.ts';

/** The queried tables, and the client for them. */
export interface AskedTables {
  client: DynamoDBClient;
  auditTableName: string;
  admissionTableName?: string;
  openIntentTableName?: string;
  eventTableName?: string;
  /** Called with each unreadable item, which is skipped. */
  onDamage?: ReportDamage;
}

/** The stack or tables of the command line; by default the local system's. */
export interface NamedTables {
  stack?: string;
  table?: string;
  admissionTable?: string;
  openIntentTable?: string;
  eventTable?: string;
  region?: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Finds the tables: those of the named stack, or the named ones, with the SDK's own Region, credentials and endpoint,
 * or else those of the local system that runs here.
 *
 * @returns undefined if none is named and no local system runs
 * @throws if the stack has no such tables
 */
export async function findTables(
  named: NamedTables,
  env: NodeJS.ProcessEnv,
): Promise<AskedTables | undefined> {
  const { region } = named;
  const config = { ...(region && { region }) };
  const found = named.stack === undefined ? {} : await tablesOfStack(named.stack, config);
  const { table, admissionTable, openIntentTable, eventTable } = { ...named, ...found };
  const requestHandler = {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Without it, a time-out is only a warning.
    throwOnRequestTimeout: true,
  };
  if (table !== undefined) {
    // Found as the SDK finds it, so that messages can name it.
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
      ...(eventTable && { eventTableName: eventTable }),
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
      // A DynamoDB on this machine accepts any credentials; an external one, which the local system can use, needs the
      // caller's own.
      ...(new URL(local.dynamodbUrl).hostname === '127.0.0.1' && {
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      }),
    }),
    auditTableName: local.tableName,
    admissionTableName: local.admissionTableName,
    openIntentTableName: local.openIntentTableName,
    ...(local.eventTableName && { eventTableName: local.eventTableName }),
  };
}

/**
 * The place of the tables, for people.
 *
 * @throws if no Region is configured
 */
export async function describePlace({ client }: AskedTables): Promise<string> {
  const region = await client.config.region();
  const endpoint = await client.config.endpoint?.();
  if (endpoint === undefined) return region;
  return `${region} at ${endpoint.protocol}//${endpoint.hostname}${endpoint.port ? `:${endpoint.port}` : ''}`;
}

/** @throws if the admission table is unknown */
export function withAdmissions(tables: AskedTables): AskedTables & { admissionTableName: string } {
  const { admissionTableName } = tables;
  if (admissionTableName === undefined)
    throw new Error('The name of the admission table is unknown: give --admission-table.');
  return { ...tables, admissionTableName };
}
