import {
  type AccessTokenMark,
  DEFAULT_CLIENT_ID_CLAIMS,
  defaultJwksUri,
  type SignatureAlgorithm,
} from '../../lambda/model/issuer-rules.ts';
import { parseUrl } from './urls.ts';

/** What a provider's documentation fixes for an issuer; docs/identity-providers.md has the sources and the pitfalls. */
export interface ProviderPreset {
  /** Where the provider publishes its keys; undefined where the issuer does not say. */
  jwksUri(issuer: string): string | undefined;
  accessTokenMark: AccessTokenMark;
  scopeClaims: string[];
  clientIdClaims: string[];
  subjectClaims: string[];
  algorithms: SignatureAlgorithm[];
}

const AT_JWT: AccessTokenMark = { typ: 'at+jwt' };
const BY_AUDIENCE: AccessTokenMark = { audience: true };

const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '');
const below = (path: string) => (issuer: string) => `${withoutSlash(issuer)}/${path}`;

function preset(fixed: Pick<ProviderPreset, 'accessTokenMark'> & Partial<ProviderPreset>): ProviderPreset {
  return {
    jwksUri: defaultJwksUri,
    scopeClaims: ['scope'],
    clientIdClaims: DEFAULT_CLIENT_ID_CLAIMS,
    subjectClaims: ['sub'],
    algorithms: ['RS256'],
    ...fixed,
  };
}

/**
 * `https://login.microsoftonline.com/<tenant>/v2.0`, the same on the host of a national cloud, or, for External ID,
 * `https://<tenant>.ciamlogin.com/<tenant>/v2.0`.
 */
function entraKeys(issuer: string): string | undefined {
  const [, tenant] = /^(https:\/\/[^/]+\/[^/]+)\/v2\.0\/?$/.exec(issuer) ?? [];
  return tenant && `${tenant}/discovery/v2.0/keys`;
}

/** `https://sts.windows.net/<tenant>/`; the keys are not on that host. */
function entraV1Keys(issuer: string): string | undefined {
  const [, tenant] = /^https:\/\/sts\.windows\.net\/([^/]+)\/?$/.exec(issuer) ?? [];
  return tenant && `https://login.microsoftonline.com/${tenant}/discovery/keys`;
}

/** `https://<domain>/oauth2/<id>`: the organization's own authorization server makes tokens for Okta alone. */
function oktaKeys(issuer: string): string | undefined {
  return /\/oauth2\/[^/]+\/?$/.test(issuer) ? below('v1/keys')(issuer) : undefined;
}

/** The defaults without a provider. */
export const GENERIC = preset({ accessTokenMark: AT_JWT });

export const PROVIDERS = {
  adfs: preset({
    // The issuer is http://…/adfs/services/trust; keys come by https from the same host.
    jwksUri: (issuer) => {
      const host = parseUrl(issuer)?.host;
      return host ? `https://${host}/adfs/discovery/keys` : undefined;
    },
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['scp'],
    clientIdClaims: ['appid'],
    subjectClaims: ['sub', 'appid'],
  }),
  auth0: preset({
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['permissions'],
    clientIdClaims: ['azp', 'client_id'],
  }),
  aws: preset({
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['sub'],
    algorithms: ['ES384', 'RS256'],
  }),
  clerk: preset({ accessTokenMark: { claim: 'sid' }, scopeClaims: ['o.rol'], clientIdClaims: ['azp'] }),
  cognito: preset({
    accessTokenMark: { claim: 'token_use', values: ['access'] },
    clientIdClaims: ['client_id'],
  }),
  duende: preset({
    jwksUri: below('.well-known/openid-configuration/jwks'),
    accessTokenMark: AT_JWT,
    clientIdClaims: ['client_id'],
    // A token of a machine has no sub.
    subjectClaims: ['sub', 'client_id'],
  }),
  entra: preset({
    jwksUri: entraKeys,
    accessTokenMark: { claim: 'azpacr' },
    scopeClaims: ['scp', 'roles'],
    clientIdClaims: ['azp'],
  }),
  'entra-b2c': preset({
    jwksUri: () => undefined,
    accessTokenMark: { claim: 'scp' },
    scopeClaims: ['scp'],
    clientIdClaims: ['azp'],
  }),
  'entra-v1': preset({
    jwksUri: entraV1Keys,
    accessTokenMark: { claim: 'appidacr' },
    scopeClaims: ['scp', 'roles'],
    clientIdClaims: ['appid'],
  }),
  firebase: preset({
    jwksUri: () =>
      'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['roles'],
  }),
  forgerock: preset({
    jwksUri: below('connect/jwk_uri'),
    accessTokenMark: { claim: 'tokenName', values: ['access_token'] },
  }),
  fusionauth: preset({
    // ID tokens lost it with version 1.24.
    accessTokenMark: { claim: 'applicationId' },
    scopeClaims: ['roles'],
    clientIdClaims: ['applicationId'],
  }),
  'github-actions': preset({
    jwksUri: below('.well-known/jwks'),
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['sub'],
  }),
  google: preset({
    jwksUri: () => 'https://www.googleapis.com/oauth2/v3/certs',
    accessTokenMark: BY_AUDIENCE,
    scopeClaims: ['hd'],
    clientIdClaims: ['azp'],
  }),
  keycloak: preset({
    jwksUri: below('protocol/openid-connect/certs'),
    accessTokenMark: { claim: 'typ', values: ['Bearer'] },
    clientIdClaims: ['azp', 'client_id'],
  }),
  okta: preset({
    jwksUri: oktaKeys,
    accessTokenMark: { claim: 'cid' },
    scopeClaims: ['scp'],
    clientIdClaims: ['cid'],
  }),
  pingone: preset({
    jwksUri: below('jwks'),
    accessTokenMark: { claim: 'scope' },
    clientIdClaims: ['client_id'],
    // A token of a machine has no sub.
    subjectClaims: ['sub', 'client_id'],
  }),
  spring: preset({ jwksUri: below('oauth2/jwks'), accessTokenMark: { claim: 'scope' } }),
  supabase: preset({
    accessTokenMark: { claim: 'session_id' },
    scopeClaims: ['app_metadata.roles'],
    algorithms: ['ES256', 'RS256'],
  }),
  zitadel: preset({
    jwksUri: below('oauth/v2/keys'),
    accessTokenMark: { claim: 'jti' },
    scopeClaims: ['urn:zitadel:iam:org:project:roles'],
  }),
} satisfies Record<string, ProviderPreset>;

export type Provider = keyof typeof PROVIDERS;
