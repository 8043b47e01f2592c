import type { Capabilities, IssuedAttendee } from '../model/attendees.ts';
import type { OperationName } from '../model/operations.ts';
import type { Rule } from '../model/rules.ts';

/**
 * The records of the audit tables, in plain attribute names, because people also read them with the AWS CLI.
 *
 * The audit table is the truth and only ever grows: one `intent` before Chime is called, one `outcome` after, or one
 * `denial`. Its key is `meetingId` (lower case) and `recordId` (`<batchId>/intent`, `/outcome` or `/denial`). The
 * admission table is derived from the outcomes and can be rebuilt from them.
 */
export type AuditRecord = IntentRecord | OutcomeRecord | DenialRecord;

interface RecordBase {
  /** The meeting, in lower case: the partition key. */
  meetingId: string;
  /** `<batchId>/<kind>`: the sort key. */
  recordId: string;
  batchId: string;
  /** When the record was made, ISO 8601 in UTC. */
  recordedAt: string;
  /**
   * Random per write attempt: tells a writer that an existing record is its own. Intents and denials of earlier
   * versions have none.
   */
  writerId: string;
  /** When DynamoDB may expire the record, in seconds since the epoch; the same for all records of a batch. */
  expiresAt?: number;
}

/** The rules and the code that judged a request. Records of earlier versions lack it. */
export interface InForce {
  /**
   * Of the rules of all issuers: the first 16 hexadecimal digits of the SHA-256 of the function's variable `ISSUERS`, or of
   * the file `issuers.json` in its code.
   */
  rulesDigest: string;
  /** The version of the function, as Lambda numbers it. */
  functionVersion: string;
}

/** What identifies a caller. */
export interface CallerName {
  issuer: string;
  clientId: string;
  subject: string;
}

/** Who asked, and from where. */
export interface CallerFacts extends CallerName {
  /** The scope that the rules applied; absent if the caller has none. */
  scope?: string;
  /** The token's `jti`, cut to 64 characters, 36 in a denial, the last of them `…`; absent if the token has none. */
  tokenId?: string;
  sourceIp: string;
  /** Cut to 256 characters, the last of them `…`, and left out of denials, as `gatewayRequestId` is. */
  userAgent?: string;
  /** The gateway's request id; a client can choose it, so it identifies nothing. */
  gatewayRequestId?: string;
}

/**
 * An attendee that Chime is asked for. Absent `capabilities` are omitted there too, for Chime's default: omitted ones
 * are filled in if the caller may not have everything.
 */
export interface RequestedAttendee {
  externalUserId: string;
  capabilities?: Capabilities;
}

/** What a caller is about to get; durable before Chime is called. */
export interface IntentRecord extends RecordBase, Partial<InForce> {
  kind: 'intent';
  /** The name that the meeting's creator gave it; absent if Usher did not look the meeting up. */
  externalMeetingId?: string;
  /** Key of the index `by-caller`; see `callerId`. */
  callerId: string;
  /** Key of the index `by-day`. */
  day: string;
  caller: CallerFacts;
  requested: RequestedAttendee[];
  /** The Chime SDK control Region that knows the meeting; absent in intents of earlier versions. */
  meetingsRegion?: string;
  /** After this time (ISO 8601) the handler neither calls Chime for this batch nor answers with tokens. */
  deadline: string;
}

/**
 * `ISSUED`: every requested attendee. `PARTIAL`: some. `FAILED`: none, and Chime definitely refused every attempt.
 *
 * The reconciler decides the others, for intents that the handler could not finish. `RECOVERED`: Chime has attendees of
 * the requested names that no other batch's outcome holds. `NOT_ISSUED`: it has none. `UNRESOLVED`: the meeting ended
 * before that could be decided; `issued` holds those that were seen before.
 */
export type OutcomeState = 'ISSUED' | 'PARTIAL' | 'FAILED' | 'RECOVERED' | 'NOT_ISSUED' | 'UNRESOLVED';

