import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  Actor,
  createWorld,
  lies,
  MARGIN_MS,
  MEETING,
  SECOND_LOOK_MS,
} from '../../support/reconciler-world.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`);
const DEADLINE_MS = 15_000;

describe('a handler and a reconciler that are killed', () => {
  const handlerCalls = ['recordIntent', 'createAttendees', 'recordAdmissions', 'recordOutcome'];

  it('are tried at every call that they make', async () => {
    const handler = new Actor();
    await createWorld().ask(['alice'], handler);
    expect(handler.calls).toEqual(handlerCalls);
  });

  const cases = [1, 3, 26].flatMap((count) => [true, false].map((idempotent) => ({ count, idempotent })));
  it.each(cases)(
    'leave an audit that holds all, with $count attendees, idempotent: $idempotent',
    async ({ count, idempotent }) => {
      for (const handlerDeath of everyDeath(handlerCalls.length)) {
        let reconcilerCalls = 1;
        for (let at = 0; at < reconcilerCalls; at += 1) {
          for (const when of ['before', 'after'] as const) {
            const world = createWorld({ idempotent });
            await world.ask(names(count), new Actor(handlerDeath));
            // What the client was told to do: repeat.
            await world.ask(names(count));
            const reconciler = new Actor({ at, when });
            for (let run = 0; run < 3; run += 1) {
              world.pass(60_000);
              await world.reconcile(reconciler);
            }
            reconcilerCalls = Math.max(reconcilerCalls, reconciler.calls.length);
            await world.reconcileToEnd();
            expect({ handlerDeath, at, when, lies: lies(world) }).toEqual({
              handlerDeath,
              at,
              when,
              lies: [],
            });
          }
        }
        expect(reconcilerCalls).toBeGreaterThan(5);
      }
    },
  );
});

function everyDeath(calls: number) {
  return Array.from({ length: calls }, (_, at) =>
    (['before', 'after'] as const).map((when) => ({ at, when })),
  ).flat();
}

describe('any interleaving', () => {
  const when = fc.constantFrom('before' as const, 'after' as const);
  const death = fc.option(fc.record({ at: fc.nat(14), when }), { nil: undefined });
  const failing = (...calls: string[]) => fc.dictionary(fc.constantFrom(...calls), when, { maxKeys: 2 });
  const batch = fc.record({
    names: fc.array(fc.constantFrom('alice', 'bob', 'carol'), { minLength: 1, maxLength: 4 }),
    death,
    failing: failing('recordIntent', 'createAttendees', 'recordAdmissions', 'recordOutcome'),
    late: fc.constantFrom(undefined, 'recordAdmissions', 'recordOutcome'),
  });
  const run = fc.record({
    death,
    failing: failing('page', 'save', 'list', 'recordOutcome', 'meeting', 'ofBatch', 'remove', 'notice'),
    afterMs: fc.constantFrom(0, 1_000, SECOND_LOOK_MS),
  });

  it('of handlers, whose writes come late, and reconcilers ends in an audit that holds all', async () => {
    let lateOutcomes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.boolean(),
        fc.array(batch, { minLength: 1, maxLength: 4 }),
        fc.array(run, { minLength: 2, maxLength: 5 }),
        async (scheduler, idempotent, batches, runs) => {
          const world = createWorld({ idempotent });
          const arrive = Promise.withResolvers<void>();
          const handlers = batches.map(({ names, death, failing, late }) => {
            const reached = Promise.withResolvers<void>();
            const actor = new Actor(death, failing);
            if (late) actor.slow = { name: late, reached: reached.resolve, arrive: arrive.promise };
            const done = world.ask(names, actor).finally(reached.resolve);
            return { reached: reached.promise, done };
          });
          await Promise.all(handlers.map(({ reached }) => reached));
          // Their time is over: Chime has acted, and what they still write to the tables arrives when it likes.
          world.pass(DEADLINE_MS + MARGIN_MS);
          world.gate = () => scheduler.schedule(Promise.resolve());
          arrive.resolve();
          const reconcilers = runs.map(async ({ death, failing, afterMs }) => {
            world.pass(afterMs);
            await world.reconcile(new Actor(death, failing)).catch(() => {});
          });
          await scheduler.waitFor(Promise.all([...reconcilers, ...handlers.map(({ done }) => done)]));

          world.gate = () => Promise.resolve();
          await world.reconcileToEnd();
          expect(lies(world)).toEqual([]);
          lateOutcomes += world.outcomes().filter(({ writtenBy, batchId }) => {
            const answered = world.answeredTokens.some((token) => token.batchId === batchId);
            return writtenBy === 'reconciler' && !answered;
          }).length;
        },
      ),
      { numRuns: 400 },
    );
    expect(lateOutcomes).toBeGreaterThan(100);
  });
});

