import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OpenIntent } from '../../../lambda/audit/ports.ts';
import { SLOW_LAG_MS } from '../../../lambda/audit/schema.ts';
import { DEFAULT_CAPABILITIES } from '../../../lambda/model/attendees.ts';
import type { ReconcileSummary } from '../../../lambda/reconciler/reconcile.ts';
import { SLICE } from '../../../lambda/reconciler/visit.ts';
import {
  Actor,
  createWorld,
  lies,
  MARGIN_MS,
  MEETING,
  SECOND_LOOK_MS,
  type World,
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
    'leave a complete audit, with $count attendees, idempotent: $idempotent',
    async ({ count, idempotent }) => {
      for (const handlerDeath of everyDeath(handlerCalls.length)) {
        let reconcilerCalls = 1;
        for (let at = 0; at < reconcilerCalls; at += 1) {
          for (const when of ['before', 'after'] as const) {
            const world = createWorld({ idempotent });
            await world.ask(names(count), new Actor(handlerDeath));
            // The client retries, as the answer asks.
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
    failing: failing(
      'page',
      'save',
      'entries',
      'recordOutcome',
      'holders',
      'ofBatch',
      'remove',
      'notice',
      'claim',
      'release',
      'moveMark',
    ),
    afterMs: fc.constantFrom(0, 1_000, SECOND_LOOK_MS),
  });

  it('ends in a complete audit, with handlers and reconcilers that write late', async () => {
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

/** A world in which one handler was killed, once Chime had acted or before. */
async function afterCrash(requested: string[], when: 'before' | 'after' = 'after') {
  const world = createWorld();
  const batchId = await world.ask(requested, new Actor({ at: 1, when }));
  return { world, batchId, outcome: () => world.outcomeOf(batchId) };
}

const DUE_MS = DEADLINE_MS + MARGIN_MS;
const MINUTE_MS = 60_000;

/** Runs a minute apart, from now on. @returns what the last one did */
async function runs(world: World, count: number): Promise<ReconcileSummary | undefined> {
  let summary = await world.reconcile();
  for (let run = 1; run < count; run += 1) {
    world.pass(MINUTE_MS);
    summary = await world.reconcile();
  }
  return summary;
}

describe('an intent without outcome', () => {
  it('is left to its handler until deadline and margin are over', async () => {
    const { world } = await afterCrash(['alice']);
    world.pass(DUE_MS - 1);
    const early = new Actor();
    expect(await world.reconcile(early)).toMatchObject({ waiting: 1, open: 1 });
    expect(early.calls).not.toContain('page');
    world.pass(1);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 1, listRequests: 1 });
  });

  it('is RECOVERED with what two looks found, undelivered, with the expiry of its intent', async () => {
    const { world, batchId, outcome } = await afterCrash(['alice', 'bob']);
    world.pass(DUE_MS);
    expect(await runs(world, 2)).toMatchObject({ recovered: 1, open: 0, listRequests: 1 });
    const [intent] = world.intents();
    expect(outcome()).toEqual({
      meetingId: MEETING,
      recordId: `${batchId}/outcome`,
      batchId,
      kind: 'outcome',
      state: 'RECOVERED',
      recordedAt: '2026-11-23T13:47:00.000Z',
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

  it.each(['after', 'before'] as const)(
    'is decided by two looks a minute apart, and not before (Chime acted: %s)',
    async (when) => {
      const { world, outcome } = await afterCrash(['alice'], when);
      world.pass(DUE_MS);
      expect(await world.reconcile()).toMatchObject({ lookAgain: 1, open: 1 });
      world.pass(SECOND_LOOK_MS - 1);
      expect(await world.reconcile()).toMatchObject({ listRequests: 0 });
      expect(outcome()).toBeUndefined();
      world.pass(1);
      await world.reconcile();
      expect(outcome()?.state).toBe(when === 'after' ? 'RECOVERED' : 'NOT_ISSUED');
    },
  );

  it('has had one look if two runs looked at once', async () => {
    const { world, batchId } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    await Promise.all([world.reconcile(), world.reconcile()]);
    expect(world.open.get(batchId)?.looks).toBe(1);
  });

  it('is UNRESOLVED, and counted for the alarm, if two looks find its meeting gone', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.meetings.set(MEETING, 'gone');
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ unresolved: 0, lookAgain: 1 });
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ unresolved: 1, open: 0 });
    expect(outcome()).toMatchObject({ state: 'UNRESOLVED', issued: [] });
    expect(world.metrics.at(-1)).toMatchObject({ IntentsUnresolved: 1 });
    expect(world.admissions.size).toBe(0);
  });

  it.each([1, 2])('outlives one wrong 404, at look %d', async (wrong) => {
    const { world, outcome } = await afterCrash(['alice']);
    const present = world.meetings.get(MEETING) as never;
    world.pass(DUE_MS);
    for (let look = 1; look <= 4; look += 1) {
      world.meetings.set(MEETING, look === wrong ? 'gone' : present);
      await world.reconcile();
      world.pass(MINUTE_MS);
    }
    expect(outcome()).toMatchObject({ state: 'RECOVERED', issued: [{ externalUserId: 'alice' }] });
    expect(lies(world)).toEqual([]);
  });

  it('keeps the attendees of the first look if later looks find the meeting gone', async () => {
    const { world, outcome } = await afterCrash(['alice', 'bob'], 'before');
    world.create(MEETING, [{ ExternalUserId: 'alice' }]);
    world.pass(DUE_MS);
    await world.reconcile();
    world.meetings.set(MEETING, 'gone');
    world.pass(MINUTE_MS);
    await runs(world, 2);
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
    await world.reconcile();
    world.pass(MINUTE_MS);
    const reconciler = new Actor();
    reconciler.slow = { name: 'recordOutcome', reached: arrive.resolve, arrive: answered.then(() => {}) };
    expect(await world.reconcile(reconciler)).toMatchObject({ recovered: 0, completed: 1, failures: 0 });
    expect(world.outcomes()).toMatchObject([{ state: 'ISSUED', writtenBy: 'handler' }]);
    expect(world.answeredTokens).toHaveLength(1);
    expect(lies(world)).toEqual([]);
  });

  it('gets the admissions of the recorded outcome, not of the late one', async () => {
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

  it('does not get an attendee that another intent got in the same run', async () => {
    const world = createWorld();
    const batchIds = [];
    for (let batch = 0; batch < 2; batch += 1) {
      batchIds.push(await world.ask(['alice'], new Actor({ at: 1, when: 'after' })));
    }
    world.pass(DUE_MS);
    await runs(world, 2);
    expect(batchIds.map((batchId) => world.outcomeOf(batchId))).toMatchObject([
      { state: 'RECOVERED', attribution: 'ambiguous' },
      { state: 'NOT_ISSUED', heldElsewhere: [{ externalUserId: 'alice', batchId: batchIds[0] }] },
    ]);
  });

  it('is removed from the list and logged if its record is gone', async () => {
    const { world } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile(new Actor(undefined, { page: 'before' }));
    world.truth.clear();
    world.pass(MINUTE_MS);
    await world.reconcile();
    expect(world.open.size).toBe(0);
    expect(world.reports.at(-1)?.event).toBe('intent gone');
  });

  it('is ignored once it has expired, because its outcome may be deleted', async () => {
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

  it('leaves no name in any report or metric', async () => {
    const { world } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile(new Actor(undefined, { page: 'before' }));
    world.pass(MINUTE_MS);
    await runs(world, 2);
    const logged = JSON.stringify([world.reports, world.metrics]);
    expect(world.reports.length).toBeGreaterThan(1);
    expect(logged).not.toMatch(/alice|attendee-|service|idp\.example|192\.0\.2|3f0c4a7e|secret/);
  });
});

describe('the batch that may have created an attendee', () => {
  it('is unknown if only the deciding look saw the attendee', async () => {
    const { world, outcome } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    await world.reconcile();
    world.create(MEETING, [{ ExternalUserId: 'alice' }]);
    world.pass(MINUTE_MS);
    await world.reconcile();
    expect(outcome()).toMatchObject({ state: 'RECOVERED', attribution: 'ambiguous' });
  });

  it('is not a batch that began after the attendee was seen', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(MINUTE_MS - MARGIN_MS);
    await world.ask(['alice'], new Actor({ at: 1, when: 'before' }));
    world.pass(MARGIN_MS);
    await world.reconcile();
    expect(outcome()).toMatchObject({ state: 'RECOVERED', attribution: 'sole' });
  });

  it('is unknown if a meeting has more open batches than one slice', async () => {
    const world = createWorld();
    for (let batch = 0; batch <= SLICE; batch += 1) {
      await world.ask([`user-${batch}`], new Actor({ at: 1, when: 'after' }));
    }
    world.pass(DUE_MS);
    await runs(world, 2);
    expect(new Set(world.outcomes().map(({ attribution }) => attribution))).toEqual(new Set(['ambiguous']));
    expect(world.outcomes()).toHaveLength(SLICE + 1);
    expect(lies(world)).toEqual([]);
  });

  it('appears in two outcomes rather than none if the index by attendee is late', async () => {
    const { world, batchId } = await afterCrash(['alice']);
    const retried = await world.ask(['alice']);
    world.attendeesNotIndexed.add(retried);
    world.pass(DUE_MS);
    await runs(world, 2);
    for (const id of [batchId, retried]) {
      expect(world.outcomeOf(id)?.issued).toMatchObject([{ externalUserId: 'alice' }]);
    }
    expect(lies(world)).toEqual([]);
  });

  it('is not a batch whose handler left an admission and no outcome', async () => {
    const world = createWorld();
    const killed = await world.ask(['alice'], new Actor({ at: 3, when: 'before' }));
    const lost = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    expect(world.admissions.size).toBe(1);
    world.pass(DUE_MS);
    await runs(world, 3);
    const holders = [killed, lost].filter((id) => world.outcomeOf(id)?.issued.length === 1);
    expect(holders).toHaveLength(1);
    expect(lies(world)).toEqual([]);
  });
});

describe('an intent of another Region', () => {
  it('is never looked up, and ends as UNRESOLVED after 25 hours', async () => {
    const world = createWorld();
    world.meetingsRegion = 'eu-central-1';
    const batchId = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.meetingsRegion = 'us-east-1';
    world.pass(DUE_MS);
    const reconciler = new Actor();
    for (let hour = 0; hour < 25; hour += 1) {
      await world.reconcile(reconciler);
      expect(world.outcomeOf(batchId)).toBeUndefined();
      world.pass(60 * MINUTE_MS);
    }
    await world.reconcile(reconciler);
    world.pass(MINUTE_MS);
    await world.reconcile(reconciler);
    expect(world.outcomeOf(batchId)).toMatchObject({ state: 'UNRESOLVED', issued: [] });
    expect(reconciler.calls).not.toContain('page');
  });

  it('does not prevent look-ups for its own Region in the same meeting', async () => {
    const world = createWorld();
    world.meetingsRegion = 'eu-central-1';
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.meetingsRegion = 'us-east-1';
    const own = await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.pass(DUE_MS);
    await runs(world, 2);
    expect(world.outcomeOf(own)?.state).toBe('RECOVERED');
    expect(world.open.size).toBe(1);
  });
});

describe('a meeting that cannot be listed', () => {
  it('is over after 25 hours, and so are its intents', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.circles.add(MEETING);
    world.pass(DUE_MS);
    await world.reconcile();
    expect(outcome()).toBeUndefined();
    world.pass(25 * 60 * MINUTE_MS);
    await runs(world, 2);
    expect(outcome()).toMatchObject({ state: 'UNRESOLVED' });
    expect(world.open.size).toBe(0);
  });
});

describe('admissions', () => {
  it('are completed if a handler could not write them', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor(undefined, { recordAdmissions: 'before' }));
    expect(world.admissions.size).toBe(0);
    world.pass(MARGIN_MS);
    const reconciler = new Actor();
    expect(await world.reconcile(reconciler)).toMatchObject({ completed: 1, open: 0, incomplete: 0 });
    // There can be no others than the handler's own.
    expect(reconciler.calls).not.toContain('ofBatch');
    expect(reconciler.calls).not.toContain('page');
    expect(lies(world)).toEqual([]);
  });

  it('are completed if an earlier version deferred them', async () => {
    const world = createWorld();
    const batchId = await world.ask(names(26));
    const outcome = world.outcomeOf(batchId);
    Object.assign(outcome as object, { admissions: 'deferred' });
    world.admissions.clear();
    world.pass(MARGIN_MS);
    expect(await world.reconcile()).toMatchObject({ completed: 1, incomplete: 0 });
    expect(lies(world)).toEqual([]);
  });

  it('stay on the list if they cannot be written, and count as a failure', async () => {
    const world = createWorld();
    await world.ask(names(26), new Actor(undefined, { recordAdmissions: 'before' }));
    world.pass(MARGIN_MS);
    expect(await world.reconcile(new Actor(undefined, { writeAdmissions: 'before' }))).toMatchObject({
      completed: 0,
      failures: 1,
      incomplete: 1,
    });
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ completed: 1, incomplete: 0 });
    expect(lies(world)).toEqual([]);
  });

  it('are removed if a killed handler wrote them without an outcome', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 3, when: 'before' }));
    expect(world.admissions.size).toBe(1);
    world.meetings.set(MEETING, 'gone');
    world.pass(DUE_MS);
    await runs(world, 2);
    expect(world.outcomes()).toMatchObject([{ state: 'UNRESOLVED' }]);
    expect(world.admissions.size).toBe(0);
  });

  it('are removed by the slow cursor if a straggler writes them after the reconciler', async () => {
    const { world, batchId } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    await runs(world, 2);
    expect(world.outcomeOf(batchId)?.state).toBe('NOT_ISSUED');
    world.admissions.set(`alice|${batchId}/late`, {
      externalUserId: 'alice',
      admissionId: `${batchId}/late`,
      attendeeId: 'late',
      batchId,
      meetingId: MEETING,
    });
    world.pass(SLOW_LAG_MS);
    expect(await world.reconcile()).toMatchObject({ completed: 1, foundLate: 0 });
    expect(world.admissions.size).toBe(0);
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ completed: 0, open: 0, incomplete: 0 });
  });

  it('are not searched name by name if a look found no attendee', async () => {
    const { world, batchId } = await afterCrash(['alice'], 'before');
    world.pass(DUE_MS);
    const reconciler = new Actor();
    await world.reconcile(reconciler);
    world.pass(SECOND_LOOK_MS);
    await world.reconcile(reconciler);
    expect(world.outcomeOf(batchId)?.state).toBe('NOT_ISSUED');
    expect(reconciler.calls).not.toContain('ofBatch');
  });
});

