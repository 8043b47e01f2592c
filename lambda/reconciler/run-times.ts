/** The times of a run in milliseconds, each within the next. */
export const RUN_TIMES = {
  recordMs: 5_000,
  admissionsMs: 5_000,
  /** The most time for one call to AWS: no call may hang for longer than a run can spare. */
  callMs: 5_000,
  /** Reserved for an orderly end of the run: nothing begins with less time left. */
  stopReserveMs: 8_000,
} as const;