describe('an intent without outcome', () => {
  /** A world in which one handler was killed once Chime had acted. */
  async function afterCrash(requested: string[], when: 'before' | 'after' = 'after') {
    const world = createWorld();
    const batchId = await world.ask(requested, new Actor({ at: 1, when }));
    return { world, batchId, outcome: () => world.outcomeOf(batchId) };
  }
  const DUE_MS = DEADLINE_MS + MARGIN_MS;

  it('is left to its handler until deadline and margin are over', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.pass(DUE_MS - 1);
    const early = new Actor();
    expect(await world.reconcile(early)).toMatchObject({ waiting: 1, open: 1 });
    expect(early.calls).not.toContain('page');
    world.pass(1);
    await world.reconcile();
    expect(outcome()?.state).toBe('RECOVERED');
  });

  it('is RECOVERED with what exists, undelivered, with the expiry of its intent', async () => {
    const { world, batchId, outcome } = await afterCrash(['alice', 'bob']);
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 1, open: 0, listRequests: 1 });
    const [intent] = world.intents();
    expect(outcome()).toEqual({
      meetingId: MEETING,
      recordId: `${batchId}/outcome`,
      batchId,
      kind: 'outcome',
      state: 'RECOVERED',
      recordedAt: '2026-11-23T13:46:00.000Z',
      writtenBy: 'reconciler',
      writerId: expect.any(String),
      issued: world.everMade.map(({ ExternalUserId, AttendeeId, Capabilities }) => ({
        externalUserId: ExternalUserId,
        attendeeId: AttendeeId,
        capabilities: Capabilities,
        tokenFingerprint: expect.stringMatching(/^fingerprint-of/),
      })),
      attribution: 'sole',
      withheld: [],
      errors: [],
      delivered: false,
      admissions: 'pending',
      expiresAt: intent?.expiresAt,
    });
    expect(intent?.expiresAt).toBeGreaterThan(0);
    expect(lies(world)).toEqual([]);
  });

  it('is NOT_ISSUED after two looks that are far enough apart, and not before', async () => {
    const { world, outcome } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 1, open: 1 });
    world.pass(SECOND_LOOK_MS - 1);
    expect(await world.reconcile()).toMatchObject({ waiting: 1, listRequests: 0 });
    expect(outcome()).toBeUndefined();
    world.pass(1);
    expect(await world.reconcile()).toMatchObject({ notIssued: 1, open: 0 });
    expect(outcome()).toMatchObject({ state: 'NOT_ISSUED', issued: [] });
  });

  it('has had one look where two runs looked at once', async () => {
    const { world, batchId } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    await Promise.all([world.reconcile(), world.reconcile()]);
    expect(world.open.get(batchId)?.looks).toBe(1);
  });

  it('is UNRESOLVED where its meeting is gone, which is counted for the alarm', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.meetings.set(MEETING, 'gone');
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ unresolved: 1, open: 0 });
    expect(outcome()).toMatchObject({ state: 'UNRESOLVED', issued: [] });
    expect(world.metrics.at(-1)).toMatchObject({ IntentsUnresolved: 1 });
    expect(world.admissions.size).toBe(0);
  });

  it('keeps whom the first look saw, though the second finds the meeting gone', async () => {
    const { world, outcome } = await afterCrash(['alice', 'bob'], 'before');
    world.create(MEETING, [{ ExternalUserId: 'alice' }]);
    world.pass(DUE_MS);
    await world.reconcile();
    world.meetings.set(MEETING, 'gone');
    world.pass(SECOND_LOOK_MS);
    await world.reconcile();
    expect(outcome()).toMatchObject({ state: 'UNRESOLVED', issued: [{ externalUserId: 'alice' }] });
    expect(lies(world)).toEqual([]);
  });

  it('loses its place to an outcome that its handler still writes', async () => {
    const world = createWorld();
    const arrive = Promise.withResolvers<void>();
    const late = new Actor();
    late.slow = { name: 'recordOutcome', reached: () => {}, arrive: arrive.promise };
    const answered = world.ask(['alice'], late);
    while (late.calls.at(-1) !== 'recordOutcome') await Promise.resolve();
    world.pass(DUE_MS);
    const reconciler = new Actor();
    reconciler.slow = { name: 'recordOutcome', reached: arrive.resolve, arrive: answered.then(() => {}) };
    expect(await world.reconcile(reconciler)).toMatchObject({ recovered: 0, completed: 1, failures: 0 });
    expect(world.outcomes()).toMatchObject([{ state: 'ISSUED', writtenBy: 'handler' }]);
    expect(world.answeredTokens).toHaveLength(1);
    expect(lies(world)).toEqual([]);
  });

  it('gets the admissions of the outcome on record, not of the one that came late', async () => {
    const world = createWorld({ idempotent: false });
    const late = new Actor();
    const arrive = Promise.withResolvers<void>();
    late.slow = { name: 'recordOutcome', reached: () => {}, arrive: arrive.promise };
    const answered = world.ask(['alice'], late);
    while (late.calls.at(-1) !== 'recordOutcome') await Promise.resolve();
    world.create(MEETING, [{ ExternalUserId: 'alice' }]);
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(SECOND_LOOK_MS);
    const reconciler = new Actor();
    reconciler.slow = { name: 'recordOutcome', reached: arrive.resolve, arrive: answered.then(() => {}) };
    await world.reconcile(reconciler);
    expect(world.admissions.size).toBe(1);
  });

  it('is not given what another one was given in the same run', async () => {
    const world = createWorld();
    const batchIds = [];
    for (let batch = 0; batch < 2; batch += 1) {
      batchIds.push(await world.ask(['alice'], new Actor({ at: 1, when: 'after' })));
    }
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(SECOND_LOOK_MS);
    await world.reconcile();
    expect(batchIds.map((batchId) => world.outcomeOf(batchId))).toMatchObject([
      { state: 'RECOVERED', attribution: 'ambiguous' },
      { state: 'NOT_ISSUED', heldElsewhere: [{ externalUserId: 'alice', batchId: batchIds[0] }] },
    ]);
  });

  it('whose record is gone leaves the list, and the log says so', async () => {
    const { world } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile(new Actor(undefined, { page: 'before' }));
    world.truth.clear();
    await world.reconcile();
    expect(world.open.size).toBe(0);
    expect(world.reports.at(-1)?.event).toBe('intent gone');
  });

  it('that has expired is none, since its outcome may be gone already', async () => {
    const world = createWorld();
    const begunMs = world.nowMs;
    const batchId = await world.ask(['alice']);
    const [intent] = world.intents();
    world.truth.delete(`${MEETING}|${batchId}/outcome`);
    world.pass((intent?.expiresAt as number) * 1000 - world.nowMs);
    await world.reconcile(new Actor(), { sinceMs: begunMs });
    expect(world.outcomes()).toEqual([]);
    expect(world.open.size).toBe(0);
  });

  it('is no longer a secret: no report or metric names anybody', async () => {
    const { world } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile(new Actor(undefined, { page: 'before' }));
    await world.reconcile();
    const told = JSON.stringify([world.reports, world.metrics]);
    expect(world.reports.length).toBeGreaterThan(1);
    expect(told).not.toMatch(/alice|attendee-|service|idp\.example|192\.0\.2|3f0c4a7e|secret/);
  });
});

