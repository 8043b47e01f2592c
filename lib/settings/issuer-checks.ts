import { type Capabilities, receivesMedia } from '../../lambda/model/attendees.ts';
import type { AccessTokenMark, IssuerRules } from '../../lambda/model/issuer-rules.ts';
import { withPlaceholders } from './deploy-time.ts';
import type { WrittenEntry } from './issuer-entry.ts';
import { isAmbiguous, isFetchable, keyOriginOf } from './key-origin.ts';

/** A problem of an issuer, and its key. */
export interface Problem {
  path: PropertyKey[];
  message: string;
}

/** An entry of the configuration, and its rules. */
interface Issuer {
  entry: WrittenEntry;
  rules: IssuerRules;
}

/** Chime's ExternalUserId has at most 64 characters; a prefix must leave half of them to the user's own id. */
const MAX_PREFIX_LENGTH = 32;

/**
 * The characters of Chime's `ExternalUserId`, without white space: Chime does not document that it keeps leading white
 * space.
 */
const PREFIX_CHARACTERS = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ]*$/;

/** The audit joins issuer, client and subject of a caller with this. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
const NOT_IN_AN_ISSUER = /[|\u0000-\u001f\u007f]/;

/** Claims of every ID token (OpenID Connect Core 1.0 section 2). */
const ID_TOKEN_CLAIMS = new Set(['iss', 'sub', 'aud', 'exp', 'iat']);

/** Claims that are numbers (RFC 7519 section 4.1). */
const TIME_CLAIMS = new Set(['exp', 'nbf', 'iat', 'auth_time']);

/** The problems of issuers, alone and together. `rules` are those of the entries, in their order. */
export function problemsWithIssuers(entries: WrittenEntry[], rules: IssuerRules[]): Problem[] {
  const issuers = entries.map((entry, index) => ({ entry, rules: rules[index] as IssuerRules }));
  return issuers.flatMap((issuer, index) =>
    [
      ...problemsWithEntry(issuer),
      ...(issuers.length > 1 ? problemsBesideOthers(issuer, issuers.slice(0, index), entries) : []),
    ].map(({ path, message }) => ({ path: [index, ...path], message })),
  );
}

function problemsWithEntry({ entry, rules }: Issuer): Problem[] {
  return [
    ...problemsWithBothGiven(entry),
    ...problemsWithUrls({ entry, rules }),
    ...problemsWithAudience(entry),
    ...problemsWithMark(entry, rules.accessTokenMark),
    ...problemsWithClaims(rules),
    ...problemsWithScopes(entry, rules),
    ...problemsWithCeilings(entry),
    ...problemsWithPrefix(entry),
    ...problemsWithMeetingRules(entry),
  ];
}

/** Of two keys with the same meaning, one would be ignored. */
function problemsWithBothGiven(entry: WrittenEntry): Problem[] {
  const pairs = [
    ['jwksUri', 'jwksUris'],
    ['scopeClaim', 'scopeClaims'],
    ['clientIdClaim', 'clientIdClaims'],
  ] as const;
  return pairs.flatMap(([one, several]) =>
    entry[one] !== undefined && entry[several] !== undefined
      ? [
          {
            path: [one],
            message: `is given together with ${several}, so it would be ignored; remove one of them`,
          },
        ]
      : [],
  );
}

