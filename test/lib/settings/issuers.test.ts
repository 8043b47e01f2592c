import { describe, expect, it } from '@jest/globals';
import { issuersSchema } from '../../../lib/settings/issuers.ts';
import { createIssuerEntry } from '../../support/issuer-rules.ts';

/** A backend's issuer that nothing is wrong with. */
const backend = createIssuerEntry();
/** One whose users name themselves. */
const users = { ...backend, scopes: { self: 'attendees.create.self' }, tenantClaim: 'tenant' };
/** Two that can't be taken for one another. */
const acme = { ...users, tenants: ['acme'], externalUserIdPrefix: 'acme:' };
const globex = {
  ...users,
  issuer: 'https://id.example.org',
  tenants: ['globex'],
  externalUserIdPrefix: 'globex:',
};
const everything = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };

/** The first problem, as `path: message`, or undefined if there is none. */
function problem(...issuers: object[]): string | undefined {
  const issue = issuersSchema.safeParse(issuers).error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}

describe('defaults', () => {
  it('fills in what an issuer may leave out', () => {
    expect(issuersSchema.parse([backend])).toEqual([
      {
        issuer: 'https://login.example.com',
        jwksUris: ['https://login.example.com/.well-known/jwks.json'],
        audience: ['https://meetings.example.com'],
        clientIds: [],
        clientIdClaims: ['client_id', 'azp', 'appid', 'cid'],
        subjectClaims: ['sub'],
        algorithms: ['RS256'],
        accessTokenMark: { typ: 'at+jwt' },
        scopes: { delegate: 'attendees.create' },
        externalUserIdClaim: 'sub',
        externalUserIdPrefix: '',
        meetingsClaimRequired: true,
        allowAnyMeeting: false,
        ceilings: {},
        scopeClaims: ['scope'],
        clockSkewSeconds: 30,
        existing: 'release',
      },
    ]);
  });

  it('leaves a complete issuer unchanged', () => {
    const once = issuersSchema.parse([acme, globex]);
    expect(issuersSchema.parse(once)).toEqual(once);
  });

  it('does not double the slash that an issuer ends in', () => {
    const [rules] = issuersSchema.parse([{ ...backend, issuer: 'https://login.example.com/' }]);
    expect(rules?.issuer).toBe('https://login.example.com/');
    expect(rules?.jwksUris).toEqual(['https://login.example.com/.well-known/jwks.json']);
  });
});

describe('what is accepted', () => {
  it.each<[string, object[]]>([
    ['a backend that may join any meeting', [backend]],
    ['clients instead of an audience', [{ ...backend, audience: [], clientIds: ['backend'] }]],
    ['an issuer on this machine', [{ ...backend, issuer: 'http://127.0.0.1:4010' }]],
    ['an issuer on this machine by IPv6', [{ ...backend, issuer: 'http://[::1]:4010' }]],
    [
      'several scopes for users, each with its ceiling',
      [
        {
          ...users,
          scopes: { self: ['guest', 'viewer'] },
          ceilings: { guest: everything, viewer: everything },
        },
      ],
    ],
    ['a scope claim of another name', [{ ...backend, scopeClaim: 'scp' }]],
    ['keys at an address with a query', [{ ...backend, jwksUri: 'https://login.example.com/keys?p=1' }]],
    ['users bound by their tenant', [users]],
    [
      'users bound by their meetings',
      [{ ...users, tenantClaim: undefined, meetingsClaim: 'meetings' }].map(defined),
    ],
    [
      'users who may explicitly join any meeting',
      [defined({ ...users, tenantClaim: undefined, allowAnyMeeting: true })],
    ],
    [
      'an optional list of meetings where any meeting is allowed',
      [
        defined({
          ...users,
          tenantClaim: undefined,
          meetingsClaim: 'meetings',
          meetingsClaimRequired: false,
          allowAnyMeeting: true,
        }),
      ],
    ],
    ['a ceiling for a scope', [{ ...users, ceilings: { 'attendees.create.self': everything } }]],
    ['two issuers with their own users and tenants', [acme, globex]],
    [
      'two backends where there are no tenants',
      [
        { ...backend, externalUserIdPrefix: 'a:' },
        { ...backend, issuer: 'https://id.example.org', externalUserIdPrefix: 'b:' },
      ],
    ],
    [
      'an issuer that is explicitly for every tenant',
      [
        acme,
        {
          ...backend,
          issuer: 'https://id.example.org',
          externalUserIdPrefix: 'staff:',
          allowAnyMeeting: true,
        },
      ],
    ],
  ])('%s', (_what, issuers) => {
    expect(problem(...issuers)).toBeUndefined();
  });
});

