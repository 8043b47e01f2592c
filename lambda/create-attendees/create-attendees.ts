import { intentOf, issuedOf, outcomeOf, type Result } from '../audit/build-records.ts';
import type { OutcomeRecord, OutcomeState } from '../audit/records.ts';
import type { Attendee, AttendeeError, AttendeeRequest } from '../model/attendees.ts';
import type { CreationResult } from '../model/ports.ts';
import { denialText, type Grant, judgeAnswer, requestsToSend } from './policy.ts';
import { type Asked, type CallerRequest, type Dependencies, factsOf, nameOf, stampOf } from './request.ts';
import { outOfTime, REQUEST_TIMES, unavailable } from './time-budget.ts';

/** What a client asks for (Chime's `BatchCreateAttendeeRequest`). */
export interface AskedAttendees extends Asked {
  attendees: AttendeeRequest[];
}

export interface CreatedAttendees {
  attendees: Attendee[];
  errors: AttendeeError[];
  chimeRequestId: string | undefined;
}

type AttendeesRequest = CallerRequest<AskedAttendees>;

/**
 * Turns "this caller may have these attendees in this meeting" into join tokens: records the intent, asks Chime, judges
 * its answer, records admissions and outcome, and only then answers.
 *
 * @throws FacadeError for every answer other than 200
 */
export async function createAttendees(
  request: AttendeesRequest,
  grant: Grant,
  dependencies: Dependencies,
): Promise<CreatedAttendees> {
  const sent = requestsToSend(grant, request.asked.attendees);
  await recordIntent(request, grant, sent, dependencies);
  const answer = await askChime(request, sent, dependencies);
  const { attendees: answered, errors, chimeRequestId } = answer;
  const { released, withheld } = judgeAnswer(grant, sent, answered);
  const { fingerprint } = dependencies;
  const { state } = await settle(
    request,
    {
      state: stateOf(released.length, answered.length, sent.length),
      issued: released.map(({ attendee, above }) => ({
        ...issuedOf(attendee, fingerprint),
        ...(above === undefined ? {} : { above }),
      })),
      withheld: withheld.map(({ attendee, rule }) => ({ ...issuedOf(attendee, fingerprint), rule })),
      errors,
      chimeRequestId,
    },
    dependencies,
  );
  dependencies.report('batch', {
    state,
    requested: sent.length,
    issued: released.length,
    withheld: withheld.length,
    errors: errors.length,
    durationMs: dependencies.clock.now() - request.budget.startMs,
  });
  const aboveCeiling = released.filter(({ above }) => above === 'ceiling').length;
  dependencies.addMetrics({
    BatchesAnswered: 1,
    AttendeesIssued: released.length,
    AttendeesWithheld: withheld.length,
    ...(aboveCeiling > 0 ? { AttendeesAboveCeiling: aboveCeiling } : {}),
    AttendeeErrors: errors.length,
  });
  const denied = withheld.map(({ attendee, rule, limits }) => ({
    ExternalUserId: attendee.ExternalUserId,
    ErrorCode: 'Forbidden',
    ErrorMessage: denialText(rule, limits),
  }));
  return {
    attendees: released.map(({ attendee }) => attendee),
    errors: [...errors, ...denied],
    chimeRequestId,
  };
}

/** From here on, the audit knows what Chime may be asked. */
async function recordIntent(
  request: AttendeesRequest,
  { scope, externalMeetingId }: Grant,
  sent: readonly AttendeeRequest[],
  dependencies: Dependencies,
): Promise<void> {
  const { budget } = request;
  const { meetingsRegion } = dependencies;
  const { deadlineMs } = budget;
  const facts = { scope, externalMeetingId, requested: sent, meetingsRegion, deadlineMs };
  const intent = intentOf(factsOf(request, dependencies), facts, stampOf(dependencies));
  const timeoutMs = budget.forStep(REQUEST_TIMES.recordMs);
  try {
    await dependencies.auditLog.recordIntent(intent, { timeoutMs });
  } catch (cause) {
    throw unavailable('intent-not-recorded', 'Nothing was created.', cause);
  }
}

/** @returns what Chime answered; if it created nothing, records the outcome and throws the error */
async function askChime(
  request: AttendeesRequest,
  sent: AttendeeRequest[],
  dependencies: Dependencies,
): Promise<Extract<CreationResult, { kind: 'answered' }>> {
  const timeoutMs = request.budget.forChime();
  if (timeoutMs === undefined) {
    const refusal = { code: 'ServiceUnavailable', message: 'Out of time.' };
    await settle(request, { state: 'FAILED', refusal }, dependencies);
    throw outOfTime();
  }
  const { meetingId } = request.asked;
  const result = await dependencies.meetings.createAttendees(meetingId, sent, { timeoutMs });
  if (result.kind === 'ambiguous') {
    const problem = 'It is not known yet whether attendees were created.';
    throw result.error ?? unavailable('chime-ambiguous', problem, result.cause);
  }
  if (result.kind === 'refused') {
    const { error, chimeRequestId } = result;
    const refusal = { code: error.code, message: error.message };
    if (error.code === 'NotFound') dependencies.meetingAccess.forget(meetingId);
    await settle(request, { state: 'FAILED', refusal, chimeRequestId }, dependencies);
    throw error;
  }
  return result;
}

/** Writes admissions and outcome: only the one who wrote the outcome answers. */
async function settle(
  request: AttendeesRequest,
  result: Result,
  dependencies: Dependencies,
): Promise<OutcomeRecord> {
  const outcome = outcomeOf(factsOf(request, dependencies), result, stampOf(dependencies));
  // Derived items come first, so that a recorded outcome can say whether they are complete.
  if (outcome.issued.length > 0) outcome.admissions = await writeAdmissions(request, outcome, dependencies);
  const timeoutMs = request.budget.forStep(REQUEST_TIMES.recordMs);
  let isOnRecord: boolean;
  try {
    isOnRecord = await dependencies.auditLog.recordOutcome(outcome, { timeoutMs });
  } catch (cause) {
    throw unavailable('outcome-not-recorded', 'The outcome is not known yet.', cause);
  }
  if (!isOnRecord) throw unavailable('outcome-lost', 'The outcome was decided elsewhere.');
  return outcome;
}

async function writeAdmissions(
  { budget }: AttendeesRequest,
  outcome: OutcomeRecord,
  { auditLog, report }: Dependencies,
): Promise<OutcomeRecord['admissions']> {
  const { admissionsMs, outcomeReserveMs } = REQUEST_TIMES;
  try {
    await auditLog.recordAdmissions(outcome, { timeoutMs: budget.forStep(admissionsMs, outcomeReserveMs) });
    return 'written';
  } catch (cause) {
    report('admissions pending', { cause: nameOf(cause) });
    return 'pending';
  }
}

/** `FAILED` says that no attendee exists: a withheld attendee exists, though its token was not delivered. */
function stateOf(issued: number, answered: number, requested: number): OutcomeState {
  if (answered === 0) return 'FAILED';
  return issued < requested ? 'PARTIAL' : 'ISSUED';
}