describe('a sweep', () => {
  it('begins 30 days back, and then where the last one ended', async () => {
    const world = createWorld();
    const batchId = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.pass(29 * 24 * 60 * MINUTE_MS);
    await runs(world, 2);
    expect(world.outcomeOf(batchId)?.state).toBe('RECOVERED');
    expect(world.marks.get('fast')).toEqual({ through: new Date(world.nowMs - MARGIN_MS).toISOString() });
    expect(world.marks.get('slow')).toEqual({ through: new Date(world.nowMs - SLOW_LAG_MS).toISOString() });
  });

  it('continues where it ran out of time, after at least one page', async () => {
    const world = createWorld();
    world.pageSize = 1;
    for (let batch = 0; batch < 6; batch += 1) {
      await world.ask([`user-${batch}`], new Actor({ at: 1, when: 'after' }));
    }
    world.pass(15 * MINUTE_MS);
    world.gate = async (call) => {
      if (call === 'admissionsNoted') world.pass(MINUTE_MS);
    };
    const reached: (string | undefined)[] = [];
    for (let run = 0; run < 6; run += 1) {
      expect(await world.reconcile()).toMatchObject({ sweptToEnd: false });
      reached.push(world.marks.get('fast')?.afterBatch);
      expect(world.metrics.at(-1)?.['OldestOpenIntentAge']).toBeGreaterThan(15 * 60);
    }
    expect(reached).toEqual(world.intents().map(({ batchId }) => batchId));
    world.gate = async () => {};
    await runs(world, 4);
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 0 });
    expect(lies(world)).toEqual([]);
  });

  it('delays no listed batch if it fails, and leaves the age unknown', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'before' }));
    world.pass(MARGIN_MS);
    await world.reconcile();
    world.pass(DEADLINE_MS);
    const summary = await world.reconcile(new Actor(undefined, { intentsBegun: 'before' }));
    expect(summary).toMatchObject({ lookAgain: 1, sweptToEnd: false });
    expect(summary?.failures).toBeGreaterThan(0);
    expect(world.metrics.at(-1)).not.toHaveProperty('OldestOpenIntentAge');
  });

  it('continues in the next run with the batch that it could not notice', async () => {
    const { world, batchId } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile(new Actor(undefined, { notice: 'before' }));
    expect(world.marks.get('fast')).toBeUndefined();
    world.pass(MINUTE_MS);
    await world.reconcile();
    expect(world.open.has(batchId)).toBe(true);
  });

  it('is left to the run that is ahead of this one', async () => {
    const world = createWorld();
    world.pageSize = 1;
    for (let batch = 0; batch < 4; batch += 1) await world.ask(['alice']);
    world.pass(DUE_MS);
    const summaries = await Promise.all([world.reconcile(), world.reconcile()]);
    expect(summaries.map((summary) => summary?.sweptToEnd).toSorted()).toEqual([false, true]);
  });
});

