import { type AttributeValue, GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { queryOf, type Span, TABLES } from '../../../lambda/audit/schema.ts';
import { digestOfItem } from '../../../lambda/audit/seals.ts';
import { queryRawItems } from '../dynamodb.ts';
import type { AskedTables } from '../tables.ts';

/** What a verification goes by of a record in the table. */
export interface Fact {
  meetingId: string;
  recordId: string;
  sha256: string;
  /** As the record itself says; anyone who can write one can say anything. */
  recordedAt: string | undefined;
}

/** The records of a meeting within a span of record ids, by record id, read consistently. */
export async function factsOfMeeting(
  { client, auditTableName }: AskedTables,
  meetingId: string,
  span: Span,
): Promise<Map<string, Fact>> {
  const facts = new Map<string, Fact>();
  const items = queryRawItems(client, {
    TableName: auditTableName,
    ...queryOf(TABLES.audit, meetingId, span),
    ConsistentRead: true,
  });
  for await (const item of items) {
    const fact = factOf(item);
    facts.set(fact.recordId, fact);
  }
  return facts;
}

/** One record, read consistently; undefined where there is none. */
export async function factWithKey(
  { client, auditTableName }: AskedTables,
  { meetingId, recordId }: Pick<Fact, 'meetingId' | 'recordId'>,
): Promise<Fact | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: auditTableName,
      Key: { meetingId: { S: meetingId }, recordId: { S: recordId } },
      ConsistentRead: true,
    }),
  );
  return Item && factOf(Item);
}

/** The meetings that the indexes name on a day. */
export async function meetingsOfDay(
  { client, auditTableName }: AskedTables,
  day: string,
): Promise<Set<string>> {
  const meetings = new Set<string>();
  const { byDay, denialsByDay } = TABLES.audit.indexes;
  for (const index of [byDay, denialsByDay]) {
    const items = queryRawItems(client, {
      TableName: auditTableName,
      ...queryOf(index, day),
      ProjectionExpression: TABLES.audit.partitionKey,
    });
    for await (const { meetingId } of items) meetings.add(meetingId?.S ?? '');
  }
  return meetings;
}

/** Every record of the table; the one way to those that no index names. */
export async function* allFacts({ client, auditTableName }: AskedTables): AsyncGenerator<Fact> {
  const pages = paginateScan({ client }, { TableName: auditTableName, ConsistentRead: true });
  for await (const { Items = [] } of pages) yield* Items.map(factOf);
}

function factOf(item: Record<string, AttributeValue>): Fact {
  return {
    meetingId: item['meetingId']?.S ?? '',
    recordId: item['recordId']?.S ?? '',
    sha256: digestOfItem(item),
    recordedAt: item['recordedAt']?.S,
  };
}
