import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jwtTokenVerifier } from '../../../lambda/adapters/jwt-token-verifier.ts';
import type { IssuerRules } from '../../../lambda/issuer-rules.ts';
import {
  base64url,
  newSigningKey,
  publicJwk,
  type SigningKey,
  signToken,
  signWithPublicKey,
  startKeyServer,
} from '../../support/issuer.ts';

let key: SigningKey;
let otherKey: SigningKey;
let edKey: SigningKey;
let issuer: Awaited<ReturnType<typeof startKeyServer>>;
let partner: Awaited<ReturnType<typeof startKeyServer>>;
let nowMs: number;

beforeAll(() => {
  key = newSigningKey('key-1');
  otherKey = newSigningKey('key-2');
  edKey = newSigningKey('ed-1', 'EdDSA');
});
beforeEach(async () => {
  nowMs = Date.now();
  issuer = await startKeyServer([key, edKey]);
  partner = await startKeyServer([otherKey]);
});
afterEach(async () => {
  await issuer.close();
  await partner.close();
});

const rulesOf = (server: typeof issuer, overrides: Partial<IssuerRules> = {}): IssuerRules => ({
  issuer: server.issuer,
  jwksUri: server.jwksUri,
  audience: ['usher'],
  clientIds: [],
  algorithms: ['RS256'],
  accessToken: 'at+jwt',
  scopes: { delegate: 'attendees.create' },
  externalUserIdClaim: 'sub',
  externalUserIdPrefix: '',
  meetingsClaimRequired: true,
  allowAnyMeeting: false,
  ceilings: {},
  ...overrides,
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const claims = (overrides: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  sub: 'alice',
  aud: 'usher',
  client_id: 'web',
  scope: 'openid attendees.create',
  iat: nowSeconds(),
  exp: nowSeconds() + 300,
  ...overrides,
});

/** Verifies with a verifier that has seen nothing yet. */
const verify = (token: string, ...rules: IssuerRules[]) =>
  jwtTokenVerifier(rules.length > 0 ? rules : [rulesOf(issuer)], { now: () => nowMs }).verify(token);

describe('a good token', () => {
  it('tells who is asking', async () => {
    expect(await verify(signToken(key, claims({ tenant: 'acme' })))).toEqual({
      rules: rulesOf(issuer),
      clientId: 'web',
      subject: 'alice',
      scopes: new Set(['openid', 'attendees.create']),
      claims: claims({ tenant: 'acme', iat: expect.any(Number), exp: expect.any(Number) }),
    });
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, Partial<IssuerRules>]>([
    ['one audience of several', { aud: ['billing', 'usher'] }, {}, {}],
    ['a media type in full', {}, { typ: 'application/at+JWT' }, {}],
    ['a client in azp', { client_id: undefined, azp: 'web' }, {}, { clientIds: ['web'] }],
    ['no client where any will do', { client_id: undefined }, {}, {}],
    ['no scope', { scope: undefined }, {}, {}],
    [
      'Cognito’s marks, and no audience',
      { aud: undefined, token_use: 'access' },
      { typ: undefined },
      { audience: [], clientIds: ['web'], accessToken: 'cognito' },
    ],
    [
      'a mark of its own',
      { typ: 'Bearer' },
      { typ: 'JWT' },
      { accessToken: { claim: 'typ', value: 'Bearer' } },
    ],
    ['a not-before that has passed', { nbf: nowSeconds() - 1 }, {}, {}],
    // RFC 8725 section 3.10 forbids trusting these; that they are there harms nobody.
    [
      'where to find keys, which nobody follows',
      {},
      { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' },
      {},
    ],
  ])('may have %s', async (_what, claimed, header, rules) => {
    const token = signToken(key, claims(claimed), header);
    expect(await verify(token, rulesOf(issuer, rules))).toMatchObject({ subject: 'alice' });
  });

  it('may be signed with another algorithm that its issuer is pinned to', async () => {
    const token = signToken(edKey, claims());
    expect(await verify(token, rulesOf(issuer, { algorithms: ['EdDSA'] }))).toMatchObject({
      subject: 'alice',
    });
  });

  it('has no scope from a scope claim that is a list', async () => {
    await expect(verify(signToken(key, claims({ scope: ['attendees.create'] })))).rejects.toMatchObject({
      code: 'Unauthorized',
    });
  });
});

describe('a bad token', () => {
  const cases: [string, string, () => string][] = [
    [
      'token-algorithm',
      'signed by nobody',
      () => `${base64url({ alg: 'none', kid: 'key-1', typ: 'at+jwt' })}.${base64url(claims())}.x`,
    ],
    [
      'token-malformed',
      'signed by nobody, with no signature',
      () => `${base64url({ alg: 'none', kid: 'key-1' })}.${base64url(claims())}.`,
    ],
    ['token-algorithm', 'signed with NONE', () => signToken(key, claims(), { alg: 'NoNe' })],
    [
      'token-algorithm',
      'HMAC with the public key as PEM',
      () => signWithPublicKey(key, claims(), 'spki-pem'),
    ],
    [
      'token-algorithm',
      'HMAC with the public key as DER',
      () => signWithPublicKey(key, claims(), 'spki-der'),
    ],
    ['token-algorithm', 'HMAC with the public key as JWK', () => signWithPublicKey(key, claims(), 'jwk')],
    ['token-algorithm', 'no algorithm', () => signToken(key, claims(), { alg: undefined })],
    ['token-algorithm', 'an algorithm that the issuer is not pinned to', () => signToken(edKey, claims())],
    ['token-signature', 'a key of another algorithm', () => signToken(key, claims(), { kid: 'ed-1' })],
    ['token-key', 'a key id that nobody published', () => signToken(key, claims(), { kid: 'key-9' })],
    ['token-key', 'a key id that is a path', () => signToken(key, claims(), { kid: '../../etc/passwd' })],
    ['token-malformed', 'no key id', () => signToken(key, claims(), { kid: undefined })],
    ['token-malformed', 'a key id that is a list', () => signToken(key, claims(), { kid: ['key-1'] })],
    [
      'token-critical-header',
      'a critical extension',
      () => signToken(key, claims(), { crit: ['b64'], b64: false }),
    ],
    [
      'token-critical-header',
      'an empty list of critical extensions',
      () => signToken(key, claims(), { crit: [] }),
    ],
    [
      'token-key',
      'a key of its own in the header',
      () => signToken(otherKey, claims(), { jwk: publicJwk(otherKey) }),
    ],
    [
      'token-signature',
      'the key of another issuer under a known key id',
      () => signToken(otherKey, claims(), { kid: 'key-1' }),
    ],
    [
      'token-signature',
      'claims that were changed',
      () => tampered(signToken(key, claims()), claims({ sub: 'eve' })),
    ],
    ['token-signature', 'a signature cut short', () => signToken(key, claims()).slice(0, -40)],
    ['token-kind', 'an ID token', () => signToken(key, claims(), { typ: 'JWT' })],
    ['token-kind', 'no type', () => signToken(key, claims(), { typ: undefined })],
    ['token-kind', 'a type that is a list', () => signToken(key, claims(), { typ: ['at+jwt'] })],
    [
      'token-issuer',
      'an issuer that is not configured',
      () => signToken(key, claims({ iss: 'https://evil.example.com' })),
    ],
    [
      'token-issuer',
      'an issuer with a slash more',
      () => signToken(key, claims({ iss: `${issuer.issuer}/` })),
    ],
    ['token-issuer', 'no issuer', () => signToken(key, claims({ iss: undefined }))],
    ['token-malformed', 'an issuer that is a list', () => signToken(key, claims({ iss: [issuer.issuer] }))],
    ['token-audience', 'another audience', () => signToken(key, claims({ aud: 'billing' }))],
    ['token-audience', 'an audience of the same beginning', () => signToken(key, claims({ aud: 'usher2' }))],
    ['token-audience', 'no audience', () => signToken(key, claims({ aud: undefined }))],
    ['token-audience', 'an empty list of audiences', () => signToken(key, claims({ aud: [] }))],
    [
      'token-malformed',
      'an audience that is an object',
      () => signToken(key, claims({ aud: { usher: true } })),
    ],
    ['token-expired', 'a time that is up', () => signToken(key, claims({ exp: nowSeconds() - 1 }))],
    ['token-expiry-missing', 'no end', () => signToken(key, claims({ exp: undefined }))],
    [
      'token-malformed',
      'an end that is a string',
      () => signToken(key, claims({ exp: String(nowSeconds() + 300) })),
    ],
    ['token-malformed', 'an end that is null', () => signToken(key, claims({ exp: null }))],
    [
      'token-not-yet-valid',
      'a time that has not come',
      () => signToken(key, claims({ nbf: nowSeconds() + 60 })),
    ],
    ['token-subject', 'no subject', () => signToken(key, claims({ sub: undefined }))],
    ['token-subject', 'an empty subject', () => signToken(key, claims({ sub: '' }))],
    ['token-malformed', 'a subject that is a number', () => signToken(key, claims({ sub: 7 }))],
    ['token-client', 'a client that is an object', () => signToken(key, claims({ client_id: {} }))],
    ['token-malformed', 'no three parts', () => signToken(key, claims()).split('.').slice(0, 2).join('.')],
    ['token-malformed', 'five parts', () => `${signToken(key, claims())}.x.y`],
    ['token-malformed', 'a header that is no JSON', () => `x.${base64url(claims())}.x`],
    ['token-malformed', 'claims that are no object', () => signToken(key, 'alice')],
    ['token-malformed', 'claims that are a list', () => signToken(key, [claims()])],
  ];
  it.each(cases)('is %s: %s', async (reason, _what, token) => {
    await expect(verify(token())).rejects.toMatchObject({ code: 'Unauthorized', details: { reason } });
  });

  const tampered = (token: string, changed: unknown): string => {
    const [header, , signature] = token.split('.');
    return `${header}.${base64url(changed)}.${signature}`;
  };

  it.each<[string, Record<string, unknown>, Partial<IssuerRules>]>([
    ['token-client', { client_id: 'other' }, { clientIds: ['web'] }],
    ['token-client', { client_id: undefined }, { clientIds: ['web'] }],
    ['token-client', { client_id: 'other', azp: 'web' }, { clientIds: ['web'] }],
    ['token-kind', { token_use: 'id' }, { accessToken: 'cognito' }],
    ['token-kind', {}, { accessToken: 'cognito' }],
    ['token-kind', { typ: 'ID' }, { accessToken: { claim: 'typ', value: 'Bearer' } }],
  ])('is %s with %j where the rules are %j', async (reason, claimed, rules) => {
    await expect(verify(signToken(key, claims(claimed)), rulesOf(issuer, rules))).rejects.toMatchObject({
      code: 'Unauthorized',
      details: { reason },
    });
  });

  it('gets the challenge of RFC 6750 and learns nothing else', async () => {
    const error = await verify(signToken(key, claims({ exp: 1 }))).catch((e) => e);
    expect(error.details.challenge).toBe(
      'Bearer error="invalid_token", error_description="The bearer token has expired."',
    );
    expect(JSON.stringify(error)).not.toContain('alice');
  });

  it('of no configured issuer, algorithm or kind costs no issuer a fetch', async () => {
    await verify(signToken(key, claims({ iss: 'https://evil.example.com' }))).catch(() => {});
    await verify(signToken(edKey, claims())).catch(() => {});
    await verify(signToken(key, claims(), { typ: 'JWT' })).catch(() => {});
    expect(issuer.fetches).toBe(0);
  });
});

describe('of several issuers', () => {
  const both = () => [rulesOf(issuer), rulesOf(partner, { audience: ['usher-for-partners'] })];

  it('each speaks for itself', async () => {
    const token = signToken(otherKey, claims({ iss: partner.issuer, aud: 'usher-for-partners' }));
    expect((await verify(token, ...both())).rules.issuer).toBe(partner.issuer);
  });

  it('none signs for another', async () => {
    const token = signToken(otherKey, claims({ iss: issuer.issuer }));
    await expect(verify(token, ...both())).rejects.toMatchObject({ details: { reason: 'token-key' } });
  });

  it('none lends another its audience', async () => {
    const token = signToken(otherKey, claims({ iss: partner.issuer, aud: 'usher' }));
    await expect(verify(token, ...both())).rejects.toMatchObject({ details: { reason: 'token-audience' } });
  });

  it('one that is down leaves the others working', async () => {
    partner.mode = 'fail';
    const verifier = jwtTokenVerifier(both(), { now: () => nowMs });
    await expect(verifier.verify(signToken(otherKey, claims({ iss: partner.issuer })))).rejects.toMatchObject(
      {
        code: 'ServiceUnavailable',
      },
    );
    expect(await verifier.verify(signToken(key, claims()))).toMatchObject({ subject: 'alice' });
  });
});

describe('an issuer that breaks', () => {
  it.each(['fail', 'garbage', 'redirect', 'reset', 'hang'] as const)(
    'by %s is 503 with Retry-After, never 401',
    async (mode) => {
      issuer.mode = mode;
      await expect(verify(signToken(key, claims()))).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        details: { reason: 'issuer-unavailable', retryAfterSeconds: 2 },
      });
    },
  );

  it('leaves the keys that are known working', async () => {
    const verifier = jwtTokenVerifier([rulesOf(issuer)], { now: () => nowMs });
    await verifier.verify(signToken(key, claims()));
    issuer.mode = 'fail';
    nowMs += 11 * 60_000;
    expect(await verifier.verify(signToken(key, claims()))).toMatchObject({ subject: 'alice' });
  });

  it('may rotate its keys without a restart of ours', async () => {
    const verifier = jwtTokenVerifier([rulesOf(issuer)], { now: () => nowMs });
    await verifier.verify(signToken(key, claims()));
    issuer.keys = [otherKey];
    nowMs += 10_000;
    expect(await verifier.verify(signToken(otherKey, claims()))).toMatchObject({ subject: 'alice' });
    await expect(verifier.verify(signToken(key, claims()))).rejects.toMatchObject({
      details: { reason: 'token-key' },
    });
  });
});
