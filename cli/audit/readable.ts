import * as z from 'zod/mini';
import { type AttendeeEvent, EVENT_TYPES } from '../../lambda/audit/attendee-events.ts';
import { isBatchId } from '../../lambda/audit/batch-id.ts';
import { type AdmissionRecord, type AuditRecord, recordId } from '../../lambda/audit/records.ts';
import type { DamagedRecord } from './batches.ts';
import { STATES } from './words.ts';

// What the command relies on when it reads the tables, and no more: records of every version have it. Only Usher writes
// there, but a person can, and one such item must not block an answer.

/** An item that differs from what Usher writes. */
export interface Damage {
  /** Its key, as text. */
  item: string;
  problem: string;
}

export type ReportDamage = (damage: Damage) => void;

const text = z.string();
const maybe = z.optional(text);
const batchId = text.check(z.refine(isBatchId, 'is not a batch id'));
const capabilities = z.optional(z.looseObject({ Audio: maybe, Video: maybe, Content: maybe }));
const person = { externalUserId: text, capabilities };
const attendee = { ...person, attendeeId: text, tokenFingerprint: maybe, above: maybe };
const caller = z.optional(
  z.looseObject({
    ...{ issuer: maybe, clientId: maybe, subject: maybe, scope: maybe, tokenId: maybe },
    ...{ sourceIp: maybe, userAgent: maybe, gatewayRequestId: maybe },
  }),
);
const base = {
  meetingId: text,
  recordId: text,
  batchId,
  recordedAt: maybe,
  expiresAt: z.optional(z.number()),
};
const asking = {
  ...base,
  ...{ caller, callerId: maybe, externalMeetingId: maybe, rulesDigest: maybe, functionVersion: maybe },
};

const SHAPES = {
  intent: z.looseObject({
    ...asking,
    kind: z.literal('intent'),
    requested: z.array(z.looseObject(person)),
    deadline: maybe,
  }),
  outcome: z.looseObject({
    ...base,
    kind: z.literal('outcome'),
    state: z.enum(Object.keys(STATES)),
    writtenBy: maybe,
    issued: z.array(z.looseObject(attendee)),
    withheld: z.array(z.looseObject({ ...attendee, rule: maybe })),
    errors: z.array(z.looseObject({ externalUserId: text, errorCode: maybe, errorMessage: maybe })),
    refusal: z.optional(z.looseObject({ code: text, message: text })),
    ...{ chimeRequestId: maybe, admissions: maybe, attribution: maybe },
    delivered: z.optional(z.boolean()),
    heldElsewhere: z.optional(
      z.array(z.looseObject({ externalUserId: text, attendeeId: text, batchId: text })),
    ),
  }),
  denial: z.looseObject({
    ...asking,
    kind: z.literal('denial'),
    rule: text,
    requestedCount: z.number(),
    names: z.optional(z.array(text)),
  }),
};

const admission = z.looseObject({
  ...{ externalUserId: text, admissionId: text, attendeeId: text, batchId, meetingId: text },
});
const event = z.looseObject({
  ...{ attendeeId: text, eventId: text, meetingId: text, externalUserId: text },
  eventType: z.enum(EVENT_TYPES),
  ...{ at: z.iso.datetime(), arrivedAt: z.iso.datetime() },
  expiresAt: z.optional(z.number()),
});
const key = z.looseObject({ meetingId: text, batchId, recordId: maybe });

/** The key of a batch in the audit. */
export interface BatchKey {
  meetingId: string;
  batchId: string;
  /** The key of the record that an index names. */
  recordId?: string;
}

/** @returns undefined for an item without a batch id; reports what is unreadable */
export function readRecord(
  item: Record<string, unknown>,
  report: ReportDamage | undefined,
): AuditRecord | DamagedRecord | undefined {
  const [id = '', kind = ''] = String(item['recordId']).split('/');
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind as keyof typeof SHAPES] : undefined;
  const read = shape?.safeParse(item);
  if (read?.success && item['recordId'] === recordId(String(item['batchId']), kind as AuditRecord['kind'])) {
    return item as unknown as AuditRecord;
  }
  report?.({
    item: `meetingId ${item['meetingId']}, recordId ${item['recordId']}`,
    problem: read?.success
      ? 'its batchId does not match its key'
      : problemOf(read?.error, 'its kind is unknown'),
  });
  if (shape === undefined || !isBatchId(id)) return undefined;
  return {
    meetingId: String(item['meetingId']),
    batchId: id,
    kind: 'damaged',
    damaged: kind as AuditRecord['kind'],
  };
}

/** @returns undefined for an unreadable item, which is reported */
export function readAdmission(
  item: Record<string, unknown>,
  report: ReportDamage | undefined,
): AdmissionRecord | undefined {
  const read = admission.safeParse(item);
  if (read.success) return item as unknown as AdmissionRecord;
  report?.({
    item: `externalUserId ${item['externalUserId']}, admissionId ${item['admissionId']}`,
    problem: problemOf(read.error),
  });
  return undefined;
}

/** @returns undefined for an unreadable item, which is reported */
export function readEvent(
  item: Record<string, unknown>,
  report: ReportDamage | undefined,
): AttendeeEvent | undefined {
  const read = event.safeParse(item);
  if (read.success) return item as unknown as AttendeeEvent;
  report?.({
    item: `attendeeId ${item['attendeeId']}, eventId ${item['eventId']}`,
    problem: problemOf(read.error),
  });
  return undefined;
}

/** @returns undefined for an unreadable item, which is reported */
export function readKey(
  item: Record<string, unknown>,
  report: ReportDamage | undefined,
): BatchKey | undefined {
  const read = key.safeParse(item);
  if (read.success) return item as unknown as BatchKey;
  const place = item['list'] === undefined ? `recordId ${item['recordId']}` : `list ${item['list']}`;
  report?.({ item: `${place}, batchId ${item['batchId']}`, problem: problemOf(read.error) });
  return undefined;
}

function problemOf(error: z.core.$ZodError | undefined, otherwise = ''): string {
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return otherwise;
  return `${issue.path.join('.') || 'it'}: ${issue.message}`;
}
