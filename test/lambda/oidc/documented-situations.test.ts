import { describeSituations, type Situation } from '../../support/token-situations.ts';

/** Tokens as the documents of providers have them, which docs/identity-providers.md links, beside those that it shows. */

const TENANT = '77777777-8888-4999-8aaa-bbbbbbbbbbbb';
const JWT = { typ: 'JWT' };
const UNTYPED = { typ: undefined };

const SITUATIONS: Record<string, Situation> = {
  'a custom authorization server of Okta, a machine and a user': {
    issuer: 'https://dev-1.okta.com/oauth2/aus1',
    entry: { provider: 'okta', clientIds: ['0oajob', '0oaweb'] },
    tokens: [
      {
        header: UNTYPED,
        claims: { ver: 1, jti: 'AT.1', cid: '0oajob', sub: '0oajob', scp: ['meet.host'] },
        answer: '200',
      },
      {
        header: UNTYPED,
        claims: { ver: 1, jti: 'AT.2', cid: '0oaweb', uid: '00u1', sub: 'bob@example.com', scp: ['openid'] },
        answer: '403 scope',
      },
      {
        header: UNTYPED,
        claims: { ver: 1, jti: 'ID.3', sub: '00u1', amr: ['pwd'], at_hash: 'x', scp: ['meet.host'] },
        answer: '401 token-kind',
      },
      {
        header: UNTYPED,
        claims: { iss: 'https://dev-1.okta.com', cid: '0oaweb', scp: ['meet.host'] },
        answer: '401 token-issuer',
      },
    ],
  },
  'roles of an Auth0 action, in a claim that is a URL, under both profiles': {
    issuer: 'https://acme.eu.auth0.com/',
    entry: {
      provider: 'auth0',
      scopeClaim: 'https://acme.example/roles',
      clientIds: ['web'],
    },
    tokens: [
      { header: JWT, claims: { azp: 'web', 'https://acme.example/roles': ['meet.host'] }, answer: '200' },
      {
        header: { typ: 'at+jwt' },
        claims: { client_id: 'web', jti: '1', 'https://acme.example/roles': ['meet.host'] },
        answer: '200',
      },
    ],
  },
  'a realm of Keycloak without an audience mapper': {
    issuer: 'https://sso.example.com/realms/acme',
    entry: { provider: 'keycloak', scopeClaim: 'realm_access.roles' },
    tokens: [
      {
        header: JWT,
        claims: { aud: 'account', typ: 'Bearer', azp: 'web', realm_access: { roles: ['meet.host'] } },
        answer: '401 token-audience',
      },
    ],
  },
  'roles of a Keycloak client whose id has dots, and a service account': {
    issuer: 'https://sso.example.com/realms/acme',
    entry: { provider: 'keycloak', scopeClaim: 'resource_access.meet.example.com.roles' },
    tokens: [
      {
        header: JWT,
        claims: {
          aud: ['api', 'account'],
          typ: 'Bearer',
          azp: 'job',
          preferred_username: 'service-account-job',
          clientHost: '192.0.2.1',
          resource_access: { 'meet.example.com': { roles: ['meet.host'] }, account: { roles: ['view'] } },
        },
        answer: '200',
      },
      {
        header: JWT,
        claims: { typ: 'Bearer', azp: 'job', resource_access: { account: { roles: ['meet.host'] } } },
        answer: '403 scope',
      },
      {
        header: JWT,
        claims: {
          typ: 'Offline',
          azp: 'job',
          resource_access: { 'meet.example.com': { roles: ['meet.host'] } },
        },
        answer: '401 token-kind',
      },
    ],
  },
  'a service account of Google, by its address': {
    issuer: 'https://accounts.google.com',
    entry: {
      provider: 'google',
      scopeClaim: 'email',
      scopes: { delegate: 'job@acme.iam.gserviceaccount.com' },
    },
    tokens: [
      {
        header: JWT,
        claims: { azp: '117', sub: '117', email: 'job@acme.iam.gserviceaccount.com', email_verified: true },
        answer: '200',
      },
      {
        header: JWT,
        claims: { azp: '118', sub: '118', email: 'job@evil.iam.gserviceaccount.com', email_verified: true },
        answer: '403 scope',
      },
      { header: JWT, claims: { azp: '117', sub: '117' }, answer: '403 scope' },
    ],
  },
  'daemons of an Entra tenant, one of which has no role': {
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    entry: { provider: 'entra' },
    // As they are published: without alg, and with what is not of RFC 7517.
    publish: (key, other) => [
      { ...other, alg: undefined, x5t: 'e1', x5c: ['MIIC'], cloud_instance_name: 'microsoftonline.com' },
      { ...key, alg: undefined, x5t: 'k1', x5c: ['MIIC'], cloud_instance_name: 'microsoftonline.com' },
    ],
    tokens: [
      {
        header: JWT,
        claims: { azp: 'job', azpacr: '2', oid: 'o', sub: 'o', roles: ['meet.host'], ver: '2.0' },
        answer: '200',
      },
      {
        header: JWT,
        claims: { azp: 'job', azpacr: '1', oid: 'o', sub: 'o', ver: '2.0' },
        answer: '403 scope',
      },
      {
        header: JWT,
        claims: {
          iss: `https://sts.windows.net/${TENANT}/`,
          appid: 'job',
          appidacr: '1',
          roles: ['meet.host'],
        },
        answer: '401 token-issuer',
      },
      {
        header: { ...JWT, nonce: 'of Microsoft Graph' },
        claims: {
          aud: '00000003-0000-0000-c000-000000000000',
          azp: 'job',
          azpacr: '1',
          roles: ['meet.host'],
        },
        answer: '401 token-audience',
      },
    ],
  },
  'policies of B2C that publish the same key': {
    issuer: `https://contoso.b2clogin.com/${TENANT}/v2.0/`,
    entry: { provider: 'entra-b2c' },
    jwksPaths: ['/b2c_1_signin/keys', '/b2c_1_edit/keys'],
    publish: (key) => [{ ...key, alg: undefined, nbf: 1493763266 }],
    tokens: [
      { header: JWT, claims: { azp: 'web', scp: 'meet.host', tfp: 'b2c_1_edit' }, answer: '200' },
      { header: { ...JWT, kid: undefined }, claims: { azp: 'web', scp: 'meet.host' }, answer: '200' },
    ],
  },
  'policies of B2C of which one is gone': {
    issuer: `https://contoso.b2clogin.com/${TENANT}/v2.0/`,
    entry: { provider: 'entra-b2c' },
    jwksPaths: ['/b2c_1_gone/keys', '/b2c_1_edit/keys'],
    serve: (request, response, keySet) =>
      request.url === '/b2c_1_edit/keys' ? response.end(keySet) : response.writeHead(404).end(),
    tokens: [
      { header: JWT, claims: { azp: 'web', scp: 'other meet.host', tfp: 'b2c_1_edit' }, answer: '200' },
      {
        header: { ...JWT, kid: 'of the policy that is gone' },
        claims: { azp: 'web', scp: 'meet.host' },
        answer: '503 issuer-unavailable',
      },
    ],
  },
  'a custom claim of Firebase that is true or not': {
    issuer: 'https://securetoken.google.com/acme',
    entry: { provider: 'firebase', scopeClaim: 'host', scopes: { delegate: 'true' } },
    tokens: [
      { header: JWT, claims: { user_id: 'u', host: true }, answer: '200' },
      { header: JWT, claims: { user_id: 'u', host: false }, answer: '403 scope' },
      { header: JWT, claims: { user_id: 'u' }, answer: '403 scope' },
      { header: JWT, claims: { user_id: 'u', host: 'false' }, answer: '403 scope' },
    ],
  },
  'roles of Zitadel as a list of objects, in the claim of one project': {
    issuer: 'https://acme.zitadel.cloud',
    entry: { provider: 'zitadel', scopeClaim: 'urn:zitadel:iam:org:project:3443:roles' },
    tokens: [
      {
        header: JWT,
        claims: {
          jti: '1',
          azp: 'web',
          'urn:zitadel:iam:org:project:3443:roles': [
            { guest: { 1: 'a.example' } },
            { 'meet.host': { 1: 'a' } },
          ],
        },
        answer: '200',
      },
      {
        header: JWT,
        claims: {
          jti: '1',
          'urn:zitadel:iam:org:project:3443:roles': [{ guest: { 1: 'meet.host' } }, 'meet.host'],
        },
        answer: '403 scope',
      },
      {
        header: JWT,
        claims: { jti: '1', 'urn:zitadel:iam:org:project:9999:roles': { 'meet.host': { 1: 'a' } } },
        answer: '403 scope',
      },
    ],
  },
  'an application of FusionAuth, by the sample of its documents': {
    issuer: 'acme.com',
    entry: { provider: 'fusionauth', clientIds: ['e9fdb985'] },
    tokens: [
      {
        header: { ...JWT, gty: ['authorization_code'] },
        claims: {
          applicationId: 'e9fdb985',
          authenticationType: 'PASSWORD',
          roles: ['meet.host'],
          scope: 'openid',
        },
        answer: '200',
      },
      {
        header: { ...JWT, gty: ['authorization_code'] },
        claims: { at_hash: 'x', nonce: 'n', authenticationType: 'PASSWORD', roles: ['meet.host'] },
        answer: '401 token-kind',
      },
    ],
  },
  'an entity of FusionAuth, which is a machine': {
    issuer: 'acme.com',
    entry: { provider: 'fusionauth', scopeClaim: 'permissions', accessTokenMark: { audience: true } },
    tokens: [
      {
        header: JWT,
        claims: { permissions: ['meet.host'], scope: 'target-entity:api:meet.host' },
        answer: '200',
      },
      { header: JWT, claims: { scope: 'target-entity:api:meet.host' }, answer: '403 scope' },
    ],
  },
  'a machine of IdentityServer, which has no subject, under both forms of scope': {
    issuer: 'https://ids.example.com',
    entry: { provider: 'duende', clientIds: ['job'] },
    tokens: [
      { claims: { sub: undefined, client_id: 'job', scope: ['meet.host', 'other'] }, answer: '200' },
      { claims: { sub: undefined, client_id: 'job', scope: 'other meet.host' }, answer: '200' },
      { claims: { sub: undefined, scope: 'meet.host' }, answer: '401 token-client' },
    ],
  },
  'PingOne, before and after it marks its tokens': {
    issuer: `https://auth.pingone.eu/${TENANT}/as`,
    entry: { provider: 'pingone' },
    tokens: [
      {
        header: UNTYPED,
        claims: { aud: ['api'], client_id: 'web', scope: 'openid meet.host' },
        answer: '200',
      },
      { claims: { sub: undefined, aud: ['api'], client_id: 'job', scope: 'meet.host' }, answer: '200' },
    ],
  },
  'a user of ForgeRock AM, whose subject says its type': {
    issuer: 'https://am.example.com:443/am/oauth2/realms/root/realms/alpha',
    entry: {
      provider: 'forgerock',
      scopes: { self: 'meet.join' },
      externalUserIdClaim: 'subname',
      allowAnyMeeting: true,
    },
    tokens: [
      {
        header: JWT,
        claims: {
          sub: '(usr!alice)',
          subname: 'alice',
          cts: 'OAUTH2_STATELESS_GRANT',
          tokenName: 'access_token',
          token_type: 'Bearer',
          client_id: 'api',
          scope: ['openid', 'meet.join'],
        },
        names: 'alice',
        answer: '200',
      },
      {
        header: JWT,
        claims: {
          sub: '(usr!alice)',
          subname: 'alice',
          tokenName: 'id_token',
          azp: 'api',
          scope: ['meet.join'],
        },
        names: 'alice',
        answer: '401 token-kind',
      },
    ],
  },
  'a session of Clerk, version 1': {
    issuer: 'https://clerk.example.com',
    entry: {
      provider: 'clerk',
      audience: [],
      clientIds: ['https://app.example.com'],
      scopeClaim: 'org_role',
      scopes: { delegate: 'org:host' },
    },
    tokens: [
      {
        header: JWT,
        claims: {
          aud: undefined,
          azp: 'https://app.example.com',
          sid: 's',
          org_id: 'o',
          org_role: 'org:host',
        },
        answer: '200',
      },
      {
        header: JWT,
        claims: { aud: undefined, sid: 's', org_id: 'o', org_role: 'org:host' },
        answer: '401 token-client',
      },
    ],
  },
  'workflows of a repository of GitHub whose subject has ids': {
    issuer: 'https://token.actions.githubusercontent.com',
    entry: { provider: 'github-actions', scopes: { delegate: 'repo:acme@12/meet@34:ref:refs/heads/main' } },
    tokens: [
      { header: JWT, claims: { sub: 'repo:acme@12/meet@34:ref:refs/heads/main' }, answer: '200' },
      { header: JWT, claims: { sub: 'repo:acme@99/meet@98:ref:refs/heads/main' }, answer: '403 scope' },
      { header: JWT, claims: { sub: 'repo:acme/meet:ref:refs/heads/main' }, answer: '403 scope' },
      { header: JWT, claims: { sub: 'repo:acme@12/meet@34:environment:main' }, answer: '403 scope' },
      { header: JWT, claims: { sub: 'repo:acme@12/meet@34:pull_request' }, answer: '403 scope' },
    ],
  },
  'a role of an AWS account, by a tag of the role': {
    issuer: 'https://4f1d.tokens.sts.global.api.aws',
    entry: { provider: 'aws', scopeClaim: 'https://sts.amazonaws.com/.principal_tags.meet' },
    tokens: [
      {
        header: JWT,
        claims: {
          sub: 'arn:aws:iam::210987654321:role/Jobs',
          'https://sts.amazonaws.com/': { org_id: 'o-1', principal_tags: { meet: 'meet.host' } },
        },
        answer: '200',
      },
      {
        header: JWT,
        claims: {
          sub: 'arn:aws:iam::210987654321:role/Jobs',
          'https://sts.amazonaws.com/': { org_id: 'o-1', request_tags: { meet: 'meet.host' } },
        },
        answer: '403 scope',
      },
    ],
  },
  'a pool of Cognito whose app asked for a resource': {
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE',
    entry: { provider: 'cognito', clientIds: ['web'] },
    tokens: [
      {
        header: UNTYPED,
        claims: { client_id: 'web', token_use: 'access', scope: 'meet.host' },
        answer: '200',
      },
      {
        header: UNTYPED,
        claims: { aud: undefined, client_id: 'web', token_use: 'access', scope: 'meet.host' },
        answer: '401 token-audience',
      },
    ],
  },
  'a user of AD FS, whose token has a key id': {
    issuer: 'http://adfs.example.com/adfs/services/trust',
    entry: { provider: 'adfs', scopeClaim: 'group' },
    tokens: [
      {
        header: { ...JWT, x5t: 'k1' },
        claims: {
          appid: 'web',
          apptype: 'Public',
          upn: 'bob@example.com',
          group: 'ACME\\Meeting Hosts',
          scp: 'openid',
        },
        answer: '403 scope',
      },
      { header: { ...JWT, x5t: 'k1' }, claims: { appid: 'web', group: ['a', 'meet.host'] }, answer: '200' },
    ],
  },
};

describeSituations(SITUATIONS);
