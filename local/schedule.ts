import type { FunctionPool } from './lambda/pool.ts';
import type { ScheduleDescription } from './template.ts';

/** Runs functions at their rates, first after one interval. Failures are in the function's own log. */
export function startSchedules(
  schedules: readonly ScheduleDescription[],
  functions: ReadonlyMap<string, Pick<FunctionPool, 'invoke'>>,
): { close(): Promise<void> } {
  const timers = schedules.map(({ functionArn, everyMs, event }) =>
    setInterval(() => {
      functions
        .get(functionArn)
        ?.invoke(event)
        .catch(() => {});
    }, everyMs),
  );
  return { close: async () => timers.forEach(clearInterval) };
}
