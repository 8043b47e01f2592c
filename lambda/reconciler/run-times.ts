/** The times of a run in milliseconds, each within the next. */
export const RUN_TIMES = {
  recordMs: 5_000,
  admissionsMs: 5_000,
  /** The longest that any one call to AWS may take: no call may hang for longer than a run can spare. */
  callMs: 5_000,
  /** Kept for ending a run in order: nothing begins when less is left. */
  stopReserveMs: 8_000,
} as const;
