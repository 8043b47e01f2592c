import { RULES } from './rules.ts';

// Why a request has no answer of 200: the words of logs and metrics. No reason comes from a request, so none holds personal
// data and nobody outside can make a new one. docs/runbook.md explains each.

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

/** Everything else but the rules. */
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

/** The rules that deny: one judges Chime's answers, and only withholds. */
export const DENYING_RULES = RULES.filter((rule) => rule !== 'answer-requested-name');

/** What each metric that is counted by reason is counted by. */
export const REASONS_BY_METRIC = {
  Denials: DENYING_RULES,
  // Chime may say 401, too.
  Unauthenticated: [...TOKEN_REASONS, 'chime-refused'],
  FailedRequests: FAILURE_REASONS,
} as const satisfies Record<string, readonly Reason[]>;
