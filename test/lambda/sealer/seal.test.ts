import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hourOfBatch, LATE_HOURS, type Seal, sealOfText, textOfSeal } from '../../../lambda/audit/seals.ts';
import { everyInterleaving, type Thread } from '../../support/faults/interleavings.ts';
import type { Actor } from '../../support/faults/lane.ts';
import {
  createSealerWorld,
  HOUR_MS,
  MINUTE_MS,
  type Sealer,
  type SealerWorld,
} from '../../support/sealer-world.ts';

const NEVER = Number.POSITIVE_INFINITY;

describe('a run of the sealer', () => {
  it('seals an hour two hours after its end, with its intents, outcomes and denials', async () => {
    const world = createSealerWorld();
    const { meetingId, batchId } = world.batchAt(world.now() + MINUTE_MS);
    world.denialAt(world.now() + 2 * MINUTE_MS);
    const sealer = world.createSealer();
    world.pass(3 * HOUR_MS - 1);
    await sealer.run();
    expect([...world.objects.keys()]).toEqual(['2026-11-22T23Z']);

    world.pass(1);
    const summary = await sealer.run();
    expect(summary).toEqual({
      sealed: 1,
      sealedElsewhere: 0,
      late: 0,
      unsealed: 0,
      broken: 0,
      newest: '2026-11-23T00Z',
    });
    const [, seal] = world.seals();
    expect(seal).toMatchObject({ table: 'facts', sealedAt: '2026-11-23T03:00:00.000Z', open: [], late: [] });
    expect(seal?.records.map(([meeting, id]) => [meeting, id.split('/')[1]])).toEqual([
      ['denied', 'denial'],
      [meetingId, 'intent'],
      [meetingId, 'outcome'],
    ]);
    expect(seal?.records[1]?.[1]).toBe(`${batchId}/intent`);
    expect(sealer.metrics.at(-1)).toEqual({
      HoursSealed: 1,
      HoursUnsealed: 0,
      RecordsSealedLate: 0,
      SealsBroken: 0,
    });
    expect(world.problems()).toEqual([]);
  });

  it('begins with the newest hour that is due, and has the two days before in its late part', async () => {
    const world = createSealerWorld();
    const dueMs = world.now() - 3 * HOUR_MS;
    world.batchAt(dueMs - LATE_HOURS * HOUR_MS);
    const before = world.batchAt(dueMs - LATE_HOURS * HOUR_MS - 1);
    const { late } = await world.createSealer().run();
    expect(late).toBe(0);
    expect(world.seals()).toMatchObject([{ hour: '2026-11-22T21Z', previous: null, records: [] }]);
    expect(world.seals()[0]?.late).toHaveLength(2);
    expect(world.objects.get('2026-11-22T21Z')).not.toContain(before.batchId);
  });

  it('seals all hours that are due, in order, empty ones too, until its time is over', async () => {
    const world = createSealerWorld();
    await world.createSealer().run();
    world.pass(10 * HOUR_MS);
    const sealer = world.createSealer();
    sealer.intercept((step, act) => {
      if (step.writes) world.pass(5 * MINUTE_MS);
      return act();
    });
    expect(await sealer.run()).toMatchObject({ sealed: 3, unsealed: 7 });
    expect(await sealer.run({ stopsAfterMs: HOUR_MS })).toMatchObject({ sealed: 7, unsealed: 0 });
    expect(world.seals()).toHaveLength(11);
    expect(world.problems()).toEqual([]);
  });

  it('carries a batch as open until its outcome comes, days later, and counts that as late', async () => {
    const world = createSealerWorld();
    const beginMs = world.now() + MINUTE_MS;
    const { meetingId, batchId } = world.batchAt(beginMs, { outcomeMs: beginMs + 120 * HOUR_MS });
    const sealer = world.createSealer();
    await world.sealFor(124, sealer);
    const open = world.seals().filter((seal) => seal.open.length > 0);
    expect(open[0]?.hour).toBe(hourOfBatch(batchId));
    expect(open).toHaveLength(118);
    expect(open.every((seal) => JSON.stringify(seal.open) === JSON.stringify([[meetingId, batchId]]))).toBe(
      true,
    );
    expect(sealer.metrics.filter(({ RecordsSealedLate }) => RecordsSealedLate === 1)).toHaveLength(1);
    expect(world.problems()).toEqual([]);
  });

  it('gives up a batch whose intent is gone', async () => {
    const world = createSealerWorld();
    const { batchId } = world.batchAt(world.now(), { outcomeMs: NEVER });
    await world.sealFor(3);
    expect(world.seals().at(-1)?.open).toHaveLength(1);
    world.facts.splice(0, 1);
    await world.sealFor(1);
    expect(world.seals().at(-1)?.open).toEqual([]);
    expect(world.objects.get('2026-11-23T01Z')).not.toContain(batchId);
  });

  it.each([1, 3, 40])('finds what its index has only %i hours later', async (hours) => {
    const world = createSealerWorld();
    const beginMs = world.now() + 30 * MINUTE_MS;
    world.batchAt(beginMs, { indexedMs: beginMs + hours * HOUR_MS });
    await world.sealFor(60);
    expect(world.problems()).toEqual([]);
  });

  it('takes what a person put into the table as it is, and waits for no outcome of it', async () => {
    const world = createSealerWorld();
    const base = { index: 'byDay' as const, indexedMs: world.now(), writtenMs: world.now(), meetingId: '' };
    world.facts.push(
      { ...base, batchId: '20261123T00', recordId: 'by hand' },
      { ...base, batchId: '20261123T0030~', recordId: '' },
      { ...base, batchId: '20261123T001500000Z-6f1c2a9b4d3e5f70', recordId: 'another/outcome' },
      { ...base, batchId: 'no id', recordId: 'no id/intent' },
    );
    await world.sealFor(3);
    expect(world.seals().at(-1)).toMatchObject({ hour: '2026-11-23T00Z', open: [], late: [] });
    expect(
      world
        .seals()
        .at(-1)
        ?.records.map(([, id]) => id),
    ).toEqual(['', 'another/outcome', 'by hand']);
  });
});

