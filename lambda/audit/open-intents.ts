import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { OpenIntent, OpenIntents, Unreadable } from './ports.ts';
import { isOpenIntent } from './readable-records.ts';
import { OPEN_LIST, queryOf, SWEEP_KEY, TABLES } from './schema.ts';

/**
 * The reconciler's working state in DynamoDB: one partition `open` with an item for each open intent, and one item that
 * says how far intents were swept.
 */
export function createOpenIntents(
  client: DynamoDBClient,
  { openIntentTableName }: { openIntentTableName: string },
): OpenIntents {
  return {
    async sweptThrough() {
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: openIntentTableName,
          Key: marshall(SWEEP_KEY),
          ConsistentRead: true,
        }),
      );
      return Item?.['through']?.S;
    },

    async advance(through) {
      await unlessConditionFails(
        client.send(
          new UpdateItemCommand({
            TableName: openIntentTableName,
            Key: marshall(SWEEP_KEY),
            UpdateExpression: 'SET through = :through',
            ConditionExpression: 'attribute_not_exists(through) OR through < :through',
            ExpressionAttributeValues: marshall({ ':through': through }),
          }),
        ),
      );
    },

    async notice(entry) {
      await unlessConditionFails(
        client.send(
          new PutItemCommand({
            TableName: openIntentTableName,
            Item: itemOf(entry),
            ConditionExpression: 'attribute_not_exists(batchId)',
          }),
        ),
      );
    },

    async list() {
      const entries: (OpenIntent | Unreadable)[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: openIntentTableName,
          ...queryOf(TABLES.openIntents, OPEN_LIST),
          ConsistentRead: true,
        },
      );
      for await (const { Items } of pages) {
        for (const item of Items ?? []) {
          const { list: _, ...entry } = unmarshall(item);
          entries.push(isOpenIntent(entry) ? entry : { batchId: String(entry['batchId']), unreadable: true });
        }
      }
      return entries;
    },

    // One that is gone has no `looks`, so it is not brought back.
    save: (entry, looks) =>
      unlessConditionFails(
        client.send(
          new PutItemCommand({
            TableName: openIntentTableName,
            Item: itemOf(entry),
            ConditionExpression: 'looks = :looks',
            ExpressionAttributeValues: marshall({ ':looks': looks }),
          }),
        ),
      ),

    async remove({ batchId }) {
      await client.send(
        new DeleteItemCommand({
          TableName: openIntentTableName,
          Key: marshall({ list: OPEN_LIST, batchId }),
        }),
      );
    },
  };

  function itemOf(entry: OpenIntent) {
    return marshall({ list: OPEN_LIST, ...entry });
  }
}

/** @returns whether the condition held */
async function unlessConditionFails(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
