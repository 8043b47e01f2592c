import { dayOfBatch } from '../audit/batch-id.ts';
import type { AuditLog } from '../audit/ports.ts';
import {
  type CallerFacts,
  callerId,
  type IntentRecord,
  type OutcomeRecord,
  type OutcomeState,
  recordId,
} from '../audit/records.ts';
import type { Attendee, AttendeeError, AttendeeRequest, IssuedAttendee } from '../model/attendees.ts';
import { FacadeError } from '../model/errors.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { Caller, Clock, Meetings, TokenVerifier } from '../model/ports.ts';
import type { Rule } from '../model/rules.ts';
import type { CallerBudget } from './caller-budget.ts';
import type { MeetingAccess } from './meeting-access.ts';
import { authorizeByToken, type Grant, judgeAnswer } from './policy.ts';

/** A request as the gateway delivered it, before anything in it is believed. */
export interface CreateAttendeesCall {
  /** Minted for this request; names it in logs and records. */
  batchId: string;
  /** When the function is stopped, in milliseconds since the epoch. */
  stopsAtMs: number;
  sourceIp: string;
  userAgent: string;
  gatewayRequestId: string;
  /** @throws FacadeError `Unauthorized` */
  bearerToken(): string;
  /** @throws FacadeError `BadRequest` */
  parse(): { meetingId: string; attendees: AttendeeRequest[] };
}

export interface CreatedAttendees {
  attendees: Attendee[];
  errors: AttendeeError[];
  chimeRequestId: string | undefined;
}

export interface CreateAttendeesDependencies {
  tokenVerifier: TokenVerifier;
  meetingAccess: MeetingAccess;
  meetings: Pick<Meetings, 'createAttendees'>;
  /** How many denials of one caller are recorded; the others are only reported. */
  denialBudget: CallerBudget;
  auditLog: AuditLog;
  clock: Clock;
  /** `sha256:` and 32 hexadecimal digits. */
  fingerprint(joinToken: string): string;
  randomHex(): string;
  auditRetentionDays: number | undefined;
  addMetrics: AddMetrics;
  /** What happened, in words that hold no personal data. */
  report(event: string, facts: Record<string, string | number | undefined>): void;
}

/** The longest that a request may take, where the function has that long. */
const BUDGET_MS = 15_000;
/** Kept for shaping and sending the answer before the function is stopped. */
const ANSWER_RESERVE_MS = 500;
/** Kept for recording the outcome; Chime is not called, or no longer waited for, when less is left. */
const OUTCOME_RESERVE_MS = 3_000;
const FIND_MEETING_TIMEOUT_MS = 3_000;
const RECORD_TIMEOUT_MS = 3_000;
const ADMISSIONS_TIMEOUT_MS = 1_000;
/** Kept for the outcome itself where admissions come first. */
const MIN_OUTCOME_MS = 2_000;
/** What a client chooses freely is cut, so that it cannot make records dear; a denial is to fit into 1 KB. */
const INTENT_USER_AGENT_LENGTH = 256;
const DENIAL_USER_AGENT_LENGTH = 32;
/** A UUID has 36. */
const GATEWAY_REQUEST_ID_LENGTH = 36;
/** Below this, a call to Chime is not worth starting. */
const MIN_CREATE_MS = 250;

/**
 * Turns "this caller asks for these attendees in this meeting" into join tokens: authenticate, parse, authorize, record
 * the intent, ask Chime, judge its answer, record the outcome, and only then answer.
 *
 * @throws FacadeError for every answer other than 200
 */
