import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { queryOf, type Span, TABLES } from '../audit/schema.ts';
import { batchPrefix, beginningOfHour, HOUR_MS, rowOfItem, type SealedRow } from '../audit/seals.ts';
import { BATCH_GET_LIMIT, untilDone } from '../aws/dynamodb-batches.ts';
import type { FactKey, Facts, IndexedFact } from './ports.ts';

/** So many BatchGetItem are under way at a time: the table's reads are shared with who answers requests. */
const AT_ONCE = 4;
/** The greatest character: every batch id that begins with a prefix sorts up to the prefix and this. */
const LAST = '\u{10FFFF}';
const DAY_MS = 24 * HOUR_MS;

/** The table of facts in DynamoDB; no call here can write. */
export function createFacts(client: DynamoDBClient, { auditTableName }: { auditTableName: string }): Facts {
  const pagesOf = {
    byDay: (day: string, span: Span) =>
      paginateQuery(
        { client },
        { TableName: auditTableName, ...queryOf(TABLES.audit.indexes.byDay, day, span) },
      ),
    denialsByDay: (day: string, span: Span) =>
      paginateQuery(
        { client },
        { TableName: auditTableName, ...queryOf(TABLES.audit.indexes.denialsByDay, day, span) },
      ),
  };

  return {
    async *indexed(firstHour, lastHour) {
      const span = { from: batchPrefix(firstHour), to: `${batchPrefix(lastHour)}${LAST}` };
      for (const index of ['byDay', 'denialsByDay'] as const) {
        for (const day of daysOf(firstHour, lastHour)) {
          for await (const { Items = [] } of pagesOf[index](day, span))
            yield Items.map((item) => indexedFact(item, index));
        }
      }
    },

    async rows(keys) {
      const distinct = [...new Map(keys.map((key) => [`${key.meetingId}\n${key.recordId}`, key])).values()];
      const rows: SealedRow[] = [];
      let next = 0;
      const readOn = async () => {
        while (next < distinct.length) {
          const some = distinct.slice(next, next + BATCH_GET_LIMIT);
          next += BATCH_GET_LIMIT;
          for (const row of await readSome(some)) rows.push(row);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, readOn));
      return rows;
    },
  };

  async function readSome(keys: readonly FactKey[]): Promise<SealedRow[]> {
    const rows: SealedRow[] = [];
    await untilDone(keys.map(attributesOf), async (left) => {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetItemCommand({ RequestItems: { [auditTableName]: { Keys: left, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[auditTableName] ?? []) rows.push(rowOfItem(item));
      return UnprocessedKeys?.[auditTableName]?.Keys ?? [];
    });
    return rows;
  }
}

function attributesOf({ meetingId, recordId }: FactKey): Record<string, AttributeValue> {
  return { meetingId: { S: meetingId }, recordId: { S: recordId } };
}

/** Keys are strings in whatever is in an index. */
function indexedFact(item: Record<string, AttributeValue>, index: IndexedFact['index']): IndexedFact {
  const text = (name: string) => item[name]?.S ?? '';
  return { meetingId: text('meetingId'), recordId: text('recordId'), batchId: text('batchId'), index };
}

function daysOf(firstHour: string, lastHour: string): string[] {
  const days = new Set<string>();
  for (let atMs = beginningOfHour(firstHour); atMs < beginningOfHour(lastHour); atMs += DAY_MS)
    days.add(new Date(atMs).toISOString().slice(0, 10));
  return [...days.add(lastHour.slice(0, 10))];
}
