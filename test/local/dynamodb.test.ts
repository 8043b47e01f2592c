import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type AttributeValue, DynamoDB, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

it('creates tables that can be used at once, indexes too, and keeps existing ones', async () => {
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
it('keeps running when a request is aborted', async () => {
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

describe('a statement', () => {
  const execute = (Statement: string, Parameters: AttributeValue[]) =>
    client.executeStatement({ Statement, Parameters }).catch((error: Error) => error.name);
  const INSERT = `INSERT INTO "things" VALUE {'id': ?, 'color': ?}`;
  const blue = [{ S: 'inserted' }, { S: 'blue' }];

  it('inserts an item, and leaves an existing one as it is', async () => {
    expect(await execute(INSERT, blue)).toMatchObject({ Items: [] });
    expect(await execute(INSERT, [{ S: 'inserted' }, { S: 'green' }])).toBe('DuplicateItemException');
    const { Item } = await client.getItem({ TableName: 'things', Key: { id: { S: 'inserted' } } });
    expect(Item).toEqual({ id: { S: 'inserted' }, color: { S: 'blue' } });
  });

  it.each<[string, string, AttributeValue[], string]>([
    ['of another kind', `DELETE FROM "things" WHERE id = ?`, [{ S: 'inserted' }], 'ValidationException'],
    [
      'with a value in its text',
      `INSERT INTO "things" VALUE {'id': 'x'}`,
      [{ S: 'x' }],
      'ValidationException',
    ],
    ['with a parameter for a whole item', `INSERT INTO "things" VALUE ?`, [{ M: {} }], 'ValidationException'],
    ['with too few parameters', INSERT, [{ S: 'x' }], 'ValidationException'],
    ['without the key', `INSERT INTO "things" VALUE {'color': ?}`, [{ S: 'x' }], 'ValidationException'],
    ['for no table', `INSERT INTO "nothing" VALUE {'id': ?}`, [{ S: 'x' }], 'ResourceNotFoundException'],
  ])('%s is refused', async (_what, statement, parameters, expected) => {
    expect(await execute(statement, parameters)).toBe(expected);
  });
});
