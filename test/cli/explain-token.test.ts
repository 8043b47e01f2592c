import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { explainToken } from '../../cli/explain-token.ts';
import { createSigningKey, type SigningKey, signToken, startKeyServer } from '../support/issuer.ts';
import { createIssuerRules } from '../support/issuer-rules.ts';

let key: SigningKey;
let keys: Awaited<ReturnType<typeof startKeyServer>>;
beforeAll(() => {
  key = createSigningKey('k1');
});
beforeEach(async () => {
  keys = await startKeyServer([key]);
});
afterEach(() => keys.close());

const rules = (change: Parameters<typeof createIssuerRules>[0] = {}) =>
  createIssuerRules({
    issuer: 'https://login.example.com',
    jwksUris: [keys.jwksUri],
    audience: ['usher'],
    scopes: { delegate: 'host', self: 'guest' },
    tenantClaim: 'tenant',
    ...change,
  });
const tokenWith = (claims: object = {}, header = {}) =>
  signToken(
    key,
    {
      iss: 'https://login.example.com',
      aud: 'usher',
      sub: 'secret-subject',
      scope: 'host',
      tenant: 'secret-tenant',
      email: 'secret@example.com',
      exp: Math.floor(Date.now() / 1000) + 60,
      ...claims,
    },
    header,
  );

describe('the explanation of a token', () => {
  it('names the issuer, the role and what it may do', async () => {
    expect(await explainToken(tokenWith(), [rules()])).toEqual({
      isAccepted: true,
      lines: [
        'issuer:  https://login.example.com (issuers[0])',
        'claims:  aud, email, exp, iss, scope, sub, tenant',
        'accepted: delegate by the scope host in scope, with no known client',
        'may name: any user',
        'meetings: of the tenants in the claim tenant',
      ],
    });
  });

  it.each<[string, () => string, string]>([
    [
      'an unknown issuer',
      () => tokenWith({ iss: 'https://evil.example.com' }),
      'issuer:  not configured; configured are https://login.example.com',
    ],
    [
      'an issuer with a slash more',
      () => tokenWith({ iss: 'https://login.example.com/' }),
      'issuer:  not configured, but similar to https://login.example.com',
    ],
    [
      'another audience',
      () => tokenWith({ aud: 'billing' }),
      'fix:     ask the issuer for a token for this API, or add its `aud` to `audience`',
    ],
    [
      'an ID token',
      () => tokenWith({}, { typ: 'JWT' }),
      'fix:     send the access token and not the ID token, or correct `accessTokenMark`',
    ],
    [
      'no scope',
      () => tokenWith({ scope: 'openid' }),
      'refused: scope. The token is valid, but has none of the scopes host, guest in scope.',
    ],
    [
      'a tenant that is none',
      () => tokenWith({ tenant: 7 }),
      'fix:     have the issuer write the tenant, or add it to `tenants`',
    ],
    [
      'a user without a name',
      () => tokenWith({ scope: 'guest' }),
      'fix:     name another claim as `externalUserIdClaim`',
    ],
    [
      'an opaque token',
      () => 'opaque',
      'fix:     ask the issuer for a JWT: some need an audience, others a setting of the client',
    ],
    [
      'nothing',
      () => '',
      'refused: token-opaque. The bearer token is not a JWT but opaque. Ask the issuer for an access token for this API.',
    ],
  ])('says what is wrong with %s', async (_what, token, line) => {
    const { isAccepted, lines } = await explainToken(token(), [rules({ externalUserIdClaim: 'nickname' })]);
    expect(isAccepted).toBe(false);
    expect(lines).toContain(line);
  });

  it('says why the keys could not be fetched', async () => {
    keys.mode = 'fail';
    const { lines } = await explainToken(tokenWith(), [rules()]);
    expect(lines).toContain(`log:     keys not fetched: jwksUri ${keys.jwksUri}, problem status, status 500`);
    expect(lines).toContain('fix:     check `jwksUri`, and that it can be reached from here');
  });

  it('prints neither the token nor the value of a claim', async () => {
    const tokens = [
      tokenWith(),
      tokenWith({ iss: 'secret-issuer' }),
      tokenWith({ scope: 'secret-scope' }),
      tokenWith({ sub: ['secret'] }),
    ];
    for (const token of tokens) {
      const { lines } = await explainToken(token, [rules()]);
      expect(lines.join('\n')).not.toMatch(/secret/);
      for (const part of token.split('.')) expect(lines.join('\n')).not.toContain(part);
    }
  });
});

describe('the command', () => {
  /** Exit status and what was printed. */
  const run = (config: string, input: string) =>
    new Promise<{ status: number | null; output: string }>((resolve) => {
      const child = spawn(process.execPath, ['cli/explain-token.ts', '--config', config]);
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.stderr.on('data', (chunk) => (output += chunk));
      child.on('close', (status) => resolve({ status, output }));
      child.stdin.end(input);
    });
  const directory = mkdtempSync(join(tmpdir(), 'usher-explain-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('reads a token from standard input, and answers by its exit status', async () => {
    const file = join(directory, 'config.json');
    const { issuer, audience, scopes } = rules();
    const entry = {
      issuer,
      audience,
      scopes,
      jwksUri: keys.jwksUri,
      tenantClaim: 'tenant',
      accessTokenMark: { typ: 'at+jwt' },
    };
    writeFileSync(file, JSON.stringify({ stackName: 'usher', issuers: [entry] }));
    const [good, bad, none] = await Promise.all([
      run(file, `Bearer ${tokenWith()}\n`),
      run(file, tokenWith({ aud: 'billing' })),
      run(join(directory, 'none.json'), ''),
    ]);
    expect([good.status, bad.status, none.status]).toEqual([0, 1, 2]);
    expect(good.output).toContain('accepted: delegate by the scope host in scope');
    expect(bad.output).toContain('refused: token-audience');
    expect(none.output).toContain('none.json: the file does not exist');
    expect(good.output + bad.output).not.toMatch(/secret|eyJ/);
  }, 30_000);
});
