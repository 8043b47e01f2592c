import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import {
  FetchError,
  JwkInvalidKtyError,
  JwkInvalidUseError,
  JwksValidationError,
  JwkValidationError,
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidSignatureAlgorithmError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
  KidNotFoundInJwksError,
} from 'aws-jwt-verify/error';
import { assertIsJwks, type Jwk, type Jwks } from 'aws-jwt-verify/jwk';
import { decomposeUnverifiedJwt } from 'aws-jwt-verify/jwt';
import { JwtVerifier } from 'aws-jwt-verify/jwt-verifier';
import type { Json } from 'aws-jwt-verify/safe-json-parse';
import { FacadeError } from '../model/errors.ts';
import type { AccessTokenMark, IssuerRules } from '../model/issuer-rules.ts';
import type { Clock, TokenVerifier } from '../model/ports.ts';
import { jwksCache } from './jwks-cache.ts';

/** How each process asks each issuer for its keys; what that adds up to is in docs/authorization.md. */
export const KEY_FETCHING = {
  timeoutMs: 2_000,
  mostBytes: 512 * 1_024,
  maxAgeMs: 10 * 60_000,
  maxStaleMs: 60 * 60_000,
  unknownKeyCooldownMs: 10_000,
  failureCooldownMs: 2_000,
  staleRetryMs: 30_000,
};

/** What DynamoDB takes as a key leaves room for this, and OpenID Connect Core 1.0 section 2 allows a subject no more. */
const MAX_SUBJECT_LENGTH = 255;

/** RFC 6749 appendix A.1: printable ASCII. */
const CLIENT_ID = /^[\x20-\x7e]{0,255}$/;

type Header = { alg?: string; kid?: string; typ?: unknown; crit?: unknown };
type Claims = Record<string, unknown>;

/**
 * Verifies access tokens of the configured issuers (RFC 7519; hardened as RFC 8725 asks; RFC 9068 for `at+jwt`).
 * Signature, issuer, audience and times are the library's work; what is checked here is what it leaves open: the
 * algorithm that configuration pins, critical headers, the token's kind, that it expires, its client and its subject.
 */
export function createTokenVerifier(issuers: readonly IssuerRules[], clock: Clock): TokenVerifier {
  const rulesByIssuer = new Map(issuers.map((rules) => [rules.issuer, rules]));
  const verifier = JwtVerifier.create(
    issuers.map(({ issuer, jwksUri, audience }) => ({
      issuer,
      jwksUri,
      audience: audience.length > 0 ? audience : null,
      customJwtCheck: ({ jwk }: { jwk: Jwk }) => assertStrong(jwk),
    })),
    {
      jwksCache: jwksCache({
        ...KEY_FETCHING,
        now: clock.now,
        async fetchJwks(jwksUri) {
          const jwks = await fetchJwks(jwksUri);
          // The library remembers what it made of a key by key id alone; told of a key set, it forgets. An issuer that
          // replaces a key and keeps its id, a leaked one say, must not be answered with the old one.
          for (const rules of issuers) {
            if (rules.jwksUri === jwksUri) verifier.cacheJwks(jwks, rules.issuer);
          }
          return jwks;
        },
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

/** RFC 7518 sections 3.3 and 3.5: an RSA key has 2048 bits or more. What is shorter can be factored. */
function assertStrong({ kty, n }: Jwk): void {
  const modulus = Buffer.from(String(n), 'base64url');
  const zeros = modulus.findIndex((byte) => byte !== 0);
  if (kty === 'RSA' && modulus.length - zeros < 2048 / 8) {
    throw invalid('token-key', 'The bearer token is signed with an RSA key of fewer than 2048 bits.');
  }
}

function assertClaims(claims: Claims, rules: IssuerRules) {
  if (typeof claims['exp'] !== 'number') {
    throw invalid('token-expiry-missing', 'The bearer token does not expire; one that does is required.');
  }
  const mark = markClaim(rules.accessToken);
  if (mark !== undefined && claims[mark.claim] !== mark.value) throw notAnAccessToken();
  const clientId = claims['client_id'] ?? claims['azp'] ?? '';
  if (
    typeof clientId !== 'string' ||
    !CLIENT_ID.test(clientId) ||
    (rules.clientIds.length > 0 && !rules.clientIds.includes(clientId))
  ) {
    throw invalid('token-client', 'The bearer token was issued to a client that is not accepted.');
  }
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') {
    throw invalid('token-subject', 'The bearer token has no subject.');
  }
  if (subject.length > MAX_SUBJECT_LENGTH || !subject.isWellFormed()) {
    throw invalid('token-subject', 'The subject of the bearer token is too long, or no Unicode text.');
  }
  return { rules, clientId, subject, scopes: scopesIn(claims[rules.scopeClaim ?? 'scope']), claims };
}

/** A claim that is neither a string nor a list of strings holds no scopes. */
function scopesIn(claim: unknown): Set<string> {
  if (typeof claim === 'string') return new Set(claim.split(' '));
  const isListOfStrings = Array.isArray(claim) && claim.every((scope) => typeof scope === 'string');
  return new Set(isListOfStrings ? claim : []);
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
  const { timeoutMs, mostBytes } = KEY_FETCHING;
  const response = await get(jwksUri, timeoutMs);
  // A redirect is no key set either: only the configured address is ever asked.
  if (response.statusCode !== 200) {
    response.destroy();
    throw new FetchError(jwksUri, `status ${response.statusCode}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // An issuer must not be able to fill the memory that requests with other issuers' tokens need.
    if (bytes > mostBytes) throw new FetchError(jwksUri, 'the key set is too large');
    chunks.push(chunk);
  }
  const jwks: Json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  assertIsJwks(jwks);
  return jwks;
}

/**
 * Asks on a connection of its own, since one that is kept may have died while the process was frozen. Not by `fetch`:
 * loading that takes longer than the rest of a first request, and what is used here the SDK has loaded already.
 */
async function get(url: string, timeoutMs: number): Promise<IncomingMessage> {
  // Without TLS are only issuers on this machine: nobody else needs the other module at its start.
  const { request } = url.startsWith('https:') ? https : await import('node:http');
  return new Promise((resolve, reject) => {
    request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, resolve)
      .on('error', reject)
      // All there is after an answer of 101; after any other, this comes too late to matter.
      .on('close', () => reject(new FetchError(url, 'the connection ended without an answer')))
      .end();
  });
}

function asFacadeError(error: unknown): FacadeError {
  if (error instanceof FacadeError) return error;
  if (
    error instanceof FetchError ||
    error instanceof JwksValidationError ||
    error instanceof JwkValidationError ||
    isUnusableKey(error)
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
  if (
    error instanceof KidNotFoundInJwksError ||
    error instanceof JwkInvalidUseError ||
    error instanceof JwkInvalidKtyError
  ) {
    return invalid(
      'token-key',
      'The bearer token is signed with a key that its issuer does not publish for signatures.',
    );
  }
  if (error instanceof JwtInvalidSignatureError || error instanceof JwtInvalidSignatureAlgorithmError) {
    return invalid('token-signature', 'The signature of the bearer token does not verify.');
  }
  return invalid('token-malformed', 'The bearer token is malformed.');
}

/** What Node says of a key that it cannot read (https://nodejs.org/api/errors.html); bad signatures have other codes. */
function isUnusableKey(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ERR_CRYPTO_INVALID_JWK' || code === 'ERR_CRYPTO_INVALID_CURVE';
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