describe('admissions', () => {
  it('that a handler could not write are completed', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor(undefined, { recordAdmissions: 'before' }));
    expect(world.admissions.size).toBe(0);
    world.pass(MARGIN_MS);
    const reconciler = new Actor();
    expect(await world.reconcile(reconciler)).toMatchObject({ completed: 1, open: 0 });
    // There can be no others than the handler's own.
    expect(reconciler.calls).not.toContain('ofBatch');
    expect(lies(world)).toEqual([]);
  });

  it('that a record of an earlier version calls deferred are written, as pending ones are', async () => {
    const world = createWorld();
    await world.ask(names(3), new Actor(undefined, { recordAdmissions: 'before' }));
    const [outcome] = world.outcomes();
    Object.assign(outcome as object, { admissions: 'deferred' });
    expect(world.admissions.size).toBe(0);
    world.pass(MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ completed: 1, open: 0 });
    expect(world.admissions.size).toBe(3);
  });

  it('that a handler wrote for an outcome it never got are taken back', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 3, when: 'before' }));
    expect(world.admissions.size).toBe(1);
    world.meetings.set(MEETING, 'gone');
    world.pass(DEADLINE_MS + MARGIN_MS);
    await world.reconcile();
    expect(world.outcomes()).toMatchObject([{ state: 'UNRESOLVED' }]);
    expect(world.admissions.size).toBe(0);
  });
});

