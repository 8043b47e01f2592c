import { describe, expect, it } from '@jest/globals';
import { chooseKeys, hasReadableKey } from '../../../lambda/oidc/key-choice.ts';
import { parseKeySet } from '../../../lambda/oidc/key-set.ts';
import { createSigningKey, publicJwk, type SigningAlgorithm } from '../../support/issuer.ts';

const rsa = publicJwk(createSigningKey('k1'));
const ed25519 = publicJwk(createSigningKey('k1', 'EdDSA'));
const [p256, p384, p521] = (['ES256', 'ES384', 'ES512'] as const).map((alg) =>
  publicJwk(createSigningKey('k1', alg)),
);
const oct = { kty: 'oct', kid: 'k1', k: 'c2VjcmV0' };
/** Without what the algorithm rules out, so that only the curve decides. */
const onCurve = (jwk: object | undefined, crv: string | undefined, kty?: string) => ({
  ...jwk,
  alg: undefined,
  crv,
  ...(kty === undefined ? {} : { kty }),
});

describe('a key set', () => {
  it.each([
    ['null', null],
    ['text', 'keys'],
    ['a list', [rsa]],
    ['an object without keys', {}],
    ['keys that are an object', { keys: { k1: rsa } }],
  ])('is not %s', (_what, value) => {
    expect(() => parseKeySet(value)).toThrow(new TypeError('not a key set'));
  });

  it('keeps only what chooses and defines a key', () => {
    const published = { ...rsa, d: 'private', x5c: ['AAAA'], x: null, key_ops: ['verify'] };
    const { n, e } = rsa;
    const texted = { kty: 'RSA', n, e, use: 'sig', alg: 'RS256' };
    const jwk = { ...texted, keyOps: ['verify'], material: { kty: 'RSA', n, e } };
    expect(parseKeySet({ keys: [published] }).entries).toStrictEqual([
      { jwk, kid: 'k1', imported: new Map() },
    ]);
    const [bare] = parseKeySet({ keys: [{ kty: 'RSA', n, e }] }).entries;
    expect(bare?.jwk).toStrictEqual({ kty: 'RSA', n, e, material: { kty: 'RSA', n, e } });
  });

  it('has no name for a key whose kid is no text', () => {
    expect(parseKeySet({ keys: [{ ...rsa, kid: 7 }] }).entries).toMatchObject([
      { kid: undefined, jwk: { kty: 'RSA' } },
    ]);
  });

  it.each<[string, unknown]>([
    ...['kty', 'n', 'e', 'crv', 'x', 'y', 'use', 'alg'].map((name): [string, unknown] => [name, 7]),
    ['key_ops', 'verify'],
    ['key_ops', { verify: true }],
    ['key_ops', ['verify', 7]],
  ])('has a broken entry where %s is %j, which keeps its kid', (name, value) => {
    expect(parseKeySet({ keys: [{ ...rsa, [name]: value }] }).entries).toMatchObject([
      { jwk: undefined, kid: 'k1' },
    ]);
  });

  it.each<[string, 'readable' | 'unreadable', unknown[]]>([
    ['a secret', 'readable', [oct]],
    ['a key behind broken ones', 'readable', [null, { ...rsa, n: '' }, p384]],
    ['an Ed25519 key', 'readable', [ed25519]],
    ['no entry', 'unreadable', []],
    ['a key without its members', 'unreadable', [{ kty: 'RSA', kid: 'k1' }]],
    ['a key of an unknown type', 'unreadable', [{ kty: 'AKP', kid: 'k1', pub: 'AAAA' }]],
    ['a key on an unknown curve', 'unreadable', [onCurve(p256, 'P-999')]],
  ])('with %s is %s', async (_what, readable, keys) => {
    expect(await hasReadableKey(parseKeySet({ keys }))).toBe(readable === 'readable');
  });
});