describe('a chain that is not whole', () => {
  async function worldOf(hours: number): Promise<SealerWorld> {
    const world = createSealerWorld();
    world.batchAt(world.now() + HOUR_MS);
    await world.sealFor(hours);
    return world;
  }

  it.each([
    ['is no seal', () => 'by hand'],
    ['is the seal of another hour', (text: string) => text.replace('"2026-11-23T0', '"2026-11-22T0')],
  ])('stops the sealer where the newest object %s', async (_what, change) => {
    const world = await worldOf(8);
    const newest = [...world.objects.keys()].at(-1) as string;
    world.objects.set(newest, change(world.objects.get(newest) as string));
    world.pass(HOUR_MS);
    const sealer = world.createSealer();
    await expect(sealer.run()).rejects.toThrow(`The object of ${newest} is no seal`);
    expect(sealer.reports).toEqual([['seal broken', { hour: newest }]]);
    expect(sealer.metrics).toEqual([
      { HoursSealed: 0, HoursUnsealed: 1, RecordsSealedLate: 0, SealsBroken: 1 },
    ]);
    expect([...world.objects.keys()].at(-1)).toBe(newest);
  });

  it('stops the sealer where another object than one that follows gets there first', async () => {
    const world = await worldOf(4);
    const [first] = world.seals();
    const hour = '2026-11-23T02Z';
    world.pass(2 * HOUR_MS);
    const sealer = world.createSealer();
    sealer.intercept((step, act) => {
      if (step.writes) world.objects.set(hour, textOfSeal({ ...(first as Seal), hour }));
      return act();
    });
    await expect(sealer.run()).rejects.toThrow(hour);
    expect([...world.objects.keys()].toSorted().at(-1)).toBe(hour);
  });

  it('is named where a seal says that it is the first and is not', async () => {
    const world = await worldOf(4);
    const hour = '2026-11-23T02Z';
    world.objects.set(hour, textOfSeal({ ...(world.seals()[0] as Seal), hour }));
    world.pass(2 * HOUR_MS);
    const sealer = world.createSealer();
    expect(await sealer.run()).toMatchObject({ broken: 1, sealed: 1 });
    expect(sealer.reports[0]).toEqual(['seal broken', { hour }]);
  });

  it('is not begun a second time by a sealer whose clock is behind', async () => {
    const world = createSealerWorld();
    await world.createSealer().run();
    const sealer = world.createSealer();
    expect(await sealer.run({ clockShiftMs: -HOUR_MS })).toMatchObject({ sealed: 0, unsealed: 1 });
    expect(sealer.reports).toEqual([['seal ahead', { hour: '2026-11-22T21Z' }]]);
    expect(world.objects.size).toBe(1);
  });

  it.each([
    ['is missing', () => undefined],
    ['is unreadable', () => 'by hand'],
    ['was changed', (text: string) => text.replace('"sealedAt":"2026', '"sealedAt":"2025')],
  ])(
    'is gone on with, named, and what it had is sealed again, where an earlier seal %s',
    async (_what, change) => {
      const world = await worldOf(8);
      const hour = '2026-11-23T01Z';
      const text = world.objects.get(hour) as string;
      const changed = change(text);
      if (changed === undefined) world.objects.delete(hour);
      else world.objects.set(hour, changed);
      const sealer = world.createSealer();
      await world.sealFor(1, sealer);
      expect(sealer.reports.filter(([event]) => event === 'seal broken')).toEqual([
        ['seal broken', { hour }],
      ]);
      expect(sealer.metrics.at(-1)).toMatchObject({ SealsBroken: 1, HoursUnsealed: 0 });
      const newest = sealOfText(world.objects.get('2026-11-23T06Z') as string);
      expect(newest?.late).toEqual(sealOfText(text)?.records);
    },
  );

  it('passes over hours to come and keys that are no hours', async () => {
    const world = await worldOf(4);
    world.objects.set('2036-01-01T00Z', 'from a clock that is ahead');
    await world.sealFor(2);
    expect([...world.objects.keys()].slice(-2)).toEqual(['2026-11-23T02Z', '2026-11-23T03Z']);
  });
});

