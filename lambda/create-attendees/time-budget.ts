import { FacadeError } from '../model/errors.ts';
import type { Clock } from '../model/ports.ts';

/** The times of a request in milliseconds, each within the next (docs/wire-contract.md, "How long it takes, at most"). */
export const REQUEST_TIMES = {
  /** The most time for a request, if the function has that long. */
  budgetMs: 15_000,
  /** Reserved for shaping and sending the answer before the function is stopped. */
  answerReserveMs: 500,
  /** Reserved for admissions and outcome: with less left, Chime is not called, or no longer waited for. */
  recordReserveMs: 3_000,
  /** The share of that reserved for the outcome. */
  outcomeReserveMs: 2_000,
  findMeetingMs: 3_000,
  recordMs: 3_000,
  admissionsMs: 1_000,
  /** With less time, a call to Chime is not worth starting. */
  minCreateMs: 250,
} as const;

/** The time that a request has left. */
export interface TimeBudget {
  readonly startMs: number;
  /** The request stops at this time (milliseconds since the epoch). */
  readonly deadlineMs: number;
  /**
   * The time limit of a step.
   *
   * @param reserveMs reserved for the steps after it
   * @throws FacadeError `ServiceUnavailable` if no time is left
   */
  forStep(atMostMs: number, reserveMs?: number): number;
  /** The time limit of the call to Chime; undefined if it is not worth starting. */
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

/** A 503 for a failure that a retry may fix. */
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
