import { authorizeByToken } from '../../lambda/create-attendees/policy.ts';
import type { AttendeeRequest } from '../../lambda/model/attendees.ts';
import { ERROR_STATUS, FacadeError } from '../../lambda/model/errors.ts';
import type { IssuerRules } from '../../lambda/model/issuer-rules.ts';
import { createTokenVerifier } from '../../lambda/oidc/token-verifier.ts';

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';

/**
 * The answer that a caller with this token gets for these attendees, as far as the token decides: `200`, or the status
 * with its reason or rule, such as `401 token-kind`.
 */
export async function answerFor(
  token: string,
  issuers: readonly IssuerRules[],
  attendees: AttendeeRequest[],
): Promise<string> {
  try {
    const caller = await createTokenVerifier(issuers, { now: Date.now }, () => {}).verify(token);
    const decision = authorizeByToken(caller, { meetingId: MEETING, attendees });
    return decision.permitted ? '200' : `403 ${decision.rule}`;
  } catch (error) {
    if (!(error instanceof FacadeError)) throw error;
    return `${ERROR_STATUS[error.code]} ${error.details.reason}`;
  }
}
