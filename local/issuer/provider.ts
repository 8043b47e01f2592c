import Provider, { type ClientMetadata, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { isLoopback } from '../guard.ts';
import type { IssuerSecrets } from './keys.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import { BACKEND_CLIENT_ID, DELEGATE_SCOPE, PAGE_CLIENT_ID, type Person, SELF_SCOPE } from './people.ts';
import { errorPage, signOutPage } from './sign-in-page.ts';

/** The `aud` of access tokens, which config/local.json names. */
const AUDIENCE = 'usher-local';

/** A resource indicator is a URI (RFC 8707 section 2), which the audience is not. */
const RESOURCE = 'urn:usher:local';

const TENANT_OF_BACKEND = 'acme';

/** Short, so that a page that cannot refresh its tokens fails within a quarter of an hour. */
const ACCESS_TOKEN_SECONDS = 15 * 60;
const SESSION_SECONDS = 12 * 60 * 60;

/** The signed-in users, by name: the role that was picked last counts. */
export type Accounts = Map<string, Person>;

export function createProvider(issuer: string, secrets: IssuerSecrets, accounts: Accounts): Provider {
  const provider = new Provider(issuer, configuration(secrets, accounts));
  // A page under development has the port of its own server: any address of this machine is allowed.
  const { redirectUriAllowed } = provider.Client.prototype;
  provider.Client.prototype.redirectUriAllowed = function allowed(uri: string) {
    return isLoopback(uri) || redirectUriAllowed.call(this, uri);
  };
  provider.Client.prototype.postLogoutRedirectUriAllowed = isLoopback;
  return provider;
}

function configuration(secrets: IssuerSecrets, accounts: Accounts): Configuration {
  return {
    adapter: createMemoryAdapter(),
    jwks: { keys: [secrets.signingKey as never] },
    cookies: { keys: [secrets.cookieKey] },
    clients: clients(secrets.backendClientSecret),
    clientBasedCORS: (_, origin) => isLoopback(origin),
    renderError: (context, { error, error_description }) => {
      context.type = 'html';
      context.body = errorPage(error_description ?? error);
    },
    pkce: { required: () => true },
    routes: { jwks: '/jwks', authorization: '/authorize' },
    interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
    findAccount: (_, name) => ({
      accountId: name,
      claims: () => ({ sub: name, tenant: accounts.get(name)?.tenant }),
    }),
    claims: { openid: ['sub', 'tenant'] },
    extraTokenClaims: (_, token) => ({
      tenant:
        token.kind === 'AccessToken' ? accounts.get(token.accountId as string)?.tenant : TENANT_OF_BACKEND,
    }),
    loadExistingGrant: (context) => grantWhatTheyHave(context, accounts),
    // Without offline_access, which needs a consent that first-party pages do not ask for.
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      ClientCredentials: ACCESS_TOKEN_SECONDS,
      Grant: SESSION_SECONDS,
      IdToken: ACCESS_TOKEN_SECONDS,
      Interaction: SESSION_SECONDS,
      RefreshToken: SESSION_SECONDS,
      Session: SESSION_SECONDS,
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = signOutPage(form);
        },
      },
      // All three are needed for an access token to be a JWT for the API, in every grant.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: `${DELEGATE_SCOPE} ${SELF_SCOPE}`,
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

function clients(backendClientSecret: string): ClientMetadata[] {
  return [
    {
      client_id: PAGE_CLIENT_ID,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/'],
    },
    {
      client_id: BACKEND_CLIENT_ID,
      client_secret: backendClientSecret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ];
}

/**
 * Grants the user's scopes, and refuses the others by name: the default consent policy asks again and again for a scope
 * that is neither granted nor refused.
 */
async function grantWhatTheyHave({ oidc }: KoaContextWithOIDC, accounts: Accounts) {
  const accountId = oidc.session?.accountId;
  const person = accountId === undefined ? undefined : accounts.get(accountId);
  // The browser's cookie knows the user, but this restarted issuer does not: they have to pick again.
  if (accountId === undefined || person === undefined) return undefined;
  const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId as string, accountId });
  grant.addOIDCScope('openid');
  for (const scope of [DELEGATE_SCOPE, SELF_SCOPE]) {
    if (person.scopes.includes(scope)) grant.addResourceScope(RESOURCE, scope);
    else grant.rejectResourceScope(RESOURCE, scope);
  }
  await grant.save();
  return grant;
}
