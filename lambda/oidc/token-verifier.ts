import { type CryptoKey, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { FacadeError } from '../model/errors.ts';
import type { IssuerRules, SignatureAlgorithm } from '../model/issuer-rules.ts';
import type { Clock, TokenVerifier } from '../model/ports.ts';
import { callerOf } from './caller.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { nearestIssuer } from './issuer-names.ts';
import { type ChosenKeys, chooseKeys, hasReadableKey, type KeyRequest } from './key-choice.ts';
import type { KeySet } from './key-set.ts';
import type { KeySetCache } from './key-set-cache.ts';
import { assertHeaderMark } from './token-mark.ts';
import { type Report, refuse, tokenErrorOf } from './token-refusals.ts';

/** RFC 7518 sections 3.3 and 3.5: shorter keys can be factored. */
const MIN_RSA_BITS = 2048;

type Claims = Record<string, unknown>;
type Header = { alg?: unknown; kid?: unknown; typ?: unknown; crit?: unknown };

/**
 * Verifies access tokens of the configured issuers (RFC 7519; hardened as RFC 8725 asks; RFC 9068 for `at+jwt`). The
 * library checks signature, issuer, audience and times. This file checks the rest: the issuer's own keys and
 * algorithms, critical headers, the token's mark, its client, its subject, and `iat`.
 *
 * @param report logs why a token was refused or keys could not be fetched; no personal data
 * @param cache the issuers' keys, if their fetching has begun
 */
export function createTokenVerifier(
  issuers: readonly IssuerRules[],
  clock: Clock,
  report: Report,
  cache: KeySetCache = createIssuerKeys(clock, report),
): TokenVerifier {
  const rulesByIssuer = new Map(issuers.map((rules) => [rules.issuer, rules]));
  return {
    async verify(token) {
      const { header, issuer } = readUnverified(token);
      const rules = rulesByIssuer.get(issuer);
      if (rules === undefined) {
        const configured = nearestIssuer(
          issuer,
          issuers.map((one) => one.issuer),
        );
        if (configured !== undefined) report('issuer nearly matches', { configured });
        throw refuse('token-issuer', 'The bearer token is of an unknown issuer.');
      }
      const request = assertHeader(header, rules);
      const claims = await verifyWithPublishedKeys(token, request, { rules, cache, clock, report });
      return callerOf(claims, rules, report);
    },
  };
}

/** The token's own statements, used only to choose the rules for it. */
function readUnverified(token: string): { header: Header; issuer: string } {
  const parts = token.split('.').length;
  if (parts === 5) {
    throw refuse(
      'token-encrypted',
      'The bearer token is encrypted (a JWE); a signed one is required. Switch encryption off at the issuer.',
    );
  }
  if (parts !== 3) {
    throw refuse(
      'token-opaque',
      'The bearer token is not a JWT but opaque. Ask the issuer for an access token for this API.',
    );
  }
  let header: Header;
  let claims: Claims;
  try {
    header = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    throw refuse(
      'token-malformed',
      'The bearer token is malformed: its parts are not base64url of JSON objects.',
    );
  }
  const { iss: issuer } = claims;
  if (issuer !== undefined && typeof issuer !== 'string') {
    throw Array.isArray(issuer)
      ? refuse('token-claim-list', 'The claim iss of the bearer token is a list; a string is required.')
      : refuse('token-claim-type', 'The claim iss of the bearer token is not a string.');
  }
  return { header, issuer: issuer ?? '' };
}

/** Runs before any key is fetched: a token that the rules cannot accept costs the issuer nothing. */
function assertHeader(header: Header, rules: IssuerRules): KeyRequest {
  const alg = rules.algorithms.find((algorithm) => algorithm === header.alg);
  if (alg === undefined) {
    throw refuse('token-algorithm', 'The bearer token is signed with an algorithm that is not accepted.');
  }
  // RFC 7515 section 4.1.11: extensions marked critical must be understood, and none is.
  if ('crit' in header) {
    throw refuse('token-critical-header', 'The bearer token has critical headers, which are not accepted.');
  }
  assertHeaderMark(header.typ, rules.accessTokenMark);
  const kid = header.kid ?? undefined;
  if (kid !== undefined && typeof kid !== 'string') throw noKey();
  return { alg, kid };
}

interface Verification {
  rules: IssuerRules;
  cache: KeySetCache;
  clock: Clock;
  report: Report;
}

async function verifyWithPublishedKeys(
  token: string,
  request: KeyRequest,
  verification: Verification,
): Promise<Claims> {
  const { rules, cache } = verification;
  const known = await knownKeys(request, rules, cache);
  if (known.keys.length > 0) {
    const claims = await tryKeys(token, known, request, verification);
    if (claims !== undefined) return claims;
    // Without a key id, only the signature shows that a key was replaced.
    if (request.kid !== undefined) throw badSignature(known);
  }
  await Promise.all(rules.jwksUris.map((jwksUri) => cache.ask(jwksUri)));
  const latest = await chooseKeys(knownSets(rules, cache), request);
  if (latest.keys.length === 0) throw await withoutKey(latest, verification);
  const claims = await tryKeys(token, latest, request, verification);
  if (claims === undefined) throw badSignature(latest);
  return claims;
}

function knownSets(rules: IssuerRules, cache: KeySetCache): KeySet[] {
  return rules.jwksUris.flatMap((jwksUri) => cache.known(jwksUri) ?? []);
}

/** The fitting keys of the known sets, renewed if due. */
async function knownKeys(request: KeyRequest, rules: IssuerRules, cache: KeySetCache): Promise<ChosenKeys> {
  const chosen = await chooseKeys(knownSets(rules, cache), request);
  // Without a key id, only all sets together show whether exactly one key fits.
  const isComplete = rules.jwksUris.every((jwksUri) => cache.known(jwksUri) !== undefined);
  if (chosen.keys.length === 0 || (request.kid === undefined && !isComplete)) {
    return { keys: [], broken: chosen.broken };
  }
  await Promise.all(rules.jwksUris.map((jwksUri) => cache.renew(jwksUri)));
  return chooseKeys(knownSets(rules, cache), request);
}

/** @returns undefined if none of these keys made the signature */
async function tryKeys(
  token: string,
  { keys }: ChosenKeys,
  { alg, kid }: KeyRequest,
  { rules, clock }: Verification,
): Promise<Claims | undefined> {
  if (kid === undefined && keys.length > 1) {
    throw refuse(
      'token-key',
      'The bearer token names no key (kid), and its issuer publishes several that fit. Have the issuer write the kid.',
    );
  }
  const strong = keys.filter(isStrong);
  if (strong.length === 0) {
    throw refuse('token-key', 'The bearer token is signed with an RSA key of fewer than 2048 bits.');
  }
  for (const key of strong) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [alg satisfies SignatureAlgorithm],
        issuer: rules.issuer,
        requiredClaims: ['exp'],
        clockTolerance: rules.clockSkewSeconds,
        currentDate: new Date(clock.now()),
        ...(rules.audience.length > 0 ? { audience: rules.audience } : {}),
      });
      assertIssuedAt(payload, rules, clock);
      return payload;
    } catch (error) {
      const refusal = tokenErrorOf(error);
      if (refusal !== undefined) throw refusal;
    }
  }
  return undefined;
}

