import { isIntent, isOutcome } from './readable-records.ts';
import type { IntentRecord, OutcomeRecord } from './records.ts';

// What Chime's events say of attendees, and which of them the records of Usher explain. The observer keeps events and judges
// them; the audit command shows them.

/** The events that are kept, by the `eventType` of Chime. */
export const EVENT_TYPES = ['chime:AttendeeAdded', 'chime:AttendeeJoined'] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** One event of one attendee, in the table of events. */
export interface AttendeeEvent {
  attendeeId: string;
  /** `<at>/<eventType>`, so that an event that is delivered twice is one item. */
  eventId: string;
  eventType: EventType;
  /** In lower case, as in the table of facts. */
  meetingId: string;
  externalUserId: string;
  /** When it happened, as the event says, ISO 8601 in UTC. */
  at: string;
  /** When the observer had it. */
  arrivedAt: string;
  /** The quarter of an hour of `arrivedAt`: key of the index `by-arrival`. */
  arrivedIn: string;
  /** In seconds since the epoch; absent where the audit is kept for ever. */
  expiresAt?: number;
}

export const QUARTER_MS = 15 * 60_000;

/** A record that explains an attendee, and its index entry, is there by then: an event is not judged earlier. */
export const JUDGED_AFTER_MS = 15 * 60_000;

/**
 * The longest that a batch can have begun before its attendee's event: no meeting lasts longer
 * (https://docs.aws.amazon.com/chime-sdk/latest/dg/create-mtgs.html).
 */
export const MEETING_MS = 24 * 60 * 60_000;

/** The quarter of an hour in which an instant (milliseconds since the epoch) lies: `2026-11-23T13:45Z`. */
export function quarterAt(timeMs: number): string {
  return `${new Date(Math.floor(timeMs / QUARTER_MS) * QUARTER_MS).toISOString().slice(0, 16)}Z`;
}

/** Whether a text is what `quarterAt` makes. */
export function isQuarter(text: string): boolean {
  const timeMs = Date.parse(text);
  return Number.isFinite(timeMs) && quarterAt(timeMs) === text;
}

/** The last quarter of an hour whose events are all old enough to be judged. */
export function quarterToJudge(nowMs: number): string {
  return quarterAt(nowMs - JUDGED_AFTER_MS - QUARTER_MS);
}

/** Chime reserves such names (API reference, CreateAttendee): AWS's own services join by them, such as media pipelines. */
export function isReservedName(externalUserId: string): boolean {
  return /^aws:/i.test(externalUserId);
}

/** Whom the records of one meeting explain. */
export interface Explained {
  attendeeIds: ReadonlySet<string>;
  /** Names that a batch asked for of which it is not known what Chime made. */
  externalUserIds: ReadonlySet<string>;
}

/** What is known of a batch of the meeting. */
export type KnownBatch = { intent?: IntentRecord; outcome?: OutcomeRecord };

/** Whom batches of one meeting explain. */
export function explainedBy(batches: Iterable<KnownBatch>): Explained {
  const attendeeIds = new Set<string>();
  const externalUserIds = new Set<string>();
  for (const { intent, outcome } of batches) {
    const { issued = [], withheld = [], heldElsewhere = [] } = outcome ?? {};
    for (const { attendeeId } of [...issued, ...withheld, ...heldElsewhere]) attendeeIds.add(attendeeId);
    if (outcome !== undefined && outcome.state !== 'UNRESOLVED') continue;
    for (const { externalUserId } of intent?.requested ?? []) externalUserIds.add(externalUserId);
  }
  return { attendeeIds, externalUserIds };
}

/** Whether a record explains an attendee. */
export function isExplained(
  { attendeeId, externalUserId }: Pick<AttendeeEvent, 'attendeeId' | 'externalUserId'>,
  { attendeeIds, externalUserIds }: Explained,
): boolean {
  return attendeeIds.has(attendeeId) || externalUserIds.has(externalUserId);
}

/** The batches of items of the table of facts. @returns undefined where one of them cannot be read: it could explain anyone */
export function batchesIn(items: Iterable<Record<string, unknown>>): KnownBatch[] | undefined {
  const batches = new Map<string, KnownBatch>();
  for (const item of items) {
    if (item['kind'] === 'denial') continue;
    const isKnown = isIntent(item) || isOutcome(item);
    if (!isKnown) return undefined;
    batches.set(item.batchId, { ...batches.get(item.batchId), [item.kind]: item });
  }
  return [...batches.values()];
}