export async function createAttendees(
  call: CreateAttendeesCall,
  dependencies: CreateAttendeesDependencies,
): Promise<CreatedAttendees> {
  const { tokenVerifier, meetingAccess, meetings, auditLog, clock } = dependencies;
  const startMs = clock.now();
  const deadlineMs = Math.min(startMs + BUDGET_MS, call.stopsAtMs - ANSWER_RESERVE_MS);
  const timeLeftMs = (atMostMs: number, reserveMs = 0): number => {
    const leftMs = Math.min(atMostMs, deadlineMs - reserveMs - clock.now());
    if (leftMs <= 0) throw outOfTime();
    return leftMs;
  };

  const caller = await tokenVerifier.verify(call.bearerToken());
  const { meetingId: requestedMeetingId, attendees: requested } = call.parse();
  const meetingId = requestedMeetingId.toLowerCase();

  const decision = authorizeByToken(caller, { meetingId, attendees: requested });
  if (!decision.permitted) {
    await recordDenial(decision.rule, decision.scope);
    throw new FacadeError('Forbidden', `Denied by the rule ${decision.rule}.`, {
      reason: decision.rule,
      ...(decision.rule === 'scope' ? { challenge: 'Bearer error="insufficient_scope"' } : {}),
    });
  }
  const { grant } = decision;
  if (grant.tenants !== undefined) {
    const rule = await meetingAccess.ruleAgainst(
      callerId(identityOf(caller)),
      grant.tenants,
      requestedMeetingId,
      {
        timeoutMs: timeLeftMs(FIND_MEETING_TIMEOUT_MS),
      },
    );
    if (rule !== undefined) {
      await recordDenial(rule, grant.scope);
      throw new FacadeError('NotFound', `Meeting ${requestedMeetingId} not found`, { reason: rule });
    }
  }

  const intent = intentOf(call, caller, grant, meetingId, requested);
  await auditLog
    .recordIntent(intent, { timeoutMs: timeLeftMs(RECORD_TIMEOUT_MS) })
    .catch((cause: unknown) => {
      throw unavailable('intent-not-recorded', 'Nothing was created.', cause);
    });

  const createMs = deadlineMs - OUTCOME_RESERVE_MS - clock.now();
  if (createMs < MIN_CREATE_MS) {
    await settle({ state: 'FAILED', refusal: { code: 'ServiceUnavailable', message: 'Out of time.' } });
    throw outOfTime();
  }
  const result = await meetings.createAttendees(requestedMeetingId, requested, { timeoutMs: createMs });
  if (result.kind === 'ambiguous') {
    throw (
      result.error ??
      unavailable('chime-ambiguous', 'It is not known yet whether attendees were created.', result.cause)
    );
  }
  if (result.kind === 'refused') {
    const { code, message } = result.error;
    await settle({ state: 'FAILED', refusal: { code, message }, chimeRequestId: result.chimeRequestId });
    throw result.error;
  }

  const { released, withheld } = judgeAnswer(grant, requested, result.attendees);
  const outcome = await settle({
    state: stateOf(released.length, result.attendees.length, requested.length),
    issued: released.map(issuedOf),
    withheld: withheld.map(({ attendee, rule }) => ({ ...issuedOf(attendee), rule })),
    errors: result.errors,
    chimeRequestId: result.chimeRequestId,
  });
  dependencies.report('batch', {
    state: outcome.state,
    requested: requested.length,
    issued: released.length,
    withheld: withheld.length,
    errors: result.errors.length,
    durationMs: clock.now() - startMs,
  });
  dependencies.addMetrics({
    BatchesAnswered: 1,
    AttendeesIssued: released.length,
    AttendeesWithheld: withheld.length,
    AttendeeErrors: result.errors.length,
  });
  return {
    attendees: released,
    errors: [
      ...result.errors,
      ...withheld.map(({ attendee, rule }) => ({
        ExternalUserId: attendee.ExternalUserId,
        ErrorCode: 'Forbidden',
        ErrorMessage: `Denied by the rule ${rule}.`,
      })),
    ],
    chimeRequestId: result.chimeRequestId,
  };

  /** Writes the outcome; whoever did not write it does not answer. */
  async function settle(result: Result): Promise<OutcomeRecord> {
    const outcome: OutcomeRecord = {
      meetingId,
      recordId: recordId(call.batchId, 'outcome'),
      batchId: call.batchId,
      kind: 'outcome',
      state: result.state,
      recordedAt: new Date(clock.now()).toISOString(),
      writtenBy: 'handler',
      writerId: dependencies.randomHex(),
      issued: result.issued ?? [],
      withheld: result.withheld ?? [],
      errors: (result.errors ?? []).map((e) => ({
        externalUserId: e.ExternalUserId,
        errorCode: e.ErrorCode,
        errorMessage: e.ErrorMessage,
      })),
      ...(result.refusal === undefined ? {} : { refusal: result.refusal }),
      ...(result.chimeRequestId === undefined ? {} : { chimeRequestId: result.chimeRequestId }),
      admissions: 'pending',
      ...expiry(),
    };
    // Derived entries come first, so that an outcome on record can say whether they are complete.
    if (outcome.issued.length > 0) outcome.admissions = await writeAdmissions(outcome);
    else outcome.admissions = 'written';
    const written = await auditLog
      .recordOutcome(outcome, { timeoutMs: timeLeftMs(RECORD_TIMEOUT_MS) })
      .catch((cause: unknown) => {
        throw unavailable('outcome-not-recorded', 'The outcome is not known yet.', cause);
      });
    if (!written) throw unavailable('outcome-lost', 'The outcome was decided elsewhere.');
    return outcome;
  }

  async function writeAdmissions(outcome: OutcomeRecord): Promise<'written' | 'pending'> {
    try {
      await auditLog.recordAdmissions(outcome, {
        timeoutMs: timeLeftMs(ADMISSIONS_TIMEOUT_MS, MIN_OUTCOME_MS),
      });
      return 'written';
    } catch (cause) {
      dependencies.report('admissions pending', { cause: nameOf(cause) });
      return 'pending';
    }
  }

  async function recordDenial(rule: Rule, scope: string | undefined): Promise<void> {
    if (!dependencies.denialBudget.take(callerId(identityOf(caller)))) {
      dependencies.report('denial not recorded', { rule, cause: 'budget' });
      return;
    }
    try {
      await auditLog.recordDenial(
        {
          meetingId,
          recordId: recordId(call.batchId, 'denial'),
          batchId: call.batchId,
          kind: 'denial',
          denialDay: dayOfBatch(call.batchId),
          recordedAt: new Date(clock.now()).toISOString(),
          writerId: dependencies.randomHex(),
          caller: callerFacts(call, caller, scope, DENIAL_USER_AGENT_LENGTH),
          rule,
          requestedCount: requested.length,
          ...expiry(),
        },
        { timeoutMs: timeLeftMs(RECORD_TIMEOUT_MS) },
      );
    } catch (cause) {
      // A denial stands whether or not it could be recorded; the log line has the batch id and the rule.
      dependencies.report('denial not recorded', { rule, cause: nameOf(cause) });
    }
  }

  function intentOf(
    call: CreateAttendeesCall,
    caller: Caller,
    grant: Grant,
    meetingId: string,
    requested: readonly AttendeeRequest[],
  ): IntentRecord {
    const facts = callerFacts(call, caller, grant.scope, INTENT_USER_AGENT_LENGTH);
    return {
      meetingId,
      recordId: recordId(call.batchId, 'intent'),
      batchId: call.batchId,
      kind: 'intent',
      callerId: callerId(facts),
      day: dayOfBatch(call.batchId),
      recordedAt: new Date(clock.now()).toISOString(),
      writerId: dependencies.randomHex(),
      caller: facts,
      requested: requested.map(({ ExternalUserId, Capabilities }) => ({
        externalUserId: ExternalUserId,
        ...(Capabilities === undefined ? {} : { capabilities: Capabilities }),
      })),
      deadline: new Date(deadlineMs).toISOString(),
      ...expiry(),
    };
  }

  function issuedOf(attendee: Attendee): IssuedAttendee {
    return {
      externalUserId: attendee.ExternalUserId,
      attendeeId: attendee.AttendeeId,
      capabilities: attendee.Capabilities,
      tokenFingerprint: dependencies.fingerprint(attendee.JoinToken),
    };
  }

  function expiry(): { expiresAt?: number } {
    const days = dependencies.auditRetentionDays;
    return days === undefined ? {} : { expiresAt: Math.floor(startMs / 1000) + days * 86_400 };
  }
}