describe('a sweep', () => {
  it('begins 30 days back, and then where the last one ended, less an overlap', async () => {
    const world = createWorld();
    const batchId = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.pass(29 * 24 * 60 * 60_000);
    await world.reconcile();
    expect(world.outcomeOf(batchId)?.state).toBe('RECOVERED');
    expect(world.through).toBe(new Date(world.nowMs - MARGIN_MS).toISOString());

    const late = await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.through = new Date(world.nowMs + 5 * 60_000).toISOString();
    world.pass(10 * 60_000);
    await world.reconcile();
    expect(world.outcomeOf(late)?.state).toBe('RECOVERED');
  });

  it('does not reach back further than that, unless it is told to', async () => {
    const world = createWorld();
    const begunMs = world.nowMs;
    const batchId = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.through = new Date(world.nowMs + 5 * 60_000 + 1).toISOString();
    world.pass(60 * 60_000);
    await world.reconcile();
    expect(world.outcomeOf(batchId)).toBeUndefined();
    await world.reconcile(new Actor(), { sinceMs: begunMs });
    expect(world.outcomeOf(batchId)?.state).toBe('RECOVERED');
  });

  it('looks at what is recent even where another clock, ahead of ours, said that it had been', async () => {
    const world = createWorld();
    const batchId = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.through = new Date(world.nowMs + 60 * 60_000).toISOString();
    world.pass(DEADLINE_MS + MARGIN_MS);
    await world.reconcile();
    expect(world.outcomeOf(batchId)?.state).toBe('RECOVERED');
  });

  it('that has no time to end goes on where it stopped, and meanwhile nobody knows the oldest age', async () => {
    const world = createWorld();
    world.pageSize = 1;
    for (let batch = 0; batch < 6; batch += 1) {
      await world.ask([`user-${batch}`], new Actor({ at: 1, when: 'after' }));
      world.pass(15 * 60_000);
    }
    world.gate = async (call) => {
      if (call === 'notice') world.pass(10_000);
    };
    expect(await world.reconcile()).toMatchObject({ sweptToEnd: false });
    expect(world.metrics.at(-1)).not.toHaveProperty('OldestOpenIntentAge');
    const sweptAtFirst = world.through as string;
    for (let run = 0; run < 4; run += 1) await world.reconcile();
    expect(sweptAtFirst < (world.through as string)).toBe(true);
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 0 });
    expect(lies(world)).toEqual([]);
  });

  it('that fails keeps nobody waiting who is on the list, and leaves the age unknown', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.pass(MARGIN_MS);
    await world.reconcile();
    world.pass(DEADLINE_MS);
    const summary = await world.reconcile(new Actor(undefined, { sweptThrough: 'before' }));
    expect(summary).toMatchObject({ recovered: 1, failures: 1, sweptToEnd: false });
    expect(world.metrics.at(-1)).not.toHaveProperty('OldestOpenIntentAge');
  });
});

describe('many at once', () => {
  it('that a sweep of half a run does not get past are passed in the next ones', async () => {
    const world = createWorld();
    world.pageSize = 10;
    // All within the overlap, and none complete when it is swept again.
    for (let batch = 0; batch < 400; batch += 1) {
      await world.ask(['alice'], new Actor(undefined, { recordAdmissions: 'before' }));
      world.pass(500);
    }
    const last = await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.pass(DEADLINE_MS + MARGIN_MS);
    world.through = new Date(world.nowMs - MARGIN_MS - 60_000).toISOString();
    world.gate = async (call) => {
      if (call === 'notice') world.pass(100);
      if (call === 'enter') world.pass(500);
    };
    let runs = 0;
    while (!world.open.has(last) && world.outcomeOf(last) === undefined) {
      runs += 1;
      expect(runs).toBeLessThan(6);
      await world.reconcile();
    }
    expect(runs).toBeGreaterThan(1);
  });

  it('in one meeting are concluded as far as the time goes, and the others in the next run', async () => {
    const world = createWorld();
    for (let batch = 0; batch < 120; batch += 1) {
      await world.ask([`user-${batch}`], new Actor({ at: 1, when: 'after' }));
    }
    world.pass(DEADLINE_MS + MARGIN_MS);
    world.gate = async (call) => {
      if (call === 'recordOutcome') world.pass(500);
    };
    const startMs = world.nowMs;
    const first = await world.reconcile();
    expect(world.nowMs - startMs).toBeLessThan(55_000 - 7_000);
    expect(first?.recovered).toBeGreaterThan(20);
    expect(first?.recovered).toBeLessThan(100);
    expect(first).toMatchObject({ waiting: 120 - (first?.recovered ?? 0), failures: 0 });
    expect(first).toMatchObject({ open: first?.waiting });
    await world.reconcileToEnd();
    expect(lies(world)).toEqual([]);
  });

  it.each(['page', 'meeting'])(
    'of a meeting whose %s takes a whole run do not keep another meeting waiting twice',
    async (slow) => {
      const world = createWorld();
      const another = MEETING.replace('3f0c', '3f0d');
      world.meetings.set(another, []);
      const [large, small] = [
        await world.ask(['alice'], new Actor({ at: 1, when: 'after' })),
        await world.ask(['alice'], new Actor({ at: 1, when: 'after' }), another),
      ];
      world.pass(DEADLINE_MS + MARGIN_MS);
      let slowCalls = 0;
      world.gate = async (call) => {
        if (call === slow && ++slowCalls === 1) world.pass(50_000);
      };
      expect(await world.reconcile()).toMatchObject({ recovered: 0 });
      const entries = [large, small].map((batchId) => world.open.get(batchId)?.lastTryAt);
      expect(entries).toEqual([expect.any(String), undefined]);
      await world.reconcile(new Actor(), { runsMs: 8_400 });
      expect(world.truth.has(`${another}|${small}/outcome`)).toBe(true);
      expect(world.truth.has(`${MEETING}|${large}/outcome`)).toBe(false);
    },
  );
});

