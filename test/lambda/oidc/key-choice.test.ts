import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { IssuerRules } from '../../../lambda/model/issuer-rules.ts';
import { createTokenVerifier } from '../../../lambda/oidc/token-verifier.ts';
import {
  createSigningKey,
  publicJwk,
  type SigningAlgorithm,
  type SigningKey,
  signToken,
  signWithPublicKey,
  startKeyServer,
} from '../../support/issuer.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

let key: SigningKey;
let otherKey: SigningKey;
let ecKey: SigningKey;
let issuer: Awaited<ReturnType<typeof startKeyServer>>;
let nowMs: number;

beforeAll(() => {
  key = createSigningKey('k1');
  otherKey = createSigningKey('k2');
  ecKey = createSigningKey('k1', 'ES256');
});
beforeEach(async () => {
  nowMs = Date.now();
  issuer = await startKeyServer([key]);
});
afterEach(() => issuer.close());

const publish = (...keys: unknown[]) => {
  issuer.respond = () => JSON.stringify({ keys });
};
const rulesWith = (change: Partial<IssuerRules> = {}) =>
  createIssuerRules({
    issuer: issuer.issuer,
    jwksUris: [issuer.jwksUri],
    audience: ['usher'],
    accessTokenMark: { audience: true },
    scopes: { delegate: 'host' },
    ...change,
  });
const verifierWith = (change: Partial<IssuerRules> = {}) =>
  createTokenVerifier([rulesWith(change)], { now: () => nowMs }, () => {});
const claims = () => ({
  iss: issuer.issuer,
  aud: 'usher',
  sub: 'alice',
  exp: Math.floor(nowMs / 1000) + 3_000,
});
const tokenBy = (signer: SigningKey, header: Record<string, unknown> = {}) =>
  signToken(signer, claims(), header);

/** `alice`, or the status and reason of the refusal. */
async function answerTo(token: string, change: Partial<IssuerRules> = {}): Promise<string> {
  return verifierWith(change)
    .verify(token)
    .then(
      ({ subject }) => subject,
      ({ code, details }) => `${code} ${details.reason}`,
    );
}

const NO_KEY = 'Unauthorized token-key';
const UNAVAILABLE = 'ServiceUnavailable issuer-unavailable';

describe('the key of a token', () => {
  it.each<SigningAlgorithm>([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ])('verifies %s', async (alg) => {
    const signer = createSigningKey('k1', alg);
    publish(publicJwk(signer));
    expect(await answerTo(tokenBy(signer), { algorithms: [alg] })).toBe('alice');
    const [header, payload, signature = ''] = tokenBy(signer).split('.');
    const changed = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    expect(await answerTo(`${header}.${payload}.${changed}`, { algorithms: [alg] })).toBe(
      'Unauthorized token-signature',
    );
  });

  it('is found if its set lists it once for each algorithm', async () => {
    publish(...['RS512', 'PS256', 'RS256'].map((alg) => ({ ...publicJwk(key), alg })));
    expect(await answerTo(tokenBy(key))).toBe('alice');
  });

  it.each<[string, object]>([
    ['an encryption key', { use: 'enc', alg: 'RSA-OAEP' }],
    ['an encryption key by its operations', { use: undefined, key_ops: ['encrypt', 'wrapKey'] }],
    ['a key of another algorithm', { alg: 'RS384' }],
  ])('is found behind %s under the same kid, which verifies nothing', async (_what, change) => {
    const first = { ...publicJwk(otherKey), kid: 'k1', ...change };
    publish(first, publicJwk(key));
    expect(await answerTo(tokenBy(key))).toBe('alice');
    publish(first);
    expect(await answerTo(tokenBy(otherKey, { kid: 'k1' }))).toBe(NO_KEY);
  });

  it('is found behind a key of another type under the same kid', async () => {
    publish(publicJwk(ecKey), publicJwk(key));
    expect(await answerTo(tokenBy(key), { algorithms: ['RS256', 'ES256'] })).toBe('alice');
    expect(await answerTo(tokenBy(ecKey), { algorithms: ['RS256', 'ES256'] })).toBe('alice');
  });

  it('is any of several that fit under one kid', async () => {
    publish({ ...publicJwk(otherKey), kid: 'k1' }, publicJwk(key));
    expect(await answerTo(tokenBy(key))).toBe('alice');
    expect(await answerTo(tokenBy(otherKey, { kid: 'k1' }))).toBe('alice');
    expect(await answerTo(tokenBy(createSigningKey('k1')))).toBe('Unauthorized token-signature');
  });

  it('may say neither use nor algorithm, as null or empty text too', async () => {
    publish({ ...publicJwk(key), alg: null, use: '', key_ops: [], x5c: null });
    expect(await answerTo(tokenBy(key))).toBe('alice');
  });

  it('is not a curve of another algorithm', async () => {
    const p384 = createSigningKey('k1', 'ES384');
    publish({ ...publicJwk(p384), alg: undefined });
    expect(await answerTo(tokenBy({ ...p384, alg: 'ES256' }), { algorithms: ['ES256'] })).toBe(NO_KEY);
  });

  it('is never a secret, not even the public key as one', async () => {
    publish(
      { kty: 'oct', kid: 'k1', k: Buffer.from('secret').toString('base64url'), alg: 'HS256' },
      publicJwk(key),
    );
    for (const form of ['spki-pem', 'spki-der', 'jwk'] as const) {
      expect(await answerTo(signWithPublicKey(key, claims(), form))).toBe('Unauthorized token-algorithm');
    }
  });
});

