import * as z from 'zod/mini';
import type { IssuedAttendee } from '../model/attendees.ts';
import { isBatchId } from './batch-id.ts';
import type { BatchKey, ClaimedMeeting, Mark, OpenIntent } from './ports.ts';
import type { IntentRecord, OutcomeRecord } from './records.ts';

// What the reconciler relies on when it reads the tables. Only Usher writes there, in these shapes; but a person can,
// and one such item must not block all others.

const batchId = z.string().check(z.refine(isBatchId));
/** A key, or part of one: DynamoDB has no empty keys. */
const name = z.string().check(z.minLength(1));
/** Becomes part of keys, which limit its length, and of the path of requests to Chime. */
const meetingId = z.string().check(z.regex(/^[\w-]{1,64}$/));
const instant = z.iso.datetime();
const requested = z.array(z.looseObject({ externalUserId: name }));
const attendees = z.array(z.looseObject({ externalUserId: name, attendeeId: name }));

const whole = { meetingId, batchId, recordId: name };
const intent = z.looseObject({
  ...whole,
  kind: z.literal('intent'),
  requested,
  deadline: instant,
  meetingsRegion: z.optional(name),
});
const outcome = z.looseObject({
  ...whole,
  kind: z.literal('outcome'),
  issued: attendees,
  withheld: attendees,
  writtenBy: z.enum(['handler', 'reconciler']),
});
const key = z.looseObject({ meetingId, batchId });
const note = z.looseObject({ batchId, admissions: name });
const held = z.looseObject({ batchId, issued: attendees, withheld: attendees });
const entry = z.looseObject({
  meetingId,
  batchId,
  noticedAt: instant,
  looks: z.number(),
  agreed: z.optional(z.looseObject({ since: instant, gone: z.boolean() })),
  seen: z.array(z.looseObject({ externalUserId: name, attendeeId: name, seenAt: instant })),
});
const earlier = z.looseObject({
  meetingId,
  batchId,
  noticedAt: instant,
  lastLookAt: z.optional(instant),
  seen: attendees,
});
const mark = z.looseObject({ through: instant, afterBatch: z.optional(z.string()) });
const claimed = z.looseObject({ due: instant, notices: z.number() });

type Note = Pick<OutcomeRecord, 'batchId' | 'admissions'>;
type Held = Pick<OutcomeRecord, 'batchId' | 'issued' | 'withheld'>;

export const isIntent = (item: unknown): item is IntentRecord => z.safeParse(intent, item).success;
export const isOutcome = (item: unknown): item is OutcomeRecord => z.safeParse(outcome, item).success;
export const isNote = (item: unknown): item is Note => z.safeParse(note, item).success;
export const isHeld = (item: unknown): item is Held => z.safeParse(held, item).success;
export const isBatchKey = (item: unknown): item is BatchKey => z.safeParse(key, item).success;
export const isOpenIntent = (item: unknown): item is OpenIntent => z.safeParse(entry, item).success;
export const isEarlierIntent = (
  item: unknown,
): item is BatchKey & { noticedAt: string; lastLookAt?: string; seen: IssuedAttendee[] } =>
  z.safeParse(earlier, item).success;
export const isMark = (item: unknown): item is Mark => z.safeParse(mark, item).success;
export const isClaimed = (item: unknown): item is Omit<ClaimedMeeting, 'meetingId'> =>
  z.safeParse(claimed, item).success;
/** Whether a text has the form of a key of the queue. */
export const isQueued = (key: string): boolean =>
  z.safeParse(instant, key.slice(0, key.indexOf('/'))).success &&
  z.safeParse(meetingId, key.slice(key.indexOf('/') + 1)).success;
