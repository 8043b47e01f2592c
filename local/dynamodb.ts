import type { RequestListener, Server } from 'node:http';
import {
  type CreateTableCommandInput,
  DynamoDB,
  type DynamoDBClientConfig,
  ResourceInUseException,
  type TableDescription,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { withInsert } from './dynamodb-insert.ts';
import { guarded } from './guard.ts';
import { close, LOOPBACK, listenNear } from './http-server.ts';

export interface DynamoDbOptions {
  /** If it is in use, another one is chosen; 0 (default) for a free one. */
  port?: number;
  /** The folder of the tables; by default, an empty database in this process's memory. */
  directory?: string;
}

/** Starts a DynamoDB that no web page can reach. */
export async function startDynamoDb({ port = 0, directory }: DynamoDbOptions = {}): Promise<{
  url: string;
  close(): Promise<void>;
}> {
  const server: Server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(directory && { path: directory }),
  });
  const [answer] = server.listeners('request') as [RequestListener];
  server.off('request', answer);
  server.on(
    'request',
    guarded(
      withInsert(answer, () => url),
      'none',
    ),
  );
  // dynalite throws if a request breaks off, as when a handler's process is killed, and would end the whole system.
  server.on('request', (request) => {
    request.removeAllListeners('error');
    request.on('error', () => {});
  });
  const url = `http://${LOOPBACK}:${await listenNear(server, port)}`;
  return { url, close: () => close(server) };
}

/**
 * Creates the tables and waits until they are usable. An existing table stays as it is.
 *
 * @throws with `mustMatch` if an existing table has other keys or indexes
 */
export async function createTables(
  config: DynamoDBClientConfig,
  tables: CreateTableCommandInput[],
  { mustMatch = false } = {},
): Promise<void> {
  const client = new DynamoDB(config);
  try {
    for (const table of tables) {
      try {
        await client.createTable(table);
      } catch (error) {
        if (!(error instanceof ResourceInUseException)) throw error;
        const { Table } = await client.describeTable({ TableName: table.TableName });
        if (mustMatch && !isSameTable(table, Table)) {
          throw new Error(
            `The table ${table.TableName} has the keys or indexes of another version: start with --fresh, which deletes the local data.`,
          );
        }
      }
      await waitUntilTableExists(
        { client, minDelay: 0.1, maxWaitTime: 30 },
        { TableName: table.TableName as string },
      );
    }
  } finally {
    client.destroy();
  }
}

function isSameTable(wanted: CreateTableCommandInput, existing: TableDescription | undefined): boolean {
  const shape = ({ KeySchema, GlobalSecondaryIndexes = [] }: CreateTableCommandInput | TableDescription) =>
    JSON.stringify([
      keys(KeySchema),
      GlobalSecondaryIndexes.map((index) => [index.IndexName, keys(index.KeySchema)]).sort(),
    ]);
  return existing !== undefined && shape(wanted) === shape(existing);
}

function keys(schema: CreateTableCommandInput['KeySchema']): string[] {
  return (schema ?? []).map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`);
}
