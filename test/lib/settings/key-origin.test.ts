import { describe, expect, it } from '@jest/globals';
import { Token } from 'aws-cdk-lib';
import { issuersSchema } from '../../../lib/settings/issuers.ts';
import { createIssuerEntry } from '../../support/issuer-rules.ts';

/** The problem of two issuers with these key addresses, or undefined if there is none. */
function problemOf(one: string | string[], other: string | string[]): string | undefined {
  const keys = (address: string | string[]) =>
    Array.isArray(address) ? { jwksUris: address } : { jwksUri: address };
  const { error } = issuersSchema.safeParse([
    createIssuerEntry({ issuer: 'a', ...keys(one), externalUserIdPrefix: 'a:' }),
    createIssuerEntry({ issuer: 'b', ...keys(other), externalUserIdPrefix: 'b:' }),
  ]);
  const issue = error?.issues[0];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
}

const KEYS = 'https://idp.example.com/a/keys?p=1&q=2';

describe('two issuers', () => {
  it.each([
    'https://IDP.example.com/a/keys?p=1&q=2',
    'HTTPS://idp.example.com/a/keys?p=1&q=2',
    'https://idp.example.com:443/a/keys?p=1&q=2',
    'https://idp.example.com./a/keys?p=1&q=2',
    'https://idp.example.com/%61/keys?p=1&q=2',
    'https://idp.example.com/a/%6beys?p=1&q=2',
    'https://idp.example.com/b/../a/keys?p=1&q=2',
    'https://idp.example.com/./a/./keys?p=1&q=2',
    'https://idp.example.com/%2e/a/keys?p=1&q=2',
    'https://idp.example.com/a/keys/?p=1&q=2',
    'https://idp.example.com/A/Keys?p=1&q=2',
    'https://idp.example.com/a/keys?q=2&p=1',
    'https://idp.example.com/a/keys?%70=1&q=2',
  ])('cannot share keys by spelling their address as %s', (spelling) => {
    expect(problemOf(KEYS, spelling)).toMatch(/^1\.jwksUri: .* also serves the keys of a,/);
  });

  it.each([
    ['https://b\u00fccher.example/keys', 'https://xn--bcher-kva.example/keys'],
    ['https://127.0.0.1/keys', 'https://127.1/keys'],
    ['http://localhost:4000/keys', 'http://127.0.0.1:4000/keys'],
    ['http://[::1]:4000/keys', 'http://[0:0:0:0:0:0:0:1]:4000/keys'],
    ['https://idp.example.com/keys?', 'https://idp.example.com/keys'],
  ])('cannot share keys by the addresses %s and %s', (one, other) => {
    expect(problemOf(one, other)).toMatch(/also serves the keys of a,/);
  });

  it('cannot share one of several key sets', () => {
    expect(
      problemOf(
        ['https://x.example/1', 'https://x.example/2'],
        ['https://x.example/3', 'https://x.example/2'],
      ),
    ).toMatch(/^1\.jwksUri: "https:\/\/x\.example\/2" also serves the keys of a,/);
  });

  it('cannot share keys that one finds by its name', () => {
    const { error } = issuersSchema.safeParse([
      createIssuerEntry({ issuer: 'https://idp.example.com', externalUserIdPrefix: 'a:' }),
      createIssuerEntry({
        issuer: 'b',
        jwksUri: 'https://idp.EXAMPLE.com/.well-known/jwks.json',
        externalUserIdPrefix: 'b:',
      }),
    ]);
    expect(error?.issues[0]?.message).toMatch(/also serves the keys of https:\/\/idp\.example\.com,/);
  });

  it.each([
    'https://idp.example.com/b/keys?p=1&q=2',
    'https://idp.example.com:8443/a/keys?p=1&q=2',
    'https://idp2.example.com/a/keys?p=1&q=2',
    'https://idp.example.com/a/keys?p=2&q=2',
    'https://idp.example.com/a/keys',
  ])('may have keys at addresses as different as %s', (address) => {
    expect(problemOf(KEYS, address)).toBeUndefined();
  });

  it('may have keys at addresses that are known at deployment only, unless they are the same', () => {
    const [one, other] = [1, 2].map((n) => `https://${Token.asString({ Ref: `Host${n}` })}/keys`) as [
      string,
      string,
    ];
    expect(problemOf(one, other)).toBeUndefined();
    expect(problemOf(one, one)).toMatch(/also serves the keys of a,/);
  });
});

describe('a key address', () => {
  it.each([
    'https://idp.example.com/keys#a',
    'https://idp.example.com//keys',
    'https://idp.example.com/a%2Fkeys',
    'https://idp.example.com/a%5ckeys',
    'https://idp.example.com/%2561/keys',
    'https://idp.example.com\\keys',
    ' https://idp.example.com/keys',
    'https://idp.example.com/ke\tys',
    'https://idp.example.com/keys%00',
  ])('is refused if it is ambiguous: %j', (address) => {
    expect(problemOf(address, 'https://other.example.com/keys')).toMatch(
      /^0\.jwksUri: .* so it is not clear where the keys come from/,
    );
  });

  it.each([
    'https://user@idp.example.com/keys',
    'https://user:secret@idp.example.com/keys',
    'http://idp.example.com/keys',
    'ftp://idp.example.com/keys',
    'keys',
  ])('is refused if it is not plain https: %s', (address) => {
    expect(problemOf(address, 'https://other.example.com/keys')).toMatch(
      /^0\.jwksUri: .* is not an https URL/,
    );
  });
});
