import * as z from 'zod/mini';
import { isBatchId } from './batch-id.ts';
import type { BatchKey, MeetingRecord, OpenIntent } from './ports.ts';
import type { IntentRecord, OutcomeRecord } from './records.ts';

// What the reconciler relies on when it reads the tables. Only Usher writes there, in these shapes; but a person can, and
// one item put there by hand must not be in the way of all others.

const batchId = z.string().check(z.refine(isBatchId));
/** What is a key, or part of one: DynamoDB has no empty ones. */
const name = z.string().check(z.minLength(1));
const requested = z.array(z.looseObject({ externalUserId: name }));
const attendees = z.array(z.looseObject({ externalUserId: name, attendeeId: name }));

const asking = z.looseObject({ kind: z.literal('intent'), batchId, requested });
const holding = z.looseObject({
  kind: z.literal('outcome'),
  batchId,
  issued: attendees,
  withheld: attendees,
});
const whole = { meetingId: name, recordId: name };
const intent = z.extend(asking, { ...whole, deadline: z.iso.datetime() });
const outcome = z.extend(holding, { ...whole, writtenBy: z.enum(['handler', 'reconciler']) });
const key = z.looseObject({ meetingId: name, batchId });
const note = z.looseObject({ batchId, admissions: name });
const entry = z.extend(key, { noticedAt: z.iso.datetime(), looks: z.number(), seen: attendees });

export const isIntent = (item: unknown): item is IntentRecord => z.safeParse(intent, item).success;
export const isOutcome = (item: unknown): item is OutcomeRecord => z.safeParse(outcome, item).success;
export const isNote = (item: unknown): item is Pick<OutcomeRecord, 'batchId' | 'admissions'> =>
  z.safeParse(note, item).success;
export const isBatchKey = (item: unknown): item is BatchKey => z.safeParse(key, item).success;
export const isOpenIntent = (item: unknown): item is OpenIntent => z.safeParse(entry, item).success;
export const isMeetingRecord = (item: unknown): item is MeetingRecord =>
  [asking, holding].some((shape) => z.safeParse(shape, item).success);
