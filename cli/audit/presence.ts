import {
  type AttendeeEvent,
  EVENT_TYPES,
  explainedBy,
  isExplained,
  isReservedName,
  JUDGED_AFTER_MS,
  MEETING_MS,
} from '../../lambda/audit/attendee-events.ts';
import { queryOf, TABLES } from '../../lambda/audit/schema.ts';
import type { Admission, Batch } from './batches.ts';
import { queryItems } from './dynamodb.ts';
import { type BatchQuestion, findBatches } from './questions.ts';
import { readEvent } from './readable.ts';
import { inGroups } from './streams.ts';
import type { AskedTables } from './tables.ts';
import type { Range } from './times.ts';
import { type AttendeeLine, type PresenceOf, RESULTS, type Result } from './words.ts';

// What Chime's events say of the attendees that the audit names, and of those that it does not. Events are best effort: one
// that is missing proves nothing.

/** Tables of which that of the events is known. */
export type TablesWithEvents = AskedTables & { eventTableName: string };

/** All that the events of one attendee say. */
interface Seen extends Pick<AttendeeEvent, 'attendeeId' | 'externalUserId' | 'expiresAt'> {
  firstAt: string;
  firstJoinAt?: string;
  /** When the first of them arrived. */
  arrivedAt: string;
}

export function withEvents(tables: AskedTables): TablesWithEvents | undefined {
  const { eventTableName } = tables;
  return eventTableName === undefined ? undefined : { ...tables, eventTableName };
}

/**
 * Adds to each batch when its attendees first joined. Of a meeting, a last entry has the attendees whom no record explains,
 * where the answer has all of the meeting's batches but for a range.
 */
export async function* batchesWithPresence(
  tables: TablesWithEvents,
  batches: AsyncIterable<Batch>,
  strangersOf: { meetingId: string; range: Range } | undefined,
  nowMs: number,
): AsyncGenerator<Batch> {
  const meetings = new Map<string, Map<string, Seen>>();
  const seenIn = async (meetingId: string) => {
    const seen = meetings.get(meetingId) ?? seenBy(await eventsOf(tables, byMeeting(meetingId)));
    meetings.set(meetingId, seen);
    return seen;
  };
  for await (const batch of batches) {
    const seen = batch.outcome === undefined ? undefined : await seenIn(batch.meetingId);
    const presenceOf: PresenceOf = (attendeeId) =>
      presence(seen?.get(attendeeId), batch.outcome?.recordedAt, nowMs);
    yield seen === undefined ? batch : { ...batch, presenceOf };
  }
  if (strangersOf === undefined) return;
  const meetingId = strangersOf.meetingId.toLowerCase();
  const seen = withinRange(await seenIn(meetingId), strangersOf.range);
  const lines = await strangersAmong(tables, { about: 'meeting', meetingId }, seen, nowMs);
  if (lines.length > 0) yield { batchId: '', meetingId, state: 'NO_RECORD', withoutRecord: lines };
}

/** Adds to each admission when its attendee first joined. */
export async function* admissionsWithPresence(
  tables: TablesWithEvents,
  admissions: AsyncIterable<Admission>,
  nowMs: number,
): AsyncGenerator<Admission> {
  for await (const group of inGroups(admissions, 10)) {
    const found = await Promise.all(
      group.map(({ attendeeId }) => eventsOf(tables, queryOf(TABLES.events, attendeeId))),
    );
    for (const [index, admission] of group.entries()) {
      const { attendeeId, batch, time } = admission;
      const seen = seenBy(found[index] ?? []).get(attendeeId);
      yield { ...admission, ...presence(seen, batch?.outcome?.recordedAt ?? time, nowMs) };
    }
  }
}

/** The meetings in which events name an attendee. */
export async function meetingsSeenIn(tables: TablesWithEvents, attendeeId: string): Promise<string[]> {
  const events = await eventsOf(tables, queryOf(TABLES.events, attendeeId));
  return [...new Set(events.map(({ meetingId }) => meetingId))];
}

const byMeeting = (meetingId: string) => queryOf(TABLES.events.indexes.byMeeting, meetingId);

