import { type Denial, denialOf, identityOf } from '../audit/build-records.ts';
import { callerId } from '../audit/records.ts';
import { FacadeError } from '../model/errors.ts';
import type { Meeting } from '../model/meetings.ts';
import type { MeetingPermit } from './meeting-access.ts';
import { type Decision, denialText, type Grant, type MeetingGrant } from './policy.ts';
import { type CallerRequest, type Dependencies, factsOf, nameOf, stampOf } from './request.ts';
import { REQUEST_TIMES } from './time-budget.ts';

/** What a caller asks for in the meeting, for the record of a denial. */
export type Purpose = Pick<Denial, 'operation' | 'names'>;

/**
 * Decides whether a caller may have attendees in the meeting that it asks for: by its token, and if that allows it, by
 * the meeting's tenants. Records a denial.
 *
 * @throws FacadeError `Forbidden` or `NotFound` for a denial, and what looking up the meeting throws
 */
export async function authorizeAttendees(
  request: CallerRequest,
  decision: Decision,
  purpose: Purpose,
  dependencies: Dependencies,
): Promise<Grant> {
  const grant = await grantOf(request, decision, purpose, dependencies);
  if (grant.tenants === undefined) return grant;
  const { missingMedia, externalMeetingId } = await lookUp(request, grant, purpose, dependencies);
  return { ...grant, missingMedia, externalMeetingId };
}

/**
 * Decides whether a caller may read the meeting that it asks for, by the same rules. The meeting is looked up for
 * callers without tenants too, from the same budget.
 *
 * @throws FacadeError as `authorizeAttendees`
 */
export async function authorizeMeeting(
  request: CallerRequest,
  decision: Decision<MeetingGrant>,
  purpose: Purpose,
  dependencies: Dependencies,
): Promise<Meeting> {
  const grant = await grantOf(request, decision, purpose, dependencies);
  return (await lookUp(request, grant, purpose, dependencies)).meeting;
}

async function grantOf<Granted extends MeetingGrant>(
  request: CallerRequest,
  decision: Decision<Granted>,
  purpose: Purpose,
  dependencies: Dependencies,
): Promise<Granted> {
  if (decision.permitted) return decision.grant;
  const { rule, scope, limits } = decision;
  await recordDenial(request, { rule, scope, ...purpose }, dependencies);
  throw new FacadeError('Forbidden', denialText(rule, limits), {
    reason: rule,
    rule,
    ...(rule === 'scope' ? { challenge: 'Bearer error="insufficient_scope"' } : {}),
  });
}

async function lookUp(
  request: CallerRequest,
  { scope, tenants }: MeetingGrant,
  purpose: Purpose,
  dependencies: Dependencies,
): Promise<MeetingPermit> {
  const { meetingId } = request.asked;
  const access = await dependencies.meetingAccess.check(
    callerId(identityOf(request.caller)),
    tenants,
    meetingId,
    { timeoutMs: request.budget.forStep(REQUEST_TIMES.findMeetingMs) },
  );
  if (!('rule' in access)) return access;
  await recordDenial(request, { ...access, scope, ...purpose }, dependencies);
  throw new FacadeError('NotFound', `Meeting ${meetingId} not found`, { reason: access.rule });
}

/** How many denials of one caller are recorded, per process: a burst, and a rate per second. */
export const RECORDED_DENIALS = { capacity: 20, perSecond: 1 / 3 };

async function recordDenial(
  request: CallerRequest,
  denial: Denial,
  dependencies: Dependencies,
): Promise<void> {
  const { rule } = denial;
  if (!dependencies.denialBudget.take(callerId(identityOf(request.caller)))) {
    dependencies.report('denial not recorded', { rule, cause: 'budget' });
    return;
  }
  try {
    const facts = factsOf(request, dependencies);
    const record = denialOf(facts, denial, stampOf(dependencies));
    await dependencies.auditLog.recordDenial(record, {
      timeoutMs: request.budget.forStep(REQUEST_TIMES.recordMs),
    });
  } catch (cause) {
    // A denial stands whether or not it could be recorded; the log line has the batch id and the rule.
    dependencies.report('denial not recorded', { rule, cause: nameOf(cause) });
  }
}
