import { errors } from 'jose';
import { FacadeError } from '../model/errors.ts';
import type { LogEvent } from '../model/log-events.ts';
import type { TokenReason } from '../model/reasons.ts';

/** Writes a log line with facts of the configuration, never of a token. */
export type Report = (event: LogEvent, facts: Record<string, string | number>) => void;

/** A 401 with the challenge of RFC 6750 section 3. */
export function refuse(reason: TokenReason, message: string): FacadeError {
  // The description has no quotes or backslashes, and is ASCII.
  const description = message.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
  return new FacadeError('Unauthorized', message, {
    reason,
    challenge: `Bearer error="invalid_token", error_description="${description}"`,
  });
}

/** @returns undefined for a signature that does not verify, because another key may verify it */
export function tokenErrorOf(error: unknown): FacadeError | undefined {
  if (error instanceof FacadeError) return error;
  if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
  if (error instanceof errors.JWTExpired) {
    return refuse('token-expired', 'The bearer token has expired.');
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimErrorOf(error);
  return refuse('token-malformed', 'The bearer token is malformed.');
}

function claimErrorOf({ claim, reason }: errors.JWTClaimValidationFailed): FacadeError {
  if (claim === 'aud') return refuse('token-audience', 'The bearer token is meant for another audience.');
  if (claim === 'exp' && reason === 'missing') {
    return refuse('token-expiry-missing', 'The bearer token does not expire; one that does is required.');
  }
  if (reason === 'invalid') {
    return refuse('token-claim-type', `The claim ${claim} of the bearer token is not a number.`);
  }
  return refuse('token-not-yet-valid', 'The bearer token is not valid yet.');
}