describe('the choice of keys', () => {
  type Outcome = 'fits' | 'does not fit' | 'is broken';
  async function outcomeOf(published: unknown, alg: SigningAlgorithm, kid?: string): Promise<Outcome> {
    const { keys, broken } = await chooseKeys([parseKeySet({ keys: [published] })], { alg, kid });
    if (broken) return 'is broken';
    return keys.length === 1 ? 'fits' : 'does not fit';
  }

  it.each<[string, Outcome, SigningAlgorithm, object]>([
    ['a secret', 'does not fit', 'RS256', oct],
    ['a key of another type', 'does not fit', 'RS256', onCurve(p256, 'P-256')],
    ['an Ed25519 key by that algorithm name', 'fits', 'EdDSA', { ...ed25519, alg: 'Ed25519' }],
    ['an Ed25519 key of another algorithm', 'does not fit', 'EdDSA', { ...ed25519, alg: 'ES256' }],
    ['an RSA key with the algorithm name Ed25519', 'does not fit', 'RS256', { ...rsa, alg: 'Ed25519' }],
    ['a key with the operation verify', 'fits', 'RS256', { ...rsa, key_ops: ['sign', 'verify'] }],
    ['a key without the operation verify', 'does not fit', 'RS256', { ...rsa, key_ops: ['encrypt'] }],
    ['a key with an empty list of operations', 'fits', 'RS256', { ...rsa, key_ops: [] }],
    ['an RSA key with a curve, which means nothing there', 'fits', 'RS256', { ...rsa, crv: 'P-256' }],
    ['a key without a curve', 'is broken', 'ES256', onCurve(p256, undefined)],
    ['a key without a curve', 'is broken', 'EdDSA', onCurve(ed25519, undefined)],
    ['a key on an unknown curve', 'is broken', 'ES256', onCurve(p256, 'P-999')],
    ['a key on an unknown curve', 'is broken', 'EdDSA', onCurve(ed25519, 'Ed999')],
    ['a key on P-256', 'does not fit', 'ES384', onCurve(p256, 'P-256')],
    ['a key on P-384', 'does not fit', 'ES512', onCurve(p384, 'P-384')],
    ['a key on P-521', 'does not fit', 'ES256', onCurve(p521, 'P-521')],
    ['a key on secp256k1', 'does not fit', 'ES256', onCurve(p256, 'secp256k1')],
    ['an EC key on Ed25519', 'does not fit', 'ES256', onCurve(ed25519, 'Ed25519', 'EC')],
    ['a key on Ed448', 'does not fit', 'EdDSA', onCurve(ed25519, 'Ed448')],
    ['a key on X25519', 'does not fit', 'EdDSA', onCurve(ed25519, 'X25519')],
    ['a key on X448', 'does not fit', 'EdDSA', onCurve(ed25519, 'X448')],
  ])('finds that %s %s for %s', async (_what, outcome, alg, published) => {
    expect(await outcomeOf(published, alg, 'k1')).toBe(outcome);
  });

  it.each([
    ['an entry that is no key', { kid: 'k1' }],
    ['a key that does not import', { ...rsa, n: '' }],
  ])('finds that %s is broken only for a token with its kid', async (_what, published) => {
    expect(await outcomeOf(published, 'RS256', 'k1')).toBe('is broken');
    expect(await outcomeOf(published, 'RS256', 'k2')).toBe('does not fit');
    expect(await outcomeOf(published, 'RS256')).toBe('does not fit');
  });

  it('imports a key once for each algorithm', async () => {
    const set = parseKeySet({ keys: [{ ...rsa, alg: undefined }] });
    const keyFor = async (alg: SigningAlgorithm) => (await chooseKeys([set], { alg, kid: 'k1' })).keys[0];
    const first = await keyFor('RS256');
    expect(first).toMatchObject({ algorithm: { hash: { name: 'SHA-256' } } });
    expect(await keyFor('RS512')).toMatchObject({ algorithm: { hash: { name: 'SHA-512' } } });
    expect(await keyFor('RS256')).toBe(first);
  });
});
