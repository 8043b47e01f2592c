import { type CryptoKey, importJWK } from 'jose';
import type { SignatureAlgorithm } from '../model/issuer-rules.ts';
import type { KeyEntry, KeySet, PublishedKey } from './key-set.ts';

/** What a token's header says about its key. */
export interface KeyRequest {
  alg: SignatureAlgorithm;
  kid: string | undefined;
}

export interface ChosenKeys {
  keys: CryptoKey[];
  /** Whether an unreadable key may be the one that the token means. */
  broken: boolean;
}

/** The keys that fit a token: by `kid`, `use`, `key_ops`, `alg`, key type and curve (RFC 7517 section 4). */
export async function chooseKeys(sets: readonly KeySet[], request: KeyRequest): Promise<ChosenKeys> {
  const keys = new Map<string, CryptoKey>();
  let broken = false;
  for (const entry of sets.flatMap(({ entries }) => entries)) {
    if (request.kid !== undefined && entry.kid !== request.kid) continue;
    if (entry.jwk !== undefined && !fits(entry.jwk, request.alg)) continue;
    const key = await importKey(entry, request.alg);
    // Without a key id, the token does not name an unreadable key.
    if (key === undefined) broken ||= request.kid !== undefined;
    // Several sets of one issuer, and sets that list a key once per algorithm, repeat keys.
    else keys.set(JSON.stringify(entry.jwk?.material), key);
  }
  return { keys: [...keys.values()], broken };
}

/** Whether a set has any readable key: only such a set can prove that a key is missing. */
export async function hasReadableKey({ entries }: KeySet): Promise<boolean> {
  for (const entry of entries) {
    const { jwk } = entry;
    if (jwk === undefined) continue;
    if (jwk.kty === 'oct') return true;
    const alg = KEY_TYPES.find((type) => type.kty === jwk.kty && hasCurve(jwk, type.crv))?.alg;
    if (alg !== undefined && (await importKey(entry, alg)) !== undefined) return true;
  }
  return false;
}

/** RFC 7518 section 3.1, RFC 8037 section 3.1. */
const KEY_TYPES: { alg: SignatureAlgorithm; kty: string; crv?: string }[] = [
  { alg: 'RS256', kty: 'RSA' },
  { alg: 'RS384', kty: 'RSA' },
  { alg: 'RS512', kty: 'RSA' },
  { alg: 'PS256', kty: 'RSA' },
  { alg: 'PS384', kty: 'RSA' },
  { alg: 'PS512', kty: 'RSA' },
  { alg: 'ES256', kty: 'EC', crv: 'P-256' },
  { alg: 'ES384', kty: 'EC', crv: 'P-384' },
  { alg: 'ES512', kty: 'EC', crv: 'P-521' },
  { alg: 'EdDSA', kty: 'OKP', crv: 'Ed25519' },
];

/**
 * Curves of the IANA registry: a key on one of the others is valid but does not fit; a key on an unknown curve is
 * unreadable.
 */
const CURVES = new Set(['P-256', 'P-384', 'P-521', 'secp256k1', 'Ed25519', 'Ed448', 'X25519', 'X448']);

function fits(jwk: PublishedKey, alg: SignatureAlgorithm): boolean {
  const type = KEY_TYPES.find((one) => one.alg === alg);
  return (
    jwk.kty === type?.kty &&
    (jwk.use === undefined || jwk.use === 'sig') &&
    (jwk.keyOps === undefined || jwk.keyOps.includes('verify')) &&
    (jwk.alg === undefined || jwk.alg === alg || (jwk.alg === 'Ed25519' && alg === 'EdDSA')) &&
    (hasCurve(jwk, type.crv) || (jwk.crv !== undefined && !CURVES.has(jwk.crv)))
  );
}

function hasCurve(jwk: PublishedKey, crv: string | undefined): boolean {
  return crv === undefined || jwk.crv === undefined || jwk.crv === crv;
}

function importKey(entry: KeyEntry, alg: SignatureAlgorithm): Promise<CryptoKey | undefined> {
  const { jwk, imported } = entry;
  if (jwk === undefined) return Promise.resolve(undefined);
  let key = imported.get(alg);
  if (key === undefined) {
    // A failed import is the issuer's fault, whatever error the library throws.
    key = importJWK(jwk.material, alg).then(
      (made) => made as CryptoKey,
      () => undefined,
    );
    imported.set(alg, key);
  }
  return key;
}
