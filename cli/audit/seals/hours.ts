import { beginningOfHour, HOUR_MS, hourAt } from '../../../lambda/audit/seals.ts';

/** The hour so many hours after one; before it, where the number is negative. */
export function hoursAfter(hour: string, count: number): string {
  return hourAt(beginningOfHour(hour) + count * HOUR_MS);
}

export function hourBefore(hour: string): string {
  return hoursAfter(hour, -1);
}
