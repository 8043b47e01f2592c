import { gzipSync } from 'node:zlib';
import { describeSituations, from, type Situation } from '../../support/token-situations.ts';

/** Situations that users of other verifiers reported in public, each with the configuration that answers it. */

const TENANT = '77777777-8888-4999-8aaa-bbbbbbbbbbbb';
const GOOD = { claims: { scope: 'meet.host' }, answer: '200' };

const SITUATIONS: Record<string, Situation> = {
  'an authorization server whose scope is a list': {
    tokens: [{ claims: { scope: ['meet.host'] }, answer: '200' }],
  },
  'a key that is listed once for each algorithm, the right one last': {
    publish: (key) => ['RS512', 'RS384', 'RS256'].map((alg) => ({ ...key, alg })),
    tokens: [GOOD],
  },
  'an encryption key that comes first under the same key id': {
    publish: (key, other) => [{ ...other, kid: key['kid'], use: 'enc', alg: 'RSA-OAEP' }, key],
    tokens: [GOOD],
  },
  'an old key whose members were written as null': {
    publish: (key) => [
      { kty: 'EC', kid: 'retired', use: 'sig', alg: null, crv: 'P-256', x: null, y: null },
      key,
    ],
    tokens: [GOOD],
  },
  'a firewall that lets no request without User-Agent through': {
    serve: (request, response, keySet) =>
      request.headers['user-agent'] === undefined ? response.writeHead(403).end() : response.end(keySet),
    tokens: [GOOD],
  },
  'an issuer of a financial-grade profile, which signs by PSS': {
    alg: 'PS256',
    entry: { algorithms: ['PS256'] },
    tokens: [GOOD],
  },
  'an issuer that is a bare name': {
    issuer: 'example.org',
    entry: { provider: 'fusionauth' },
    tokens: [
      {
        header: { typ: 'JWT', gty: ['password'] },
        claims: { roles: ['meet.host'], tty: 'at', applicationId: 'app' },
        answer: '200',
      },
    ],
  },
  'users with scp and daemons with roles, of one tenant': {
    issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    entry: { provider: 'entra' },
    publish: (key) => [
      { ...key, alg: undefined, x5t: 'k1', x5c: ['MIIC'], issuer: 'https://login.microsoftonline.com' },
    ],
    tokens: [
      {
        header: { typ: 'JWT' },
        claims: { azp: 'web', azpacr: '0', scp: 'meet.host', ver: '2.0', nbf: from(-300) },
        answer: '200',
      },
      {
        header: { typ: 'JWT' },
        claims: { azp: 'job', azpacr: '1', roles: ['meet.host'], ver: '2.0', idtyp: 'app' },
        answer: '200',
      },
    ],
  },
  'a client that is in appid, and must be a known one': {
    issuer: `https://sts.windows.net/${TENANT}/`,
    entry: { provider: 'entra-v1', clientIds: ['web'] },
    tokens: [
      {
        header: { typ: 'JWT' },
        claims: { appid: 'web', appidacr: '0', scp: 'meet.host', ver: '1.0' },
        answer: '200',
      },
      {
        header: { typ: 'JWT' },
        claims: { appid: 'other', appidacr: '0', scp: 'meet.host', ver: '1.0' },
        answer: '401 token-client',
      },
    ],
  },
  'a mark whose value is a number': {
    entry: { scopeClaim: 'scp', accessTokenMark: { claim: 'ver', values: ['1'] } },
    tokens: [
      {
        header: { typ: undefined },
        claims: { ver: 1, cid: 'web', scp: ['openid', 'meet.host'] },
        answer: '200',
      },
    ],
  },
  'a client that is in cid, and must be a known one': {
    entry: { provider: 'okta', clientIds: ['0oa1'] },
    tokens: [
      { header: { typ: undefined }, claims: { ver: 1, cid: '0oa1', scp: ['meet.host'] }, answer: '200' },
      {
        header: { typ: undefined },
        claims: { ver: 1, cid: '0oa2', scp: ['meet.host'] },
        answer: '401 token-client',
      },
    ],
  },
  'roles that are nested, beside an encryption key': {
    entry: { provider: 'keycloak', scopeClaim: 'realm_access.roles' },
    publish: (key, other) => [
      { ...other, use: 'enc', alg: 'RSA-OAEP', x5c: ['MIIC'] },
      { ...key, x5c: ['MIIC'] },
    ],
    tokens: [
      {
        header: { typ: 'JWT' },
        claims: {
          aud: ['api', 'account'],
          typ: 'Bearer',
          azp: 'web',
          realm_access: { roles: ['uma', 'meet.host'] },
          scope: 'openid',
        },
        answer: '200',
      },
    ],
  },
  'a clock that is some seconds ahead': {
    tokens: [
      { claims: { scope: 'meet.host', iat: from(3), nbf: from(3) }, answer: '200' },
      { claims: { scope: 'meet.host', iat: from(3) }, answer: '200' },
      { claims: { scope: 'meet.host', nbf: from(600) }, answer: '401 token-not-yet-valid' },
    ],
  },
  'groups of a pool whose users have no scopes': {
    entry: { provider: 'cognito', audience: [], clientIds: ['web'], scopeClaim: 'cognito:groups' },
    tokens: [
      {
        header: { typ: undefined },
        claims: {
          aud: undefined,
          'cognito:groups': ['meet.host'],
          client_id: 'web',
          token_use: 'access',
          scope: 'aws.cognito.signin.user.admin',
        },
        answer: '200',
      },
    ],
  },
  'permissions of a single-page app and of a machine': {
    issuer: 'https://acme.eu.auth0.com/',
    entry: { provider: 'auth0' },
    tokens: [
      {
        header: { typ: 'JWT' },
        claims: {
          aud: ['api', 'https://acme.eu.auth0.com/userinfo'],
          azp: 'web',
          scope: 'openid',
          permissions: ['meet.host'],
        },
        answer: '200',
      },
      {
        header: { typ: 'JWT' },
        claims: { azp: 'job', gty: 'client-credentials', scope: 'meet.host', permissions: ['meet.host'] },
        answer: '200',
      },
    ],
  },
  'a key address that answers with a redirect': {
    serve: (request, response, keySet) =>
      request.url === '/keys/' ? response.end(keySet) : response.writeHead(301, { location: '/keys/' }).end(),
    tokens: [{ claims: { scope: 'meet.host' }, answer: '503 issuer-unavailable' }],
  },
  'a key set that is served as HTML with a byte order mark': {
    serve: (_request, response, keySet) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`\uFEFF${keySet}`),
    tokens: [GOOD],
  },
  'a key set that is packed though that was not asked for': {
    serve: (_request, response, keySet) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(keySet)),
    tokens: [GOOD],
  },
  'a role of an AWS account, without any other provider': {
    issuer: 'https://4f1d.tokens.sts.global.api.aws',
    alg: 'ES384',
    entry: { provider: 'aws', scopes: { delegate: 'arn:aws:iam::210987654321:role/Jobs' } },
    tokens: [
      {
        header: { typ: 'JWT' },
        claims: {
          sub: 'arn:aws:iam::210987654321:role/Jobs',
          'https://sts.amazonaws.com/': { aws_account: '210987654321' },
        },
        answer: '200',
      },
    ],
  },
};

describeSituations(SITUATIONS);
