import { RULES } from './rules.ts';

// Why a request has no answer of 200: the words of logs and metrics. No reason comes from a request, so none holds
// personal data and no caller can add one. docs/runbook.md explains each.

/** A token that does not verify. */
export const TOKEN_REASONS = [
  'token-algorithm',
  'token-audience',
  'token-claim-ambiguous',
  'token-claim-list',
  'token-claim-type',
  'token-client',
  'token-critical-header',
  'token-encrypted',
  'token-expired',
  'token-expiry-missing',
  'token-issuer',
  'token-key',
  'token-kind',
  'token-malformed',
  'token-missing',
  'token-not-yet-valid',
  'token-opaque',
  'token-signature',
  'token-subject',
] as const;

/** Every other failure except a denial by a rule. */
export const FAILURE_REASONS = [
  'body-length',
  'chime-access',
  'chime-ambiguous',
  'chime-refused',
  'chime-throttled',
  'content-type',
  'intent-not-recorded',
  'issuer-unavailable',
  'json',
  'meeting-lookup',
  'method',
  'operation',
  'out-of-time',
  'outcome-lost',
  'outcome-not-recorded',
  'path',
  'unexpected',
  'unknown-meetings',
  'validation',
] as const;

export type TokenReason = (typeof TOKEN_REASONS)[number];
export type FailureReason = (typeof FAILURE_REASONS)[number];
export type Reason = (typeof RULES)[number] | TokenReason | FailureReason;

/** The rules that deny: the one that judges Chime's answers only withholds. */
export const DENYING_RULES = RULES.filter((rule) => rule !== 'answer-requested-name');

/** The metrics that are counted by reason, and their reasons. */
export const REASONS_BY_METRIC = {
  Denials: DENYING_RULES,
  // Chime may answer 401 too.
  Unauthenticated: [...TOKEN_REASONS, 'chime-refused'],
  FailedRequests: FAILURE_REASONS,
} as const satisfies Record<string, readonly Reason[]>;
