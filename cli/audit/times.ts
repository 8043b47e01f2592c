import { InvalidArgumentError } from 'commander';
import parseDuration from 'parse-duration';
import { mintBatchId } from '../../lambda/audit/batch-id.ts';
import type { Span } from '../../lambda/audit/schema.ts';

/** From `sinceMs` (inclusive) to `untilMs` (exclusive), in milliseconds since the epoch. */
export interface Range {
  sinceMs?: number;
  untilMs?: number;
}

export const DAY_MS = 24 * 60 * 60 * 1000;

/** The end of all ranges: later years have five digits, which sort before those with four. */
const LATEST_MS = Date.UTC(9999, 11, 31);

/** Unambiguous units; the library knows more, and skips unknown ones. */
const DURATION = /^(?:\d+[smhdw])+$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** ISO 8601 with the offset as `Z`, `+01`, `+0100` or `+01:00`, and a space for the `T` (RFC 3339, section 5.6). */
const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)(?:[Zz]|([+\u2212-])(\d{2})(?::?(\d{2}))?)?$/;
/** The largest offset in use. */
const MAX_OFFSET_MINUTES = 14 * 60;

/**
 * Reads `2h`, `1d12h` (ago), `2026-11-23`, or an ISO 8601 timestamp; all in UTC unless the timestamp says otherwise.
 *
 * @param end whether the end of a range is meant: a day then includes that day
 * @returns milliseconds since the epoch
 * @throws InvalidArgumentError
 */
export function parseTime(text: string, nowMs: number, end: boolean): number {
  const timeMs = DURATION.test(text)
    ? nowMs - (parseDuration(text) ?? Number.NaN)
    : DAY.test(text)
      ? startOfDay(text) + (end ? DAY_MS : 0)
      : parseTimestamp(text);
  if (!(timeMs >= 0)) {
    throw new InvalidArgumentError(
      'Give 30m, 2h, 7d, a day like 2026-11-23, 2026-11-23T13:45:00Z, or 2026-11-23T14:45+01:00.',
    );
  }
  return Math.min(timeMs, LATEST_MS);
}

/** @throws InvalidArgumentError */
export function parseDay(text: string): string {
  if (Number.isNaN(startOfDay(text))) throw new InvalidArgumentError('Give a day like 2026-11-23.');
  return text;
}

/** Milliseconds since the epoch, or NaN for an invalid day such as 30 February. */
function startOfDay(text: string): number {
  const timeMs = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(timeMs) && dayOf(timeMs) === text ? timeMs : Number.NaN;
}

function parseTimestamp(text: string): number {
  const [, day = '', time = '', sign, hours, minutes = '00'] = TIMESTAMP.exec(text) ?? [];
  if (Number.isNaN(startOfDay(day)) || time.startsWith('24')) return Number.NaN;
  const milliseconds = time.replace(',', '.').replace(/(\.\d{3})\d+$/, '$1');
  const timeMs = Date.parse(`${day}T${milliseconds}Z`);
  if (hours === undefined) return timeMs;
  const offsetMinutes = Number(hours) * 60 + Number(minutes);
  if (Number(minutes) > 59 || offsetMinutes > MAX_OFFSET_MINUTES) return Number.NaN;
  return timeMs - (sign === '+' ? offsetMinutes : -offsetMinutes) * 60_000;
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** The UTC days that a range touches, in order. */
export function* daysIn(sinceMs: number, untilMs: number): Generator<string> {
  for (let startMs = startOfDay(dayOf(sinceMs)); startMs < untilMs; startMs += DAY_MS) yield dayOf(startMs);
}

/**
 * The bounds of the batch ids of a range, and of keys that begin with a batch id, for a BETWEEN. A bound has no random
 * part and so sorts before every id of its millisecond, which correctly excludes the end.
 */
export function batchIdBounds({ sinceMs = 0, untilMs = LATEST_MS }: Range): Span {
  return { from: mintBatchId(sinceMs, ''), to: mintBatchId(untilMs, '') };
}