describe('an intent that the fast cursor passed before it was in the index', () => {
  it('is found by the slow cursor, settled, and counted', async () => {
    const { world, batchId, outcome } = await afterCrash(['alice']);
    world.notIndexed.add(batchId);
    world.pass(DUE_MS);
    await world.reconcile();
    world.notIndexed.clear();
    for (let minute = 0; minute < 73; minute += 1) {
      world.pass(MINUTE_MS);
      expect(await world.reconcile()).toMatchObject({ foundLate: 0 });
    }
    await runs(world, 3);
    expect(outcome()?.state).toBe('RECOVERED');
    expect(world.metrics.filter(({ IntentsFoundLate }) => IntentsFoundLate === 1)).toHaveLength(1);
    expect(lies(world)).toEqual([]);
  });

  it('is not counted if the fast cursor put it on the list', async () => {
    const { world } = await afterCrash(['alice']);
    world.circles.add(MEETING);
    world.pass(DUE_MS);
    await runs(world, 80);
    expect(world.metrics.every(({ IntentsFoundLate }) => IntentsFoundLate === 0)).toBe(true);
    expect(world.open.size).toBe(1);
  });

  it('is not counted if it was on the list of an earlier version', async () => {
    const { world, batchId, outcome } = await afterCrash(['alice'], 'before');
    const seen = {
      externalUserId: 'alice',
      attendeeId: 'attendee-gone',
      capabilities: DEFAULT_CAPABILITIES,
      tokenFingerprint: 'sha256:0',
      seenAt: new Date(world.nowMs).toISOString(),
    };
    world.pass(2 * SLOW_LAG_MS);
    world.marks.set('fast', { through: new Date(world.nowMs - MINUTE_MS).toISOString() });
    world.earlier.set(batchId, { meetingId: MEETING, batchId, seen: [seen] });
    expect(await world.reconcile()).toMatchObject({ foundLate: 0, open: 1 });
    expect(world.earlier.size).toBe(0);
    world.pass(MINUTE_MS);
    await world.reconcile();
    // Whom the earlier version saw is not lost.
    expect(outcome()).toMatchObject({ state: 'RECOVERED', issued: [{ attendeeId: 'attendee-gone' }] });
  });
});

