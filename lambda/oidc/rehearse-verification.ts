import { importJWK, jwtVerify } from 'jose';

const RSA_BYTES = 256;

/**
 * Verifies a token that no issuer signed with a key that no issuer has, and forgets both. Node loads WebCrypto and compiles the
 * library when they are first used: that is over before a token comes. Never rejects.
 */
export async function rehearseVerification(): Promise<void> {
  const encode = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64url');
  const header = { alg: 'RS256' };
  const jwk = { kty: 'RSA', n: encode(new Uint8Array(RSA_BYTES).fill(0xff)), e: 'AQAB' };
  try {
    const key = await importJWK(jwk, header.alg);
    await jwtVerify(`${encode(JSON.stringify(header))}.${encode('{}')}.${encode('-')}`, key);
  } catch {
    // The signature does not verify.
  }
}
