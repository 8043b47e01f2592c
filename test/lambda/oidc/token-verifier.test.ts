import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { IssuerRules } from '../../../lambda/model/issuer-rules.ts';
import { KEY_FETCHING } from '../../../lambda/oidc/issuer-keys.ts';
import { createTokenVerifier } from '../../../lambda/oidc/token-verifier.ts';
import {
  base64url,
  createSigningKey,
  publicJwk,
  type SigningKey,
  signToken,
  signWithPublicKey,
  startKeyServer,
} from '../../support/issuer.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

let key: SigningKey;
let otherKey: SigningKey;
let edKey: SigningKey;
let issuer: Awaited<ReturnType<typeof startKeyServer>>;
let partner: Awaited<ReturnType<typeof startKeyServer>>;
let nowMs = Date.now();

beforeAll(() => {
  key = createSigningKey('key-1');
  otherKey = createSigningKey('key-2');
  edKey = createSigningKey('ed-1', 'EdDSA');
});
beforeEach(async () => {
  reported = [];
  nowMs = Date.now();
  issuer = await startKeyServer([key, edKey]);
  partner = await startKeyServer([otherKey]);
});
afterEach(async () => {
  await issuer.close();
  await partner.close();
});

const rulesOf = (server: typeof issuer, overrides: Partial<IssuerRules> = {}): IssuerRules =>
  createIssuerRules({
    issuer: server.issuer,
    jwksUris: [server.jwksUri],
    audience: ['usher'],
    ...overrides,
  });

/** What the log says, in order. */
let reported: [string, Record<string, string | number>][] = [];
const verifierOf = (...rules: IssuerRules[]) =>
  createTokenVerifier(rules, { now: () => nowMs }, (event, facts) => reported.push([event, facts]));

const nowSeconds = () => Math.floor(nowMs / 1000);
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
  verifierOf(...(rules.length > 0 ? rules : [rulesOf(issuer)])).verify(token);

