import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IssuerRules } from '../../../lambda/model/issuer-rules.ts';
import { createTokenVerifier } from '../../../lambda/oidc/token-verifier.ts';
import { createSigningKey, type SigningKey, signToken, startKeyServer } from '../../support/issuer.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

/** 2026-11-23T13:45:58Z, in the middle of a second. */
const NOW_MS = 1_795_441_558_500;
const NOW_SECONDS = 1_795_441_558;

let key: SigningKey;
let issuer: Awaited<ReturnType<typeof startKeyServer>>;
let reported: [string, Record<string, string | number>][];

beforeAll(() => {
  key = createSigningKey('k1');
});
beforeEach(async () => {
  reported = [];
  issuer = await startKeyServer([key]);
});
afterEach(() => issuer.close());

const rulesWith = (change: Partial<IssuerRules> = {}) =>
  createIssuerRules({
    issuer: issuer.issuer,
    jwksUris: [issuer.jwksUri],
    audience: ['usher'],
    accessTokenMark: { audience: true },
    scopes: { delegate: 'host' },
    ...change,
  });
const verify = (claimed: Record<string, unknown>, change: Partial<IssuerRules> = {}, header = {}) =>
  createTokenVerifier([rulesWith(change)], { now: () => NOW_MS }, (event, facts) =>
    reported.push([event, facts]),
  ).verify(
    signToken(
      key,
      { iss: issuer.issuer, aud: 'usher', sub: 'alice', exp: NOW_SECONDS + 300, ...claimed },
      header,
    ),
  );
const reasonOf = (claimed: Record<string, unknown>, change: Partial<IssuerRules> = {}, header = {}) =>
  verify(claimed, change, header).then(
    () => 'verified',
    ({ details }) => details.reason,
  );

describe('scopes', () => {
  it.each<[string, string[], Record<string, unknown>]>([
    ['in a string', ['scope'], { scope: 'openid host' }],
    ['in a list', ['scope'], { scope: ['openid', 'host'] }],
    ['in the second of several claims', ['scp', 'roles'], { roles: ['host'] }],
    ['in one of several claims beside another', ['scp', 'roles'], { scp: 'openid', roles: 'host' }],
    ['in an object', ['realm_access.roles'], { realm_access: { roles: ['host'] } }],
    [
      'in an object of a client with dots',
      ['resource_access.my.api.roles'],
      { resource_access: { 'my.api': { roles: ['host'] } } },
    ],
    ['in a claim that is a URL', ['https://acme.com/roles'], { 'https://acme.com/roles': ['host'] }],
    [
      'as the keys of an object',
      ['urn:zitadel:iam:org:project:roles'],
      { 'urn:zitadel:iam:org:project:roles': { host: { '17': 'acme.com' } } },
    ],
  ])('are found %s', async (_where, scopeClaims, claimed) => {
    expect((await verify(claimed, { scopeClaims })).scopes).toContain('host');
  });

  it.each<[string, unknown]>([
    ['false', { host: false }],
    ['null', { host: null }],
    ['0', { host: 0 }],
    ['an empty object', { host: {} }],
  ])('are not the keys of an object whose value is %s', async (_what, roles) => {
    expect((await verify({ roles }, { scopeClaims: ['roles'] })).scopes).not.toContain('host');
  });

  it('are those in the claims, and no others', async () => {
    const scopesOf = async (roles: unknown) => (await verify({ roles }, { scopeClaims: ['roles'] })).scopes;
    expect(await scopesOf('  ')).toEqual(new Set(['  ']));
    expect(await scopesOf(['host', 1])).toEqual(new Set());
    expect(await scopesOf({ host: true, guest: 'no' })).toEqual(new Set(['host']));
    expect(await scopesOf(7)).toEqual(new Set());
  });

  it('log nothing if a token has one of their claims', async () => {
    await verify({ roles: ['host'] }, { scopeClaims: ['scp', 'roles'] });
    expect(reported).toEqual([]);
  });

  it('may contain spaces, as one role', async () => {
    expect((await verify({ roles: ['Meeting Host'] }, { scopeClaims: ['roles'] })).scopes).toContain(
      'Meeting Host',
    );
    expect((await verify({ roles: 'Meeting Host' }, { scopeClaims: ['roles'] })).scopes).toContain(
      'Meeting Host',
    );
  });

  it('are named in the log if a token has none of their claims', async () => {
    await verify({ scope: 'host' }, { scopeClaims: ['scp', 'roles'] });
    expect(reported).toEqual([
      ['token without scope claims', { issuer: issuer.issuer, scopeClaims: 'scp roles' }],
    ]);
  });
});