describe('a token without kid', () => {
  const withoutKid = (signer: SigningKey) => tokenBy(signer, { kid: undefined });

  it('verifies if exactly one key fits', async () => {
    publish({ ...publicJwk(otherKey), use: 'enc' }, publicJwk(ecKey), publicJwk(key));
    expect(await answerTo(withoutKid(key))).toBe('alice');
  });

  it('is refused if several keys fit', async () => {
    publish(publicJwk(key), publicJwk(otherKey));
    expect(await answerTo(withoutKid(key))).toBe(NO_KEY);
  });

  it('verifies if one key is listed twice', async () => {
    publish(publicJwk(key), { ...publicJwk(key), kid: 'again' });
    expect(await answerTo(withoutKid(key))).toBe('alice');
  });

  it('verifies by a new key once the cool-down is over, without a restart', async () => {
    const verifier = verifierWith();
    await verifier.verify(withoutKid(key));
    publish(publicJwk(otherKey));
    nowMs += 9_999;
    await expect(verifier.verify(withoutKid(otherKey))).rejects.toMatchObject({
      details: { reason: 'token-signature' },
    });
    nowMs += 1;
    expect(await verifier.verify(withoutKid(otherKey))).toMatchObject({ subject: 'alice' });
  });

  it('costs its issuer one fetch in ten seconds, however often its signature is forged', async () => {
    const verifier = verifierWith();
    const forged = withoutKid(otherKey);
    for (let second = 0; second < 30; second += 1) {
      await verifier.verify(forged).catch(() => {});
      nowMs += 1_000;
    }
    expect(issuer.fetches).toBe(3);
  });
});

describe('an entry that is no key', () => {
  const broken: [string, unknown][] = [
    ['is null', null],
    ['is text', 'key'],
    ['is a list', []],
    ['has no type', { kid: 'old' }],
    ['has a type that is a number', { kty: 1, kid: 'old' }],
    ['has null for its members', { kty: 'EC', crv: 'P-256', kid: 'old', use: 'sig', x: null, y: null }],
    ['is of a type that is not known', { kty: 'AKP', kid: 'old', alg: 'ML-DSA-65', pub: 'AAAA' }],
    ['has operations that are no list', { kty: 'RSA', kid: 'old', key_ops: 'verify' }],
  ];
  it.each(broken)('disables only itself where it %s', async (_what, entry) => {
    publish(entry, publicJwk(key));
    expect(await answerTo(tokenBy(key))).toBe('alice');
    expect(await answerTo(tokenBy(key, { kid: 'k9' }))).toBe(NO_KEY);
    expect(await answerTo(tokenBy(key, { kid: undefined }))).toBe('alice');
  });

  it.each(broken)('makes the issuer unavailable where it %s and is all there is', async (_what, entry) => {
    publish(entry);
    expect(await answerTo(tokenBy(key))).toBe(UNAVAILABLE);
  });

  it('makes the issuer unavailable for the tokens that name it', async () => {
    publish({ ...publicJwk(otherKey), n: '' }, publicJwk(key));
    expect(await answerTo(tokenBy(otherKey))).toBe(UNAVAILABLE);
    expect(await answerTo(tokenBy(key))).toBe('alice');
  });

  it('leaves another entry of its kid working', async () => {
    publish({ kid: 'k1' }, publicJwk(key));
    expect(await answerTo(tokenBy(key))).toBe('alice');
    expect(await answerTo(tokenBy(otherKey, { kid: 'k1' }))).toBe(UNAVAILABLE);
  });

  it('does not matter where its private half is published with it', async () => {
    publish({ ...key.privateKey.export({ format: 'jwk' }), kid: 'k1' });
    expect(await answerTo(tokenBy(key))).toBe('alice');
  });

  it('is a key that is too short, for tokens that name it', async () => {
    const weak = { kid: 'k1', alg: 'RS256' as const, ...generateKeyPairSync('rsa', { modulusLength: 1024 }) };
    publish(publicJwk(weak), { ...publicJwk(key), kid: 'k1' });
    expect(await answerTo(tokenBy(weak))).toBe('Unauthorized token-signature');
    expect(await answerTo(tokenBy(key))).toBe('alice');
  });
});

describe('an issuer with several key sets', () => {
  let second: typeof issuer;
  beforeEach(async () => {
    second = await startKeyServer([otherKey]);
  });
  afterEach(() => second.close());
  const both = () => ({ jwksUris: [issuer.jwksUri, second.jwksUri] });

  it('signs with the keys of each', async () => {
    expect(await answerTo(tokenBy(key), both())).toBe('alice');
    expect(await answerTo(tokenBy(otherKey), both())).toBe('alice');
    expect(await answerTo(tokenBy(createSigningKey('k9')), both())).toBe(NO_KEY);
  });

  it('keeps working by one set while the other is down', async () => {
    second.mode = 'fail';
    expect(await answerTo(tokenBy(key), both())).toBe('alice');
    // What is not in the one may be in the other.
    expect(await answerTo(tokenBy(otherKey), both())).toBe(UNAVAILABLE);
  });

  it('has one key for a token without kid, or none', async () => {
    expect(await answerTo(tokenBy(key, { kid: undefined }), both())).toBe(NO_KEY);
    second.keys = [key];
    expect(await answerTo(tokenBy(key, { kid: undefined }), both())).toBe('alice');
  });

  it('is asked at each address once in ten seconds under a flood of unknown keys', async () => {
    const verifier = verifierWith(both());
    for (let index = 0; index < 50; index += 1) {
      await verifier.verify(tokenBy(key, { kid: `unknown-${index}` })).catch(() => {});
      nowMs += 1_000;
    }
    expect([issuer.fetches, second.fetches]).toEqual([5, 5]);
  });
});
