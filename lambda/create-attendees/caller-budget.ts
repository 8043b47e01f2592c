import type { Clock } from '../model/ports.ts';
import { createBoundedMap } from './bounded-map.ts';

/** A budget per caller: a token bucket each, in this process. */
export interface CallerBudget {
  /** Takes one, if one is left. */
  take(callerId: string): boolean;
  /** Gives some back, up to the capacity; one by default. */
  giveBack(callerId: string, amount?: number): void;
}

/**
 * @param options.capacity what a caller may take at once
 * @param options.perSecond what it gets back, up to the capacity
 */
export function createCallerBudget(
  clock: Clock,
  options: { capacity: number; perSecond: number },
): CallerBudget {
  // A dropped caller starts with a full bucket; that takes a thousand verified callers.
  const buckets = createBoundedMap<string, { left: number; atMs: number }>(1_000);

  function refilled(callerId: string): { left: number; atMs: number } {
    const nowMs = clock.now();
    const { left, atMs } = buckets.get(callerId) ?? { left: options.capacity, atMs: nowMs };
    const gainedBy = Math.max(0, nowMs - atMs) / 1_000;
    return { left: Math.min(options.capacity, left + gainedBy * options.perSecond), atMs: nowMs };
  }

  return {
    take(callerId) {
      const { left, atMs } = refilled(callerId);
      const taken = left >= 1;
      buckets.set(callerId, { left: taken ? left - 1 : left, atMs });
      return taken;
    },
    giveBack(callerId, amount = 1) {
      const { left, atMs } = refilled(callerId);
      buckets.set(callerId, { left: Math.min(options.capacity, left + amount), atMs });
    },
  };
}
