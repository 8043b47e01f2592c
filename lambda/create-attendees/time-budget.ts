import { FacadeError } from '../model/errors.ts';
import type { Clock } from '../model/ports.ts';

/** The times of a request in milliseconds, each within the next (docs/wire-contract.md, "How long it takes, at most"). */
export const REQUEST_TIMES = {
  /** The longest that a request may take, where the function has that long. */
  budgetMs: 15_000,
  /** Kept for shaping and sending the answer before the function is stopped. */
  answerReserveMs: 500,
  /** Kept for admissions and outcome: Chime is not called, or no longer waited for, when less is left. */
  recordReserveMs: 3_000,
  /** Of these, kept for the outcome. */
  outcomeReserveMs: 2_000,
  findMeetingMs: 3_000,
  recordMs: 3_000,
  admissionsMs: 1_000,
  /** Below this, a call to Chime is not worth starting. */
  minCreateMs: 250,
} as const;

/** What is left of a request's time. */
export interface TimeBudget {
  readonly startMs: number;
  /** After this instant (milliseconds since the epoch) nothing of the request goes on. */
  readonly deadlineMs: number;
  /**
   * How long a step may take.
   *
   * @param reserveMs what is kept for the steps after it
   * @throws FacadeError `ServiceUnavailable` where nothing is left
   */
  forStep(atMostMs: number, reserveMs?: number): number;
  /** How long Chime may take; undefined where it is not worth starting. */
  forChime(): number | undefined;
}

/** @param stopsAtMs when the function is stopped, in milliseconds since the epoch */
export function startTimeBudget(clock: Clock, stopsAtMs: number): TimeBudget {
  const startMs = clock.now();
  const deadlineMs = Math.min(startMs + REQUEST_TIMES.budgetMs, stopsAtMs - REQUEST_TIMES.answerReserveMs);
  return {
    startMs,
    deadlineMs,
    forStep(atMostMs, reserveMs = 0) {
      const leftMs = Math.min(atMostMs, deadlineMs - reserveMs - clock.now());
      if (leftMs <= 0) throw outOfTime();
      return leftMs;
    },
    forChime() {
      const leftMs = deadlineMs - REQUEST_TIMES.recordReserveMs - clock.now();
      return leftMs < REQUEST_TIMES.minCreateMs ? undefined : leftMs;
    },
  };
}

export function outOfTime(): FacadeError {
  return unavailable('out-of-time', 'The request took too long.');
}

/** A 503 for what a retry may bring. */
export function unavailable(
  reason: 'out-of-time' | 'intent-not-recorded' | 'outcome-not-recorded' | 'outcome-lost' | 'chime-ambiguous',
  problem: string,
  cause?: unknown,
): FacadeError {
  return new FacadeError('ServiceUnavailable', `${problem} Repeating the same request is safe.`, {
    retryAfterSeconds: 1,
    reason,
    cause,
  });
}
