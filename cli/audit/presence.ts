import {
  type AttendeeEvent,
  EVENT_TYPES,
  explainedBy,
  isExplained,
  isReservedName,
  JUDGED_AFTER_MS,
  MEETING_MS,
  QUARTER_MS,
  quarterAt,
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

/** Whose events no record explains: all of a meeting, or those that name a person. */
export type StrangersOf =
  | { meetingId: string; range: Range }
  | { person: string; range: Range & { sinceMs: number } };

/** So many quarters of an hour are asked for at a time. */
const QUARTERS_AT_ONCE = 20;

/**
 * Adds to each batch when its attendees first joined. Last entries, one for each meeting, have the attendees whom no record
 * explains, where the answer has all batches that could, but for a range.
 */
export async function* batchesWithPresence(
  tables: TablesWithEvents,
  batches: AsyncIterable<Batch>,
  strangersOf: StrangersOf | undefined,
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
  const isNamed = ({ externalUserId }: Seen) =>
    !('person' in strangersOf) || externalUserId === strangersOf.person;
  const inMeetings =
    'person' in strangersOf
      ? await meetingsNaming(tables, strangersOf, nowMs)
      : [strangersOf.meetingId.toLowerCase()];
  for (const meetingId of inMeetings) {
    const seen = withinRange(await seenIn(meetingId), strangersOf.range).filter(isNamed);
    const lines = await strangersAmong(tables, { about: 'meeting', meetingId }, seen, nowMs);
    if (lines.length > 0) yield { batchId: '', meetingId, state: 'NO_RECORD', withoutRecord: lines };
  }
}

/** The meetings in which events that arrived in a range name a person. */
async function meetingsNaming(
  { client, eventTableName }: TablesWithEvents,
  { person, range }: { person: string; range: Range & { sinceMs: number } },
  nowMs: number,
): Promise<string[]> {
  const meetings = new Set<string>();
  // An event may arrive after the range that it is of.
  const quarters = Array.from({ length: Math.ceil((nowMs - range.sinceMs) / QUARTER_MS) + 1 }, (_, index) =>
    quarterAt(range.sinceMs + index * QUARTER_MS),
  );
  for (let start = 0; start < quarters.length; start += QUARTERS_AT_ONCE) {
    const asked = quarters.slice(start, start + QUARTERS_AT_ONCE).map(async (quarter) => {
      const query = queryOf(TABLES.events.indexes.byArrival, quarter);
      for await (const { externalUserId, meetingId } of queryItems<Record<string, unknown>>(client, {
        TableName: eventTableName,
        ...query,
      })) {
        if (externalUserId === person) meetings.add(String(meetingId));
      }
    });
    await Promise.all(asked);
  }
  return [...meetings].sort();
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
