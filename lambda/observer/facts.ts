import { type DynamoDBClient, paginateQuery, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { batchesIn } from '../audit/attendee-events.ts';
import { recordId } from '../audit/records.ts';
import { queryOf, TABLES } from '../audit/schema.ts';
import type { Facts } from './ports.ts';

/** So many meetings are remembered as known; a meeting that is known stays so. */
const MAX_REMEMBERED = 1_000;

/** What the observer reads of the audit in DynamoDB; no call here can write. */
export function createFacts(
  client: DynamoDBClient,
  { auditTableName, admissionTableName }: { auditTableName: string; admissionTableName: string },
): Facts {
  const known = new Set<string>();
  return {
    async knowsMeeting(meetingId) {
      if (known.has(meetingId)) return true;
      const { Count = 0 } = await client.send(
        new QueryCommand({
          TableName: auditTableName,
          ...queryOf(TABLES.audit, meetingId),
          // An intent is durable before Chime can send anything of its attendees.
          ConsistentRead: true,
          Limit: 1,
        }),
      );
      if (Count === 0) return false;
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.add(meetingId);
      return true;
    },

    async isAdmitted({ attendeeId, meetingId }) {
      const pages = paginateQuery(
        { client },
        { TableName: admissionTableName, ...queryOf(TABLES.admissions.indexes.byAttendee, attendeeId) },
      );
      for await (const { Items = [] } of pages) {
        for (const { meetingId: meeting, batchId } of Items) {
          // The entry alone proves nothing: a role may write it without a record.
          if (meeting?.S === meetingId && (await hasIssued(meetingId, batchId?.S ?? '', attendeeId)))
            return true;
        }
      }
      return false;
    },

    async batchesOf(meetingId) {
      const items: Record<string, unknown>[] = [];
      const pages = paginateQuery(
        { client },
        { TableName: auditTableName, ...queryOf(TABLES.audit, meetingId), ConsistentRead: true },
      );
      for await (const { Items = [] } of pages) items.push(...Items.map((item) => unmarshall(item)));
      return batchesIn(items);
    },
  };

  async function hasIssued(meetingId: string, batchId: string, attendeeId: string): Promise<boolean> {
    const id = recordId(batchId, 'outcome');
    const { Items: [outcome] = [] } = await client.send(
      new QueryCommand({
        TableName: auditTableName,
        ...queryOf(TABLES.audit, meetingId, { from: id, to: id }),
        ConsistentRead: true,
      }),
    );
    return outcome?.['issued']?.L?.some(({ M }) => M?.['attendeeId']?.S === attendeeId) ?? false;
  }
}