describe('a meeting with more than one run has time for', () => {
  it('comes after all others in the next one', async () => {
    const world = createWorld();
    const another = MEETING.replace('3f0c', '3f0d');
    world.meetings.set(another, []);
    for (let batch = 0; batch < 200; batch += 1)
      await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    const small = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }), another);
    world.pass(DEADLINE_MS + MARGIN_MS);
    world.meetings.set(MEETING, 'gone');
    world.gate = async (call) => {
      if (call === 'recordOutcome') world.pass(500);
    };
    await world.reconcile();
    expect(world.truth.has(`${another}|${small}/outcome`)).toBe(false);
    await world.reconcile();
    expect(world.truth.has(`${another}|${small}/outcome`)).toBe(true);
    expect(world.open.size).toBeGreaterThan(0);
  });
});

describe('two runs at once', () => {
  it.each([
    ['noticed the batch too', false],
    ['has the batch on its list', true],
  ])(
    'do not lose whom one of them saw before the meeting ended, where the other %s',
    async (_what, listed) => {
      const world = createWorld();
      const batchId = await world.ask(['alice', 'bob'], new Actor({ at: 1, when: 'before' }));
      world.create(MEETING, [{ ExternalUserId: 'alice' }]);
      world.pass(MARGIN_MS);
      if (listed) await world.reconcile();
      await world.ask(['carol'], new Actor({ at: 1, when: 'before' }));
      world.pass(DEADLINE_MS + MARGIN_MS);
      let between: Promise<unknown> | undefined;
      world.gate = async (call) => {
        if (call !== 'sweptThrough' || between !== undefined) return;
        // The other run has read the list, and comes to its sweep when this one is over.
        between = world.reconcile();
        await between;
        world.meetings.set(MEETING, 'gone');
      };
      await world.reconcile();
      expect(world.open.get(batchId)).toMatchObject({ looks: 1, seen: [{ externalUserId: 'alice' }] });
      await world.reconcileToEnd();
      expect(world.outcomeOf(batchId)).toMatchObject({
        state: 'UNRESOLVED',
        issued: [{ externalUserId: 'alice' }],
      });
      expect(lies(world)).toEqual([]);
    },
  );
});

