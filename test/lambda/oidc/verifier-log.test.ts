import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { nearestIssuer } from '../../../lambda/oidc/issuer-names.ts';
import { createTokenVerifier } from '../../../lambda/oidc/token-verifier.ts';
import {
  createSigningKey,
  publicJwk,
  type SigningKey,
  signToken,
  startKeyServer,
} from '../../support/issuer.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

let key: SigningKey;
let issuer: Awaited<ReturnType<typeof startKeyServer>>;
let reported: [string, Record<string, string | number>][];

beforeAll(() => {
  key = createSigningKey('k1');
});
beforeEach(async () => {
  reported = [];
  issuer = await startKeyServer([key]);
});
afterEach(() => issuer.close());

const verify = (iss = issuer.issuer, configured = issuer.issuer) =>
  createTokenVerifier(
    [
      createIssuerRules({
        issuer: configured,
        jwksUris: [issuer.jwksUri],
        audience: ['usher'],
        accessTokenMark: { audience: true },
        scopes: { delegate: 'host' },
      }),
    ],
    { now: Date.now },
    (event, facts) => reported.push([event, facts]),
  ).verify(signToken(key, { iss, aud: 'usher', sub: 'alice', scope: 'host', exp: Date.now() / 1000 + 300 }));

describe('a fetch that fails', () => {
  const answers: [string, object, (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['status', { status: 403 }, (_request, response) => response.writeHead(403).end()],
    [
      'redirect',
      { status: 301, target: 'https://login.example.com/keys/' },
      (_request, response) =>
        response.writeHead(301, { location: 'https://login.example.com/keys/?secret=1' }).end(),
    ],
    ['status', { status: 304 }, (_request, response) => response.writeHead(304).end()],
    ['not JSON', { bytes: 6 }, (_request, response) => response.end('<html>')],
    ['not a key set', { bytes: 2 }, (_request, response) => response.end('{}')],
    ['too large', { maxBytes: 524_288 }, (_request, response) => response.end(' '.repeat(600_000))],
    [
      'too large',
      { maxBytes: 524_288 },
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    ],
    [
      'unreadable encoding',
      {},
      (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain'),
    ],
    [
      'unreadable encoding',
      {},
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'constructor' }).end('{"keys":[]}'),
    ],
    ['no connection', { code: 'ECONNRESET' }, (request) => request.socket.destroy()],
    [
      'cut off',
      {},
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"keys"', () => request.socket.destroy());
      },
    ],
    ['timed out', { timeoutMs: 2_000 }, () => {}],
    ['no usable key', {}, (_request, response) => response.end('{"keys":[null]}')],
  ];
  it.each(answers)('is logged with its address as %s, %j', async (problem, facts, answer) => {
    issuer.answer = answer;
    await expect(verify()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(reported).toEqual([
      ['keys not fetched', expect.objectContaining({ jwksUri: issuer.jwksUri, problem, ...facts })],
    ]);
  });
});

describe('a key set', () => {
  const published = () => JSON.stringify({ keys: [publicJwk(key)] });
  it.each<[string, (response: ServerResponse) => void]>([
    [
      'as HTML, after a byte order mark',
      (r) => r.setHeader('content-type', 'text/html; charset=utf-8').end(`\uFEFF${published()}`),
    ],
    ['packed with gzip', (r) => r.setHeader('content-encoding', 'gzip').end(gzipSync(published()))],
    ['packed with deflate', (r) => r.setHeader('content-encoding', 'deflate').end(deflateSync(published()))],
    ['packed with Brotli', (r) => r.setHeader('content-encoding', 'BR').end(brotliCompressSync(published()))],
  ])('is read %s', async (_how, answer) => {
    issuer.answer = (_request, response) => answer(response);
    expect(await verify()).toMatchObject({ subject: 'alice' });
  });

  it('is requested with User-Agent and Accept headers', async () => {
    let headers: IncomingMessage['headers'] = {};
    issuer.answer = (request, response) => {
      headers = request.headers;
      response.end(published());
    };
    await verify();
    expect(headers['user-agent']).toBe('usher');
    expect(headers.accept).toMatch(/application\/json/);
  });
});

describe('an issuer that is not configured', () => {
  const TENANT = '11111111-2222-3333-4444-555555555555';
  it.each([
    ['https://login.example.com/', 'https://login.example.com'],
    ['https://login.example.com', 'https://login.example.com/'],
    ['http://login.example.com', 'https://login.example.com'],
    ['https://LOGIN.example.com', 'https://login.example.com'],
    ['login.example.com', 'https://login.example.com'],
    [`https://login.microsoftonline.com/${TENANT}/v2.0`, `https://sts.windows.net/${TENANT}/`],
    [`https://sts.windows.net/${TENANT}/`, `https://login.microsoftonline.com/${TENANT}/v2.0`],
    [`https://login.microsoftonline.us/${TENANT}/v2.0`, `https://login.microsoftonline.com/${TENANT}/v2.0`],
    [`https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`, `https://contoso.ciamlogin.com/${TENANT}/v2.0`],
    [
      `https://contoso.b2clogin.com/tfp/${TENANT}/b2c_1_signin/v2.0/`,
      `https://contoso.b2clogin.com/${TENANT}/v2.0/`,
    ],
    ['https://sso.example.com/auth/realms/acme', 'https://sso.example.com/realms/acme'],
    ['https://login.example.com/oauth2/v1', 'https://login.example.com/oauth2/v2.0'],
  ])('is refused, and %s makes the log name %s', async (iss, configured) => {
    await expect(verify(iss, configured)).rejects.toMatchObject({ details: { reason: 'token-issuer' } });
    expect(reported).toEqual([['issuer nearly matches', { configured }]]);
  });

  it.each(['https://evil.example.com', '', '/', 'https://login.example.com.evil.com'])(
    'names no other where it is %p',
    async (iss) => {
      await expect(verify(iss, 'https://login.example.com')).rejects.toMatchObject({
        details: { reason: 'token-issuer' },
      });
      expect(reported).toEqual([]);
    },
  );

  it.each<[string, string]>([
    ['slashes', `${'/'.repeat(6_000)}x`],
    ['versions', `${'/v1'.repeat(2_000)}x`],
    ['spaces', `x${' '.repeat(6_000)}x`],
    ['policies', `${'a.b2clogin.com'.repeat(400)}/tfp/x`],
  ])('takes no time that a stranger could waste, for a flood of %s', (_what, iss) => {
    const before = process.cpuUsage();
    for (let count = 0; count < 20; count += 1) nearestIssuer(iss, ['https://login.example.com']);
    const { user, system } = process.cpuUsage(before);
    // Slashes took 500 ms.
    expect((user + system) / 1_000).toBeLessThan(200);
  });
});
