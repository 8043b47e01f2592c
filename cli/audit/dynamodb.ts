import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  type KeysAndAttributes,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { untilDone } from '../../lambda/aws/dynamodb-batches.ts';

/** Every item of a Query, page by page on demand: memory holds one page of at most 1 MB. */
export async function* queryItems<Item>(
  client: DynamoDBClient,
  input: Omit<QueryCommandInput, 'ExclusiveStartKey'>,
): AsyncGenerator<Item> {
  for await (const item of queryRawItems(client, input)) yield readItem(item) as Item;
}

/** As `queryItems`, with items as DynamoDB has them. */
export async function* queryRawItems(
  client: DynamoDBClient,
  input: Omit<QueryCommandInput, 'ExclusiveStartKey'>,
): AsyncGenerator<Record<string, AttributeValue>> {
  let startKey: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new QueryCommand({ ...input, ...(startKey && { ExclusiveStartKey: startKey }) }),
    );
    yield* page.Items ?? [];
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}

/**
 * The existing items with these keys, in no particular order, read consistently.
 *
 * @param keys at most `BATCH_GET_LIMIT`, without duplicates
 * @throws if DynamoDB keeps returning some of them unprocessed
 */
export async function getItems<Item>(
  client: DynamoDBClient,
  tableName: string,
  keys: Record<string, string>[],
  projection?: Pick<KeysAndAttributes, 'ProjectionExpression' | 'ExpressionAttributeNames'>,
): Promise<Item[]> {
  const items: Item[] = [];
  await untilDone(
    keys.map((key) => marshall(key)),
    async (left) => {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({
          RequestItems: { [tableName]: { Keys: left, ConsistentRead: true, ...projection } },
        }),
      );
      for (const item of Responses?.[tableName] ?? []) items.push(readItem(item) as Item);
      return UnprocessedKeys?.[tableName]?.Keys ?? [];
    },
  );
  return items;
}

/**
 * Writes items, replacing existing ones.
 *
 * @param items at most `BATCH_WRITE_LIMIT`, without duplicate keys
 * @throws if DynamoDB keeps returning some of them unprocessed
 */
export async function putItems(client: DynamoDBClient, tableName: string, items: object[]): Promise<void> {
  await untilDone(
    items.map((item) => ({ PutRequest: { Item: marshall(item) } })),
    async (left) => {
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({ RequestItems: { [tableName]: left } }),
      );
      return (UnprocessedItems?.[tableName] ?? []) as typeof left;
    },
  );
}

/** Rounds numbers without an exact form in JavaScript: Usher writes none. */
function readItem(item: Record<string, AttributeValue>): Record<string, unknown> {
  return unmarshall(item, { wrapNumbers: Number });
}
