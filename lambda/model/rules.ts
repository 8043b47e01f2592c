/**
 * Who may do what: pure functions of caller, meeting and request. Every rule has a name, which the denied caller, the
 * log and the audit get. What no rule permits is denied.
 */
export const RULES = [
  /** The token has none of its issuer's scopes. */
  'scope',
  /** The token's tenant claim is missing, malformed, or names a tenant that its issuer may not speak for. */
  'tenant-claim',
  /** The token's meetings claim is missing though required, malformed, or does not list this meeting. */
  'meetings-claim',
  /** A self caller asked for more than one attendee. */
  'self-one-attendee',
  /** A self caller named someone else, or its token gives it no name that an attendee can have. */
  'self-own-name',
  /** A delegate named an ExternalUserId outside its issuer's prefix. */
  'name-prefix',
  /** A capability above the ceiling of the caller's scope. */
  'capability-ceiling',
  /**
   * The meeting does not exist or, if the issuer has a tenant claim, has none of the caller's tenants. Always answered
   * with the same 404.
   */
  'meeting-tenant',
  /** Chime returned an attendee that was not asked for. */
  'answer-requested-name',
] as const;

export type Rule = (typeof RULES)[number];