describe('clocks', () => {
  const HOUR_MS = 60 * MINUTE_MS;

  it.each([HOUR_MS, -HOUR_MS, 20 * HOUR_MS, -20 * HOUR_MS])(
    'lose nothing and decide nothing if they are off by %d ms in one run',
    async (offMs) => {
      const world = createWorld();
      const before = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
      world.pass(DUE_MS);
      await world.reconcile();
      const during = await world.ask(['bob'], new Actor({ at: 1, when: 'before' }));
      world.pass(offMs);
      await world.reconcile();
      world.pass(-offMs);
      expect([before, during].map((batchId) => world.outcomeOf(batchId))).toEqual([undefined, undefined]);
      // Chime acts on what the handler sent only now.
      world.create(MEETING, [{ ExternalUserId: 'bob' }]);
      const after = await world.ask(['carol'], new Actor({ at: 1, when: 'after' }));
      world.pass(1_000);
      // All that was on its way while the clock was off is swept, however long no run came by.
      world.pass(HOUR_MS / 2);
      await runs(world, 6);
      expect([before, during, after].map((batchId) => world.outcomeOf(batchId)?.state)).toEqual([
        'RECOVERED',
        'RECOVERED',
        'RECOVERED',
      ]);
      expect(lies(world)).toEqual([]);
    },
  );

  it.each([HOUR_MS, -HOUR_MS])('lose nothing if that of a handler is off by %d ms', async (offMs) => {
    const world = createWorld();
    await runs(world, 3);
    world.pass(offMs);
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.pass(-offMs);
    await runs(world, 2 * 75);
    expect(world.outcomes()).toMatchObject([{ state: 'RECOVERED' }]);
    expect(lies(world)).toEqual([]);
  });

  it('decide as one if they are a second apart in two concurrent runs', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(MINUTE_MS - 1_000);
    await world.reconcile();
    world.pass(1_000);
    await world.reconcile();
    expect(outcome()?.state).toBe('RECOVERED');
  });

  it('decide nothing if they cannot be compared after a lost answer', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(MINUTE_MS);
    await world.reconcile(new Actor(undefined, { beginRun: 'after' }));
    expect(outcome()).toBeUndefined();
    world.pass(MINUTE_MS);
    await world.reconcile();
    expect(outcome()?.state).toBe('RECOVERED');
  });

  it('do not delay a meeting that a wrong clock put off for hours', async () => {
    const { world, outcome } = await afterCrash(['alice']);
    world.pass(DUE_MS);
    await world.reconcile();
    const meeting = world.queue.get(MEETING);
    if (meeting) meeting.due = new Date(world.nowMs + 5 * HOUR_MS).toISOString();
    world.pass(MINUTE_MS);
    await world.reconcile();
    expect(outcome()?.state).toBe('RECOVERED');
  });
});

