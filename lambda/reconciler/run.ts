import { isBatchId } from '../audit/batch-id.ts';
import type { Admissions, AuditLog, AuditReader, OpenIntents } from '../audit/ports.ts';
import { UnreadableRecord } from '../audit/unreadable-record.ts';
import type { LogEvent, ReconcilerStep } from '../model/log-events.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { AttendeeList, Clock } from '../model/ports.ts';
import { RUN_TIMES } from './run-times.ts';

export interface ReconcilerSettings {
  /** The Chime SDK control Region that this reconciler asks. */
  meetingsRegion: string;
  /** How long after an intent's deadline its handler and Chime have to finish. */
  marginMs: number;
  /** The least time between two looks at the same meeting. */
  secondLookMs: number;
}

export interface ReconcileDependencies {
  audit: AuditReader;
  auditLog: Pick<AuditLog, 'recordOutcome'>;
  openIntents: OpenIntents;
  attendeeList: AttendeeList;
  admissions: Admissions;
  settings: ReconcilerSettings;
  clock: Clock;
  pause(ms: number): Promise<void>;
  randomHex(): string;
  addMetrics: AddMetrics;
  /** Logs an event, in words that hold no personal data. */
  report(event: LogEvent, facts: Record<string, string | number | undefined>): void;
}

/** What one run did. */
export interface ReconcileSummary {
  recovered: number;
  notIssued: number;
  unresolved: number;
  /** Batches that got their outcome from another writer, or whose admissions were incomplete. */
  completed: number;
  /** Intents without outcome that only the slow cursor found. */
  foundLate: number;
  /** Intents that were looked at and need another look. */
  lookAgain: number;
  /** Intents that were not due yet, or for which the run had no time. */
  waiting: number;
  /** Failures that are left to the next run. */
  failures: number;
  /** Requests to Chime. */
  listRequests: number;
  /** Batches that are unfinished after the run and had no outcome when they were noticed; 1,000 are counted at most. */
  open: number;
  /** Batches whose admissions may be incomplete after the run; 1,000 are counted at most. */
  incomplete: number;
  /** Whether every intent up to now, less the margin, was swept. */
  sweptToEnd: boolean;
}

/** The most skew between clocks that agree. */
const MAX_SKEW_MS = 5_000;
/** The most time between runs of a reconciler that works. */
const MAX_PAUSE_MS = 10 * 60_000;

/** The state that the parts of one run share: its time, its results, and how it goes on after a failure. */
export class Run {
  readonly dependencies: ReconcileDependencies;
  readonly startMs: number;
  readonly summary: ReconcileSummary = {
    recovered: 0,
    notIssued: 0,
    unresolved: 0,
    completed: 0,
    foundLate: 0,
    lookAgain: 0,
    waiting: 0,
    failures: 0,
    listRequests: 0,
    open: 0,
    incomplete: 0,
    sweptToEnd: false,
  };
  /** Every intent begun before this time is complete or on the list, as far as this run knows. */
  sweptMs = Number.NEGATIVE_INFINITY;
  readonly #endMs: number;
  #inStep = false;

  constructor(stopsAtMs: number, dependencies: ReconcileDependencies) {
    this.dependencies = dependencies;
    this.startMs = dependencies.clock.now();
    this.#endMs = stopsAtMs - RUN_TIMES.stopReserveMs;
  }

  get nowMs(): number {
    return this.dependencies.clock.now();
  }

  /** Whether a share of the run's time is over; by default all of it. */
  isOver(share = 1): boolean {
    return this.nowMs >= this.startMs + (this.#endMs - this.startMs) * share;
  }

  /**
   * Compares clocks with the previous run. The times of looks and sweeps are only comparable if both runs have the same
   * clock: otherwise one of the two is wrong, and nothing is decided by either.
   */
  async begin(): Promise<void> {
    const before = await this.dependencies.openIntents.beginRun(isoTime(this.startMs));
    const sinceMs = this.startMs - Date.parse(before ?? '');
    this.#inStep = sinceMs >= -MAX_SKEW_MS && sinceMs <= MAX_PAUSE_MS;
    if (before !== undefined && !this.#inStep) {
      this.dependencies.report('out of step', { secondsSinceLastRun: Math.round(sinceMs / 1000) });
    }
  }

  /** Whether this run may decide the outcome of an intent. */
  get mayDecide(): boolean {
    return this.#inStep;
  }

  /** Counts a failure and leaves it to the next run. @returns whether the attempt succeeded */
  async attempt(
    step: ReconcilerStep,
    batchId: string | undefined,
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.skip(step, error, batchId);
      return false;
    }
  }

  skip(step: ReconcilerStep, error: unknown, batchId?: string): void {
    this.summary.failures += 1;
    const named = error instanceof UnreadableRecord ? error.batchId : batchId;
    // Messages of foreign errors may quote their input, and so may a batch id that a person wrote: only names are
    // logged.
    const batch = named !== undefined && isBatchId(named) ? named : undefined;
    const cause = error instanceof Error ? error.name : typeof error;
    this.dependencies.report('failed', { step, batch, cause });
  }
}

export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Limits the concurrent calls to DynamoDB. */
const AT_ONCE = 10;

export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    await Promise.all(items.slice(start, start + AT_ONCE).map(work));
  }
}