describe('a good token', () => {
  it('identifies its caller', async () => {
    expect(await verify(signToken(key, claims({ tenant: 'acme' })))).toEqual({
      rules: rulesOf(issuer),
      clientId: 'web',
      subject: 'alice',
      scopes: new Set(['openid', 'attendees.create', 'openid attendees.create']),
      claims: expect.objectContaining(
        claims({ tenant: 'acme', iat: expect.any(Number), exp: expect.any(Number) }),
      ),
    });
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, Partial<IssuerRules>]>([
    ['one audience of several', { aud: ['billing', 'usher'] }, {}, {}],
    ['a media type in full', {}, { typ: 'application/at+JWT' }, {}],
    ['a client in azp', { client_id: undefined, azp: 'web' }, {}, { clientIds: ['web'] }],
    ['no client where any will do', { client_id: undefined }, {}, {}],
    ['no scope', { scope: undefined }, {}, {}],
    ['a subject of 255 characters', { sub: 'alice'.repeat(51) }, {}, { externalUserIdClaim: 'name' }],
    [
      'Cognito’s marks, and no audience',
      { aud: undefined, token_use: 'access' },
      { typ: undefined },
      { audience: [], clientIds: ['web'], accessTokenMark: { claim: 'token_use', values: ['access'] } },
    ],
    [
      'a mark of its own',
      { typ: 'Bearer' },
      { typ: 'JWT' },
      { accessTokenMark: { claim: 'typ', values: ['Bearer'] } },
    ],
    ['a not-before that has passed', { nbf: nowSeconds() - 1 }, {}, {}],
    // RFC 8725 section 3.10 forbids trusting these; their presence does no harm.
    [
      'where to find keys, which is not followed',
      {},
      { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' },
      {},
    ],
  ])('may have %s', async (_what, claimed, header, rules) => {
    const token = signToken(key, claims(claimed), header);
    expect((await verify(token, rulesOf(issuer, rules))).subject).toMatch(/^(alice)+$/);
  });

  it('may omit its client if any client is accepted', async () => {
    expect((await verify(signToken(key, claims({ client_id: undefined })))).clientId).toBe('');
  });

  it('costs its issuer one fetch in ten minutes', async () => {
    const verifier = verifierOf(rulesOf(issuer));
    const fetches = [];
    for (const laterMs of [0, 1, 599_999, 1]) {
      nowMs += laterMs;
      await verifier.verify(signToken(key, claims()));
      fetches.push(issuer.fetches);
    }
    expect(fetches).toEqual([1, 1, 1, 2]);
  });

  it('may be signed with another algorithm that its issuer is pinned to', async () => {
    const token = signToken(edKey, claims());
    expect(await verify(token, rulesOf(issuer, { algorithms: ['EdDSA'] }))).toMatchObject({
      subject: 'alice',
    });
  });

  it.each<[string, unknown, string[]]>([
    ['a string', 'openid attendees.create', ['openid', 'attendees.create', 'openid attendees.create']],
    ['a list', ['openid', 'attendees.create'], ['openid', 'attendees.create']],
    ['a list with something else in it', ['attendees.create', 1], []],
    [
      'the keys of an object',
      { 'attendees.create': { org: 'acme' }, revoked: false, text: 'x' },
      ['attendees.create'],
    ],
    ['a number', 1, []],
    ['null', null, []],
    ['nothing', undefined, []],
  ])('may have its scopes in a claim of its issuer’s choice, as %s', async (_what, scp, scopes) => {
    const token = signToken(key, claims({ scope: 'attendees.create.self', scp }));
    const caller = await verify(token, rulesOf(issuer, { scopeClaims: ['scp'] }));
    expect(caller.scopes).toEqual(new Set(scopes));
  });

  it('may have its scopes in a list called scope', async () => {
    const token = signToken(key, claims({ scope: ['attendees.create'] }));
    expect((await verify(token)).scopes).toEqual(new Set(['attendees.create']));
  });
});

describe('a bad token', () => {
  const cases: [string, string, () => string][] = [
    [
      'token-algorithm',
      'unsigned, with a signature',
      () => `${base64url({ alg: 'none', kid: 'key-1', typ: 'at+jwt' })}.${base64url(claims())}.x`,
    ],
    [
      'token-algorithm',
      'unsigned, without a signature',
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
    ['token-key', 'a key of another algorithm', () => signToken(key, claims(), { kid: 'ed-1' })],
    ['token-key', 'a key id that no issuer published', () => signToken(key, claims(), { kid: 'key-9' })],
    ['token-key', 'a key id that is a path', () => signToken(key, claims(), { kid: '../../etc/passwd' })],
    ['token-key', 'a key id that is a list', () => signToken(key, claims(), { kid: ['key-1'] })],
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
    ['token-claim-list', 'an issuer that is a list', () => signToken(key, claims({ iss: [issuer.issuer] }))],
    ['token-audience', 'another audience', () => signToken(key, claims({ aud: 'billing' }))],
    ['token-audience', 'an audience of the same beginning', () => signToken(key, claims({ aud: 'usher2' }))],
    ['token-audience', 'no audience', () => signToken(key, claims({ aud: undefined }))],
    ['token-audience', 'an empty list of audiences', () => signToken(key, claims({ aud: [] }))],
    [
      'token-audience',
      'an audience that is an object',
      () => signToken(key, claims({ aud: { usher: true } })),
    ],
    ['token-expired', 'a time that is up', () => signToken(key, claims({ exp: nowSeconds() - 31 }))],
    ['token-expiry-missing', 'no end', () => signToken(key, claims({ exp: undefined }))],
    [
      'token-claim-type',
      'an end that is a string',
      () => signToken(key, claims({ exp: String(nowSeconds() + 300) })),
    ],
    ['token-claim-type', 'an end that is null', () => signToken(key, claims({ exp: null }))],
    [
      'token-not-yet-valid',
      'a time that has not come',
      () => signToken(key, claims({ nbf: nowSeconds() + 60 })),
    ],
    ['token-subject', 'no subject', () => signToken(key, claims({ sub: undefined }))],
    ['token-subject', 'an empty subject', () => signToken(key, claims({ sub: '' }))],
    ['token-claim-type', 'a subject that is a number', () => signToken(key, claims({ sub: 7 }))],
    ['token-subject', 'a subject of 256 characters', () => signToken(key, claims({ sub: 'x'.repeat(256) }))],
    ['token-subject', 'a subject that is no Unicode text', () => signToken(key, claims({ sub: 'a\ud800' }))],
    ['token-expired', 'a time that no date can tell', () => signToken(key, claims({ exp: -1e300 }))],
    ['token-opaque', 'no three parts', () => signToken(key, claims()).split('.').slice(0, 2).join('.')],
    ['token-encrypted', 'five parts', () => `${signToken(key, claims())}.x.y`],
    ['token-malformed', 'a header that is no JSON', () => `x.${base64url(claims())}.x`],
    ['token-malformed', 'claims that are no object', () => signToken(key, 'alice')],
    ['token-malformed', 'claims that are a list', () => signToken(key, [claims()])],
  ];
  it.each(cases)('is %s: %s', async (reason, _what, token) => {
    const error = await verify(token()).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'Unauthorized', details: { reason } });
    expect(error.details.challenge).toBe(
      `Bearer error="invalid_token", error_description="${error.message}"`,
    );
  });

  it('has a message that differs from every other', async () => {
    const messages = new Map<string, Set<string>>();
    for (const [reason, , token] of cases) {
      const { message } = await verify(token()).catch((thrown) => thrown);
      messages.set(message, (messages.get(message) ?? new Set()).add(reason));
    }
    expect([...messages.values()].filter((reasons) => reasons.size > 1)).toEqual([]);
  });

  const tampered = (token: string, changed: unknown): string => {
    const [header, , signature] = token.split('.');
    return `${header}.${base64url(changed)}.${signature}`;
  };

  it.each<[string, Record<string, unknown>, Partial<IssuerRules>]>([
    ['token-client', { client_id: 'other' }, { clientIds: ['web'] }],
    ['token-client', { client_id: undefined }, { clientIds: ['web'] }],
    ['token-client', { client_id: 'other', azp: 'web' }, { clientIds: ['web'] }],
    ['token-client', { client_id: {}, azp: 'web' }, { clientIds: ['web'] }],
    ['token-client', { client_id: ['web', 'other'] }, { clientIds: ['web'] }],
    ['token-client', { client_id: 'web', azp: 'web' }, { clientIds: ['web'], clientIdClaims: ['cid'] }],
    ['token-kind', { token_use: 'id' }, { accessTokenMark: { claim: 'token_use', values: ['access'] } }],
    ['token-kind', {}, { accessTokenMark: { claim: 'token_use', values: ['access'] } }],
    ['token-kind', { typ: 'ID' }, { accessTokenMark: { claim: 'typ', values: ['Bearer'] } }],
  ])('is %s with %j where the rules are %j', async (reason, claimed, rules) => {
    await expect(verify(signToken(key, claims(claimed)), rulesOf(issuer, rules))).rejects.toMatchObject({
      code: 'Unauthorized',
      details: { reason },
    });
  });

  it('gets the challenge of RFC 6750 and nothing else', async () => {
    const error = await verify(signToken(key, claims({ exp: 1 }))).catch((e) => e);
    expect(error.details.challenge).toBe(
      'Bearer error="invalid_token", error_description="The bearer token has expired."',
    );
    expect(JSON.stringify(error)).not.toContain('alice');
  });

  it('costs no fetch with an unknown issuer, algorithm or kind', async () => {
    await verify(signToken(key, claims({ iss: 'https://evil.example.com' }))).catch(() => {});
    await verify(signToken(edKey, claims())).catch(() => {});
    await verify(signToken(key, claims(), { typ: 'JWT' })).catch(() => {});
    expect(issuer.fetches).toBe(0);
  });
});

describe('of several issuers', () => {
  const both = () => [rulesOf(issuer), rulesOf(partner, { audience: ['usher-for-partners'] })];

  it('each signs for itself', async () => {
    const token = signToken(otherKey, claims({ iss: partner.issuer, aud: 'usher-for-partners' }));
    expect((await verify(token, ...both())).rules.issuer).toBe(partner.issuer);
  });

  it('none signs for another', async () => {
    const token = signToken(otherKey, claims({ iss: issuer.issuer }));
    await expect(verify(token, ...both())).rejects.toMatchObject({ details: { reason: 'token-key' } });
  });

  it('none signs for another once its keys are known', async () => {
    const verifier = verifierOf(...both());
    const own = signToken(otherKey, claims({ iss: partner.issuer, aud: 'usher-for-partners' }));
    await verifier.verify(own);
    await expect(verifier.verify(signToken(otherKey, claims({ iss: issuer.issuer })))).rejects.toMatchObject({
      details: { reason: 'token-key' },
    });
  });

  it('none lends another its audience', async () => {
    const token = signToken(otherKey, claims({ iss: partner.issuer, aud: 'usher' }));
    await expect(verify(token, ...both())).rejects.toMatchObject({ details: { reason: 'token-audience' } });
  });

  it('one that is down leaves the others working', async () => {
    partner.mode = 'fail';
    const verifier = verifierOf(...both());
    await expect(verifier.verify(signToken(otherKey, claims({ iss: partner.issuer })))).rejects.toMatchObject(
      {
        code: 'ServiceUnavailable',
      },
    );
    expect(await verifier.verify(signToken(key, claims()))).toMatchObject({ subject: 'alice' });
  });
});

describe('an RSA key', () => {
  const ofBits = (modulusLength: number) => ({
    kid: 'rsa-of-another-length',
    alg: 'RS256' as const,
    ...generateKeyPairSync('rsa', { modulusLength }),
  });

  it('is refused with fewer than 2048 bits', async () => {
    const weak = ofBits(2040);
    issuer.keys = [weak];
    await expect(verify(signToken(weak, claims()))).rejects.toMatchObject({
      code: 'Unauthorized',
      message: 'The bearer token is signed with an RSA key of fewer than 2048 bits.',
      details: { reason: 'token-key' },
    });
  });

  it('is refused with fewer than 2048 bits that zeros fill up', async () => {
    const weak = ofBits(1024);
    const { n, ...others } = publicJwk(weak);
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(n as string, 'base64url')]);
    issuer.respond = () => JSON.stringify({ keys: [{ ...others, n: padded.toString('base64url') }] });
    await expect(verify(signToken(weak, claims()))).rejects.toMatchObject({
      message: 'The bearer token is signed with an RSA key of fewer than 2048 bits.',
    });
  });

  it('is accepted with more than 2048 bits', async () => {
    const long = ofBits(3072);
    issuer.keys = [long];
    expect(await verify(signToken(long, claims()))).toMatchObject({ subject: 'alice' });
  });
});

