import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { close, listen } from '../../../local/http-server.ts';
import { startIssuer } from '../../../local/issuer/issuer.ts';
import { backendToken, claimsOf, refresh, signIn } from '../../support/sign-in.ts';

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

  it('rejects an invalid token', async () => {
    expect((await sign('nonsense')).status).toBe(400);
  });

  it('signs nothing for a caller that does not know its secret', async () => {
    const body = JSON.stringify({ header: {}, payload: {} });
    for (const url of [`${issuer.issuer}/sign/`, `${issuer.issuer}/sign/guessed`, `${issuer.signUrl}x`]) {
      expect((await fetch(url, { method: 'POST', body })).status).toBe(403);
    }
    const fromPage = await fetch(issuer.signUrl, {
      method: 'POST',
      body,
      headers: { origin: issuer.issuer },
    });
    expect(fromPage.status).toBe(403);
  });

  it.each([
    ['host', 'alice', { scope: 'attendees.create', tenant: 'acme' }],
    ['guest', 'gail', { scope: 'attendees.create.self', tenant: 'acme' }],
    ['stranger', 'otto', { scope: 'attendees.create.self', tenant: 'globex' }],
    ['visitor', 'vera', { tenant: 'acme' }],
  ])('signs in as %s by code with PKCE, with the scopes of that role only', async (role, name, claims) => {
    const tokens = await signIn(issuer.issuer, { role, redirectUri: 'http://localhost:5173/callback' });
    const { header, payload } = claimsOf(tokens.access_token);
    expect(header).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(payload).toMatchObject({ ...claims, sub: name, aud: 'usher-local', iss: issuer.issuer });
    expect(payload['scope']).toBe((claims as { scope?: string }).scope);
  });

  it('refreshes a token with the same rights', async () => {
    const tokens = await signIn(issuer.issuer, { role: 'guest', redirectUri: 'http://127.0.0.1:5173/' });
    const refreshed = await refresh(issuer.issuer, tokens.refresh_token);
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    const of = (token: string) => {
      const { sub, scope, aud, tenant } = claimsOf(token).payload;
      return { sub, scope, aud, tenant };
    };
    expect(of(refreshed.access_token)).toEqual(of(tokens.access_token));
  });

  it('gives a backend its own token by client credentials', async () => {
    const token = await backendToken({
      issuer: issuer.issuer,
      backendClientId: 'local-backend',
      backendClientSecret: issuer.backendClientSecret,
    });
    const { payload } = claimsOf(token);
    expect(payload).toMatchObject({ sub: 'local-backend', scope: 'attendees.create', tenant: 'acme' });
  });

  it('sends no code to another machine', async () => {
    const asked = signIn(issuer.issuer, { role: 'host', redirectUri: 'https://pages.example/' });
    await expect(asked).rejects.toThrow('400');
  });

  it('keeps its keys between starts, readable by their owner only, and takes a free port for one in use', async () => {
    const dataDirectory = mkdtempSync(path.join(tmpdir(), 'usher-issuer-'));
    const holder = createServer();
    const port = await listen(holder, 0);
    const first = await startIssuer({ port, dataDirectory });
    expect(new URL(first.issuer).port).not.toBe(String(port));
    const published = await fetchJson(first.jwksUri);
    await first.close();
    await close(holder);

    const second = await startIssuer({ port, dataDirectory });
    expect(second.issuer).toBe(`http://127.0.0.1:${port}`);
    expect(await fetchJson(second.jwksUri)).toEqual(published);
    await second.close();
    expect(statSync(path.join(dataDirectory, 'issuer.json')).mode & 0o777).toBe(0o600);
    rmSync(dataDirectory, { recursive: true });
  });

  it('stops when it is closed', async () => {
    const other = await startIssuer();
    await other.close();
    await expect(fetch(other.jwksUri)).rejects.toThrow();
    expect(() => process.kill(other.pid, 0)).toThrow();
  });
});
