import {
  FetchError,
  JwksValidationError,
  JwkValidationError,
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidSignatureAlgorithmError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
  KidNotFoundInJwksError,
} from 'aws-jwt-verify/error';
import { assertIsJwks, type Jwks } from 'aws-jwt-verify/jwk';
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt';
import { JwtVerifier } from 'aws-jwt-verify/jwt-verifier';
import type { Json } from 'aws-jwt-verify/safe-json-parse';
import { FacadeError } from '../errors.ts';
import type { AccessTokenMark, IssuerRules } from '../issuer-rules.ts';
import type { Clock, TokenVerifier } from '../ports.ts';
import { jwksCache } from './jwks-cache.ts';

const FETCH_TIMEOUT_MS = 2_000;

type Header = { alg?: string; kid?: string; typ?: unknown; crit?: unknown };
type Claims = Record<string, unknown>;

/**
 * Verifies access tokens of the configured issuers (RFC 7519; hardened as RFC 8725 asks; RFC 9068 for `at+jwt`).
 * Signature, issuer, audience and times are the library's work; what is checked here is what it leaves open: the
 * algorithm that configuration pins, critical headers, the token's kind, that it expires, its client and its subject.
 */
export function jwtTokenVerifier(issuers: readonly IssuerRules[], clock: Clock): TokenVerifier {
  const rulesByIssuer = new Map(issuers.map((rules) => [rules.issuer, rules]));
  const verifier = JwtVerifier.create(
    issuers.map(({ issuer, jwksUri, audience }) => ({
      issuer,
      jwksUri,
      audience: audience.length > 0 ? audience : null,
    })),
    {
      jwksCache: jwksCache({
        fetchJwks,
        now: clock.now,
        maxAgeMs: 10 * 60_000,
        maxStaleMs: 60 * 60_000,
        unknownKeyCooldownMs: 10_000,
        failureCooldownMs: 2_000,
      }),
    },
  );

  return {
    async verify(token) {
      try {
        const { header, payload } = decomposeUnverifiedJwt(token);
        const rules = rulesByIssuer.get(payload.iss ?? '');
        if (rules === undefined) throw invalid('token-issuer', 'The bearer token is of an unknown issuer.');
        assertHeader(header, rules);
        const claims: Claims = await verifier.verify(token);
        return assertClaims(claims, rules);
      } catch (error) {
        throw asFacadeError(error);
      }
    },
  };
}

/** Runs before any key is fetched: a token that pins cannot accept costs the issuer nothing. */
function assertHeader(header: Header, rules: IssuerRules): void {
  if (!rules.algorithms.some((algorithm) => algorithm === header.alg)) {
    throw invalid('token-algorithm', 'The bearer token is signed with an algorithm that is not accepted.');
  }
  // RFC 7515 section 4.1.11: extensions marked critical must be understood, and none is.
  if ('crit' in header) {
    throw invalid('token-critical-header', 'The bearer token has critical headers, which are not accepted.');
  }
  if (rules.accessToken === 'at+jwt' && !isAccessTokenType(header.typ)) {
    throw notAnAccessToken();
  }
}

function assertClaims(claims: Claims, rules: IssuerRules) {
  if (typeof claims['exp'] !== 'number') {
    throw invalid('token-expiry-missing', 'The bearer token does not expire; one that does is required.');
  }
  const mark = markClaim(rules.accessToken);
  if (mark !== undefined && claims[mark.claim] !== mark.value) throw notAnAccessToken();
  const clientId = claims['client_id'] ?? claims['azp'] ?? '';
  if (typeof clientId !== 'string' || (rules.clientIds.length > 0 && !rules.clientIds.includes(clientId))) {
    throw invalid('token-client', 'The bearer token was issued to a client that is not accepted.');
  }
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') {
    throw invalid('token-subject', 'The bearer token has no subject.');
  }
  const scope = claims['scope'];
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ') : []);
  return { rules, clientId, subject, scopes, claims };
}

/** RFC 9068 section 4: `at+jwt` or `application/at+jwt`; media types know no case. */
function isAccessTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ);
}

function markClaim(mark: AccessTokenMark): { claim: string; value: string } | undefined {
  if (mark === 'at+jwt') return undefined;
  return mark === 'cognito' ? { claim: 'token_use', value: 'access' } : mark;
}

async function fetchJwks(jwksUri: string): Promise<Jwks> {
  const response = await fetch(jwksUri, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) throw new FetchError(jwksUri, `status ${response.status}`);
  const jwks = (await response.json()) as Json;
  assertIsJwks(jwks);
  return jwks;
}

function asFacadeError(error: unknown): FacadeError {
  if (error instanceof FacadeError) return error;
  if (
    error instanceof FetchError ||
    error instanceof JwksValidationError ||
    error instanceof JwkValidationError
  ) {
    return new FacadeError('ServiceUnavailable', 'The keys of the token issuer cannot be had at present.', {
      retryAfterSeconds: 2,
      reason: 'issuer-unavailable',
      cause: error,
    });
  }
  if (error instanceof JwtExpiredError) return invalid('token-expired', 'The bearer token has expired.');
  if (error instanceof JwtNotBeforeError) {
    return invalid('token-not-yet-valid', 'The bearer token is not valid yet.');
  }
  if (error instanceof JwtInvalidAudienceError) {
    return invalid('token-audience', 'The bearer token is meant for another audience.');
  }
  if (error instanceof KidNotFoundInJwksError) {
    return invalid('token-key', 'The bearer token is signed with a key that its issuer does not publish.');
  }
  if (error instanceof JwtInvalidSignatureError || error instanceof JwtInvalidSignatureAlgorithmError) {
    return invalid('token-signature', 'The signature of the bearer token does not verify.');
  }
  return invalid('token-malformed', 'The bearer token is malformed.');
}

function notAnAccessToken(): FacadeError {
  return invalid('token-kind', 'The bearer token is not an access token.');
}

function invalid(reason: string, message: string): FacadeError {
  return new FacadeError('Unauthorized', message, {
    reason,
    challenge: `Bearer error="invalid_token", error_description="${message}"`,
  });
}