describe('many at once', () => {
  it('are concluded within the time in one meeting, and the others in the next run', async () => {
    const world = createWorld();
    for (let batch = 0; batch < 120; batch += 1) {
      await world.ask([`user-${batch}`], new Actor({ at: 1, when: 'before' }));
    }
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(MINUTE_MS);
    world.gate = async (call) => {
      if (call === 'recordOutcome') world.pass(500);
    };
    const startMs = world.nowMs;
    const first = await world.reconcile();
    expect(world.nowMs - startMs).toBeLessThan(55_000 - 7_000);
    expect(first?.notIssued).toBeGreaterThan(20);
    expect(first?.notIssued).toBeLessThan(100);
    // One that was settled as time ran out is finished by the next run.
    expect((first?.open ?? 0) + (first?.notIssued ?? 0)).toBeLessThanOrEqual(121);
    expect(first?.failures).toBe(0);
    await world.reconcileToEnd();
    expect(lies(world)).toEqual([]);
  });

  it('do not delay another meeting by more than a turn', async () => {
    const world = createWorld();
    const another = MEETING.replace('3f0c', '3f0d');
    world.meetings.set(another, []);
    for (let batch = 0; batch < 200; batch += 1)
      await world.ask(['alice'], new Actor({ at: 1, when: 'before' }));
    const small = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }), another);
    world.pass(DUE_MS);
    await world.reconcile();
    world.pass(MINUTE_MS);
    world.gate = async (call) => {
      if (call === 'recordOutcome') world.pass(500);
    };
    await world.reconcile();
    expect(world.truth.has(`${another}|${small}/outcome`)).toBe(true);
    expect(world.open.size).toBeGreaterThan(100);
  });

  it.each(['page', 'entries'])(
    'do not delay another meeting twice if their %s takes a whole run',
    async (slow) => {
      const world = createWorld();
      const another = MEETING.replace('3f0c', '3f0d');
      world.meetings.set(another, []);
      await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
      const small = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }), another);
      world.pass(DUE_MS);
      let slowCalls = 0;
      world.gate = async (call) => {
        if (call === slow && ++slowCalls === 1) world.pass(50_000);
      };
      await world.reconcile();
      world.pass(10_000);
      await world.reconcile(new Actor(), { runsMs: 8_400 });
      expect(world.open.get(small)?.looks).toBe(1);
    },
  );
});

