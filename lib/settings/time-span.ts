import type { Duration } from 'aws-cdk-lib';

/** A number in the unit at the end of the key's name, or a CDK duration, a whole number of that unit. */
export type TimeSpan = number | Duration;

/** The schema of a key with a time span: its types as written and once complete. */
export const timeSpan = { ts: { name: 'TimeSpan', from: './time-span.ts' }, complete: { name: 'number' } };

/** `RetentionDays.INFINITE` of CDK: kept for ever. */
export const INFINITE_DAYS = 9999;

/** @returns a duration as the number that its key takes; anything else as it is */
export function numberIn(key: string, value: unknown): unknown {
  // By its shape, because an app may have another copy of aws-cdk-lib.
  if (typeof (value as Partial<Duration> | undefined)?.toMilliseconds !== 'function') return value;
  const duration = value as Duration;
  const exact = { integral: false };
  if (key.endsWith('Days')) return duration.toDays(exact);
  if (key.endsWith('Minutes')) return duration.toMinutes(exact);
  if (key.endsWith('Seconds')) return duration.toSeconds(exact);
  if (key.endsWith('Ms')) return duration.toMilliseconds(exact);
  return value;
}