/** The result of an intent; durable before a JoinToken leaves. */
export interface OutcomeRecord extends RecordBase {
  kind: 'outcome';
  state: OutcomeState;
  writtenBy: 'handler' | 'reconciler';
  issued: IssuedAttendee[];
  /** Attendees that Chime returned but the caller may not have: their tokens were not delivered. */
  withheld: (IssuedAttendee & { rule: Rule })[];
  errors: { externalUserId: string; errorCode: string; errorMessage: string }[];
  /** Why Chime refused the whole batch. */
  refusal?: { code: string; message: string };
  chimeRequestId?: string;
  /**
   * Whether the derived items of `issued` exist: `written`, all of them; `pending`, it is not known which, and the
   * reconciler writes them. Records of earlier versions may say `deferred`: everything that is not `written` is
   * completed.
   */
  admissions: 'written' | 'pending';
  /**
   * For what the reconciler found: `ambiguous` if another intent without outcome asked for the same name, or if more
   * attendees of a name exist than were requested, so that another request may have created them.
   */
  attribution?: 'sole' | 'ambiguous';
  /** Written by the reconciler only: no JoinToken of this batch was delivered. */
  delivered?: false;
  /** Attendees with requested names that another batch's outcome holds: why they are not in `issued`. */
  heldElsewhere?: { externalUserId: string; attendeeId: string; batchId: string }[];
}

/** A request of a known caller that a rule denied. */
export interface DenialRecord extends RecordBase, Partial<InForce> {
  kind: 'denial';
  /** As in an intent; of another tenant's meeting too. */
  externalMeetingId?: string;
  /** Key of the index `by-caller`, as an intent's. Records of earlier versions have none. */
  callerId?: string;
  /** Key of the index `denials-by-day`. */
  denialDay: string;
  /** Issuer, client and subject are only in `callerId`; records of earlier versions have them here instead. */
  caller: Omit<CallerFacts, keyof CallerName> & Partial<CallerName>;
  rule: Rule;
  /** The operation; absent in records of earlier versions, which had `BatchCreateAttendee` only. */
  operation?: OperationName;
  /** How many attendees were requested. */
  requestedCount: number;
  /** Their ExternalUserIds, as many as the record has room for. Records of earlier versions have none. */
  names?: string[];
}

/** One admission of one attendee, in the admission table: key `externalUserId` and `admissionId`. */
export interface AdmissionRecord {
  externalUserId: string;
  /** `<batchId>/<attendeeId>`, so that a batch that names a user twice has two. */
  admissionId: string;
  /** Key of the index `by-attendee`, with `batchId`. */
  attendeeId: string;
  batchId: string;
  meetingId: string;
  expiresAt?: number;
}

export function recordId(batchId: string, kind: AuditRecord['kind']): string {
  return `${batchId}/${kind}`;
}

/**
 * A caller is issuer, client and subject together, never the subject alone. Issuers hold no `|` (configuration refuses
 * it) and client ids are percent-encoded, so no two callers share an id.
 */
export function callerId(caller: CallerName): string {
  return `${caller.issuer}|${encodeURIComponent(caller.clientId)}|${caller.subject}`;
}

/** The parts of a `callerId`; undefined for a text that is not one. */
export function callerNamed(id: string): CallerName | undefined {
  const [, issuer, client, subject] = /^([^|]+)\|([^|]*)\|(.+)$/su.exec(id) ?? [];
  if (issuer === undefined || client === undefined || subject === undefined) return undefined;
  try {
    const caller = { issuer, clientId: decodeURIComponent(client), subject };
    return callerId(caller) === id ? caller : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The admission items of an outcome, each key once: Chime answers a name that is requested twice with the same attendee
 * twice. Withheld attendees were not admitted.
 */
export function admissionsOf(outcome: OutcomeRecord): AdmissionRecord[] {
  const byKey = new Map<string, AdmissionRecord>();
  for (const { externalUserId, attendeeId } of outcome.issued) {
    byKey.set(`${attendeeId}/${externalUserId}`, {
      externalUserId,
      admissionId: `${outcome.batchId}/${attendeeId}`,
      attendeeId,
      batchId: outcome.batchId,
      meetingId: outcome.meetingId,
      ...(outcome.expiresAt === undefined ? {} : { expiresAt: outcome.expiresAt }),
    });
  }
  return [...byKey.values()];
}
