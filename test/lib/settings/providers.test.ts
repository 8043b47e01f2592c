import { describe, expect, it } from '@jest/globals';
import { PROVIDERS, type Provider } from '../../../lib/settings/providers.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';

describe('where a provider publishes its keys', () => {
  it.each<[Provider, string, string | undefined]>([
    [
      'entra',
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
      `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
    ],
    [
      'entra',
      `https://login.microsoftonline.us/${TENANT}/v2.0`,
      `https://login.microsoftonline.us/${TENANT}/discovery/v2.0/keys`,
    ],
    [
      'entra',
      `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`,
      `https://login.partner.microsoftonline.cn/${TENANT}/discovery/v2.0/keys`,
    ],
    [
      'entra',
      `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
      `https://${TENANT}.ciamlogin.com/${TENANT}/discovery/v2.0/keys`,
    ],
    ['entra', `https://sts.windows.net/${TENANT}/`, undefined],
    ['entra', `https://login.microsoftonline.com/tfp/${TENANT}/v2.0`, undefined],
    [
      'entra-v1',
      `https://sts.windows.net/${TENANT}/`,
      `https://login.microsoftonline.com/${TENANT}/discovery/keys`,
    ],
    ['entra-v1', `https://login.microsoftonline.com/${TENANT}/v2.0`, undefined],
    ['entra-b2c', `https://contoso.b2clogin.com/${TENANT}/v2.0/`, undefined],
    ['okta', 'https://dev-1.okta.com/oauth2/default', 'https://dev-1.okta.com/oauth2/default/v1/keys'],
    ['okta', 'https://dev-1.okta.com', undefined],
    ['okta', 'https://dev-1.okta.com/oauth2', undefined],
    ['auth0', 'https://acme.eu.auth0.com/', 'https://acme.eu.auth0.com/.well-known/jwks.json'],
    [
      'keycloak',
      'https://sso.example.com/realms/acme',
      'https://sso.example.com/realms/acme/protocol/openid-connect/certs',
    ],
    ['google', 'accounts.google.com', 'https://www.googleapis.com/oauth2/v3/certs'],
    [
      'github-actions',
      'https://ghes.example.com/_services/token',
      'https://ghes.example.com/_services/token/.well-known/jwks',
    ],
    ['adfs', 'http://adfs.example.com/adfs/services/trust', 'https://adfs.example.com/adfs/discovery/keys'],
    ['adfs', 'urn:adfs', undefined],
    [
      'forgerock',
      'https://am.example.com:443/am/oauth2/realms/root/realms/alpha',
      'https://am.example.com:443/am/oauth2/realms/root/realms/alpha/connect/jwk_uri',
    ],
    [
      'aws',
      'https://abc123-def456.tokens.sts.global.api.aws',
      'https://abc123-def456.tokens.sts.global.api.aws/.well-known/jwks.json',
    ],
  ])('is found for %s from %s', (provider, issuer, jwksUri) => {
    expect(PROVIDERS[provider].jwksUri(issuer)).toBe(jwksUri);
  });
});
