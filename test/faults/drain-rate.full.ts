import { expect, it } from '@jest/globals';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { openIntent, writeRecords } from '../support/faults/bulk.ts';
import { inLanes, namesFor, startLane } from '../support/faults/lane.ts';

/** More than one run has the time to look at. */
const MEETINGS = 110;

it('drains batches that have a meeting each at the pace of its requests to Chime', async () => {
  const lane = await startLane();
  try {
    const meetingIds: string[] = [];
    await inLanes([...Array(MEETINGS).keys()], 4, async () => {
      meetingIds.push(await lane.createMeeting('one batch'));
    });
    const names = namesFor('guest', 2);
    const atMs = Date.now() - 50_000;
    await writeRecords(lane, MEETINGS, (index) => [
      openIntent({ meetingId: meetingIds[index] as string, atMs: atMs + index, index, names }),
    ]);
    const settled: number[] = [];
    let requests = 0;
    let tookMs = 0;
    // A run a minute, as scheduled, by the clocks of the processes.
    for (let run = 1; settled.at(-1) !== MEETINGS; run += 1) {
      const reconciler = await lane.startActor('reconciler', run * 65_000);
      const startedMs = performance.now();
      const summary = (await reconciler.invoke({})) as ReconcileSummary;
      tookMs += performance.now() - startedMs;
      await reconciler.close();
      expect(summary.failures).toBe(0);
      requests += summary.listRequests;
      settled.push((settled.at(-1) ?? 0) + summary.notIssued);
    }
    expect(requests).toBe(2 * MEETINGS);
    expect(requests / (tookMs / 1000)).toBeLessThanOrEqual(2.1);
    console.log(
      `${MEETINGS} open batches in as many meetings: settled after each run ${settled.join(', ')}; ${requests} requests to Chime in ${Math.round(tookMs / 1000)} s of runs`,
    );
    expect(await lane.problems()).toEqual([]);
  } finally {
    await lane.close();
  }
}, 600_000);