describe('what is rejected in one issuer', () => {
  it.each<[string, object, string]>([
    ['no access token mark', { accessTokenMark: undefined }, '0.accessTokenMark: is missing'],
    [
      'neither audience nor client',
      { audience: [] },
      '0.audience: neither audience nor clientIds is given, so a token that this issuer made for any other application would be accepted',
    ],
    ['an empty audience', { audience: [''] }, '0.audience.0: '],
    ['no scope at all', { scopes: {} }, '0.scopes: has no scope, so '],
    [
      'one scope for both',
      { scopes: { delegate: 'a', self: 'a' }, tenantClaim: 'tenant' },
      '0.scopes.self: "a" is also the delegate scope, so ',
    ],
    [
      'one scope for both, among several',
      { scopes: { delegate: 'a', self: ['b', 'a'] }, tenantClaim: 'tenant' },
      '0.scopes.self: "a" is also the delegate scope, so ',
    ],
    ['an empty list of scopes', { scopes: { self: [] }, tenantClaim: 'tenant' }, '0.scopes.self: '],
    [
      'several scopes for users, and any meeting',
      { scopes: { self: ['guest', 'viewer'] } },
      '0.scopes: "guest viewer" lets a user name itself and no rule ties its token to a meeting',
    ],
    ['a scope claim without a name', { scopeClaim: '' }, '0.scopeClaim: '],
    [
      'a prefix with white space',
      { externalUserIdPrefix: ' acme:' },
      '0.externalUserIdPrefix: " acme:" has white space',
    ],
    ['a scope with a space', { scopes: { delegate: 'a b' } }, '0.scopes: "a b" has a space'],
    ['no algorithm', { algorithms: [] }, '0.algorithms: '],
    ['a symmetric algorithm', { algorithms: ['HS256'] }, '0.algorithms.0: '],
    ['no algorithm at all', { algorithms: ['none'] }, '0.algorithms.0: '],
    [
      'http',
      { issuer: 'http://login.example.com' },
      '0.issuer: "http://login.example.com" is not an https URL',
    ],
    ['a name that only begins like this machine', { issuer: 'http://localhost.example.com' }, '0.issuer: '],
    ['no URL', { issuer: 'login.example.com' }, '0.issuer: "login.example.com" is not an https URL'],
    ['a password in the URL', { issuer: 'https://user:secret@login.example.com' }, '0.issuer: '],
    ['a query', { issuer: 'https://login.example.com/?a=b' }, '0.issuer: "https://login.example.com/?a=b" '],
    ['an empty query', { issuer: 'https://login.example.com?' }, '0.issuer: '],
    ['a fragment', { issuer: 'https://login.example.com/#a' }, '0.issuer: '],
    ['a bar', { issuer: 'https://login.example.com/a|b' }, '0.issuer: '],
    [
      'keys over http',
      { jwksUri: 'http://login.example.com/keys' },
      '0.jwksUri: "http://login.example.com/keys" is not an https URL',
    ],
    [
      'a scope whose ceiling JavaScript would lose',
      JSON.parse(
        `{ "scopes": { "self": "__proto__" }, "ceilings": { "__proto__": ${JSON.stringify(everything)} } }`,
      ),
      '0.scopes.self: is not a valid scope',
    ],
    [
      'a ceiling for no scope',
      { ceilings: { 'attendees.creat': everything } },
      '0.ceilings.attendees.creat: "attendees.creat" is not a scope of this issuer',
    ],
    [
      'half a ceiling',
      { ceilings: { 'attendees.create': { Audio: 'None' } } },
      '0.ceilings.attendees.create.Video: ',
    ],
    [
      'a prefix that Chime refuses',
      { externalUserIdPrefix: 'acme;' },
      '0.externalUserIdPrefix: "acme;" has white space or a character that Chime does not allow',
    ],
    ['a long prefix', { externalUserIdPrefix: 'a'.repeat(33) }, '0.externalUserIdPrefix: "aaa'],
    [
      'the reserved prefix',
      { externalUserIdPrefix: 'AWS:x' },
      '0.externalUserIdPrefix: "AWS:x" starts with "aws:"',
    ],
    ['tenants that nothing checks', { tenants: ['acme'] }, '0.tenants: is given without tenantClaim'],
    [
      'a tenant that no meeting can have',
      { tenantClaim: 'tenant', tenants: ['a'] },
      '0.tenants.0: is not a valid tenant',
    ],
    ['no tenant', { tenantClaim: 'tenant', tenants: [] }, '0.tenants: '],
    [
      'users without a meeting rule',
      { scopes: { self: 'me' } },
      '0.scopes: "me" lets a user name itself and no rule ties its token to a meeting, so that user could join every meeting of the account',
    ],
    [
      'users with an optional list of meetings',
      { scopes: { self: 'me' }, meetingsClaim: 'meetings', meetingsClaimRequired: false },
      '0.scopes: "me" lets a user name itself and meetingsClaim is not required, so that user could join every meeting',
    ],
    [
      'any meeting, but of one tenant',
      { tenantClaim: 'tenant', allowAnyMeeting: true },
      '0.allowAnyMeeting: contradicts tenantClaim',
    ],
    [
      'any meeting, but of a list',
      { meetingsClaim: 'meetings', allowAnyMeeting: true },
      '0.allowAnyMeeting: contradicts the required meetingsClaim',
    ],
  ])('%s', (_what, change, message) => {
    const refused = problem(defined({ ...backend, ...change }));
    expect(refused?.slice(0, message.length)).toBe(message);
  });

  it('names a key that it does not know before it judges the rest', () => {
    const misspelt = issuersSchema.safeParse([
      defined({ ...users, tenantClaim: undefined, tenantclaim: 'tenant' }),
    ]);
    expect(misspelt.error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['tenantclaim'] });
  });
});

