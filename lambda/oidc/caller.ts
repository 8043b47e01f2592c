import type { IssuerRules } from '../model/issuer-rules.ts';
import type { Caller } from '../model/ports.ts';
import { claimAt, isPlainObject } from './claim-path.ts';
import { assertClaimMark } from './token-mark.ts';
import { type Report, refuse } from './token-refusals.ts';

/** Fits into a DynamoDB key; OpenID Connect Core 1.0 section 2 allows no longer subject. */
const MAX_SUBJECT_LENGTH = 255;

/** RFC 6749 appendix A.1: printable ASCII. */
const CLIENT_ID = /^[\x20-\x7e]{1,255}$/;

type Claims = Record<string, unknown>;

/**
 * The caller, by the claims of a verified token. A claim that the rules do not use never causes a refusal.
 *
 * @throws FacadeError `Unauthorized` for a token that is not an access token, is for another client, or has no subject
 */
export function callerOf(verified: Claims, rules: IssuerRules, report: Report): Caller {
  const named = namedClaims(verified, rules);
  const { accessTokenMark: mark, scopeClaims } = rules;
  if (mark.claim !== undefined) assertClaimMark(named[mark.claim], mark);
  const clientId = clientIdOf(named, rules);
  const subject = subjectOf(named, rules);
  if (scopeClaims.every((claim) => named[claim] === undefined)) {
    report('token without scope claims', { issuer: rules.issuer, scopeClaims: scopeClaims.join(' ') });
  }
  return {
    rules,
    clientId,
    subject,
    scopes: new Set(scopeClaims.flatMap((claim) => scopesIn(named[claim]))),
    // By the names that the rules use, paths included.
    claims: { ...verified, ...named },
  };
}

/** The claims that the rules name, by these names. */
function namedClaims(verified: Claims, rules: IssuerRules): Claims {
  const names = [
    rules.accessTokenMark.claim,
    ...rules.clientIdClaims,
    ...rules.subjectClaims,
    ...rules.scopeClaims,
    rules.externalUserIdClaim,
    rules.tenantClaim,
    rules.meetingsClaim,
  ];
  const named: Claims = Object.create(null);
  for (const name of names) {
    if (name === undefined) continue;
    const claim = claimAt(verified, name);
    if (claim.found === 'ambiguous') {
      throw refuse(
        'token-claim-ambiguous',
        `The bearer token has the claim ${name} in more than one way, by its name and by its path.`,
      );
    }
    // A claim with the literal name would count as a way to read the path, so this overwrites nothing else.
    named[name] = claim.found === 'once' ? claim.value : undefined;
  }
  return named;
}

/** The first of the client claims that the token has; empty if it has no usable one and none is required. */
function clientIdOf(named: Claims, { clientIdClaims, clientIds }: IssuerRules): string {
  const claimed = clientIdClaims
    .map((claim) => named[claim])
    .find((value) => value !== undefined && value !== null);
  const only = onlyOf(claimed);
  const clientId = typeof only === 'string' && CLIENT_ID.test(only) ? only : '';
  if (clientIds.length > 0 && !clientIds.includes(clientId)) {
    throw refuse(
      'token-client',
      claimed === undefined
        ? `The bearer token says its client in none of the claims ${clientIdClaims.join(', ')}.`
        : 'The bearer token was issued to a client that is not accepted.',
    );
  }
  return clientId;
}

function subjectOf(named: Claims, { subjectClaims }: IssuerRules): string {
  const claim = subjectClaims.find((name) => ![undefined, null, ''].includes(named[name] as string));
  if (claim === undefined) throw refuse('token-subject', 'The bearer token has no subject.');
  const subject = onlyOf(named[claim]);
  if (Array.isArray(subject)) {
    throw refuse(
      'token-claim-list',
      `The claim ${claim} of the bearer token is a list; a string is required.`,
    );
  }
  if (typeof subject !== 'string') {
    throw refuse('token-claim-type', `The claim ${claim} of the bearer token is not a string.`);
  }
  if (subject.length > MAX_SUBJECT_LENGTH || !subject.isWellFormed()) {
    throw refuse('token-subject', 'The subject of the bearer token is too long, or not Unicode text.');
  }
  return subject;
}

/** Some providers write every claim as a list. */
function onlyOf(claim: unknown): unknown {
  return Array.isArray(claim) && claim.length === 1 ? claim[0] : claim;
}

/**
 * One string, with spaces between several scopes; a list of strings; or an object whose keys are roles, or a list of such
 * objects, as Zitadel documents both. A claim that is a flag, as Firebase shows them, is the scope `true`. Anything else
 * holds no scopes.
 */
function scopesIn(claim: unknown): string[] {
  // A role may contain spaces; then the claim holds only this role.
  if (typeof claim === 'string') return [...claim.split(' '), claim].filter((scope) => scope !== '');
  if (claim === true) return ['true'];
  if (!Array.isArray(claim)) return isPlainObject(claim) ? rolesIn(claim) : [];
  if (claim.every(isPlainObject)) return claim.flatMap(rolesIn);
  return claim.every((scope) => typeof scope === 'string') ? claim : [];
}

function rolesIn(roles: Record<string, unknown>): string[] {
  return Object.entries(roles).flatMap(([role, held]) =>
    held === true || (isPlainObject(held) && Object.keys(held).length > 0) ? [role] : [],
  );
}
