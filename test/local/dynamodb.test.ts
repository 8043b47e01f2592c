import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DynamoDB, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTables, startDynamoDb } from '../../local/dynamodb.ts';

const TABLE = {
  TableName: 'things',
  BillingMode: 'PAY_PER_REQUEST' as const,
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
  AttributeDefinitions: [
    { AttributeName: 'id', AttributeType: 'S' as const },
    { AttributeName: 'color', AttributeType: 'S' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-color',
      KeySchema: [{ AttributeName: 'color', KeyType: 'HASH' as const }],
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    },
  ],
};

let dynamodb: Awaited<ReturnType<typeof startDynamoDb>>;
let config: DynamoDBClientConfig;
let client: DynamoDB;

beforeAll(async () => {
  dynamodb = await startDynamoDb();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  config = { region: 'us-east-1', endpoint: dynamodb.url, credentials };
  client = new DynamoDB(config);
  await createTables(config, [TABLE]);
});

afterAll(async () => {
  client.destroy();
  await dynamodb.close();
});

it('creates tables that can be used at once, indexes too, and leaves those that are there', async () => {
  await client.putItem({ TableName: 'things', Item: { id: { S: '1' }, color: { S: 'red' } } });
  await createTables(config, [TABLE]);
  const { Items } = await client.query({
    TableName: 'things',
    IndexName: 'by-color',
    KeyConditionExpression: 'color = :c',
    ExpressionAttributeValues: { ':c': { S: 'red' } },
  });
  expect(Items).toEqual([{ id: { S: '1' }, color: { S: 'red' } }]);
});

// Jest would swallow the exception that ends a process, so this one runs in a process of its own.
it('lives on when a request breaks off', async () => {
  const script = `
    import { connect } from 'node:net';
    import { startDynamoDb } from ${JSON.stringify(new URL('../../local/dynamodb.ts', import.meta.url))};
    const dynamodb = await startDynamoDb();
    const socket = connect(Number(new URL(dynamodb.url).port), '127.0.0.1');
    socket.write('POST / HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 10\\r\\n\\r\\nabc');
    setTimeout(() => socket.destroy(), 50);
    setTimeout(async () => {
      console.log(String((await fetch(dynamodb.url)).status));
      await dynamodb.close();
    }, 150);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('200\n');
});