describe('a look at a meeting', () => {
  it('does not count for a batch that becomes due after it, in the same visit', async () => {
    const world = createWorld();
    for (let batch = 0; batch < SLICE; batch += 1) {
      await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    }
    world.pass(2_000);
    const later = await world.ask(['bob'], new Actor({ at: 1, when: 'before' }));
    world.pass(DUE_MS - 1_000);
    const dueMs = world.nowMs + 1_000;
    let saved = 0;
    world.gate = async (call) => {
      // The second slice gets due while the first one, which was looked for, is saved.
      if (call === 'save' && ++saved === 1) world.pass(3_000);
    };
    await world.reconcile();
    const { agreed } = world.open.get(later) as OpenIntent;
    expect(Date.parse(agreed?.since ?? '')).toBeGreaterThanOrEqual(dueMs);
  });
});

describe('a failure', () => {
  it.each([
    ['entries', 'visit'],
    ['batches', 'visit'],
    ['release', 'visit'],
    ['dueMeetings', 'queue'],
    ['page', 'meeting'],
    ['save', 'entry'],
    ['beginRun', 'clock'],
    ['intentsBegun', 'sweep'],
    ['earlierList', 'list'],
  ])('is reported for %s as one of the step %s', async (call, step) => {
    const { world } = await afterCrash(['alice']);
    await world.reconcile();
    if (call === 'release') await world.ask(['bob'], new Actor(undefined, { recordAdmissions: 'before' }));
    world.pass(DUE_MS);
    if (call === 'release') await runs(world, 3);
    world.reports.length = 0;
    await world.ask(['carol'], new Actor(undefined, { recordAdmissions: 'before' }));
    world.pass(MINUTE_MS);
    await world.reconcile(new Actor(undefined, { [call]: 'before' }));
    const failures = world.reports.filter(({ event }) => event === 'failed');
    expect(new Set(failures.map((failure) => failure['step']))).toEqual(new Set([step]));
  });
});

