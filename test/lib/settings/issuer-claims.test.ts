import { describe, expect, it } from '@jest/globals';
import { compactIssuerRules, completeIssuerRules } from '../../../lambda/model/issuer-rules.ts';
import { issuersSchema } from '../../../lib/settings/issuers.ts';
import type { IssuerEntry } from '../../../lib/settings/props.ts';
import { createIssuerEntry } from '../../support/issuer-rules.ts';

const parse = (change: Partial<IssuerEntry>) => issuersSchema.safeParse([createIssuerEntry(change)]);

/** The first problem, as `path: message`, or undefined if there is none. */
function problemOf(change: Partial<IssuerEntry> | Record<string, unknown>): string | undefined {
  const issue = parse(change as Partial<IssuerEntry>).error?.issues[0];
  return issue && `${issue.path.slice(1).join('.')}: ${issue.message}`;
}
const rulesOf = (change: Partial<IssuerEntry>) => parse(change).data?.[0];

const ALL = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;

describe('an issuer', () => {
  it.each([
    'acme.com',
    'http://adfs.example.com/adfs/services/trust',
    'a b',
    'urn:x?y#z',
    'https://x.example/',
  ])('may be called %j if its keys come by https', (issuer) => {
    expect(problemOf({ issuer, jwksUri: 'https://idp.example.com/keys' })).toBeUndefined();
  });

  it.each(['a|b', 'a\nb', 'a\u0000', '\u007f'])('may not be called %j', (issuer) => {
    expect(problemOf({ issuer, jwksUri: 'https://idp.example.com/keys' })).toMatch(
      /^issuer: .* contains \|/s,
    );
  });

  it('needs a name', () => {
    expect(problemOf({ issuer: '', jwksUri: 'https://idp.example.com/keys' })).toMatch(/^issuer: /);
  });

  it.each([
    'acme.com',
    'http://login.example.com',
    'https://login.example.com/?a=b',
    'https://login.example.com/#a',
  ])('must name its keys if they cannot be found below %s', (issuer) => {
    expect(problemOf({ issuer })).toMatch(/^issuer: .* no jwksUri is given/);
  });

  it('must name its keys if its provider has several addresses for them', () => {
    expect(problemOf({ provider: 'entra-b2c' })).toMatch(/^jwksUri: is missing/);
  });
});

describe('a claim', () => {
  const keys = [
    'scopeClaim',
    'clientIdClaim',
    'externalUserIdClaim',
    'tenantClaim',
    'meetingsClaim',
  ] as const;
  it.each(
    [
      '',
      '.a',
      'a.',
      'a..b',
      '__proto__',
      'a.__proto__',
      'constructor',
      'a.constructor.b',
      'prototype',
    ].flatMap((name) => keys.map((key) => [key, name] as const)),
  )('%s may not be called %j', (key, name) => {
    expect(problemOf({ [key]: name })).toMatch(new RegExp(`^${key}: `));
  });

  it.each(['exp', 'nbf', 'iat', 'auth_time'])('can match no scope if it holds a time: %s', (name) => {
    expect(problemOf({ scopeClaim: name })).toMatch(/^scopeClaims: .* it can never match/);
  });

  it.each([
    'realm_access.roles',
    'https://acme.com/roles',
    'urn:zitadel:iam:org:project:roles',
    'cognito:groups',
  ])('may be called %s', (name) => {
    expect(problemOf({ scopeClaim: name })).toBeUndefined();
  });

  it.each([
    { scopeClaim: 'a', scopeClaims: ['b'] },
    { clientIdClaim: 'a', clientIdClaims: ['b'] },
    { jwksUri: 'https://a.example/k', jwksUris: ['https://b.example/k'] },
  ])('is not named in two ways: %j', (change) => {
    expect(problemOf(change)).toMatch(/ so it would be ignored; remove one of them$/);
  });
});

describe('a scope', () => {
  it.each(['__proto__', 'constructor', ' a', 'a ', 'a\n'])('may not be called %j', (delegate) => {
    expect(problemOf({ scopes: { delegate } })).toMatch(/^scopes\.delegate: is not a valid scope/);
  });

  it('may have a space only as an item of a list', () => {
    expect(problemOf({ scopes: { delegate: 'Meeting Host' } })).toMatch(
      /^scopes: "Meeting Host" has a space/,
    );
    expect(problemOf({ scopes: { delegate: 'Meeting Host' }, scopeClaim: 'roles' })).toBeUndefined();
    expect(problemOf({ scopes: { delegate: 'ACME\\Hosts' }, scopeClaim: 'group' })).toBeUndefined();
  });

  it('may not have a ceiling that Chime always refuses', () => {
    const ceilings = (Video: string, Content: string) => ({
      ceilings: { 'attendees.create': { ...ALL, Video, Content } },
    });
    for (const video of ['None', 'Send']) {
      for (const content of ['Receive', 'SendReceive']) {
        expect(problemOf(ceilings(video, content))).toMatch(/^ceilings\.attendees\.create: allows Content/);
      }
      expect(problemOf(ceilings(video, 'Send'))).toBeUndefined();
    }
    expect(problemOf(ceilings('Receive', 'SendReceive'))).toBeUndefined();
  });
});