function problemsWithUrls({ entry, rules }: Issuer): Problem[] {
  const problems: Problem[] = [];
  const add = (path: PropertyKey[], message: string) => problems.push({ path, message });
  const { issuer, jwksUri, jwksUris } = entry;
  const named = jwksUris ?? (jwksUri === undefined ? [] : [jwksUri]);
  const pathOf = (index: number) => (jwksUris === undefined ? ['jwksUri'] : ['jwksUris', index]);
  if (NOT_IN_AN_ISSUER.test(withPlaceholders(issuer) ?? '')) {
    add(
      ['issuer'],
      `"${issuer}" contains | or a control character, which could give two callers the same name in the audit; use the exact value of "iss" in the tokens`,
    );
  } else if (rules.jwksUris.length === 0) {
    add(
      ['jwksUri'],
      'is missing, and does not follow from this provider and issuer; use the jwks_uri of the discovery document',
    );
  } else if (named.length === 0 && !rules.jwksUris.every(isFetchable)) {
    add(
      ['issuer'],
      `"${issuer}" is not an https URL, and no jwksUri is given, so an attacker on the network could replace the keys; use https (http only on localhost, 127.0.0.1 or [::1]), or set an https jwksUri`,
    );
  } else if (named.length === 0 && /[?#\s]/.test(withPlaceholders(issuer) ?? '')) {
    add(
      ['issuer'],
      `"${issuer}" contains ?, # or a space, and no jwksUri is given, so the address of its keys cannot be derived from it; set jwksUri`,
    );
  }
  for (const [index, address] of named.entries()) {
    if (!isFetchable(address)) {
      add(
        pathOf(index),
        `"${address}" is not an https URL, so an attacker on the network could replace the keys and sign any token; use https (http only on localhost, 127.0.0.1 or [::1])`,
      );
    } else if (isAmbiguous(address)) {
      add(
        pathOf(index),
        `"${address}" has a fragment, white space, a backslash, an empty path segment or an encoded delimiter, so it is not clear where the keys come from; use an address without these`,
      );
    }
  }
  return problems;
}

function problemsWithAudience(entry: WrittenEntry): Problem[] {
  if (entry.audience.length > 0 || entry.clientIds.length > 0) return [];
  return [
    {
      path: ['audience'],
      message:
        'neither audience nor clientIds is given, so a token that this issuer made for any other application would be accepted; list the audience of this API, or the client ids that may call it',
    },
  ];
}

const MARK_IS =
  'use {"typ": "at+jwt"} (RFC 9068), {"claim": "…"} with or without "values", or {"audience": true}';

function problemsWithMark(entry: WrittenEntry, mark: AccessTokenMark): Problem[] {
  const problem = (message: string): Problem[] => [{ path: ['accessTokenMark'], message }];
  const { typ, claim, values, audience } = mark;
  const given = [typ, claim, audience || undefined].filter((part) => part !== undefined).length;
  if (given === 0 && entry.accessTokenMark === undefined) {
    return problem(
      `is missing, so an ID token would pass as an access token; set provider, or say how to tell them apart: ${MARK_IS}`,
    );
  }
  if (given !== 1) {
    return problem(
      `${given === 0 ? 'is empty' : 'has more than one mark'}, so it is not clear what marks an access token; ${MARK_IS}`,
    );
  }
  if (values !== undefined && claim === undefined) {
    return problem('has values without a claim, so they would be ignored; set claim');
  }
  if (typ !== undefined && /^(?:application\/)?jwt$/i.test(typ)) {
    return problem(
      `has the typ "${typ}", which ID tokens also have, so an ID token would pass as an access token; ${MARK_IS}`,
    );
  }
  if (claim !== undefined && values === undefined && ID_TOKEN_CLAIMS.has(claim)) {
    return problem(
      `has the claim "${claim}", which every ID token also has, so an ID token would pass as an access token; use another claim, or list its values`,
    );
  }
  if (audience && entry.audience.length === 0) {
    return problem('uses the audience as the mark, but no audience is given; list the audience of this API');
  }
  return [];
}

/** A claim with a time never matches a name. */
function problemsWithClaims(rules: IssuerRules): Problem[] {
  const claims: [string, string | undefined][] = [
    ...rules.scopeClaims.map((claim): [string, string] => ['scopeClaims', claim]),
    ...rules.subjectClaims.map((claim): [string, string] => ['subjectClaims', claim]),
    ['externalUserIdClaim', rules.externalUserIdClaim],
    ['tenantClaim', rules.tenantClaim],
    ['meetingsClaim', rules.meetingsClaim],
  ];
  return claims.flatMap(([key, claim]) =>
    claim !== undefined && TIME_CLAIMS.has(claim)
      ? [
          {
            path: [key],
            message: `"${claim}" holds a time, so it can never match; use a claim that holds text`,
          },
        ]
      : [],
  );
}

function selfScopes({ scopes }: WrittenEntry): string[] {
  return [scopes.self ?? []].flat();
}

function problemsWithScopes(entry: WrittenEntry, { scopeClaims }: IssuerRules): Problem[] {
  const { delegate } = entry.scopes;
  const self = selfScopes(entry);
  const problems: Problem[] = [];
  if (delegate === undefined && self.length === 0) {
    problems.push({
      path: ['scopes'],
      message:
        'has no scope, so no token of this issuer could do anything; set a delegate scope, a self scope, or both',
    });
  }
  if (delegate !== undefined && self.includes(delegate)) {
    problems.push({
      path: ['scopes', 'self'],
      message: `"${delegate}" is also the delegate scope, so a user who may name only itself could name anyone; use two different scopes`,
    });
  }
  for (const name of [delegate ?? [], ...self].flat()) {
    if (/\s/.test(name) && scopeClaims.every((claim) => claim === 'scope' || claim === 'scp')) {
      problems.push({
        path: ['scopes'],
        message: `"${name}" has a space, which separates scopes in the claim ${scopeClaims.join(', ')} (RFC 6749 section 3.3), so it could never match; rename the scope, or set scopeClaim to a claim that lists it`,
      });
    }
  }
  for (const name of Object.keys(entry.ceilings)) {
    if (name !== delegate && !self.includes(name)) {
      problems.push({
        path: ['ceilings', name],
        message: `"${name}" is not a scope of this issuer, so the ceiling would limit no one; use one of its scopes as the key`,
      });
    }
  }
  return problems;
}

/** Chime refuses an attendee that receives content without video. */
function problemsWithCeilings({ ceilings }: WrittenEntry): Problem[] {
  return Object.entries(ceilings).flatMap(([scope, { Video, Content }]: [string, Capabilities]) =>
    receivesMedia(Content) && !receivesMedia(Video)
      ? [
          {
            path: ['ceilings', scope],
            message: `allows Content ${Content} and Video ${Video}, but Chime refuses an attendee that receives content without video, so every request would fail; set Video to Receive or SendReceive, or Content to Send or None`,
          },
        ]
      : [],
  );
}

function problemsWithPrefix(entry: WrittenEntry): Problem[] {
  const prefix = entry.externalUserIdPrefix;
  const object = (message: string): Problem[] => [{ path: ['externalUserIdPrefix'], message }];
  if (!PREFIX_CHARACTERS.test(prefix)) {
    return object(
      `"${prefix}" has white space or a character that Chime does not allow in an ExternalUserId, so requests would fail or name other users; use letters, digits and punctuation such as "acme:"`,
    );
  }
  if (prefix.length > MAX_PREFIX_LENGTH) {
    return object(
      `"${prefix}" has ${prefix.length} characters, which leaves too few of the 64 characters of an ExternalUserId for the user; use at most ${MAX_PREFIX_LENGTH}`,
    );
  }
  if (/^aws:/i.test(prefix)) {
    return object(
      `"${prefix}" starts with "aws:", which Chime reserves, so every request would fail; choose another prefix`,
    );
  }
  return [];
}

function problemsWithMeetingRules(entry: WrittenEntry): Problem[] {
  const { scopes, tenantClaim, tenants, meetingsClaim, meetingsClaimRequired, allowAnyMeeting } = entry;
  const listsMeetings = meetingsClaim !== undefined && meetingsClaimRequired;
  const bound = tenantClaim !== undefined || listsMeetings;
  const problems: Problem[] = [];
  const object = (key: string, message: string) => problems.push({ path: [key], message });
  if (tenants !== undefined && tenantClaim === undefined) {
    object(
      'tenants',
      'is given without tenantClaim, so nothing would restrict this issuer to these tenants; set tenantClaim to the claim that holds the tenant',
    );
  }
  if (allowAnyMeeting && bound) {
    object(
      'allowAnyMeeting',
      `contradicts ${tenantClaim !== undefined ? 'tenantClaim' : 'the required meetingsClaim'}, so it is not clear which of the two applies; remove one of them`,
    );
  }
  if (scopes.self !== undefined && !bound && !allowAnyMeeting) {
    object(
      'scopes',
      `"${selfScopes(entry).join(' ')}" lets a user name itself and ${
        meetingsClaim === undefined ? 'no rule ties its token to a meeting' : 'meetingsClaim is not required'
      }, so that user could join every meeting of the account; set tenantClaim or a required meetingsClaim, or set "allowAnyMeeting": true`,
    );
  }
  return problems;
}

function problemsBesideOthers({ entry, rules }: Issuer, earlier: Issuer[], all: WrittenEntry[]): Problem[] {
  return [
    ...problemsWithNames(entry, earlier),
    ...problemsWithSharedKeys(rules, earlier),
    ...problemsWithPrefixes(entry, earlier),
    ...problemsWithTenants(entry, earlier, all),
  ];
}

function problemsWithNames(entry: WrittenEntry, earlier: Issuer[]): Problem[] {
  const problems: Problem[] = [];
  if (earlier.some(({ entry: { issuer } }) => issuer === entry.issuer)) {
    problems.push({
      path: ['issuer'],
      message: `"${entry.issuer}" is listed twice, so the weaker of the two rules could apply; merge the two entries`,
    });
  }
  return problems;
}

function problemsWithSharedKeys(rules: IssuerRules, earlier: Issuer[]): Problem[] {
  for (const jwksUri of rules.jwksUris) {
    const origin = keyOriginOf(jwksUri);
    const sharer = earlier.find((other) => other.rules.jwksUris.some((one) => keyOriginOf(one) === origin));
    if (sharer !== undefined && sharer.rules.issuer !== rules.issuer) {
      return [
        {
          path: ['jwksUri'],
          message: `"${jwksUri}" also serves the keys of ${sharer.rules.issuer}, so each could sign tokens for the other's users; use separate keys for each issuer`,
        },
      ];
    }
  }
  return [];
}

function problemsWithPrefixes({ externalUserIdPrefix: prefix }: WrittenEntry, earlier: Issuer[]): Problem[] {
  const problems: Problem[] = [];
  const add = (message: string) => problems.push({ path: ['externalUserIdPrefix'], message });
  if (prefix === '') {
    add(
      'is empty although there are several issuers, so this one could name the users of another and get their join tokens; give each issuer its own prefix',
    );
  }
  const alike = earlier.find((other) => beginAlike(other.entry.externalUserIdPrefix, prefix))?.entry;
  if (alike !== undefined) {
    add(
      `"${prefix}" and "${alike.externalUserIdPrefix}" of ${alike.issuer} overlap, so both could name the same ExternalUserId and get each other's join tokens; choose prefixes of which neither starts with the other`,
    );
  }
  return problems;
}

function problemsWithTenants(entry: WrittenEntry, earlier: Issuer[], all: WrittenEntry[]): Problem[] {
  const problems: Problem[] = [];
  const object = (key: string, message: string) => problems.push({ path: [key], message });
  const tenantsMatter = all.some(({ tenantClaim }) => tenantClaim !== undefined);
  if (entry.tenantClaim !== undefined && entry.tenants === undefined) {
    object(
      'tenants',
      'is missing although there are several issuers, so this one could act for the tenants of another; list the tenants that it may act for',
    );
  }
  if (entry.tenantClaim === undefined && tenantsMatter && !entry.allowAnyMeeting) {
    object(
      'tenantClaim',
      'is missing although another issuer has one, so users of this one could join the meetings of every tenant; set tenantClaim and tenants, or set "allowAnyMeeting": true',
    );
  }
  for (const { entry: other } of earlier) {
    const shared = entry.tenants?.find((tenant) => other.tenants?.includes(tenant));
    if (shared !== undefined) {
      object(
        'tenants',
        `"${shared}" is also a tenant of ${other.issuer}, so users of each could join the meetings of the other; list the tenant for one issuer only`,
      );
    }
  }
  return problems;
}

/** Whether one starts with the other; ignores case, because Chime does not document that names are case-sensitive. */
function beginAlike(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a.startsWith(b) || b.startsWith(a);
}
