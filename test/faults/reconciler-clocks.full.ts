import { describe, expect, it } from '@jest/globals';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import {
  type Actor,
  type Answer,
  type Lane,
  LOOK_SHIFTS_MS,
  namesFor,
  reconcileWith,
  startLane,
} from '../support/faults/lane.ts';
import type { Reply } from '../support/faults/wire.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

describe('clocks that are an hour apart', () => {
  it.each([
    ['a run of the reconciler is ahead', 0, HOUR_MS],
    ['a run of the reconciler is behind', 0, -HOUR_MS],
    ['the handler is ahead', HOUR_MS, 0],
    ['the handler is behind', -HOUR_MS, 0],
  ])(
    'lose nothing if %s',
    async (about, handlerMs, reconcilerMs) => {
      const lane = await startLane();
      try {
        await loseAnAnswer(lane, await lane.createMeeting('before'), handlerMs);
        const [first, ...others] = LOOK_SHIFTS_MS.map((shiftMs) => shiftMs + Math.max(0, handlerMs));
        await runOnce(lane, first as number);
        await runOnce(lane, (first as number) + reconcilerMs);
        // What is written while a clock is off is found as well; it begins after the first sweep, which is a minute ahead.
        await loseAnAnswer(lane, await lane.createMeeting('meanwhile'), handlerMs + MINUTE_MS);
        const shifts = [...others, ...others.map((shiftMs) => shiftMs + 200_000)];
        for (const shiftMs of shifts) await runAll(lane, shiftMs);
        // A batch of a clock that is behind is found by the slow cursor, once that comes by.
        if (handlerMs < 0) {
          for (const minutes of [8, 16, 17, 18]) await runAll(lane, minutes * MINUTE_MS);
        }
        expect(await lane.problems()).toEqual([]);
      } finally {
        await lane.close();
      }
      console.log(`nothing lost: ${about}`);
    },
    120_000,
  );
});

describe('an index that is late by ten minutes', () => {
  it('loses nothing: the slow cursor finds what the fast one passed, and it is counted', async () => {
    const lane = await startLane();
    try {
      const handler = await lane.startActor('handler');
      const missedMs = Date.now();
      await loseAnAnswer(lane, await lane.createMeeting('late'));
      const answer = (await handler.invoke(
        lane.eventFor(await lane.createMeeting('answered'), ['bob']),
      )) as Answer;
      expect(answer.statusCode).toBe(200);
      let foundLate = 0;
      let open = 0;
      for (let minute = 1; minute <= 80; minute += 1) {
        // Runs come once a minute; of those in between, some stand for all.
        if (minute > 12 && minute < 73 && minute % 8 !== 0) continue;
        const nowMs = missedMs + minute * MINUTE_MS;
        const reconciler = await lane.startActor('reconciler', minute * MINUTE_MS);
        reconciler.intercept(async (step, act) => {
          const reply = await act();
          const { IndexName } = (step.body ?? {}) as { IndexName?: string };
          return IndexName === undefined ? reply : withoutYoung(reply, nowMs - 10 * MINUTE_MS);
        });
        const summary = (await reconciler.invoke({})) as ReconcileSummary;
        foundLate += summary.foundLate;
        open = summary.open;
        await reconciler.close();
      }
      expect([foundLate, open]).toEqual([1, 0]);
      expect(await lane.problems()).toEqual([]);
    } finally {
      await lane.close();
    }
  }, 180_000);
});

async function loseAnAnswer(lane: Lane, meetingId: string, clockShiftMs = 0): Promise<void> {
  const handler = await lane.startActor('handler', clockShiftMs);
  handler.intercept(async ({ name }, act) => {
    const reply = await act();
    return name === 'BatchCreateAttendee' ? 'reset' : reply;
  });
  await handler.invoke(lane.eventFor(meetingId, namesFor('guest', 2)));
  await handler.close();
}

async function runOnce(lane: Lane, shiftMs: number): Promise<void> {
  await withReconciler(lane, shiftMs, (reconciler) => reconciler.invoke({}));
}

async function runAll(lane: Lane, shiftMs: number): Promise<void> {
  await withReconciler(lane, shiftMs, (reconciler) => reconcileWith(lane, reconciler));
}

async function withReconciler(lane: Lane, shiftMs: number, work: (reconciler: Actor) => Promise<unknown>) {
  const reconciler = await lane.startActor('reconciler', shiftMs);
  await work(reconciler);
  await reconciler.close();
}

/** What an index gives that does not have the items of batches begun after an instant yet. */
function withoutYoung(reply: Reply, untilMs: number): Reply {
  const body = JSON.parse(reply.body.toString('utf8'));
  const until = new Date(untilMs).toISOString().replaceAll(/[-:.]/g, '');
  const Items = (body.Items as { batchId: { S: string } }[]).filter(({ batchId }) => batchId.S < until);
  // The length and checksum of the whole are of another text.
  const { 'content-length': _, 'x-amz-crc32': __, ...headers } = reply.headers;
  return { ...reply, headers, body: Buffer.from(JSON.stringify({ ...body, Items, Count: Items.length })) };
}
