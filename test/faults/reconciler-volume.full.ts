import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SWEEP_KEYS } from '../../lambda/audit/schema.ts';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { openIntent, refusedBatch, writeRecords } from '../support/faults/bulk.ts';
import { type Actor, type Lane, LOOK_SHIFTS_MS, namesFor, startLane } from '../support/faults/lane.ts';
import type { Reply } from '../support/faults/wire.ts';

// The reconciler at the sizes that once stopped it. What is measured is printed, and quoted in docs/fault-tests.md.

/** 100 names of a batch in a meeting that takes no more: three minutes at the default throttle are some 400 MB. */
const REFUSED_BATCHES = 18_000;
const OPEN_BATCHES = 5_000;
const SWEPT_BATCHES = 20_000;
/** Far less than what the records take; the reconciler itself starts with half. */
const HEAP_MB = 48;
const NAMES = namesFor('participant-of-a-long-meeting', 100);

// A world each: emptying tables of this size takes longer than making others.
let lane: Lane;
beforeEach(async () => {
  lane = await startLane();
}, 60_000);
afterEach(() => lane.close());

/** Counts what a process reads of DynamoDB. */
function countReads(actor: Actor): { bytes: number; requests: number } {
  const read = { bytes: 0, requests: 0 };
  actor.intercept(async (step, act) => {
    const reply = await act();
    if (step.service === 'dynamodb' && !step.writes) {
      read.requests += 1;
      read.bytes += (reply as Reply).body.length;
    }
    return reply;
  });
  return read;
}

async function loseAnAnswer(meetingId: string): Promise<void> {
  const handler = await lane.startActor('handler');
  handler.intercept(async ({ name }, act) => {
    const reply = await act();
    return name === 'BatchCreateAttendee' ? 'reset' : reply;
  });
  await handler.invoke(lane.eventFor(meetingId, ['alice']));
  await handler.close();
}

/** What a lost answer in a meeting costs to settle, in two looks. */
async function settle(meetingId: string) {
  await loseAnAnswer(meetingId);
  const startedMs = performance.now();
  const looks = [];
  for (const shiftMs of LOOK_SHIFTS_MS.slice(0, 2)) {
    const reconciler = await lane.startActor('reconciler', shiftMs, HEAP_MB);
    const read = countReads(reconciler);
    const summary = (await reconciler.invoke({})) as ReconcileSummary;
    looks.push({ ...read, summary });
    await reconciler.close();
  }
  return { looks, tookMs: performance.now() - startedMs };
}

describe('a meeting with 400 MB of audit', () => {
  it('settles with the reads that an empty one takes', async () => {
    const small = await settle(await lane.createMeeting('small'));
    await lane.clear();
    const meetingId = await lane.createMeeting('large');
    const atMs = Date.now() - 3_600_000;
    await writeRecords(lane, REFUSED_BATCHES, (index) =>
      refusedBatch({ meetingId, atMs: atMs + index * 10, index, names: NAMES }),
    );
    const large = await settle(meetingId);
    for (const { looks } of [small, large]) {
      expect(looks.map(({ summary }) => [summary.lookAgain, summary.recovered, summary.failures])).toEqual([
        [1, 0, 0],
        [0, 1, 0],
      ]);
    }
    const [before, after] = [small, large].map(({ looks }) =>
      looks.map(({ bytes, requests }) => ({ requests, kb: Math.round(bytes / 1024) })),
    );
    console.log(
      `a look at an empty meeting: ${JSON.stringify(before)}, at one of ${REFUSED_BATCHES} batches: ${JSON.stringify(after)}, both in ${Math.round(large.tookMs)} ms and a heap of ${HEAP_MB} MB`,
    );
    expect(after).toEqual(before);
  }, 900_000);
});

describe('5,000 open batches of 100 names in one meeting', () => {
  it('drain in a bounded heap', async () => {
    const meetingId = await lane.createMeeting('crowded');
    const atMs = Date.now() - 50_000;
    await writeRecords(lane, OPEN_BATCHES, (index) => [
      openIntent({ meetingId, atMs: atMs + index, index, names: NAMES }),
    ]);
    const drained: number[] = [];
    const times: number[] = [];
    // The first run finds them, and begins to look. How many runs it takes says how fast this machine is.
    for (let run = 1; (drained.at(-1) ?? 0) < OPEN_BATCHES; run += 1) {
      expect(run).toBeLessThan(20);
      const reconciler = await lane.startActor('reconciler', run * 65_000, HEAP_MB);
      const startedMs = performance.now();
      const { notIssued, failures } = (await reconciler.invoke({})) as ReconcileSummary;
      times.push(performance.now() - startedMs);
      expect(failures).toBe(0);
      drained.push((drained.at(-1) ?? 0) + notIssued);
      await reconciler.close();
    }
    console.log(
      `${OPEN_BATCHES} open batches, in a heap of ${HEAP_MB} MB: settled after each run ${drained.join(', ')}; seconds ${times.map((ms) => Math.round(ms / 1000)).join(', ')}`,
    );
  }, 1_500_000);
});

describe('a sweep of 20,000 batches', () => {
  it('advances with each run, however short', async () => {
    const meetingId = await lane.createMeeting('swept');
    const atMs = Date.now() - 50_000;
    await writeRecords(lane, SWEPT_BATCHES, (index) =>
      refusedBatch({ meetingId, atMs: atMs + index, index, names: ['alice'] }),
    );
    const marks: string[] = [];
    let toEnd = false;
    for (let run = 1; !toEnd; run += 1) {
      const reconciler = await lane.startActor('reconciler', 65_000 + run * 1_000, HEAP_MB);
      // A slow table: a run comes through a part of it.
      reconciler.intercept(async (step, act) => {
        if (step.name.startsWith('BatchGetItem')) await new Promise((resolve) => setTimeout(resolve, 150));
        return act();
      });
      toEnd = ((await reconciler.invoke({})) as ReconcileSummary).sweptToEnd;
      await reconciler.close();
      const { Item } = await lane.client.send(
        new GetItemCommand({ TableName: lane.tableNames.openIntents, Key: marshall(SWEEP_KEYS.fast) }),
      );
      marks.push(Item?.['afterBatch']?.S ?? Item?.['through']?.S ?? '');
    }
    console.log(`${SWEPT_BATCHES} batches were swept in ${marks.length} runs`);
    expect(marks.length).toBeGreaterThan(1);
    expect(new Set(marks).size).toBe(marks.length);
  }, 600_000);
});