interface Result {
  state: OutcomeState;
  refusal?: { code: string; message: string };
  issued?: IssuedAttendee[];
  withheld?: (IssuedAttendee & { rule: Rule })[];
  errors?: AttendeeError[];
  chimeRequestId?: string | undefined;
}

function callerFacts(
  call: CreateAttendeesCall,
  caller: Caller,
  scope: string | undefined,
  userAgentLength: number,
): CallerFacts {
  return {
    ...identityOf(caller),
    ...(scope === undefined ? {} : { scope }),
    sourceIp: call.sourceIp,
    userAgent: call.userAgent.slice(0, userAgentLength),
    gatewayRequestId: call.gatewayRequestId.slice(0, GATEWAY_REQUEST_ID_LENGTH),
  };
}

function identityOf(caller: Caller): { issuer: string; clientId: string; subject: string } {
  return { issuer: caller.rules.issuer, clientId: caller.clientId, subject: caller.subject };
}

/** `FAILED` says that nothing exists: an attendee that was withheld exists, though its token was not delivered. */
function stateOf(issued: number, answered: number, requested: number): OutcomeState {
  if (answered === 0) return 'FAILED';
  return issued < requested ? 'PARTIAL' : 'ISSUED';
}

function unavailable(reason: string, what: string, cause?: unknown): FacadeError {
  return new FacadeError('ServiceUnavailable', `${what} Repeating the same request is safe.`, {
    retryAfterSeconds: 1,
    reason,
    cause,
  });
}

function outOfTime(): FacadeError {
  return unavailable('out-of-time', 'The request took too long.');
}

/** Messages of foreign errors may quote what they choked on, a join token even: only names are told. */
function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}
