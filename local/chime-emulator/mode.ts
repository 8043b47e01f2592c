import { z } from 'zod';
import { EXISTING_MODES, type ExistingMode } from './meetings.ts';
import type { OperationName } from './operation-names.ts';

/** The body of `PUT /_emulator/mode`; omitted members stay as they are. */
export const modeSchema = z.strictObject({
  existing: z.enum(EXISTING_MODES).optional(),
  ratePerSecond: z.number().positive().nullable().optional(),
  burst: z.int().min(1).nullable().optional(),
});

export type Mode = ReturnType<typeof createMode>;

/** The emulator's default mode: existing attendees are kept, and nothing is throttled. `now` gives milliseconds. */
export function createMode(now: () => number) {
  const settings = {
    existing: 'keep' as ExistingMode,
    ratePerSecond: null as number | null,
    burst: null as number | null,
  };
  const buckets = new Map<OperationName, { tokens: number; atMs: number }>();

  return {
    settings: () => ({ ...settings }),

    /** Changes the given members; the buckets start full again. */
    change(change: z.infer<typeof modeSchema>): void {
      if (change.existing !== undefined) settings.existing = change.existing;
      if (change.ratePerSecond !== undefined) settings.ratePerSecond = change.ratePerSecond;
      if (change.burst !== undefined) settings.burst = change.burst;
      buckets.clear();
    },

    /** Whether a call is within the rate: a token bucket for each operation, as the quotas are for each operation. */
    admits(operation: OperationName): boolean {
      const { ratePerSecond } = settings;
      if (ratePerSecond === null) return true;
      const capacity = settings.burst ?? Math.max(1, Math.floor(ratePerSecond));
      const bucket = buckets.get(operation) ?? { tokens: capacity, atMs: now() };
      const refilled = ((now() - bucket.atMs) / 1000) * ratePerSecond;
      const tokens = Math.min(capacity, bucket.tokens + refilled);
      const admitted = tokens >= 1;
      buckets.set(operation, { tokens: admitted ? tokens - 1 : tokens, atMs: now() });
      return admitted;
    },
  };
}
