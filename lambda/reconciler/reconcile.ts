import { beginningOfBatch } from '../audit/batch-id.ts';
import type { Unfinished } from '../audit/ports.ts';
import { Looker } from './look.ts';
import { type ReconcileDependencies, type ReconcileSummary, Run } from './run.ts';
import { Settler } from './settle.ts';
import { Sweeper } from './sweep.ts';
import { dueMeetings, Visit } from './visit.ts';

export type { ReconcileDependencies, ReconcileSummary };

export interface ReconcileCall {
  /** When the function is stopped, in milliseconds since the epoch. */
  stopsAtMs: number;
  /** Sweeps again from this time (milliseconds since the epoch), or from a cursor's position if that is earlier. */
  sinceMs?: number;
}

/**
 * One run of the reconciler: finds the intents that are past their time and have no outcome, asks Chime who exists, and
 * writes the outcomes. If a run fails, is killed or runs out of time, the next one does the rest. Two runs at once do
 * no harm: an outcome is only inserted, and everything else can be repeated.
 *
 * @throws if the lists of unfinished batches cannot be read
 */
export async function reconcile(
  { stopsAtMs, sinceMs }: ReconcileCall,
  dependencies: ReconcileDependencies,
): Promise<ReconcileSummary> {
  const run = new Run(stopsAtMs, dependencies);
  const sweeper = new Sweeper(run);
  await run.attempt('clock', undefined, () => run.begin());
  if (sinceMs !== undefined) await run.attempt('since', undefined, () => sweeper.sweepAgainFrom(sinceMs));
  // A failed sweep must not delay the batches that are already on the list.
  await run.attempt('sweep', undefined, async () => {
    const { sweptMs, toEnd } = await sweeper.sweep('fast');
    run.sweptMs = sweptMs;
    run.summary.sweptToEnd = toEnd;
  });
  let drained = false;
  await run.attempt('list', undefined, async () => {
    drained = await sweeper.drainEarlierList();
  });
  // A batch on an earlier version's list was not found late.
  if (drained) await run.attempt('sweep', undefined, () => sweeper.sweep('slow'));
  await run.attempt('queue', undefined, () => visitMeetings(run));
  await conclude(run, sweeper);
  return run.summary;
}

async function visitMeetings(run: Run): Promise<void> {
  const looker = new Looker(run);
  const settler = new Settler(run);
  for await (const meeting of dueMeetings(run)) {
    await run.attempt('visit', undefined, () => new Visit(run, looker, settler, meeting).make());
  }
}

/** How long a batch may stay on the list before it is put under its meeting again. */
const LONG_MS = 10 * 60_000;

async function conclude(run: Run, sweeper: Sweeper): Promise<void> {
  const { summary, dependencies } = run;
  const unfinished = await dependencies.openIntents.unfinished();
  summary.open = unfinished.open;
  summary.incomplete = unfinished.incomplete;
  await run.attempt('list', undefined, () => noticeForgotten(run, sweeper, unfinished));
  dependencies.addMetrics({
    IntentsRecovered: summary.recovered,
    IntentsNotIssued: summary.notIssued,
    IntentsUnresolved: summary.unresolved,
    IntentsFoundLate: summary.foundLate,
    ReconcilerFailures: summary.failures,
    // An age that left something out would silence an alarm that is due: whatever is not swept yet may be open.
    ...(run.sweptMs > 0 && { OldestOpenIntentAge: ageSeconds(run, unfinished) }),
  });
}

/**
 * Puts the oldest batch of each list under its meeting again if it stays: a run that died may have left it on the list
 * only.
 */
async function noticeForgotten(run: Run, sweeper: Sweeper, unfinished: Unfinished): Promise<void> {
  const { oldestOpen, oldestIncomplete } = unfinished;
  for (const [key, settled] of [
    [oldestOpen, false],
    [oldestIncomplete, true],
  ] as const) {
    if (key === undefined || run.nowMs - beginningOfBatch(key.batchId) < LONG_MS) continue;
    await sweeper.noticeAgain(key, settled);
  }
}

function ageSeconds(run: Run, { oldestOpen }: Unfinished): number {
  const { nowMs, summary } = run;
  const oldestMs = Math.min(
    oldestOpen === undefined ? nowMs : beginningOfBatch(oldestOpen.batchId),
    summary.sweptToEnd ? nowMs : run.sweptMs,
  );
  return Math.max(0, Math.round((nowMs - oldestMs) / 1000));
}
