import * as z from 'zod/mini';
import { EVENT_TYPES, type EventType } from '../audit/attendee-events.ts';

// An event of Chime, as far as it is kept
// (https://docs.aws.amazon.com/chime-sdk/latest/dg/using-events.html).

const guid = z.string().check(z.regex(/^[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$/));
/** The last instant that ISO 8601 writes with four digits of a year, which sort. */
const LATEST_MS = Date.UTC(9999, 11, 31);

const schema = z.looseObject({
  source: z.literal('aws.chime'),
  'detail-type': z.literal('Chime Meeting State Change'),
  detail: z.looseObject({
    eventType: z.enum(EVENT_TYPES),
    /** Milliseconds since the epoch. */
    timestamp: z.int().check(z.minimum(0), z.maximum(LATEST_MS)),
    meetingId: guid,
    attendeeId: guid,
    externalUserId: z.string().check(z.minLength(1), z.maxLength(256)),
  }),
});

/** What an event says of one attendee. */
export interface ChimeEvent {
  eventType: EventType;
  atMs: number;
  /** In lower case. */
  meetingId: string;
  attendeeId: string;
  externalUserId: string;
}

/** @returns undefined for what is no such event */
export function readChimeEvent(event: unknown): ChimeEvent | undefined {
  const parsed = z.safeParse(schema, event);
  if (!parsed.success) return undefined;
  const { eventType, timestamp, meetingId, attendeeId, externalUserId } = parsed.data.detail;
  return { eventType, atMs: timestamp, meetingId: meetingId.toLowerCase(), attendeeId, externalUserId };
}
