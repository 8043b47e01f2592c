import { type Denial, denialOf, identityOf } from '../audit/build-records.ts';
import { callerId } from '../audit/records.ts';
import { FacadeError } from '../model/errors.ts';
import { type Decision, denialText, type Grant } from './policy.ts';
import { type CallerRequest, type Dependencies, factsOf, nameOf, stampOf } from './request.ts';
import { REQUEST_TIMES } from './time-budget.ts';

/**
 * Lets a caller enter the meeting that it asks for: by a decision that needs its token only, and where that says so, by the
 * meeting's tenants. A denial is recorded.
 *
 * @param names the ExternalUserIds that are asked for
 * @throws FacadeError `Forbidden` or `NotFound` for a denial, and what looking the meeting up throws
 */
export async function enter(
  request: CallerRequest,
  decision: Decision,
  names: readonly string[],
  dependencies: Dependencies,
): Promise<Grant> {
  if (!decision.permitted) {
    const { rule, scope, limits } = decision;
    await recordDenial(request, { rule, scope, names }, dependencies);
    throw new FacadeError('Forbidden', denialText(rule, limits), {
      reason: rule,
      rule,
      ...(rule === 'scope' ? { challenge: 'Bearer error="insufficient_scope"' } : {}),
    });
  }
  const { grant } = decision;
  if (grant.tenants === undefined) return grant;

  const { meetingId } = request.asked;
  const access = await dependencies.meetingAccess.enter(
    callerId(identityOf(request.caller)),
    grant.tenants,
    meetingId,
    { timeoutMs: request.budget.forStep(REQUEST_TIMES.findMeetingMs) },
  );
  if ('rule' in access) {
    const { rule } = access;
    await recordDenial(request, { ...access, scope: grant.scope, names }, dependencies);
    throw new FacadeError('NotFound', `Meeting ${meetingId} not found`, { reason: rule });
  }
  return { ...grant, ...access };
}

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
    await dependencies.auditLog.recordDenial(
      denialOf(factsOf(request, dependencies), denial, stampOf(dependencies)),
      { timeoutMs: request.budget.forStep(REQUEST_TIMES.recordMs) },
    );
  } catch (cause) {
    // A denial stands whether or not it could be recorded; the log line has the batch id and the rule.
    dependencies.report('denial not recorded', { rule, cause: nameOf(cause) });
  }
}
