import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startIssuer } from '../../../local/issuer/issuer.ts';

let issuer: Awaited<ReturnType<typeof startIssuer>>;

beforeAll(async () => {
  issuer = await startIssuer();
});

afterAll(() => issuer.close());

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  return (await fetch(url)).json() as Promise<Record<string, unknown>>;
}

async function sign(body: string): Promise<{ status: number; text: string }> {
  const response = await fetch(issuer.signUrl, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
}

function decode(part: string | undefined) {
  return JSON.parse(Buffer.from(part as string, 'base64url').toString());
}

describe('the local issuer', () => {
  it('is found by discovery under exactly its own name', async () => {
    const discovered = await fetchJson(`${issuer.issuer}/.well-known/openid-configuration`);
    expect(discovered).toMatchObject({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri });
    expect(issuer.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('signs what it is given and adds no claim, with a key that it publishes', async () => {
    const payload = { sub: 'alice', list: ['a', 'b'] };
    const { text } = await sign(JSON.stringify({ header: { typ: 'at+jwt' }, payload }));
    const [header, claims, signature] = text.split('.');
    expect(decode(claims)).toEqual(payload);
    expect(decode(header)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });

    const { keys } = (await fetchJson(issuer.jwksUri)) as { keys: (JsonWebKey & { kid: string })[] };
    const key = keys.find(({ kid }) => kid === decode(header).kid) as JsonWebKey;
    expect(key.d).toBeUndefined();
    const publicKey = createPublicKey({ key, format: 'jwk' });
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('sha256', signed, publicKey, Buffer.from(signature as string, 'base64url'))).toBe(true);
  });

  it('rejects what is no token', async () => {
    expect((await sign('nonsense')).status).toBe(400);
  });

  it('is gone when it is closed', async () => {
    const other = await startIssuer();
    await other.close();
    await expect(fetch(other.jwksUri)).rejects.toThrow();
    expect(() => process.kill(other.pid, 0)).toThrow();
  });
});
