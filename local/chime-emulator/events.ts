import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Attendee, Meeting } from './meetings.ts';

/** How an event is delivered: what `PUT /_emulator/events` and a join take; what is left out stays as it is. */
export const deliverySchema = z.strictObject({
  /** Whether it is never delivered. */
  lose: z.boolean().optional(),
  /** How often it is delivered. */
  copies: z.int().min(1).max(10).optional(),
  /** So long after it happened: an event that waits longer comes after a later one. */
  delayMs: z.int().min(0).optional(),
});

export const joinSchema = deliverySchema.extend({
  /** When it happened, in milliseconds since the epoch, for a clock that is off; left out, now. */
  timestamp: z.int().min(0).optional(),
});

type Change = z.infer<typeof deliverySchema>;
type Delivery = { [Name in keyof Change]-?: NonNullable<Change[Name]> };

/** An event as EventBridge delivers it (https://docs.aws.amazon.com/chime-sdk/latest/dg/using-events.html). */
export interface ChimeEvent {
  version: '0';
  id: string;
  'detail-type': 'Chime Meeting State Change';
  source: 'aws.chime';
  account: string;
  time: string;
  region: string;
  resources: [];
  detail: {
    version: '0';
    eventType: 'chime:AttendeeAdded' | 'chime:AttendeeJoined';
    /** Milliseconds since the epoch. */
    timestamp: number;
    meetingId: string;
    externalMeetingId: string;
    mediaRegion: string;
    attendeeId: string;
    externalUserId: string;
    networkType?: 'Voip';
  };
}

export type Events = ReturnType<typeof createEvents>;

/**
 * The events of attendees, delivered at once unless the control endpoint says otherwise.
 *
 * @param deliver takes each event, as often as it is delivered
 * @param stopping ends what is still to be delivered
 */
export function createEvents(now: () => number, deliver: (event: ChimeEvent) => void, stopping: AbortSignal) {
  const delivery: Delivery = { lose: false, copies: 1, delayMs: 0 };
  const sent: ChimeEvent[] = [];

  async function deliverLater(event: ChimeEvent, { lose, copies, delayMs }: Delivery): Promise<void> {
    if (lose) return;
    if (delayMs > 0) await pause(delayMs, undefined, { signal: stopping });
    for (let copy = 0; copy < copies; copy += 1) deliver(event);
  }

  return {
    delivery: () => ({ ...delivery }),
    change(change: Change): void {
      Object.assign(delivery, change);
    },
    /** All that happened, lost ones included. */
    list: (): readonly ChimeEvent[] => sent,
    emit(
      eventType: ChimeEvent['detail']['eventType'],
      meeting: Meeting,
      attendee: Attendee,
      { timestamp = now(), ...how }: z.infer<typeof joinSchema> = {},
    ): ChimeEvent {
      const event = eventOf(eventType, meeting, attendee, timestamp);
      sent.push(event);
      // It fails by `stopping` only.
      deliverLater(event, { ...delivery, ...how } as Delivery).catch(() => {});
      return event;
    },
  };
}

function eventOf(
  eventType: ChimeEvent['detail']['eventType'],
  { MeetingId, MeetingArn, ExternalMeetingId, MediaRegion }: Meeting,
  { AttendeeId, ExternalUserId }: Attendee,
  timestamp: number,
): ChimeEvent {
  const [, , , region = '', account = ''] = MeetingArn.split(':');
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Chime Meeting State Change',
    source: 'aws.chime',
    account,
    time: new Date(timestamp).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [],
    detail: {
      version: '0',
      eventType,
      timestamp,
      meetingId: MeetingId,
      externalMeetingId: ExternalMeetingId,
      mediaRegion: MediaRegion,
      attendeeId: AttendeeId,
      externalUserId: ExternalUserId,
      ...(eventType === 'chime:AttendeeJoined' && { networkType: 'Voip' as const }),
    },
  };
}