describe('a sealer that is killed', () => {
  it('before and after each of its calls leaves a chain that the next run completes', async () => {
    let kills = 0;
    for (const when of ['before', 'after'] as const) {
      for (let at = 0; ; at += 1) {
        const world = busyWorld();
        await world.sealFor(1);
        world.pass(3 * HOUR_MS);
        const sealer = world.createSealer();
        if (!(await diesAt(sealer, at, when))) break;
        kills += 1;
        await world.sealThrough(60);
        expect({ at, when, problems: world.problems() }).toEqual({ at, when, problems: [] });
      }
    }
    expect(kills).toBeGreaterThan(20);
  });

  async function diesAt(sealer: Sealer, at: number, when: 'before' | 'after'): Promise<boolean> {
    let count = 0;
    sealer.intercept(async (_, act) => {
      const here = count++ === at;
      if (here && when === 'before') throw new Error('killed');
      const reply = await act();
      if (here) throw new Error('killed');
      return reply;
    });
    const end = await sealer.run().catch((error: Error) => error.message);
    return end === 'killed';
  }
});

describe('two sealers at once', () => {
  it.each([
    ['whose clocks agree', 0],
    ['one an hour ahead', HOUR_MS],
    ['one an hour behind', -HOUR_MS],
  ])('%s make one chain, in every order of their calls', async (_what, clockShiftMs) => {
    const explored = await everyInterleaving(async () => {
      const world = busyWorld();
      await world.sealFor(1);
      world.pass(2 * HOUR_MS);
      const threads = [0, clockShiftMs].map((shiftMs): Thread => {
        const sealer = world.createSealer();
        return {
          actors: [sealer as unknown as Actor],
          async run() {
            await sealer.run({ clockShiftMs: shiftMs });
          },
        };
      });
      return {
        threads: threads as [Thread, Thread],
        async end() {
          await world.sealThrough(60);
          expect(world.problems()).toEqual([]);
        },
      };
    });
    expect(explored.orders).toBeGreaterThan(1);
  });
});

describe('whatever happens', () => {
  const hours = fc.integer({ min: 0, max: 40 });
  const batch = fc.record({
    begin: fc.integer({ min: 0, max: 40 * 60 }),
    outcome: fc.option(fc.integer({ min: 0, max: 90 * 60 }), { nil: NEVER }),
    indexed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 44 * 60 })),
  });
  const run = fc.record({
    after: fc.integer({ min: 1, max: 300 }),
    clock: fc.integer({ min: -60, max: 60 }),
    death: fc.option(fc.record({ at: fc.nat(20), when: fc.constantFrom('before', 'after') }), {
      nil: undefined,
    }),
  });

  it('seals every record once, in one chain', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { maxLength: 12 }),
        fc.array(run, { maxLength: 12 }),
        hours,
        async (batches, runs, denied) => {
          const world = createSealerWorld();
          await world.createSealer().run();
          const startMs = world.now();
          for (const { begin, outcome, indexed } of batches) {
            const beginMs = startMs + begin * MINUTE_MS;
            world.batchAt(beginMs, {
              outcomeMs: outcome === NEVER ? NEVER : beginMs + outcome * MINUTE_MS,
              indexedMs: beginMs + indexed * MINUTE_MS,
            });
          }
          world.denialAt(startMs + denied * HOUR_MS);
          for (const { after, clock, death } of runs) {
            world.pass(after * MINUTE_MS);
            const sealer = world.createSealer();
            let count = 0;
            sealer.intercept(async (_, act) => {
              const here = death !== undefined && count++ === death.at;
              if (here && death.when === 'before') throw new Error('killed');
              const reply = await act();
              if (here) throw new Error('killed');
              return reply;
            });
            await sealer.run({ clockShiftMs: clock * MINUTE_MS }).catch((error: Error) => {
              if (error.message !== 'killed') throw error;
            });
          }
          await world.sealThrough(150);
          expect(world.problems()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Batches of several hours: finished, open for hours, open for ever, in a late index; and a denial. */
function busyWorld(): SealerWorld {
  const world = createSealerWorld();
  const nowMs = world.now();
  world.batchAt(nowMs + MINUTE_MS);
  world.batchAt(nowMs + HOUR_MS, { outcomeMs: nowMs + 5 * HOUR_MS });
  world.batchAt(nowMs + 1.5 * HOUR_MS, { outcomeMs: NEVER });
  world.batchAt(nowMs + 2 * MINUTE_MS, { indexedMs: nowMs + 3.5 * HOUR_MS });
  world.denialAt(nowMs + HOUR_MS + MINUTE_MS);
  return world;
}