async function eventsOf(
  { client, eventTableName, onDamage }: TablesWithEvents,
  query: ReturnType<typeof queryOf>,
): Promise<AttendeeEvent[]> {
  const events: AttendeeEvent[] = [];
  const items = queryItems<Record<string, unknown>>(client, { TableName: eventTableName, ...query });
  for await (const item of items) {
    const event = readEvent(item, onDamage);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function seenBy(events: readonly AttendeeEvent[]): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  const [, JOINED] = EVENT_TYPES;
  for (const event of events.toSorted((one, other) => (one.at < other.at ? -1 : 1))) {
    const { attendeeId, externalUserId, at, arrivedAt, eventType, expiresAt } = event;
    const before = seen.get(attendeeId);
    const firstJoinAt = before?.firstJoinAt ?? (eventType === JOINED ? at : undefined);
    seen.set(attendeeId, {
      attendeeId,
      externalUserId,
      firstAt: before?.firstAt ?? at,
      arrivedAt: before !== undefined && before.arrivedAt < arrivedAt ? before.arrivedAt : arrivedAt,
      ...(firstJoinAt !== undefined && { firstJoinAt }),
      ...(expiresAt !== undefined && { expiresAt: Math.min(expiresAt, before?.expiresAt ?? expiresAt) }),
    });
  }
  return seen;
}

function presence(
  seen: Seen | undefined,
  since: string | undefined,
  nowMs: number,
): Pick<AttendeeLine, 'presence' | 'firstJoinAt'> {
  if (seen?.firstJoinAt !== undefined) return { presence: 'joined', firstJoinAt: seen.firstJoinAt };
  const isEarly = since !== undefined && nowMs - Date.parse(since) < JUDGED_AFTER_MS;
  return { presence: isEarly ? 'too early to say' : 'no join event received' };
}

function withinRange(seen: Map<string, Seen>, { sinceMs, untilMs }: Range): Seen[] {
  return [...seen.values()].filter(({ firstAt }) => {
    const atMs = Date.parse(firstAt);
    return atMs >= (sinceMs ?? atMs) && atMs < (untilMs ?? Number.POSITIVE_INFINITY);
  });
}

async function strangersAmong(
  tables: TablesWithEvents,
  question: BatchQuestion,
  seen: readonly Seen[],
  nowMs: number,
): Promise<AttendeeLine[]> {
  if (seen.length === 0) return [];
  const batches: Batch[] = [];
  for await (const batch of findBatches(tables, question, {}, nowMs)) batches.push(batch);
  // A batch whose intent cannot be read may have asked for anyone.
  const isReadable = batches.every(({ state, intent }) => state !== 'DAMAGED' || intent !== undefined);
  const explained = explainedBy(batches);
  return seen
    .filter((attendee) => !isExplained(attendee, explained))
    .map((attendee) => strangerLine(attendee, isReadable, nowMs));
}

function strangerLine(seen: Seen, isReadable: boolean, nowMs: number): AttendeeLine {
  const { attendeeId, externalUserId, expiresAt, firstAt } = seen;
  const [result, reason] = judged();
  return {
    result,
    explanation: RESULTS[result],
    externalUserId,
    attendeeId,
    ...(reason !== undefined && { reason }),
    firstSeenAt: firstAt,
    ...presence(seen, seen.arrivedAt, nowMs),
  };

  function judged(): [Result, string | undefined] {
    if (nowMs - Date.parse(seen.arrivedAt) < JUDGED_AFTER_MS)
      return ['unknown', 'too early to say whether a record explains it'];
    // A batch begins a day before its attendee joins at most, and expires as much earlier.
    if (expiresAt !== undefined && expiresAt * 1000 - MEETING_MS <= nowMs)
      return ['unknown', 'records that explain it may have expired'];
    if (!isReadable) return ['unknown', 'a record of this meeting cannot be read'];
    const isOfAws = isReservedName(externalUserId);
    return ['present without a record', isOfAws ? "AWS's own, such as a media pipeline" : undefined];
  }
}
