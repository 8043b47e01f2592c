import type { Capabilities } from './attendees.ts';

/** Asymmetric JWS algorithms that an issuer may be pinned to (RFC 7518 section 3.1; RFC 8037, with Ed25519). */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/**
 * How a token shows that it is an access token and not an ID token, for example (RFC 8725 section 3.12). Exactly one of
 * `typ`, `claim` and `audience` is given.
 */
export interface AccessTokenMark {
  /** The header's `typ`, such as `at+jwt` (RFC 9068 section 2.1); media types are case-insensitive. */
  typ?: string;
  /** A claim that only access tokens have, or have with one of `values`. */
  claim?: string;
  /** As text: a number or a boolean is compared by its JSON. Without values, the claim only has to be present. */
  values?: string[];
  /** The audience alone marks it: no ID token of the issuer can have it. */
  audience?: boolean;
}

/**
 * What one issuer's tokens may do. Every issuer has its own rules, so none can speak for another's users. The
 * deployment's configuration is checked against this shape at synthesis; the handler trusts it.
 */
export interface IssuerRules {
  /** The exact `iss` claim. */
  issuer: string;
  /** Where the issuer publishes its keys (RFC 7517): one address, or several if it has several key sets. */
  jwksUris: string[];
  /** A token's `aud` must name one of these. Empty only if `clientIds` is not: Cognito's access tokens have no `aud`. */
  audience: string[];
  /** A token's client must be one of these; empty means any client of the issuer. */
  clientIds: string[];
  /** The claims that may hold the client; the first that a token has counts. */
  clientIdClaims: string[];
  /** The claims that may hold the subject, by which the audit identifies a caller; the first that a token has counts. */
  subjectClaims: string[];
  algorithms: SignatureAlgorithm[];
  accessTokenMark: AccessTokenMark;
  /**
   * The claims that list a token's scopes, taken together: one string with spaces between, a list of strings, an
   * object whose keys are the scopes or a list of such objects, or `true`, which is the scope `true`.
   */
  scopeClaims: string[];
  scopes: {
    /** A caller with this scope may name any ExternalUserId under `externalUserIdPrefix`. */
    delegate?: string;
    /**
     * A caller with this scope may name itself, once. Several scopes can have different ceilings, for guests and
     * viewers for example. If a token has more than one, the first that is listed here counts.
     */
    self?: string | string[];
  };
  /** The claim that holds the caller's own ExternalUserId. */
  externalUserIdClaim: string;
  /**
   * The prefix that Usher puts before that claim, and that every name of a delegate must start with. May be empty with
   * a single issuer only.
   */
  externalUserIdPrefix: string;
  /** The claim that names the caller's tenant (a string or a list); it must be among the meeting's own `TenantIds`. */
  tenantClaim?: string;
  /** The tenants that this issuer may speak for; any if left out (single issuer only). */
  tenants?: string[];
  /** The claim that lists the meeting ids that a token is valid for (a list, or one string). */
  meetingsClaim?: string;
  /** Whether a token without that claim is refused. */
  meetingsClaimRequired: boolean;
  /** States explicitly that self callers of this issuer may join any meeting of the account. */
  allowAnyMeeting: boolean;
  /** The most that a scope may ask for, by scope name. A scope without one may ask for everything. */
  ceilings: Record<string, Capabilities>;
  /** The allowed clock skew for `exp`, `nbf` and `iat`, in seconds. */
  clockSkewSeconds: number;
  /**
   * Whether a self caller gets its own existing attendee if that has more than the caller's ceiling. `release` only if
   * users cannot change the claim that holds their name.
   */
  existing: 'release' | 'withhold';
}

/** The claims in which providers put the client of a token. */
export const DEFAULT_CLIENT_ID_CLAIMS = ['client_id', 'azp', 'appid', 'cid'];

const DEFAULTS = {
  audience: [] as string[],
  clientIds: [] as string[],
  clientIdClaims: DEFAULT_CLIENT_ID_CLAIMS,
  subjectClaims: ['sub'],
  algorithms: ['RS256'] as SignatureAlgorithm[],
  scopeClaims: ['scope'],
  externalUserIdClaim: 'sub',
  externalUserIdPrefix: '',
  meetingsClaimRequired: true,
  allowAnyMeeting: false,
  ceilings: {} as Record<string, Capabilities>,
  clockSkewSeconds: 30,
  existing: 'withhold',
} satisfies Partial<IssuerRules>;

/** Rules without their default values: the environment of a function is small. */
export type CompactIssuerRules = Omit<IssuerRules, keyof typeof DEFAULTS | 'jwksUris'> &
  Partial<Pick<IssuerRules, keyof typeof DEFAULTS | 'jwksUris'>>;

/** Removes what `completeIssuerRules` adds. */
export function compactIssuerRules(rules: IssuerRules): CompactIssuerRules {
  const defaults: Record<string, unknown> = { ...DEFAULTS, jwksUris: [defaultJwksUri(rules.issuer)] };
  const isDefault = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) === JSON.stringify(defaults[name]);
  return Object.fromEntries(
    Object.entries(rules).filter((entry) => !isDefault(entry)),
  ) as unknown as CompactIssuerRules;
}

export function completeIssuerRules(rules: CompactIssuerRules): IssuerRules {
  return { ...DEFAULTS, jwksUris: [defaultJwksUri(rules.issuer)], ...rules };
}

export function defaultJwksUri(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`;
}
