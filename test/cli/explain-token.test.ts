import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
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
        'accepted: delegate by the scope host in scope, with no client that is known',
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
      'issuer:  not configured, but nearly https://login.example.com',
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
      'refused: scope. The token verifies, and has none of the scopes host, guest in scope.',
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
