import type { RequestListener, Server } from 'node:http';
import {
  type CreateTableCommandInput,
  DynamoDB,
  type DynamoDBClientConfig,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { withInsert } from './dynamodb-insert.ts';
import { close, LOOPBACK, listen } from './http-server.ts';

/** Starts an empty DynamoDB that lives in this process's memory. */
export async function startDynamoDb(): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const [answer] = server.listeners('request') as [RequestListener];
  server.off('request', answer);
  server.on(
    'request',
    withInsert(answer, () => url),
  );
  // dynalite throws where a request breaks off, as it does when a handler's process is killed, and would take the whole
  // system with it.
  server.on('request', (request) => {
    request.removeAllListeners('error');
    request.on('error', () => {});
  });
  const port = await listen(server, 0);
  const url = `http://${LOOPBACK}:${port}`;
  return { url, close: () => close(server) };
}

/**
 * Creates the tables and waits until they can be used. A table that is there already, which happens where somebody
 * else's DynamoDB is used, stays as it is.
 */
export async function createTables(
  config: DynamoDBClientConfig,
  tables: CreateTableCommandInput[],
): Promise<void> {
  const client = new DynamoDB(config);
  try {
    for (const table of tables) {
      try {
        await client.createTable(table);
      } catch (error) {
        if (!(error instanceof ResourceInUseException)) throw error;
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