describe('two runs at once', () => {
  it('do not lose attendees that one of them saw before the meeting ended', async () => {
    const world = createWorld();
    const batchId = await world.ask(['alice', 'bob'], new Actor({ at: 1, when: 'before' }));
    world.create(MEETING, [{ ExternalUserId: 'alice' }]);
    world.pass(DUE_MS);
    let between: Promise<unknown> | undefined;
    world.gate = async (call) => {
      if (call !== 'batches' || between !== undefined) return;
      // The other run has read the list, and goes on when this one is over.
      const entry = world.open.get(batchId);
      const seenAt = new Date(world.nowMs).toISOString();
      const alice = (world.meetings.get(MEETING) as never as { AttendeeId: string }[])[0];
      if (entry !== undefined && alice !== undefined) {
        world.open.set(batchId, {
          ...entry,
          looks: 1,
          agreed: { since: seenAt, gone: false },
          seen: [{ ...SEEN, attendeeId: alice.AttendeeId, seenAt }],
        });
      }
      between = Promise.resolve();
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
  });
});

const SEEN = {
  externalUserId: 'alice',
  capabilities: DEFAULT_CAPABILITIES,
  tokenFingerprint: 'fingerprint-of-8',
};

describe('an unreadable item', () => {
  const ODD = '20261123T134500000Z-000000000000d0dd';

  it('is counted and reported at each visit of its meeting, and delays nothing else', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.open.set(ODD, { meetingId: MEETING, batchId: ODD, unreadable: true } as never);
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 1, failures: 1, sweptToEnd: true });
    const report = { event: 'failed', step: 'list', batch: ODD, cause: 'UnreadableRecord' };
    expect(world.reports).toContainEqual(report);
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ recovered: 1, failures: 1 });
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ failures: 1 });
  });

  it('is counted and reported among the intents, and the sweep continues', async () => {
    const world = createWorld();
    await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.oddKeys.push({ batchId: ODD, unreadable: true });
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 1, sweptToEnd: true });
    expect(world.reports).toContainEqual(expect.objectContaining({ step: 'sweep', batch: ODD }));
  });

  it('is reported without its batch id, which may be any text', async () => {
    const world = createWorld();
    world.oddKeys.push({ batchId: 'bob@example.com', unreadable: true });
    expect((await world.reconcile())?.failures).toBeGreaterThan(0);
    expect(world.reports).toContainEqual({
      event: 'failed',
      step: 'sweep',
      batch: undefined,
      cause: 'UnreadableRecord',
    });
  });

  it('leaves its batch open for the alarm, and the others of its meeting are concluded', async () => {
    const world = createWorld();
    const odd = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    await world.ask(['bob'], new Actor({ at: 1, when: 'after' }));
    world.unreadable.add(odd);
    world.pass(DUE_MS);
    expect(await runs(world, 2)).toMatchObject({ recovered: 1, failures: 1, open: 1 });
    expect(world.metrics.at(-1)).toMatchObject({ OldestOpenIntentAge: 120, ReconcilerFailures: 1 });
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
    world.pass(DUE_MS);
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
    await world.reconcileToEnd();
    expect(world.open.size).toBe(0);
  });

  it('is asked once for all open intents of a meeting', async () => {
    const world = createWorld();
    for (let batch = 0; batch < 2 * SLICE; batch += 1) {
      await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    }
    world.pass(DUE_MS);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 2 * SLICE, listRequests: 1 });
  });

  it('is abandoned after one round if it lists in a circle, and the next meeting has its turn', async () => {
    const world = await worldWithMeetings(2);
    const [circle] = meetingIds(1) as [string];
    world.circles.add(circle);
    expect(await world.reconcile()).toMatchObject({ listRequests: 3, failures: 1, lookAgain: 1, open: 2 });
    world.circles.clear();
    await world.reconcileToEnd();
    expect(world.open.size).toBe(0);
  });

  it('is not asked again when it keeps failing, and batches that need no look are finished', async () => {
    const world = await worldWithMeetings(5);
    await world.ask(['dave'], new Actor(undefined, { recordAdmissions: 'before' }));
    world.pass(MARGIN_MS);
    expect(await world.reconcile(new Actor(undefined, { page: 'before' }))).toMatchObject({
      listRequests: 3,
      failures: 3,
      waiting: 5,
      open: 5,
      completed: 1,
    });
    world.pass(MINUTE_MS);
    expect(await world.reconcile()).toMatchObject({ lookAgain: 5 });
  });
});

describe('a run with a time to sweep again from', () => {
  it('skips nothing between the last sweep and that time', async () => {
    const world = createWorld();
    const between = await world.ask(['alice'], new Actor({ at: 1, when: 'after' }));
    world.marks.set('fast', { through: new Date(world.nowMs).toISOString() });
    world.pass(60 * MINUTE_MS);
    await world.reconcile(new Actor(), { sinceMs: world.nowMs - MARGIN_MS });
    world.pass(MINUTE_MS);
    await runs(world, 2);
    expect(world.outcomeOf(between)?.state).toBe('RECOVERED');
  });

  it.each([10 * MINUTE_MS, 24 * 60 * MINUTE_MS])(
    'finds intents that all cursors missed, %d ms ago',
    async (agoMs) => {
      const { world, batchId, outcome } = await afterCrash(['alice']);
      world.notIndexed.add(batchId);
      const begunMs = world.nowMs;
      world.pass(agoMs);
      await runs(world, 2);
      world.notIndexed.clear();
      await world.reconcile(new Actor(), { sinceMs: begunMs });
      world.pass(MINUTE_MS);
      await runs(world, 3);
      expect(outcome()?.state).toBe('RECOVERED');
    },
  );
});
