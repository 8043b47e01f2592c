import { setTimeout as pause } from 'node:timers/promises';
import type { FunctionPool } from './lambda/pool.ts';
import { matchesPattern, type SubscriptionDescription } from './rules.ts';

/** Hands events to the functions whose rules match them. */
export interface EventBus {
  publish(event: object): void;
  close(): Promise<void>;
}

/** Lambda tries an event twice more (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html), after minutes. */
const RETRY_PAUSES_MS = [1_000, 2_000];

/**
 * The default event bus of one machine. What fails is in the function's own log, and an event that fails three times is gone:
 * there is no dead-letter queue here.
 */
export function createEventBus(
  subscriptions: readonly SubscriptionDescription[],
  functions: ReadonlyMap<string, Pick<FunctionPool, 'invoke'>>,
  retryPausesMs: readonly number[] = RETRY_PAUSES_MS,
): EventBus {
  const closing = new AbortController();
  const running = new Set<Promise<void>>();

  async function deliver(functionArn: string, event: object): Promise<void> {
    for (const pauseMs of [0, ...retryPausesMs]) {
      try {
        if (pauseMs > 0) await pause(pauseMs, undefined, { signal: closing.signal });
        await functions.get(functionArn)?.invoke(event);
        return;
      } catch {
        if (closing.signal.aborted) return;
      }
    }
  }

  return {
    publish(event) {
      for (const { functionArn, pattern } of subscriptions) {
        if (!matchesPattern(pattern, event)) continue;
        const delivery = deliver(functionArn, event);
        running.add(delivery);
        void delivery.finally(() => running.delete(delivery));
      }
    },
    async close() {
      closing.abort();
      await Promise.all(running);
    },
  };
}