describe('a claim that the rules name by a path', () => {
  it('is known to them by that path', async () => {
    const { claims } = await verify({ org: { tenant: 'acme' } }, { tenantClaim: 'org.tenant' });
    expect(claims).toMatchObject({ 'org.tenant': 'acme', sub: 'alice' });
  });
});

describe('a claim that is there by its name and by a path', () => {
  it.each<Partial<IssuerRules>>([
    { scopeClaims: ['a.b'] },
    { tenantClaim: 'a.b' },
    { meetingsClaim: 'a.b' },
    { externalUserIdClaim: 'a.b' },
    { clientIdClaims: ['a.b'] },
    { subjectClaims: ['a.b'] },
    { accessTokenMark: { claim: 'a.b' } },
  ])('refuses the token where the rules are %j', async (change) => {
    expect(await reasonOf({ 'a.b': 'x', a: { b: 'x' } }, change)).toBe('token-claim-ambiguous');
  });

  it('does not matter if no rule names it', async () => {
    expect(await reasonOf({ 'a.b': 'x', a: { b: 'x' } })).toBe('verified');
  });
});

describe('a claim that no rule names', () => {
  it.each<Record<string, unknown>>([
    { scope: [] },
    { scope: { a: 1 } },
    { client_id: {} },
    { client_id: '\ud800' },
    { azp: 7 },
    { client_id: 'web\n' },
    { jti: 7 },
    { scp: null },
    { tenant: {} },
    { typ: [] },
    { token_use: 'id' },
    { auth_time: 'soon' },
    { cnf: 'x' },
  ])('cannot refuse a token: %j', async (claimed) => {
    expect(await reasonOf(claimed, { scopeClaims: ['roles'] })).toBe('verified');
  });

  it('may be the audience if the client ids are restricted', async () => {
    expect(await reasonOf({ aud: 7, client_id: 'web' }, { audience: [], clientIds: ['web'] })).toBe(
      'verified',
    );
  });
});

describe('the client', () => {
  it.each(['client_id', 'azp', 'appid', 'cid'])('is found in %s', async (claim) => {
    expect((await verify({ [claim]: 'web' }, { clientIds: ['web'] })).clientId).toBe('web');
    expect(await reasonOf({ [claim]: 'other' }, { clientIds: ['web'] })).toBe('token-client');
  });

  it('is reported missing with the names of its claims', async () => {
    await expect(verify({}, { clientIds: ['web'], clientIdClaims: ['azp', 'cid'] })).rejects.toMatchObject({
      message: 'The bearer token says its client in none of the claims azp, cid.',
      details: { reason: 'token-client' },
    });
  });

  it('is found in a list of one', async () => {
    expect((await verify({ client_id: ['web'] }, { clientIds: ['web'] })).clientId).toBe('web');
  });

  it('is unknown if its claim is invalid and any client is accepted', async () => {
    expect((await verify({ client_id: { id: 'web' } })).clientId).toBe('');
    expect((await verify({ client_id: 'x'.repeat(256) })).clientId).toBe('');
  });

  it('is the next claim if one is null', async () => {
    expect((await verify({ client_id: null, azp: 'web' }, { clientIds: ['web'] })).clientId).toBe('web');
  });
});

describe('the subject', () => {
  it('is the client if the rules say so and the token has no subject', async () => {
    const subjectClaims = ['sub', 'client_id'];
    expect((await verify({ sub: undefined, client_id: 'backend' }, { subjectClaims })).subject).toBe(
      'backend',
    );
    expect((await verify({ client_id: 'backend' }, { subjectClaims })).subject).toBe('alice');
    expect(await reasonOf({ sub: undefined, client_id: 'backend' })).toBe('token-subject');
  });

  it.each<[string, unknown, string]>([
    ['a list of several', ['alice', 'bob'], 'token-claim-list'],
    ['a number', 7, 'token-claim-type'],
    ['null', null, 'token-subject'],
    ['empty', '', 'token-subject'],
  ])('is not %s', async (_what, sub, reason) => {
    expect(await reasonOf({ sub })).toBe(reason);
  });
});