describe('an issuer that breaks', () => {
  it.each<[string, object]>([
    ['no modulus', { n: undefined }],
    ['a modulus that is empty', { n: '' }],
    ['a modulus that is a number', { n: 7 }],
    ['an exponent that is none', { e: '' }],
  ])('is 503, never 401, if it publishes a key with %s', async (_what, broken) => {
    issuer.respond = () => JSON.stringify({ keys: [{ ...publicJwk(key), ...broken }] });
    await expect(verify(signToken(key, claims()))).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      details: { reason: 'issuer-unavailable' },
    });
  });

  it.each<[string, object]>([
    ['a point that is not on its curve', { x: 'A'.repeat(43) }],
    ['an unknown curve', { crv: 'P-257' }],
  ])('is 503, never 401, if it publishes a key with %s', async (_what, broken) => {
    const ecKey = createSigningKey('ec-1', 'ES256');
    issuer.respond = () => JSON.stringify({ keys: [{ ...publicJwk(ecKey), ...broken }] });
    await expect(
      verify(signToken(ecKey, claims()), rulesOf(issuer, { algorithms: ['ES256'] })),
    ).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  });

  it('is 503, never 401, if it publishes no keys', async () => {
    issuer.keys = [];
    await expect(verify(signToken(key, claims()))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  });

  it('is 503 if it publishes endless keys, and is read only up to a limit', async () => {
    issuer.respond = () =>
      `${JSON.stringify({ keys: [publicJwk(key)] })}${' '.repeat(KEY_FETCHING.maxBytes)}`;
    await expect(verify(signToken(key, claims()))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    issuer.respond = () => JSON.stringify({ keys: [publicJwk(key)] }).padEnd(KEY_FETCHING.maxBytes);
    expect(await verify(signToken(key, claims()))).toMatchObject({ subject: 'alice' });
  });

  it.each(['fail', 'garbage', 'redirect', 'reset', 'hang', 'hang-midway', 'cut', 'upgrade'] as const)(
    'is 503 with Retry-After, never 401, by %s',
    async (mode) => {
      issuer.mode = mode;
      await expect(verify(signToken(key, claims()))).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        message: 'The keys of the token issuer are not available at present.',
        details: { reason: 'issuer-unavailable', retryAfterSeconds: 2 },
      });
    },
  );

  it.each(['{}', '[]', 'null', '{"keys":{}}', '{"keys":[{}]}'])(
    'is 503, never 401, by the key set %s',
    async (text) => {
      issuer.respond = () => text;
      await expect(verify(signToken(key, claims()))).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    },
  );

  it('leaves the keys that are known working', async () => {
    const verifier = verifierOf(rulesOf(issuer));
    await verifier.verify(signToken(key, claims()));
    issuer.mode = 'fail';
    nowMs += 11 * 60_000;
    expect(await verifier.verify(signToken(key, claims()))).toMatchObject({ subject: 'alice' });
  });

  it('may rotate its keys without a restart of Usher', async () => {
    const verifier = verifierOf(rulesOf(issuer));
    await verifier.verify(signToken(key, claims()));
    issuer.keys = [otherKey];
    nowMs += 10_000;
    expect(await verifier.verify(signToken(otherKey, claims()))).toMatchObject({ subject: 'alice' });
    await expect(verifier.verify(signToken(key, claims()))).rejects.toMatchObject({
      details: { reason: 'token-key' },
    });
  });

  it('may replace a key and keep its id', async () => {
    const replacement = createSigningKey(key.kid);
    const verifier = verifierOf(rulesOf(issuer));
    await verifier.verify(signToken(key, claims()));
    issuer.keys = [replacement];
    nowMs += KEY_FETCHING.maxAgeMs + 1;
    expect(await verifier.verify(signToken(replacement, claims()))).toMatchObject({ subject: 'alice' });
    await expect(verifier.verify(signToken(key, claims()))).rejects.toMatchObject({
      details: { reason: 'token-signature' },
    });
  });
});

