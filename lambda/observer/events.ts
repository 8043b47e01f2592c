import { type DynamoDBClient, ExecuteStatementCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { queryOf, TABLES } from '../audit/schema.ts';
import { isTaken } from '../aws/dynamodb-errors.ts';
import type { Events, SeenInMeeting } from './ports.ts';

/** The table of events in DynamoDB. */
export function createEvents(client: DynamoDBClient, { eventTableName }: { eventTableName: string }): Events {
  return {
    async keptOf(attendeeId) {
      const kept: string[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: eventTableName,
          ...queryOf(TABLES.events, attendeeId),
          ProjectionExpression: 'eventId',
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages)
        kept.push(...Items.flatMap(({ eventId }) => eventId?.S ?? []));
      return kept;
    },

    // As a fact is inserted (lambda/audit/insert-fact.ts): by the one write that can change nothing.
    async insert(event) {
      const item = marshall(event, { removeUndefinedValues: true });
      const fields = Object.keys(item).map((name) => `'${name}': ?`);
      try {
        await client.send(
          new ExecuteStatementCommand({
            Statement: `INSERT INTO "${eventTableName}" VALUE {${fields.join(', ')}}`,
            Parameters: Object.values(item),
          }),
        );
        return true;
      } catch (error) {
        if (!isTaken(error)) throw error;
        return false;
      }
    },

    async *arrivedIn(quarter) {
      const pages = paginateQuery(
        { client },
        { TableName: eventTableName, ...queryOf(TABLES.events.indexes.byArrival, quarter) },
      );
      // Sorted by attendee: one that has several events has them in a row.
      let last: string | undefined;
      for await (const { Items = [] } of pages) {
        const page: SeenInMeeting[] = [];
        for (const item of Items.map((each) => unmarshall(each) as SeenInMeeting)) {
          if (item.attendeeId !== last) page.push(item);
          last = item.attendeeId;
        }
        yield page;
      }
    },
  };
}
