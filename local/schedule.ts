import type { FunctionPool } from './lambda/pool.ts';
import type { ScheduleDescription } from './rules.ts';

/** Runs functions at their rates, each first after one interval. Failures are in the function's own log. */
export function startSchedules(
  schedules: readonly ScheduleDescription[],
  functions: ReadonlyMap<string, Pick<FunctionPool, 'invoke'>>,
  now: () => number = Date.now,
): { close(): Promise<void> } {
  const timers = new Set<NodeJS.Timeout>();
  for (const { functionArn, everyMs, offsetMs, event } of schedules) {
    const run = () => {
      functions
        .get(functionArn)
        ?.invoke(event)
        .catch(() => {});
    };
    if (offsetMs === undefined) {
      timers.add(setInterval(run, everyMs));
      continue;
    }
    const first = setTimeout(
      () => {
        timers.delete(first);
        run();
        timers.add(setInterval(run, everyMs));
      },
      everyMs - ((((now() - offsetMs) % everyMs) + everyMs) % everyMs),
    );
    timers.add(first);
  }
  return {
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
