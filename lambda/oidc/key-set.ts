import type { CryptoKey, JWK } from 'jose';
import type { SignatureAlgorithm } from '../model/issuer-rules.ts';
import { isPlainObject } from './claim-path.ts';

/** One key set (RFC 7517 section 5), as its issuer published it. A broken key disables only itself. */
export interface KeySet {
  entries: KeyEntry[];
}

export interface KeyEntry {
  /** Undefined if the entry is not a JWK, or its members have the wrong types. */
  jwk: PublishedKey | undefined;
  kid: string | undefined;
  /** By algorithm; undefined for an unreadable key. */
  imported: Map<SignatureAlgorithm, Promise<CryptoKey | undefined>>;
}

export interface PublishedKey {
  kty: string;
  crv?: string;
  use?: string;
  alg?: string;
  keyOps?: string[];
  /** Only the public members that define the key. */
  material: JWK;
}

/** @throws TypeError for a value that is not a key set */
export function parseKeySet(value: unknown): KeySet {
  if (!isPlainObject(value) || !Array.isArray(value['keys'])) throw new TypeError('not a key set');
  return { entries: value['keys'].map(entryOf) };
}

function entryOf(published: unknown): KeyEntry {
  const members = isPlainObject(published) ? withoutBlanks(published) : {};
  const { kid } = members;
  return {
    jwk: publishedKeyOf(members),
    kid: typeof kid === 'string' ? kid : undefined,
    imported: new Map(),
  };
}

/** Serializers write absent members as null, as empty text or as an empty list. */
function withoutBlanks(members: Record<string, unknown>): Record<string, unknown> {
  const isBlank = (value: unknown) =>
    value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isBlank(value)));
}

function publishedKeyOf(members: Record<string, unknown>): PublishedKey | undefined {
  const { kty, n, e, crv, x, y, use, alg, key_ops: keyOps } = members;
  const material = { kty, n, e, crv, x, y };
  const texts = [...Object.values(material), use, alg];
  if (typeof kty !== 'string' || texts.some((text) => text !== undefined && typeof text !== 'string')) {
    return undefined;
  }
  if (keyOps !== undefined && !(Array.isArray(keyOps) && keyOps.every((one) => typeof one === 'string'))) {
    return undefined;
  }
  const present = Object.entries({ ...material, use, alg }).filter(([, value]) => value !== undefined);
  const texted = Object.fromEntries(present) as { kty: string; crv?: string; use?: string; alg?: string };
  const { use: _use, alg: _alg, ...publicMembers } = texted;
  return { ...texted, ...(keyOps === undefined ? {} : { keyOps }), material: publicMembers as JWK };
}
