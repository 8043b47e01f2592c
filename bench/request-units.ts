import { type IndexSchema, TABLES, type TableSchema } from '../lambda/audit/schema.ts';
import type { AttributeValue, Item, Taken } from './stand-in.ts';

/**
 * Write request units of one batch, by DynamoDB's rules: one for each kilobyte begun of an item in the table, and of its
 * projection in each index that has it
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html).
 */
export function writeUnits({ records, admissions }: Pick<Taken, 'records' | 'admissions'>): {
  intents: number;
  outcomes: number;
  admissions: number;
} {
  const unitsOf = (items: Item[]) =>
    items.reduce(
      (sum, item) => sum + units(item) + entriesOf(item).reduce((s, { entry }) => s + units(entry), 0),
      0,
    );
  return {
    intents: unitsOf(records.filter(({ kind }) => kind?.S === 'intent')),
    outcomes: unitsOf(records.filter(({ kind }) => kind?.S === 'outcome')),
    admissions: unitsOf(admissions),
  };
}

/** The indexes that answered batches are in: denials are no part of them. */
export const INDEXES: readonly (IndexSchema & { table: TableSchema })[] = [TABLES.audit, TABLES.admissions]
  .flatMap((table: TableSchema) => Object.values(table.indexes).map((index) => ({ ...index, table })))
  .filter(({ name }) => name !== TABLES.audit.indexes.denialsByDay.name);

/** What the indexes hold of an item, by the name of the index. */
export function entriesOf(item: Item, indexes = INDEXES): { index: string; entry: Item }[] {
  return indexes
    .filter(({ table, partitionKey }) => table.sortKey in item && partitionKey in item)
    .map(({ name, table, partitionKey, sortKey, projection }) => {
      const held = new Set([partitionKey, sortKey, table.partitionKey, table.sortKey]);
      const others = projection === 'ALL' ? Object.keys(item) : projection === 'KEYS_ONLY' ? [] : projection;
      for (const attribute of others) held.add(attribute);
      return {
        index: name,
        entry: Object.fromEntries(Object.entries(item).filter(([key]) => held.has(key))),
      };
    });
}

function units(item: Item): number {
  return Math.ceil(itemBytes(item) / 1024);
}

/**
 * Bytes of an item: names and strings in UTF-8, a number by its digits in pairs, a list or map 3 and 1 for each member
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes({ S, N, L, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.replace(/[^0-9]/g, '').length / 2) + 1;
  if (L !== undefined) return 3 + L.reduce((sum, value) => sum + 1 + valueBytes(value), 0);
  if (M !== undefined) return 3 + Object.keys(M).length + itemBytes(M);
  return 1;
}
