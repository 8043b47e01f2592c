import type { Attendee, AttendeeError, AttendeeRequest, IssuedAttendee } from '../model/attendees.ts';
import type { OperationName } from '../model/operations.ts';
import type { Caller } from '../model/ports.ts';
import type { Rule } from '../model/rules.ts';
import { dayOfBatch } from './batch-id.ts';
import { elementSize, itemSize } from './item-size.ts';
import {
  type AuditRecord,
  type CallerFacts,
  callerId,
  type DenialRecord,
  type InForce,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from './records.ts';

/** Where a request came from, as the gateway says. */
export interface Origin {
  sourceIp: string;
  userAgent: string;
  gatewayRequestId: string;
}

/** The common part of all records of one request. */
export interface RequestFacts {
  batchId: string;
  /** In lower case. */
  meetingId: string;
  caller: Caller;
  origin: Origin;
  inForce: InForce;
  /** In seconds since the epoch. */
  expiresAt: number | undefined;
}

/** When a record is made, and by which write attempt. */
export interface Stamp {
  nowMs: number;
  /** Random. */
  writerId: string;
}

// Text that a client chooses is cut, so that it cannot make records expensive.
const MAX_USER_AGENT_LENGTH = 256;
/** A UUID has 36. */
const MAX_GATEWAY_REQUEST_ID_LENGTH = 40;
/** Issuers choose these; most are UUIDs. */
const MAX_TOKEN_ID_LENGTH = { intent: 64, denial: 36 };
/** One write unit: anyone with a token can cause denials. */
const MAX_DENIAL_BYTES = 1024;

/** A request that the rules permit. */
export interface Permitted {
  scope: string;
  externalMeetingId?: string | undefined;
  requested: readonly AttendeeRequest[];
  /** The Chime SDK control Region that knows the meeting. */
  meetingsRegion: string;
  deadlineMs: number;
}

/** A request that a rule denies. */
export interface Denial {
  operation: OperationName;
  rule: Rule;
  scope: string | undefined;
  externalMeetingId?: string | undefined;
  /** The requested ExternalUserIds. */
  names: readonly string[];
}

export function intentOf(
  request: RequestFacts,
  { scope, externalMeetingId, requested, meetingsRegion, deadlineMs }: Permitted,
  stamp: Stamp,
): IntentRecord {
  const { userAgent, gatewayRequestId } = request.origin;
  const caller = {
    ...callerFacts(request, scope, MAX_TOKEN_ID_LENGTH.intent),
    userAgent: cut(userAgent, MAX_USER_AGENT_LENGTH),
    gatewayRequestId: cut(gatewayRequestId, MAX_GATEWAY_REQUEST_ID_LENGTH),
  };
  return {
    ...baseOf(request, 'intent', stamp),
    ...request.inForce,
    ...(externalMeetingId === undefined ? {} : { externalMeetingId }),
    callerId: callerId(caller),
    day: dayOfBatch(request.batchId),
    caller,
    requested: requested.map(({ ExternalUserId, Capabilities }) => ({
      externalUserId: ExternalUserId,
      ...(Capabilities === undefined ? {} : { capabilities: Capabilities }),
    })),
    meetingsRegion,
    deadline: isoTime(deadlineMs),
  };
}

export function denialOf(
  request: RequestFacts,
  { operation, rule, scope, externalMeetingId, names }: Denial,
  stamp: Stamp,
): DenialRecord {
  const { issuer, clientId, subject, ...caller } = callerFacts(request, scope, MAX_TOKEN_ID_LENGTH.denial);
  const denial: DenialRecord = {
    ...baseOf(request, 'denial', stamp),
    ...request.inForce,
    ...(externalMeetingId === undefined ? {} : { externalMeetingId }),
    callerId: callerId({ issuer, clientId, subject }),
    denialDay: dayOfBatch(request.batchId),
    caller,
    rule,
    operation,
    requestedCount: names.length,
    names: [],
  };
  return { ...denial, names: fitting(names, MAX_DENIAL_BYTES - itemSize(denial)) };
}

/** What the handler learned, in the words of the record; errors are in Chime's. */
export interface Result extends Pick<OutcomeRecord, 'state' | 'refusal'> {
  issued?: OutcomeRecord['issued'];
  withheld?: OutcomeRecord['withheld'];
  errors?: readonly AttendeeError[];
  chimeRequestId?: string | undefined;
}

/** The outcome of a handler, before its admissions are written. */
export function outcomeOf(request: RequestFacts, result: Result, stamp: Stamp): OutcomeRecord {
  const { state, refusal, issued = [], withheld = [], errors = [], chimeRequestId } = result;
  return {
    ...baseOf(request, 'outcome', stamp),
    state,
    writtenBy: 'handler',
    issued,
    withheld,
    errors: errors.map(({ ExternalUserId, ErrorCode, ErrorMessage }) => ({
      externalUserId: ExternalUserId,
      errorCode: ErrorCode,
      errorMessage: ErrorMessage,
    })),
    ...(refusal === undefined ? {} : { refusal }),
    ...(chimeRequestId === undefined ? {} : { chimeRequestId }),
    admissions: issued.length === 0 ? 'written' : 'pending',
  };
}

/** An attendee as the audit keeps it: with a fingerprint in place of the join token. */
export function issuedOf(attendee: Attendee, fingerprint: (joinToken: string) => string): IssuedAttendee {
  return {
    externalUserId: attendee.ExternalUserId,
    attendeeId: attendee.AttendeeId,
    capabilities: attendee.Capabilities,
    tokenFingerprint: fingerprint(attendee.JoinToken),
  };
}

/** The parts of a `callerId`. */
export function identityOf({ rules, clientId, subject }: Caller): Parameters<typeof callerId>[0] {
  return { issuer: rules.issuer, clientId, subject };
}

function baseOf<Kind extends AuditRecord['kind']>(
  { meetingId, batchId, expiresAt }: RequestFacts,
  kind: Kind,
  { nowMs, writerId }: Stamp,
) {
  return {
    meetingId,
    recordId: recordId(batchId, kind),
    batchId,
    kind,
    recordedAt: isoTime(nowMs),
    writerId,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function callerFacts(
  { caller, origin }: RequestFacts,
  scope: string | undefined,
  tokenIdLength: number,
): CallerFacts {
  const { jti } = caller.claims;
  return {
    ...identityOf(caller),
    ...(scope === undefined ? {} : { scope }),
    ...(typeof jti === 'string' && jti !== '' ? { tokenId: cut(jti, tokenIdLength) } : {}),
    sourceIp: origin.sourceIp,
  };
}

function fitting(names: readonly string[], bytes: number): string[] {
  const fit: string[] = [];
  let left = bytes;
  for (const name of names) {
    left -= elementSize(name);
    if (left < 0) break;
    fit.push(name);
  }
  return fit;
}

/** Cuts visibly, and never within a character. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
