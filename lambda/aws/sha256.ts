import { createHash, createHmac, createSecretKey, type Hash, type Hmac, type KeyObject } from 'node:crypto';

type Bytes = ArrayBuffer | ArrayBufferView;

/**
 * SHA-256, and HMAC where there is a secret, as the SDK's signer asks for them (its setting `sha256`). Its own hands Node
 * keys as bytes, with which an HMAC takes four times as long as with a `KeyObject`.
 */
export class Sha256 {
  private readonly hash: Hash | Hmac;

  constructor(secret?: string | Bytes) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', keyOf(secret));
  }

  update(data: Uint8Array): void {
    this.hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }

  reset(): never {
    throw new Error('Every hash is made anew.');
  }
}

/** The signer keeps the keys of the day, so each is made a `KeyObject` once. */
const keys = new WeakMap<Bytes, KeyObject>();

function keyOf(secret: string | Bytes): string | KeyObject {
  if (typeof secret === 'string') return secret;
  let key = keys.get(secret);
  if (key === undefined) {
    key = createSecretKey(Buffer.from(secret as Uint8Array));
    keys.set(secret, key);
  }
  return key;
}
