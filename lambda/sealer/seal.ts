import type { SealStore } from '../audit/seal-store.ts';
import { beginningOfHour, HOUR_MS, hourAfter, hourAt, SEAL_LAG_MS, textOfSeal } from '../audit/seals.ts';
import type { LogEvent } from '../model/log-events.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { Clock } from '../model/ports.ts';
import { BrokenSeal } from './broken-seal.ts';
import { Chain } from './chain.ts';
import type { Facts } from './ports.ts';
import { readHour } from './seal-hour.ts';

const LAST_HOUR = '9999-12-31T23Z';

export interface SealDependencies {
  facts: Facts;
  seals: SealStore;
  /** The table of facts, as seals name it. */
  auditTableName: string;
  clock: Clock;
  addMetrics: AddMetrics;
  /** What happened, in words that hold no personal data. */
  report(event: LogEvent, facts: Record<string, string | number | undefined>): void;
}

/** What one run did. */
export interface SealSummary {
  /** Hours that this run sealed. */
  sealed: number;
  /** Hours that another sealer sealed meanwhile. */
  sealedElsewhere: number;
  /** Records that got into a seal of a later hour than their own; the first seal's are not counted. */
  late: number;
  /** Hours that are due and have no seal after the run. */
  unsealed: number;
  /** Seals of the last 48 hours that are missing, or are not what the chain says. */
  broken: number;
  /** The newest hour that has a seal. */
  newest?: string;
}

/**
 * One run of the sealer: seals every hour that is due, in order. All that it needs to know is in the facts and in the chain,
 * and all that it changes is one object an hour, which can be written once. So a run may be killed anywhere, and two at once
 * do no harm.
 *
 * @param stopsAtMs no hour is begun after this instant (milliseconds since the epoch)
 * @throws BrokenSeal where the newest object is no seal; where facts or seals cannot be read or written
 */
export async function sealDueHours(stopsAtMs: number, dependencies: SealDependencies): Promise<SealSummary> {
  const { seals, clock, addMetrics, report } = dependencies;
  const due = newestDue(clock.now());
  const newest = await seals.newest(due);
  const summary: SealSummary = {
    sealed: 0,
    sealedElsewhere: 0,
    late: 0,
    unsealed: newest === undefined ? 1 : hoursFromTo(newest, due),
    broken: 0,
    ...(newest !== undefined && { newest }),
  };
  const reportBroken = (hour: string) => {
    summary.broken += 1;
    report('seal broken', { hour });
  };
  const chain = new Chain(seals, reportBroken);
  try {
    if (newest !== undefined && newest < due) await chain.goOnFrom(newest);
    const first = newest === undefined ? await firstHour(due, dependencies) : hourAfter(newest);
    for (let hour = first; hour !== undefined && hour <= due; hour = hourAfter(hour)) {
      if (clock.now() >= stopsAtMs) break;
      await sealHour(hour, chain, summary, dependencies);
    }
  } catch (error) {
    if (error instanceof BrokenSeal) reportBroken(error.hour);
    throw error;
  } finally {
    addMetrics({
      HoursSealed: summary.sealed,
      HoursUnsealed: summary.unsealed,
      RecordsSealedLate: summary.late,
      SealsBroken: summary.broken,
    });
  }
  return summary;
}

/**
 * The hour with which a chain begins: older facts than the late part of its seal are from before sealing began. There is none
 * where later hours have seals, since this clock is behind then, or another one was ahead: a chain has one beginning.
 */
async function firstHour(due: string, { seals, report }: SealDependencies): Promise<string | undefined> {
  const ahead = await seals.newest(LAST_HOUR);
  if (ahead === undefined) return due;
  report('seal ahead', { hour: ahead });
  return undefined;
}

async function sealHour(
  hour: string,
  chain: Chain,
  summary: SealSummary,
  { facts, auditTableName: table, clock, report }: SealDependencies,
): Promise<void> {
  const sealedAt = new Date(clock.now()).toISOString();
  const { newest: previous, known } = chain;
  const { left, ...lists } = await readHour({ hour, previous, known }, facts);
  const seal = {
    version: 1 as const,
    table,
    hour,
    sealedAt,
    previous: previous === undefined ? null : { hour: previous.seal.hour, sha256: previous.sha256 },
    ...lists,
  };
  const isOurs = await chain.add(seal, textOfSeal(seal));
  summary.unsealed -= 1;
  summary.newest = hour;
  if (left > 0) report('late records left', { hour, records: left });
  if (!isOurs) {
    summary.sealedElsewhere += 1;
    return;
  }
  summary.sealed += 1;
  if (previous !== undefined) summary.late += seal.late.length;
  report('hour sealed', {
    hour,
    records: seal.records.length,
    late: seal.late.length,
    open: seal.open.length,
  });
}

/** The newest hour that is due at an instant. */
function newestDue(nowMs: number): string {
  return hourAt(nowMs - HOUR_MS - SEAL_LAG_MS);
}

function hoursFromTo(first: string, last: string): number {
  return (beginningOfHour(last) - beginningOfHour(first)) / HOUR_MS;
}
