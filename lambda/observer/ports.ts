import type { AttendeeEvent, KnownBatch } from '../audit/attendee-events.ts';
import type { LogEvent } from '../model/log-events.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { Clock } from '../model/ports.ts';

/** An attendee that events name. */
export type SeenInMeeting = Pick<AttendeeEvent, 'attendeeId' | 'meetingId' | 'externalUserId'>;

/** The table of events. */
export interface Events {
  /** The ids of the events that are kept of an attendee, the earliest first. */
  keptOf(attendeeId: string): Promise<string[]>;
  /** @returns false where that very event is kept already */
  insert(event: AttendeeEvent): Promise<boolean>;
  /** The attendees of the events that arrived in a quarter of an hour, each once, in pages. */
  arrivedIn(quarter: string): AsyncIterable<SeenInMeeting[]>;
}

/** What the observer reads of the audit. */
export interface Facts {
  /** Whether there is any record of a meeting. */
  knowsMeeting(meetingId: string): Promise<boolean>;
  /** Whether an outcome of its meeting issued the attendee; one that was written moments ago may be missed. */
  isAdmitted(attendee: SeenInMeeting): Promise<boolean>;
  /** @returns undefined where a record of the meeting cannot be read */
  batchesOf(meetingId: string): Promise<KnownBatch[] | undefined>;
}

export interface ObserverDependencies {
  events: Events;
  facts: Facts;
  retentionDays: number | undefined;
  clock: Clock;
  addMetrics: AddMetrics;
  /** What happened, in words that hold no personal data. */
  report(event: LogEvent, facts: Record<string, string | number | undefined>): void;
}
