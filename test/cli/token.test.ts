import { describe, expect, it } from '@jest/globals';
import { type TokenOptions, tokenParts } from '../../cli/token.ts';

const NOW = 1_700_000_000;
const ISSUER = { issuer: 'http://127.0.0.1:1', audience: 'usher-local' };
const DEFAULTS: TokenOptions = {
  sub: 'alice',
  scope: 'attendees.create',
  clientId: 'local-client',
  typ: 'at+jwt',
  expiresIn: '3600',
  claim: [],
};

function payload(options: Partial<TokenOptions>) {
  return tokenParts({ ...DEFAULTS, ...options }, ISSUER, NOW).payload;
}

describe('tokenParts', () => {
  it('makes an access token of the local issuer', () => {
    expect(tokenParts(DEFAULTS, ISSUER, NOW)).toEqual({
      header: { typ: 'at+jwt' },
      payload: {
        iss: 'http://127.0.0.1:1',
        sub: 'alice',
        aud: 'usher-local',
        client_id: 'local-client',
        scope: 'attendees.create',
        tenant: 'acme',
        iat: NOW,
        nbf: NOW,
        exp: NOW + 3600,
        jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
  });

  it('takes subject, scope, client and type from the options', () => {
    const parts = tokenParts(
      { ...DEFAULTS, sub: 'bob', scope: 'a b', clientId: 'c', typ: 'JWT' },
      ISSUER,
      NOW,
    );
    expect(parts.header).toEqual({ typ: 'JWT' });
    expect(parts.payload).toMatchObject({ sub: 'bob', scope: 'a b', client_id: 'c' });
  });

  it('sets claims, removes them, and makes lists', () => {
    const claims = payload({
      claim: ['role=host', 'tenant=', 'aud=', 'meetings=a', 'meetings=b', 'text=x=y', 'exp=12', 'iat=-3'],
    });
    expect(claims).toMatchObject({
      role: 'host',
      meetings: ['a', 'b'],
      text: 'x=y',
      exp: 12,
      iat: -3,
      sub: 'alice',
    });
    expect(claims).not.toHaveProperty('tenant');
    expect(claims).not.toHaveProperty('aud');
  });

  it.each([{ scope: '' }, { claim: ['scope='] }])('leaves the scope out for %j', (options) => {
    expect(payload(options)).not.toHaveProperty('scope');
  });

  it('makes an expired token that was good once', () => {
    const { iat, nbf, exp } = payload({ expiresIn: '-60' });
    expect(exp).toBe(NOW - 60);
    expect(iat).toBeLessThan(exp as number);
    expect(nbf).toBe(iat);
  });

  it.each([
    [{ expiresIn: 'soon' }, /--expires-in/],
    [{ claim: ['role'] }, /NAME=VALUE, not "role"/],
    [{ claim: ['=x'] }, /NAME=VALUE/],
    [{ claim: ['exp=soon'] }, /--claim exp/],
  ])('rejects %j', (options, message) => {
    expect(() => payload(options)).toThrow(message);
  });
});