describe('what cannot be read', () => {
  const ODD = '20261123T134500000Z-000000000000d0dd';

  it('on the list is counted and told, run for run, and nothing else waits for it', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.open.set(ODD, { batchId: ODD, unreadable: true } as never);
    world.pass(DEADLINE_MS + MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 1, failures: 1, sweptToEnd: true });
    expect(world.reports).toContainEqual({
      event: 'failed',
      step: 'list',
      batch: ODD,
      cause: 'UnreadableRecord',
    });
    expect(await world.reconcile()).toMatchObject({ failures: 1 });
  });

  it('among the intents is counted and told, and the sweep goes on', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.oddKeys.push({ batchId: ODD, unreadable: true });
    world.pass(DEADLINE_MS + MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 1, failures: 1, sweptToEnd: true });
    expect(world.reports).toContainEqual(expect.objectContaining({ step: 'sweep', batch: ODD }));
  });

  it('is told of without what stands in the place of its batch id, which may be anything', async () => {
    const world = createWorld();
    world.open.set('x', { batchId: 'alice@example.com', unreadable: true } as never);
    world.oddKeys.push({ batchId: 'bob@example.com', unreadable: true });
    expect(await world.reconcile()).toMatchObject({ failures: 2 });
    expect(world.reports).toEqual([
      { event: 'failed', step: 'list', batch: undefined, cause: 'UnreadableRecord' },
      { event: 'failed', step: 'sweep', batch: undefined, cause: 'UnreadableRecord' },
    ]);
  });

  it('of a batch leaves it open, where the alarm sees it, and the others of its meeting are concluded', async () => {
    const world = createWorld();
    const odd = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.unreadable.add(odd);
    world.pass(DEADLINE_MS + MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 1, failures: 1, open: 1 });
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 60, ReconcilerFailures: 1 });
    world.unreadable.clear();
    await world.reconcileToEnd();
    expect(lies(world)).toEqual([]);
  });
});

describe('the age of the oldest open intent', () => {
  it('is that of the batch, in seconds, and 0 without one', async () => {
    const world = createWorld();
    await world.reconcile();
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 0 });
    await world.ask(['alice'], new Actor({ at: 1, when: 'before' }));
    world.pass(70_000);
    await world.reconcile();
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 70 });
  });
});

describe('Chime', () => {
  const meetingIds = (count: number) =>
    Array.from({ length: count }, (_, index) => `${MEETING.slice(0, -4)}${String(index).padStart(4, '0')}`);

  async function worldWithMeetings(count: number) {
    const world = createWorld();
    for (const meetingId of meetingIds(count)) {
      world.meetings.set(meetingId, []);
      await world.ask(['alice'], new Actor({ at: 1, when: 'after' }), meetingId);
    }
    world.pass(DEADLINE_MS + MARGIN_MS);
    return world;
  }

  it('is asked at most twice a second, and the run ends in time', async () => {
    const world = await worldWithMeetings(120);
    const startMs = world.nowMs;
    const summary = await world.reconcile();
    const seconds = (world.nowMs - startMs) / 1000;
    expect(seconds).toBeLessThanOrEqual(55 - 8);
    expect(summary?.listRequests).toBeGreaterThan(80);
    expect(summary?.listRequests).toBeLessThanOrEqual(seconds * 2 + 1);
    expect(summary).toMatchObject({ open: summary?.waiting });
    await world.reconcile();
    expect(world.open.size).toBe(0);
  });

  it('is asked once for all open intents of a meeting', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.pass(DEADLINE_MS + MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 2, listRequests: 1 });
  });

  it('that lists in a circle is left after one round, and the next meeting has its turn', async () => {
    const world = await worldWithMeetings(2);
    const [circle] = meetingIds(1) as [string];
    world.circles.add(circle);
    expect(await world.reconcile()).toMatchObject({ listRequests: 3, failures: 1, recovered: 1, open: 1 });
    world.circles.clear();
    await world.reconcileToEnd();
    expect(world.open.size).toBe(0);
  });

  it('is left alone when it keeps failing, and next time others have their turn', async () => {
    const world = await worldWithMeetings(5);
    const failing = new Actor(undefined, { page: 'before' });
    expect(await world.reconcile(failing)).toMatchObject({
      listRequests: 3,
      failures: 3,
      waiting: 2,
      open: 5,
    });
    const tried = [...world.open.values()].filter(({ lastTryAt }) => lastTryAt !== undefined);
    expect(tried).toHaveLength(3);
    world.pass(60_000);
    const next: string[] = [];
    const entries = new Map(world.open);
    await world.reconcile(new Actor(undefined, {}), { runsMs: 8_900 });
    for (const [batchId, { lastTryAt }] of entries) {
      if (!world.open.has(batchId)) next.push(lastTryAt ?? 'never');
    }
    expect(next).toEqual(['never', 'never']);
  });
});

describe('a run that is told since when', () => {
  it('passes over nothing between the last sweep and then', async () => {
    const world = createWorld();
    const between = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.through = new Date(world.nowMs).toISOString();
    world.pass(60 * 60_000);
    await world.reconcile(new Actor(), { sinceMs: world.nowMs - MARGIN_MS });
    expect(world.outcomeOf(between)?.state).toBe('RECOVERED');
  });
});
