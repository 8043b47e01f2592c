/** The `message` of every log line, by function; docs/runbook.md explains each. */
export const LOG_EVENTS = {
  function: [
    /** Attendees, answered with 200. */
    'batch',
    /** A meeting, answered with 200. */
    'meeting',
    /** Answered with anything else. */
    'request failed',
    'admissions pending',
    'denial not recorded',
    'origin refused',
    'keys not fetched',
    'key unusable',
    'issuer nearly matches',
    'token without scope claims',
  ],
  reconciler: [
    'run',
    'reconciled',
    'intent gone',
    'found late',
    'mark in the future',
    'out of step',
    'failed',
  ],
  observer: ['event recorded', 'event dropped', 'judged', 'present without a record'],
  sealer: ['seal run', 'hour sealed', 'late records left', 'seal broken', 'seal ahead'],
} as const;

/** The `step` of the reconciler's log line `failed`; docs/runbook.md explains each. */
export const RECONCILER_STEPS = [
  'clock',
  'since',
  'sweep',
  'list',
  'queue',
  'visit',
  'entry',
  'meeting',
] as const;

export type ReconcilerStep = (typeof RECONCILER_STEPS)[number];

export type LogEvent = (typeof LOG_EVENTS)[keyof typeof LOG_EVENTS][number];
