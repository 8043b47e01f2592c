import type { AttendeeEvent, KnownBatch } from '../../lambda/audit/attendee-events.ts';
import type { ObserverDependencies, SeenInMeeting } from '../../lambda/observer/ports.ts';

export const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
export const START_MS = Date.UTC(2026, 10, 23, 13, 45);

/** An attendee id; the same for the same number. */
export function attendeeId(number: number): string {
  return `5d0a1f6e-9c2b-4e87-b1d3-${String(number).padStart(12, '0')}`;
}

/** An event as EventBridge delivers it, with what a test changes of its detail. */
export function chimeEvent(detail: object = {}, event: object = {}) {
  return {
    version: '0',
    source: 'aws.chime',
    'detail-type': 'Chime Meeting State Change',
    detail: {
      version: '0',
      eventType: 'chime:AttendeeJoined',
      timestamp: START_MS,
      meetingId: MEETING,
      externalMeetingId: 'standup',
      mediaRegion: 'eu-central-1',
      attendeeId: attendeeId(1),
      externalUserId: 'alice',
      networkType: 'Voip',
      ...detail,
    },
    ...event,
  };
}

/** The table of events and the audit, in memory behind the observer's ports. */
export function createObserverWorld() {
  const table = new Map<string, AttendeeEvent>();
  const batches = new Map<string, KnownBatch[] | undefined>([[MEETING, []]]);
  const admitted = new Set<string>();
  const reports: { event: string; [fact: string]: unknown }[] = [];
  const metrics: Record<string, number> = {};
  const world = {
    table,
    /** By meeting; undefined where a record cannot be read. */
    batches,
    /** Ids of attendees. */
    admitted,
    reports,
    metrics,
    nowMs: START_MS,
    /** The next call of a port with this name fails. */
    failing: undefined as string | undefined,
  };
  const step = (name: string) => {
    if (world.failing === name) throw new Error(`${name} fails`);
  };
  const dependencies: ObserverDependencies = {
    events: {
      async keptOf(id) {
        step('keptOf');
        return [...table.values()]
          .filter((kept) => kept.attendeeId === id)
          .map(({ eventId }) => eventId)
          .sort();
      },
      async insert(event) {
        step('insert');
        const key = `${event.attendeeId} ${event.eventId}`;
        if (table.has(key)) return false;
        table.set(key, event);
        return true;
      },
      async *arrivedIn(quarter) {
        const found = [...table.values()].filter(({ arrivedIn }) => arrivedIn === quarter);
        const each = new Map(found.map((event): [string, SeenInMeeting] => [event.attendeeId, event]));
        for (const attendee of each.values()) yield [attendee];
      },
    },
    facts: {
      async knowsMeeting(meetingId) {
        step('knowsMeeting');
        return batches.has(meetingId);
      },
      isAdmitted: async ({ attendeeId: id }) => admitted.has(id),
      batchesOf: async (meetingId) => batches.get(meetingId),
    },
    retentionDays: 30,
    clock: { now: () => world.nowMs },
    addMetrics: (values) => {
      for (const [name, value] of Object.entries(values)) metrics[name] = (metrics[name] ?? 0) + value;
    },
    report: (event, facts) => void reports.push({ event, ...facts }),
  };
  return Object.assign(world, { dependencies });
}
