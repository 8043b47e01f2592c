import { type AttendeeEvent, MEETING_MS, quarterAt } from '../audit/attendee-events.ts';
import { type ChimeEvent, readChimeEvent } from './chime-event.ts';
import type { ObserverDependencies } from './ports.ts';

/** So many events of each type are kept of an attendee: one who joins in a loop does not fill the table. */
export const MAX_EVENTS = 20;
/** So many where each further one is earlier than all that are kept, so that the first stays right. */
export const MAX_EARLIER_EVENTS = 40;

/** What became of an event. */
export type Observed = 'recorded' | 'malformed' | 'unknown meeting' | 'duplicate' | 'enough';

/**
 * Keeps an event of Chime, if it is of a meeting that Usher knows. Events come late, twice, in any order, or never
 * (https://docs.aws.amazon.com/chime-sdk/latest/ag/automating-chime-with-cloudwatch-events.html): each is kept by what it
 * says alone.
 *
 * @throws where it is not known whether the event is kept: it has to be delivered again
 */
export async function observe(event: unknown, dependencies: ObserverDependencies): Promise<Observed> {
  const seen = readChimeEvent(event);
  const observed = seen === undefined ? 'malformed' : await keep(seen, dependencies);
  const { addMetrics, report } = dependencies;
  if (observed === 'recorded') {
    addMetrics({ EventsRecorded: 1 });
    report('event recorded', { type: seen?.eventType });
  } else {
    if (observed === 'malformed') addMetrics({ EventsMalformed: 1 });
    report('event dropped', { why: observed });
  }
  return observed;
}

async function keep(
  seen: ChimeEvent,
  { events, facts, clock, retentionDays }: ObserverDependencies,
): Promise<Observed> {
  if (!(await facts.knowsMeeting(seen.meetingId))) return 'unknown meeting';
  const record = recordOf(seen, clock.now(), retentionDays);
  const kept = await events.keptOf(record.attendeeId);
  if (kept.includes(record.eventId)) return 'duplicate';
  if (!isWanted(record, kept)) return 'enough';
  return (await events.insert(record)) ? 'recorded' : 'duplicate';
}

function isWanted({ eventId, eventType }: AttendeeEvent, kept: readonly string[]): boolean {
  const ofType = kept.filter((id) => id.endsWith(`/${eventType}`));
  if (ofType.length < MAX_EVENTS) return true;
  return ofType.length < MAX_EARLIER_EVENTS && ofType.every((id) => eventId < id);
}

function recordOf(seen: ChimeEvent, nowMs: number, retentionDays: number | undefined): AttendeeEvent {
  const { atMs, eventType, ...who } = seen;
  const at = new Date(atMs).toISOString();
  return {
    ...who,
    eventId: `${at}/${eventType}`,
    eventType,
    at,
    arrivedAt: new Date(nowMs).toISOString(),
    arrivedIn: quarterAt(nowMs),
    ...(retentionDays !== undefined && { expiresAt: expiryOf(atMs, nowMs, retentionDays) }),
  };
}

/** By when it happened, but no clock that is off makes it much shorter or longer. */
function expiryOf(atMs: number, nowMs: number, retentionDays: number): number {
  const fromMs = Math.min(Math.max(atMs, nowMs - MEETING_MS), nowMs);
  return Math.floor(fromMs / 1000) + retentionDays * 24 * 60 * 60;
}
