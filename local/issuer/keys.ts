import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** What an issuer keeps, so that its tokens stay valid after a restart. */
export interface IssuerSecrets {
  /** Private, with `kid` and `alg`. */
  signingKey: JWK;
  cookieKey: string;
  backendClientSecret: string;
}

/** @param directory where they are kept, readable by their owner only; by default, new ones each time */
export async function readSecrets(directory: string | undefined): Promise<IssuerSecrets> {
  const file = directory && path.join(directory, 'issuer.json');
  if (file !== undefined && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const secrets = {
    signingKey: { ...(await exportJWK(privateKey)), kid: randomSecret(), alg: 'RS256', use: 'sig' },
    cookieKey: randomSecret(),
    backendClientSecret: randomSecret(),
  };
  if (file !== undefined) writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}

export function randomSecret(): string {
  return randomBytes(24).toString('base64url');
}
