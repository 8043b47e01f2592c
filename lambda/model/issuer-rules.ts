import type { Capabilities } from './attendees.ts';

/** Asymmetric JWS algorithms that an issuer may be pinned to (RFC 7518 section 3.1, RFC 8037). */
export type SignatureAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';

/**
 * How a token shows that it is an access token and not, say, an ID token (RFC 8725 section 3.12):
 * - `at+jwt`: the header's `typ`, as RFC 9068 section 2.1 has it;
 * - `cognito`: the claim `token_use` is `access`, as Amazon Cognito user pools write it;
 * - a claim of the issuer's own with one expected value.
 */
export type AccessTokenMark = 'at+jwt' | 'cognito' | { claim: string; value: string };

/**
 * What one issuer's tokens may do. Every issuer has rules of its own, so none can speak for another's users.
 * The deployment's configuration is checked against this shape at synthesis; the handler trusts it.
 */
export interface IssuerRules {
  /** The exact `iss` claim: an https URL without query or fragment (OpenID Connect Discovery 1.0 section 3). */
  issuer: string;
  /** Where the issuer publishes its keys (RFC 7517). */
  jwksUri: string;
  /** A token's `aud` must name one of these. Empty only where `clientIds` is not: Cognito's access tokens have no `aud`. */
  audience: string[];
  /** A token's `client_id` (or `azp`, where it has none) must be one of these; empty means that any client of the issuer will do. */
  clientIds: string[];
  algorithms: SignatureAlgorithm[];
  accessToken: AccessTokenMark;
  /**
   * The claim that lists a token's scopes: one string with spaces between, or a list of strings. Left out, `scope`
   * (RFC 8693 section 4.2), which is always one string.
   */
  scopeClaim?: string;
  scopes: {
    /** A caller with this scope may name any ExternalUserId under `externalUserIdPrefix`. */
    delegate?: string;
    /**
     * A caller with this scope may name itself, once. Several differ by their ceilings: guests and viewers, say. Of a
     * token that has more than one, the first that is listed here counts.
     */
    self?: string | string[];
  };
  /** The claim that holds the caller's own ExternalUserId. */
  externalUserIdClaim: string;
  /** Put before that claim, and required of every name that a delegate uses. May be empty with a single issuer only. */
  externalUserIdPrefix: string;
  /** The claim that names the caller's tenant (a string or a list); it must be among the meeting's own `TenantIds`. */
  tenantClaim?: string;
  /** The tenants this issuer may speak for; left out, any (single issuer only). */
  tenants?: string[];
  /** The claim that lists the meeting ids a token is good for (a list, or one string). */
  meetingsClaim?: string;
  /** Whether a token without that claim is refused. */
  meetingsClaimRequired: boolean;
  /** Says in so many words that self tokens of this issuer may enter any meeting of the account. */
  allowAnyMeeting: boolean;
  /** The most that a scope may ask for, by scope name. A scope without one may ask for everything. */
  ceilings: Record<string, Capabilities>;
}
