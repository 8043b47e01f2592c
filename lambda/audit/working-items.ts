import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

export interface ItemKey {
  list: string;
  batchId: string;
}

export interface Condition {
  expression: string;
  values?: Record<string, string | number>;
}

export type Item = ItemKey & Record<string, unknown>;

export interface Update {
  expression: string;
  condition?: string;
  names?: Record<string, string>;
  values: Record<string, string | number>;
  returns: 'ALL_OLD' | 'ALL_NEW';
}

/** Single items of the table of open intents, as plain objects. */
export class WorkingItems {
  readonly #client: DynamoDBClient;
  readonly #tables: { openIntentTableName: string };

  constructor(client: DynamoDBClient, tables: { openIntentTableName: string }) {
    this.#client = client;
    this.#tables = tables;
  }

  async get(key: ItemKey): Promise<Item | undefined> {
    const { openIntentTableName } = this.#tables;
    const { Item } = await this.#client.send(
      new GetItemCommand({ TableName: openIntentTableName, Key: marshall(key), ConsistentRead: true }),
    );
    return Item && (unmarshall(Item) as Item);
  }

  /** @returns whether the condition held */
  async put(item: Item, condition?: Condition): Promise<boolean> {
    const { openIntentTableName } = this.#tables;
    const put = this.#client.send(
      new PutItemCommand({
        TableName: openIntentTableName,
        Item: marshall(item, { removeUndefinedValues: true }),
        ...expressionOf(condition),
      }),
    );
    return (await unlessConditionFails(put)) !== undefined;
  }

  /** @returns the item before or after; undefined if there is none, or the condition did not hold */
  async update(key: ItemKey, how: Update): Promise<Record<string, unknown> | undefined> {
    const { openIntentTableName } = this.#tables;
    const update = this.#client.send(
      new UpdateItemCommand({
        TableName: openIntentTableName,
        Key: marshall(key),
        UpdateExpression: how.expression,
        ...(how.condition !== undefined && { ConditionExpression: how.condition }),
        ...(how.names && { ExpressionAttributeNames: how.names }),
        ExpressionAttributeValues: marshall(how.values),
        ReturnValues: how.returns,
      }),
    );
    const Attributes = (await unlessConditionFails(update))?.Attributes;
    return Attributes && unmarshall(Attributes);
  }

  /** @returns whether the condition held */
  async remove(key: ItemKey, condition?: Condition): Promise<boolean> {
    const { openIntentTableName } = this.#tables;
    const remove = this.#client.send(
      new DeleteItemCommand({
        TableName: openIntentTableName,
        Key: marshall({ list: key.list, batchId: key.batchId }),
        ...expressionOf(condition),
      }),
    );
    return (await unlessConditionFails(remove)) !== undefined;
  }

  /** The first items of a partition, in a span of sort keys or after one of them. */
  async query(
    list: string,
    { span, after, limit }: { span?: [string, string]; after?: string; limit: number },
  ): Promise<Item[]> {
    const { openIntentTableName } = this.#tables;
    const found: Item[] = [];
    let startKey: QueryCommandInput['ExclusiveStartKey'] =
      after === undefined ? undefined : marshall({ list, batchId: after });
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: openIntentTableName,
          KeyConditionExpression: `#list = :list${span ? ' AND batchId BETWEEN :from AND :to' : ''}`,
          ExpressionAttributeNames: { '#list': 'list' },
          ExpressionAttributeValues: marshall({
            ':list': list,
            ...(span && { ':from': span[0], ':to': span[1] }),
          }),
          ...(startKey && { ExclusiveStartKey: startKey }),
          Limit: limit - found.length,
          ConsistentRead: true,
        }),
      );
      found.push(...Items.map((item) => unmarshall(item) as Item));
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined && found.length < limit);
    return found;
  }
}

function expressionOf(condition: Condition | undefined) {
  return {
    ...(condition && { ConditionExpression: condition.expression }),
    ...(condition?.values && { ExpressionAttributeValues: marshall(condition.values) }),
  };
}

/** @returns undefined if the condition did not hold */
async function unlessConditionFails<Answer>(write: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
