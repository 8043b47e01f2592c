import * as z from 'zod/mini';
import type { IntentRecord, OutcomeRecord } from '../audit-records.ts';
import { BATCH_ID } from '../batch-id.ts';
import type { BatchKey, MeetingRecord, OpenIntent } from '../reconciler/ports.ts';

// What the reconciler relies on when it reads the tables. Only Usher writes there, in these shapes; but a person can, and
// one item put there by hand must not be in the way of all others.

const batchId = z.string().check(z.regex(BATCH_ID));
const meetingId = z.string().check(z.minLength(1));
const requested = z.array(z.looseObject({ externalUserId: z.string() }));
const attendees = z.array(z.looseObject({ externalUserId: z.string(), attendeeId: z.string() }));

const asking = z.looseObject({ kind: z.literal('intent'), batchId, requested });
const holding = z.looseObject({
  kind: z.literal('outcome'),
  batchId,
  issued: attendees,
  withheld: attendees,
});
const whole = { meetingId, recordId: z.string() };
const intent = z.extend(asking, { ...whole, deadline: z.iso.datetime() });
const outcome = z.extend(holding, { ...whole, writtenBy: z.enum(['handler', 'reconciler']) });
const key = z.looseObject({ meetingId, batchId });
const entry = z.extend(key, { noticedAt: z.iso.datetime(), looks: z.number(), seen: attendees });

export const isIntent = (item: unknown): item is IntentRecord => z.safeParse(intent, item).success;
export const isOutcome = (item: unknown): item is OutcomeRecord => z.safeParse(outcome, item).success;
export const isBatchKey = (item: unknown): item is BatchKey => z.safeParse(key, item).success;
export const isOpenIntent = (item: unknown): item is OpenIntent => z.safeParse(entry, item).success;
export const isMeetingRecord = (item: unknown): item is MeetingRecord =>
  [asking, holding].some((shape) => z.safeParse(shape, item).success);