describe('the mark of an access token', () => {
  it.each<[string, Partial<IssuerRules>['accessTokenMark'], Record<string, unknown>, object, string]>([
    ['one of several values', { claim: 'ver', values: ['1.0', '2.0'] }, { ver: '2.0' }, {}, 'verified'],
    ['none of several values', { claim: 'ver', values: ['1.0', '2.0'] }, { ver: '3.0' }, {}, 'token-kind'],
    ['a number', { claim: 'ver', values: ['1'] }, { ver: 1 }, {}, 'verified'],
    ['a truth value', { claim: 'access', values: ['true'] }, { access: true }, {}, 'verified'],
    ['another number', { claim: 'ver', values: ['1'] }, { ver: 10 }, {}, 'token-kind'],
    ['a value in a list', { claim: 'use', values: ['access'] }, { use: ['x', 'access'] }, {}, 'verified'],
    [
      'an object like its value',
      { claim: 'use', values: ['[object Object]'] },
      { use: {} },
      {},
      'token-kind',
    ],
    ['presence', { claim: 'cid' }, { cid: 'web' }, {}, 'verified'],
    ['absence', { claim: 'cid' }, {}, {}, 'token-kind'],
    ['presence as null', { claim: 'cid' }, { cid: null }, {}, 'token-kind'],
    ['presence as an empty list', { claim: 'cid' }, { cid: [] }, {}, 'token-kind'],
    ['presence as false', { claim: 'cid' }, { cid: false }, {}, 'token-kind'],
    ['presence as empty text', { claim: 'cid' }, { cid: '' }, {}, 'token-kind'],
    ['presence as true', { claim: 'cid' }, { cid: true }, {}, 'verified'],
    ['presence as a list', { claim: 'cid' }, { cid: ['a'] }, {}, 'verified'],
    ['presence as 0', { claim: 'acr' }, { acr: 0 }, {}, 'verified'],
    ['a claim by its path', { claim: 'a.b', values: ['x'] }, { a: { b: 'x' } }, {}, 'verified'],
    ['a type of its own', { typ: 'secevent+jwt' }, {}, { typ: 'application/SecEvent+JWT' }, 'verified'],
    ['another type', { typ: 'at+jwt' }, {}, { typ: 'JWT' }, 'token-kind'],
    ['the audience', { audience: true }, {}, { typ: 'JWT' }, 'verified'],
    ['the audience of another', { audience: true }, { aud: 'client' }, {}, 'token-audience'],
  ])('may be %s', async (_what, accessTokenMark, claimed, header, outcome) => {
    expect(await reasonOf(claimed, accessTokenMark && { accessTokenMark }, header)).toBe(outcome);
  });
});

describe('the clock skew', () => {
  it.each<[number | undefined, Record<string, number>, string]>([
    [undefined, { exp: 1_795_441_529 }, 'verified'],
    [undefined, { exp: 1_795_441_528 }, 'token-expired'],
    [undefined, { nbf: 1_795_441_588 }, 'verified'],
    [undefined, { nbf: 1_795_441_589 }, 'token-not-yet-valid'],
    [undefined, { iat: 1_795_441_588 }, 'verified'],
    [undefined, { iat: 1_795_441_589 }, 'token-not-yet-valid'],
    [0, { exp: 1_795_441_559 }, 'verified'],
    [0, { exp: 1_795_441_558 }, 'token-expired'],
    [0, { nbf: 1_795_441_558 }, 'verified'],
    [0, { nbf: 1_795_441_559 }, 'token-not-yet-valid'],
    [0, { iat: 1_795_441_559 }, 'token-not-yet-valid'],
    [300, { exp: 1_795_441_259 }, 'verified'],
    [300, { exp: 1_795_441_258 }, 'token-expired'],
  ])('of %p s at 1795441558 takes %j as %s', async (clockSkewSeconds, claimed, outcome) => {
    const change = clockSkewSeconds === undefined ? {} : { clockSkewSeconds };
    expect(await reasonOf(claimed, change)).toBe(outcome);
  });
});
