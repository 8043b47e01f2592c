import { hash } from 'node:crypto';

/** Tells JoinTokens apart without revealing them: `sha256:` and the first 32 hexadecimal digits of the SHA-256. */
export function fingerprintOf(joinToken: string): string {
  return `sha256:${hash('sha256', joinToken, 'hex').slice(0, 32)}`;
}