describe('the mark of an access token', () => {
  it.each<[unknown, RegExp]>([
    [{}, /^accessTokenMark: is empty/],
    [{ audience: false }, /^accessTokenMark: is empty/],
    [{ typ: 'at+jwt', claim: 'cid' }, /^accessTokenMark: has more than one mark/],
    [{ claim: 'cid', audience: true }, /^accessTokenMark: has more than one mark/],
    [{ typ: 'at+jwt', values: ['a'] }, /^accessTokenMark: has values without a claim/],
    [{ typ: 'JWT' }, /^accessTokenMark: has the typ "JWT", which ID tokens also have/],
    [{ typ: 'application/jwt' }, /which ID tokens also have/],
    [{ claim: 'sub' }, /^accessTokenMark: has the claim "sub", which every ID token also has/],
    [{ claim: 'cid', values: [] }, /^accessTokenMark\.values: /],
    [{ claim: '__proto__' }, /^accessTokenMark\.claim: /],
    ['at+jwt', /^accessTokenMark: /],
  ])('is not %j', (accessTokenMark, message) => {
    expect(problemOf({ accessTokenMark } as object)).toMatch(message);
  });

  it('is not the audience if none is given', () => {
    const change = { audience: [], clientIds: ['web'], accessTokenMark: { audience: true } };
    expect(problemOf(change)).toMatch(/^accessTokenMark: .* no audience is given/);
  });

  it('may be the value of a claim that ID tokens have too', () => {
    expect(problemOf({ accessTokenMark: { claim: 'sub', values: ['machine'] } })).toBeUndefined();
  });
});

describe('what a provider fills in', () => {
  it('is replaced by what is written', () => {
    const written = {
      scopeClaim: 'roles',
      accessTokenMark: { claim: 'mine' },
      algorithms: ['PS256'] as const,
      jwksUri: 'https://keys.example.com/',
    };
    const { accessTokenMark: _mark, ...entry } = createIssuerEntry({ provider: 'keycloak', ...written });
    const [rules] = issuersSchema.parse([{ ...entry, ...written }]);
    expect(rules).toMatchObject({
      scopeClaims: ['roles'],
      accessTokenMark: { claim: 'mine' },
      algorithms: ['PS256'],
      jwksUris: ['https://keys.example.com/'],
      clientIdClaims: ['azp', 'client_id'],
    });
  });
});

describe('an existing attendee with more than its ceiling', () => {
  it.each<[Partial<IssuerEntry>, string]>([
    [{}, 'release'],
    [{ externalUserIdClaim: 'oid' }, 'release'],
    [{ externalUserIdClaim: 'nickname' }, 'withhold'],
    [{ externalUserIdClaim: 'email' }, 'withhold'],
    [{ externalUserIdClaim: 'profile.sub' }, 'withhold'],
    [{ externalUserIdClaim: 'nickname', existing: 'release' }, 'release'],
    [{ existing: 'withhold' }, 'withhold'],
  ])('becomes, for an issuer with %j, %s', (change, existing) => {
    expect(rulesOf(change)?.existing).toBe(existing);
  });
});

describe('the clock skew', () => {
  it.each([0, 30, 300])('may be %d s', (clockSkewSeconds) => {
    expect(rulesOf({ clockSkewSeconds })?.clockSkewSeconds).toBe(clockSkewSeconds);
  });
  it.each([-1, 301, 0.5])('may not be %d s', (clockSkewSeconds) => {
    expect(problemOf({ clockSkewSeconds })).toMatch(/^clockSkewSeconds: /);
  });
});

describe('the environment', () => {
  it('keeps only the differences from the defaults, and restores the whole issuer', () => {
    const rules = rulesOf({});
    if (rules === undefined) throw new Error('The entry is refused.');
    const compact = compactIssuerRules(rules);
    expect(Object.keys(compact).toSorted()).toEqual([
      'accessTokenMark',
      'audience',
      'existing',
      'issuer',
      'scopes',
    ]);
    expect(completeIssuerRules(JSON.parse(JSON.stringify(compact)))).toEqual(rules);
  });
});
