import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Actor, type Answer, type Lane, LOOK_SHIFTS_MS, startLane } from '../support/faults/lane.ts';
import { insertedItem, type Step } from '../support/faults/wire.ts';

/** An item on the wire. */
type Item = Record<string, Value>;
type Value = Record<string, unknown>;

/** 64 characters, the most that an ExternalUserId has, each of two bytes. */
const worstNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    [...String(index).padStart(3, '0')]
      .map((digit) => String.fromCodePoint(0xe0 + Number(digit)))
      .join('')
      .padEnd(64, 'ÿ'),
  );

let lane: Lane;
let handler: Actor;
let reconciler: Actor;
beforeAll(async () => {
  lane = await startLane();
  handler = await lane.startActor('handler');
  // When the margin is over.
  reconciler = await lane.startActor('reconciler', LOOK_SHIFTS_MS[0]);
}, 60_000);
afterAll(() => lane.close());

describe('the write units of a batch of n attendees, by what handler and reconciler send', () => {
  it.each([1, 10, 25, 26, 50, 100])(
    'n = %d: at most 2n + ⌈n/2⌉ + 10',
    async (count) => {
      const steps: Step[] = [];
      for (const actor of [handler, reconciler]) {
        actor.intercept((step, act) => {
          steps.push(step);
          return act();
        });
      }
      const meetingId = await lane.createMeeting('write units');
      const event = lane.eventFor(meetingId, worstNames(count), {
        Audio: 'SendReceive',
        Video: 'SendReceive',
        Content: 'SendReceive',
      });
      // As long as a caller can make what is recorded of it.
      event.requestContext.identity.userAgent = 'ÿ'.repeat(300);
      const answer = (await handler.invoke(event)) as Answer;
      expect(answer.statusCode).toBe(200);
      expect(await reconciler.invoke({})).toMatchObject({ failures: 0, sweptToEnd: true });
      // It has no more to do.
      expect(await reconciler.invoke({})).toMatchObject({ failures: 0, completed: 0 });

      // How far was swept is written by each run, whatever it finds.
      const writes = steps.flatMap(writtenItems).filter(({ item }) => item['list']?.['S'] !== 'sweep');
      // Intent and outcome, and an admission for each.
      expect(writes).toHaveLength(count + 2);
      const units = writes.map(({ table, item }) =>
        unitsOf(
          item,
          lane.tables.find(({ TableName }) => TableName === table),
        ),
      );
      const total = units.reduce((sum, one) => sum + one, 0);
      const limit = 2 * count + Math.ceil(count / 2) + 10;
      console.log(
        `n = ${count}: ${total} write units of ${limit}: ${writes
          .filter(({ item }) => item['kind'] !== undefined)
          .map(({ item }) => `${item['kind']?.['S']} ${sizeOfItem(item)} bytes`)
          .join(
            ', ',
          )}, an admission ${Math.max(...writes.map(({ item }) => (item['kind'] ? 0 : sizeOfItem(item))))} bytes`,
      );
      expect(total).toBeLessThanOrEqual(limit);
    },
    30_000,
  );
});

function writtenItems({ name, body }: Step): { table: string; item: Item }[] {
  if (name.startsWith('ExecuteStatement')) return [insertedItem(body ?? {}) as { table: string; item: Item }];
  if (name.startsWith('PutItem'))
    return [{ table: body?.['TableName'] as string, item: body?.['Item'] as Item }];
  if (name.startsWith('DeleteItem'))
    return [{ table: body?.['TableName'] as string, item: body?.['Key'] as Item }];
  if (!name.startsWith('BatchWriteItem')) return [];
  return Object.entries(body?.['RequestItems'] as Record<string, { PutRequest: { Item: Item } }[]>).flatMap(
    ([table, requests]) => requests.map(({ PutRequest }) => ({ table, item: PutRequest.Item })),
  );
}

/**
 * A unit for each begun KB of the item, and for each begun KB of what an index keeps of it
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html#write-operation-consumption,
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations).
 */
function unitsOf(item: Item, table: CreateTableCommandInput | undefined): number {
  if (table === undefined) throw new Error('A write to a table that is not in the stack.');
  const tableKeys = (table.KeySchema ?? []).map(({ AttributeName }) => AttributeName as string);
  const entries = (table.GlobalSecondaryIndexes ?? []).flatMap(({ KeySchema, Projection }) => {
    const keys = (KeySchema ?? []).map(({ AttributeName }) => AttributeName as string);
    // An item without an index's key is not in it.
    if (!keys.every((key) => key in item)) return [];
    const kept = new Set([...tableKeys, ...keys, ...(Projection?.NonKeyAttributes ?? [])]);
    const all = Projection?.ProjectionType === 'ALL';
    return [Object.fromEntries(Object.entries(item).filter(([name]) => all || kept.has(name)))];
  });
  return [item, ...entries].reduce((sum, one) => sum + Math.ceil(sizeOfItem(one) / 1024), 0);
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
function sizeOfItem(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value),
    0,
  );
}

/** A map or list has 3 bytes of its own, and 1 for each of its entries. */
function sizeOf(value: Value): number {
  const [[type, content]] = Object.entries(value) as [[string, unknown]];
  switch (type) {
    case 'S':
      return Buffer.byteLength(content as string);
    case 'N':
      // One byte for two significant digits, and one more; the sign may take another.
      return Math.ceil(String(content).replace(/\D/g, '').length / 2) + 2;
    case 'BOOL':
    case 'NULL':
      return 1;
    case 'M':
      return 3 + sizeOfItem(content as Item) + Object.keys(content as Item).length;
    case 'L':
      return (content as Value[]).reduce((sum, one) => sum + 1 + sizeOf(one), 3);
    default:
      throw new Error(`An attribute of the type ${type}.`);
  }
}