function isStrong({ algorithm }: CryptoKey): boolean {
  const { modulusLength } = algorithm as { modulusLength?: number };
  return modulusLength === undefined || modulusLength >= MIN_RSA_BITS;
}

/** The library checks `iat` only if a token's age is limited. */
function assertIssuedAt({ iat }: Claims, { clockSkewSeconds }: IssuerRules, clock: Clock): void {
  if (typeof iat === 'number' && iat > Math.floor(clock.now() / 1_000) + clockSkewSeconds) {
    throw refuse(
      'token-not-yet-valid',
      'The bearer token was issued in the future (iat). Compare the clocks, or raise clockSkewSeconds.',
    );
  }
}

/** A broken issuer never looks like a bad token: only a current, readable set can prove that a key is missing. */
async function withoutKey(
  { broken }: ChosenKeys,
  { rules, cache, report }: Verification,
): Promise<FacadeError> {
  if (broken) {
    report('key unusable', { issuer: rules.issuer });
    return issuerUnavailable();
  }
  for (const jwksUri of rules.jwksUris) {
    const keySet = cache.known(jwksUri);
    if (keySet === undefined || !cache.isCurrent(jwksUri)) return issuerUnavailable();
    if (!(await hasReadableKey(keySet))) {
      report('keys not fetched', { jwksUri, problem: 'no usable key' });
      return issuerUnavailable();
    }
  }
  return noKey();
}

function badSignature({ broken }: ChosenKeys): FacadeError {
  return broken
    ? issuerUnavailable()
    : refuse('token-signature', 'The signature of the bearer token does not verify.');
}

function noKey(): FacadeError {
  return refuse(
    'token-key',
    'The bearer token is signed with a key that its issuer does not publish for signatures.',
  );
}

function issuerUnavailable(): FacadeError {
  return new FacadeError('ServiceUnavailable', 'The keys of the token issuer are not available at present.', {
    retryAfterSeconds: 2,
    reason: 'issuer-unavailable',
  });
}
