import type { Reason } from './reasons.ts';

/**
 * What is counted. A name or reason is a word of this code and never of a request, so no metric can hold personal data
 * and no caller can add metrics.
 */
export const METRIC_NAMES = [
  /** Batches answered with 200. */
  'BatchesAnswered',
  'AttendeesIssued',
  'AttendeesWithheld',
  /** Existing attendees of self callers, released with more than the caller's ceiling. */
  'AttendeesAboveCeiling',
  /** Attendees that Chime could not create, as listed in its answer. */
  'AttendeeErrors',
  /** Known callers that a rule denied, by rule. */
  'Denials',
  /** Requests whose token did not verify, by reason. */
  'Unauthenticated',
  /** Every other answer than 200, by reason. */
  'FailedRequests',
  /**
   * Seconds since the oldest unfinished batch began, or since the time that the sweep has reached; 0 if no batch is
   * open. Missing if unknown.
   */
  'OldestOpenIntentAge',
  'IntentsRecovered',
  'IntentsNotIssued',
  'IntentsUnresolved',
  /** Intents without outcome that the reconciler found more than an hour after they began. */
  'IntentsFoundLate',
  /** Items that the reconciler could not process and left for its next run. */
  'ReconcilerFailures',
  /** Events of Chime that the observer recorded. */
  'EventsRecorded',
  /** Events that are not as Chime documents them, and were dropped. */
  'EventsMalformed',
  /** Attendees in a quarter hour's events whom no record of Usher explains. */
  'AttendeesWithoutRecord',
  /** Hours that the sealer sealed. */
  'HoursSealed',
  /** Hours that are due and have no seal after a run of the sealer. Missing where it is not known. */
  'HoursUnsealed',
  /** Records that got into the seal of a later hour than their own. */
  'RecordsSealedLate',
  /** Seals that are missing, or are not what the chain says, as far as a run of the sealer looked. */
  'SealsBroken',
] as const;

export type MetricName = (typeof METRIC_NAMES)[number];

/** Counts what happens, with an optional reason. Never fails and never waits. */
export type AddMetrics = (values: Partial<Record<MetricName, number>>, reason?: Reason) => void;