describe('a key for another use than signatures', () => {
  it.each<[string, object]>([
    ['by its use', { use: 'enc' }],
    ['by its type', { kty: 'oct', k: 'c2VjcmV0' }],
  ])('%s signs nothing', async (_what, other) => {
    issuer.respond = () => JSON.stringify({ keys: [{ ...publicJwk(key), ...other }] });
    await expect(verify(signToken(key, claims()))).rejects.toMatchObject({
      code: 'Unauthorized',
      details: { reason: 'token-key' },
    });
  });
});

describe('any token at all', () => {
  it('is rejected, never as a broken issuer, unless the issuer signed it', async () => {
    const verifier = verifierOf(rulesOf(issuer, { algorithms: ['RS256', 'ES256', 'EdDSA'] }));
    issuer.keys = [key, edKey, createSigningKey('ec-1', 'ES256')];
    const header = fc.record({
      alg: fc.constantFrom('RS256', 'ES256', 'EdDSA'),
      kid: fc.constantFrom('key-1', 'ed-1', 'ec-1'),
      typ: fc.constant('at+jwt'),
    });
    const signature = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.constantFrom(64, 96, 132, 256).map((length) => new Uint8Array(length)),
    );
    const anything = fc.oneof(
      fc.string(),
      fc
        .tuple(header, fc.oneof(fc.constant(claims()), fc.jsonValue()), signature)
        .map(
          ([h, c, s]) =>
            `${base64url(h)}.${base64url(JSON.stringify(c))}.${Buffer.from(s).toString('base64url')}`,
        ),
    );
    let signaturesChecked = 0;
    await fc.assert(
      fc.asyncProperty(anything, async (token) => {
        const error = await verifier.verify(token).catch((e) => e);
        expect(error).toMatchObject({ code: 'Unauthorized' });
        if (error.details.reason === 'token-signature') signaturesChecked += 1;
      }),
      { numRuns: 500 },
    );
    expect(signaturesChecked).toBeGreaterThan(20);
  });
});