describe('what is rejected together with another issuer', () => {
  it.each<[string, object, object, string]>([
    [
      'the same issuer',
      acme,
      { ...globex, issuer: acme.issuer },
      '1.issuer: "https://login.example.com" is listed twice',
    ],
    [
      'the keys of the other',
      acme,
      { ...globex, jwksUri: `${acme.issuer}/.well-known/jwks.json` },
      '1.jwksUri: "https://login.example.com/.well-known/jwks.json" also serves the keys of https://login.example.com',
    ],
    [
      'no prefix',
      acme,
      { ...globex, externalUserIdPrefix: '' },
      '1.externalUserIdPrefix: is empty although there are several issuers, so this one could name the users of another',
    ],
    [
      'no prefix in the first',
      { ...acme, externalUserIdPrefix: '' },
      globex,
      '0.externalUserIdPrefix: is empty',
    ],
    [
      'the same prefix',
      acme,
      { ...globex, externalUserIdPrefix: 'acme:' },
      '1.externalUserIdPrefix: "acme:" and "acme:" of https://login.example.com overlap',
    ],
    [
      'a longer prefix',
      acme,
      { ...globex, externalUserIdPrefix: 'acme:eu:' },
      '1.externalUserIdPrefix: "acme:eu:" and "acme:" of ',
    ],
    [
      'a shorter prefix',
      acme,
      { ...globex, externalUserIdPrefix: 'ac' },
      '1.externalUserIdPrefix: "ac" and "acme:" of ',
    ],
    ['a prefix in capitals', acme, { ...globex, externalUserIdPrefix: 'ACME:' }, '1.externalUserIdPrefix: '],
    [
      'a shared tenant',
      acme,
      { ...globex, tenants: ['globex', 'acme'] },
      '1.tenants: "acme" is also a tenant of https://login.example.com',
    ],
    [
      'a tenant claim with any value',
      acme,
      defined({ ...globex, tenants: undefined }),
      '1.tenants: is missing although there are several issuers',
    ],
    [
      'no tenant claim beside one with',
      acme,
      { ...backend, issuer: globex.issuer, externalUserIdPrefix: 'b:' },
      '1.tenantClaim: is missing although another issuer has one',
    ],
    [
      'no tenant claim before one with',
      { ...backend, externalUserIdPrefix: 'b:', meetingsClaim: 'meetings' },
      globex,
      '0.tenantClaim: is missing although another issuer has one',
    ],
  ])('%s', (_what, one, other, message) => {
    expect(problem(one, other)?.slice(0, message.length)).toBe(message);
  });
});

/** Without the members that are set to undefined, which JSON can't say. */
function defined(value: object): object {
  return JSON.parse(JSON.stringify(value));
}
