import type { Reason } from './reasons.ts';

/**
 * What is counted. A name, and a reason where there is one, is a word of this code and never of a request, so no
 * metric can hold personal data and none can be multiplied from outside.
 */
export const METRIC_NAMES = [
  /** Batches that were answered with 200. */
  'BatchesAnswered',
  'AttendeesIssued',
  'AttendeesWithheld',
  /** Existing attendees of self callers that were released with more than the caller's ceiling. */
  'AttendeesAboveCeiling',
  /** Attendees that Chime could not create, as its answer says one by one. */
  'AttendeeErrors',
  /** Known callers whom a rule refused, by rule. */
  'Denials',
  /** Requests whose token did not verify, by reason. */
  'Unauthenticated',
  /** Every other answer than 200, by reason. */
  'FailedRequests',
  /** Seconds since the oldest unfinished batch began, or since how far was swept; 0 if there is none. Missing where it is not known. */
  'OldestOpenIntentAge',
  'IntentsRecovered',
  'IntentsNotIssued',
  'IntentsUnresolved',
  /** Intents without outcome that the reconciler found more than an hour after they began. */
  'IntentsFoundLate',
  /** Entries that the reconciler could not deal with and left for its next run. */
  'ReconcilerFailures',
] as const;

export type MetricName = (typeof METRIC_NAMES)[number];

/** Counts what happens, together with a reason where there is one. Never fails and never waits. */
export type AddMetrics = (values: Partial<Record<MetricName, number>>, reason?: Reason) => void;
