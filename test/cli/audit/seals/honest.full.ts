import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mintBatchId } from '../../../../lambda/audit/batch-id.ts';
import type { OutcomeRecord } from '../../../../lambda/audit/records.ts';
import { beginningOfHour, HOUR_MS, hourAfter, sealDueMs } from '../../../../lambda/audit/seals.ts';
import { BATCH_WRITE_LIMIT } from '../../../../lambda/aws/dynamodb-batches.ts';
import { denialOf, intentOf, issuedTo, outcomeOf } from '../../../support/audit-command.ts';
import { startDatabase } from '../../../support/database.ts';
import { createSealedTable, type Item, type SealedTable } from '../../../support/sealed-table.ts';

const BATCHES = 10_000;
const MEETINGS = 300;
const FIRST = '2026-11-20T13Z';
/** Batches begin within so many hours, the first ten of them before sealing begins. */
const HOURS = 72;
const LAST = '2026-11-25T13Z';
const SEED = 20261123;

interface Write {
  atMs: number;
  item: Item;
  isRemoval: boolean;
}

/** Small, seeded and good enough to choose what happens (Numerical Recipes' constants). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = createRandom(SEED);
const startMs = beginningOfHour(FIRST) - 10 * HOUR_MS;

/** All that is written and expires, by time. */
function createHistory(): Write[] {
  const writes: Write[] = [];
  for (let n = 0; n < BATCHES; n += 1) {
    const beginMs = startMs + Math.floor(random() * HOURS * HOUR_MS);
    const id = mintBatchId(beginMs, n.toString(16).padStart(16, '0'));
    const meetingId = `00000000-0000-4000-8000-${Math.floor(random() * MEETINGS)
      .toString(16)
      .padStart(12, '0')}`;
    // One in five is deleted by its time to live while the test lasts, in no particular order.
    const expiresAt = random() < 0.2 ? Math.ceil(beginMs / 1000) + 100_000 : undefined;
    const base = { meetingId, ...(expiresAt !== undefined && { expiresAt }) };
    // Who finds no intent any more settles nothing.
    let intentGoneMs = Number.POSITIVE_INFINITY;
    const add = (record: object, delayMs: number) => {
      if (beginMs + delayMs >= intentGoneMs) return;
      const item = marshall(record, { removeUndefinedValues: true });
      writes.push({ atMs: beginMs + delayMs, item, isRemoval: false });
      if (expiresAt === undefined) return;
      const goneMs = expiresAt * 1000 + random() * 40 * HOUR_MS;
      intentGoneMs = Math.min(intentGoneMs, goneMs);
      writes.push({ atMs: goneMs, item, isRemoval: true });
    };
    addBatch(id, base, add);
  }
  return writes.sort((one, other) => one.atMs - other.atMs);
}

/** How a batch goes: as a rule well, and now and then as badly as it can. */
function addBatch(
  id: string,
  base: { meetingId: string; expiresAt?: number },
  add: (record: object, delayMs: number) => void,
): void {
  const chance = random();
  if (chance < DENIED_BELOW) {
    add(denialOf(id, base), 5);
    return;
  }
  add(intentOf(id, base), 30 + random() * 3000);
  const fate = FATES.find(({ below }) => chance < below);
  if (fate?.outcome === undefined) return;
  add(outcomeOf(id, { ...base, ...fate.outcome }), fate.afterMs + random() * fate.withinMs);
}

const DENIED_BELOW = 0.08;

/** What becomes of a batch by chance, and how long after it began. */
interface Fate {
  below: number;
  afterMs: number;
  withinMs: number;
  outcome?: Partial<OutcomeRecord>;
}

const RECOVERED: Partial<OutcomeRecord> = {
  ...{ writtenBy: 'reconciler', state: 'RECOVERED', delivered: false, attribution: 'ambiguous' },
};
const PARTIAL: Partial<OutcomeRecord> = {
  state: 'PARTIAL',
  withheld: [{ ...issuedTo('bob', 'attendee-bob'), rule: 'capability-ceiling' }],
};
const FAILED: Partial<OutcomeRecord> = {
  ...{ state: 'FAILED', issued: [], refusal: { code: 'Throttling', message: 'Slow down' } },
};

/** By chance: denied; settled by the handler after retries; by the reconciler at once, after a standstill, after days; never. */
const FATES: Fate[] = [
  { below: DENIED_BELOW, afterMs: 0, withinMs: 0 },
  { below: 0.8, afterMs: 4000, withinMs: 9000, outcome: {} },
  { below: 0.85, afterMs: 4000, withinMs: 9000, outcome: PARTIAL },
  { below: 0.88, afterMs: 4000, withinMs: 9000, outcome: FAILED },
  { below: 0.95, afterMs: 90_000, withinMs: 300_000, outcome: RECOVERED },
  {
    ...{ below: 0.98, afterMs: 90_000, withinMs: 12 * HOUR_MS },
    outcome: { ...RECOVERED, state: 'NOT_ISSUED', issued: [] },
  },
  {
    ...{ below: 0.995, afterMs: 90_000, withinMs: 70 * HOUR_MS },
    outcome: { ...RECOVERED, state: 'UNRESOLVED' },
  },
];

let database: Awaited<ReturnType<typeof startDatabase>>;
let world: SealedTable;

beforeAll(async () => {
  database = await startDatabase();
  world = await createSealedTable(database.url, FIRST);
});

afterAll(async () => {
  await world.close();
  await database.close();
});

async function apply(writes: readonly Write[]): Promise<void> {
  for (let start = 0; start < writes.length; start += BATCH_WRITE_LIMIT) {
    const some = writes.slice(start, start + BATCH_WRITE_LIMIT).map(({ item, isRemoval }) => {
      const { meetingId, recordId } = item;
      return isRemoval
        ? { DeleteRequest: { Key: { meetingId, recordId } as Item } }
        : { PutRequest: { Item: item } };
    });
    await world.tables.client.send(
      new BatchWriteItemCommand({ RequestItems: { [world.tables.auditTableName]: some } }),
    );
  }
}

it(`finds nothing in ${BATCHES} honest batches, whenever it is asked`, async () => {
  const history = createHistory();
  let done = 0;
  for (let hour = FIRST; hour <= LAST; hour = hourAfter(hour)) {
    const next = history.findIndex(({ atMs }) => atMs > sealDueMs(hour));
    const upTo = next < 0 ? history.length : next;
    await apply(history.slice(done, upTo));
    done = upTo;
    await world.sealThrough(hour);
    if (!/T(01|13)Z$/.test(hour)) continue;
    const { findings, counts } = await world.verify();
    expect([hour, findings]).toEqual([hour, []]);
    expect(counts.uncovered).toBe(0);
  }
  const sealed = history.filter(({ isRemoval }) => !isRemoval);
  const { findings, counts } = await world.verify({ scan: true });
  expect(findings).toEqual([]);
  expect(counts.expired).toBeGreaterThan(BATCHES / 10);
  expect(counts.same + counts.expired + counts.notSealedYet).toBe(
    sealed.filter(({ atMs }) => atMs <= sealDueMs(LAST)).length,
  );
  for (const days of [1, 2, 3, 4]) {
    const sinceMs = startMs + days * 24 * HOUR_MS + 1_234_567;
    const part = { range: { sinceMs, untilMs: sinceMs + 24 * HOUR_MS } };
    expect([days, (await world.verify(part)).findings]).toEqual([days, []]);
  }
}, 1_200_000);
