import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Rule } from '../../lambda/model/rules.ts';
import {
  base64url,
  createSigningKey,
  publicJwk,
  signToken,
  signWithPublicKey,
  startKeyServer,
} from '../support/issuer.ts';
import { createIssuerEntry } from '../support/issuer-rules.ts';
import {
  type Answer,
  attendees,
  bearer,
  nowSeconds,
  startWorld,
  type World,
} from '../support/system-world.ts';

/**
 * What an attacker can send, as real tokens over HTTP to the running system, and the emulator's log as the witness that
 * none of it became an attendee. Every attack differs from a request that works in the one thing that it is about.
 */

const WATCH = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } as const;
const TALK = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'Receive' } as const;
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;
const ABSENT = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';

const key = createSigningKey('our-key');
const psKey = createSigningKey('our-ps-key', 'PS256');
const edKey = createSigningKey('our-ed-key', 'EdDSA');
/** Published beside ours: one of another algorithm under the same key id, and one that encrypts. */
const twinKey = createSigningKey('our-key', 'PS256');
const encryptionKey = createSigningKey('our-encryption-key');
const partnerKey = createSigningKey('partner-key', 'ES256');
/** In the second key set of the partner. */
const partnerSecondKey = createSigningKey('partner-second-key', 'ES256');
const evilKey = createSigningKey('our-key');

let ours: Awaited<ReturnType<typeof startKeyServer>>;
let partner: typeof ours;
let partnerSecond: typeof ours;
let evil: typeof ours;
let world: World;
let acmeMeeting: string;
let globexMeeting: string;
let nobodysMeeting: string;

beforeAll(async () => {
  ours = await startKeyServer([twinKey, key, psKey, edKey]);
  const encryption = { ...publicJwk(encryptionKey), use: 'enc', alg: 'RSA-OAEP' };
  ours.respond = () => JSON.stringify({ keys: [encryption, null, ...ours.keys.map(publicJwk)] });
  partnerSecond = await startKeyServer([partnerSecondKey]);
  partner = await startKeyServer([partnerKey]);
  evil = await startKeyServer([evilKey]);
  const rules = [
    createIssuerEntry({
      issuer: ours.issuer,
      jwksUris: [ours.jwksUri],
      audience: ['usher'],
      scopes: { delegate: 'attendees.create', self: 'attendees.create.self' },
      externalUserIdPrefix: 'acme:',
      tenantClaim: 'tenant',
      tenants: ['acme'],
      meetingsClaim: 'meetings',
      meetingsClaimRequired: false,
      ceilings: { 'attendees.create.self': TALK },
      existing: 'withhold',
    }),
    createIssuerEntry({
      issuer: partner.issuer,
      jwksUris: [partner.jwksUri, partnerSecond.jwksUri],
      scopeClaims: ['scope', 'access.roles'],
      audience: [],
      clientIds: ['partner-app'],
      algorithms: ['ES256'],
      accessTokenMark: { claim: 'token_use', values: ['access'] },
      scopes: { delegate: 'usher/attendees.create', self: 'usher/attendees.create.self' },
      externalUserIdPrefix: 'globex:',
      tenantClaim: 'custom:tenant',
      tenants: ['globex'],
      ceilings: { 'usher/attendees.create': TALK },
    }),
  ];
  // One process, so that what it remembers is what every request meets.
  world = await startWorld(rules, { processes: 1 });
  acmeMeeting = await world.meetingOf('acme');
  globexMeeting = await world.meetingOf('globex');
  nobodysMeeting = await world.meetingOf();
}, 60_000);

afterAll(async () => {
  await world?.system.stop();
  await Promise.all([ours, partner, partnerSecond, evil].map((server) => server.close()));
});

/** Claims of our backend, which may name any of our users. */
const claims = (overrides: object = {}) => ({
  iss: ours.issuer,
  sub: 'mallory',
  aud: 'usher',
  client_id: 'backend',
  scope: 'attendees.create',
  tenant: 'acme',
  iat: nowSeconds(),
  exp: nowSeconds() + 300,
  ...overrides,
});
const partnerClaims = (overrides: object = {}) => ({
  iss: partner.issuer,
  sub: 'mallory',
  client_id: 'partner-app',
  token_use: 'access',
  scope: 'usher/attendees.create',
  'custom:tenant': 'globex',
  iat: nowSeconds(),
  exp: nowSeconds() + 300,
  ...overrides,
});
const token = (overrides: object = {}, header: Record<string, unknown> = {}) =>
  signToken(key, claims(overrides), header);
const partnerToken = (overrides: object = {}, header: Record<string, unknown> = {}) =>
  signToken(partnerKey, partnerClaims(overrides), { typ: 'JWT', ...header });
const selfToken = (overrides: object = {}) => token({ scope: 'attendees.create.self', ...overrides });

/** A JWT of these raw parts, not signed by any issuer. */
const raw = (header: string, payload: string, signature = 'AAAA') =>
  `${base64url(header)}.${base64url(payload)}.${signature}`;

const ask = (headers: string[], body = attendees('acme:victim'), meetingId = acmeMeeting) =>
  world.ask({ headers, body, meetingId });
const withToken = (value: string, body?: string, meetingId?: string) => ask(bearer(value), body, meetingId);

/** Every rejection has Chime's shape, and says nothing of who asked, whom for, or with what. */
function expectRejection(answer: Answer, status: number, errorClass: string): void {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.headers['x-amzn-errortype']).toBe(`${errorClass}Exception`);
  expect(answer.headers['cache-control']).toBe('no-store');
  const body = JSON.parse(answer.text);
  expect(Object.keys(body).sort()).toEqual(['Code', 'Message', 'RequestId']);
  expect(body.Code).toBe(errorClass);
  // The random ids of the gateway are too short to look like a token.
  expect(JSON.stringify([answer.headers, answer.text])).not.toMatch(
    /mallory|victim|acme:|globex:|eyJ[\w-]{16}/,
  );
  expect(answer.headers['x-amzn-remapped-www-authenticate'] ?? '').toMatch(
    status === 401
      ? /^Bearer( error="invalid_(token|request)"|$)/
      : /^($|Bearer error="insufficient_scope"$)/,
  );
}

describe('a request that is in order', () => {
  it('works, so that the requests below fail for their own fault', async () => {
    expect((await withToken(token())).status).toBe(200);
    expect((await withToken(partnerToken(), attendees('globex:gus'), globexMeeting)).status).toBe(200);
    const own = attendees({ ExternalUserId: 'acme:mallory', Capabilities: TALK });
    expect((await withToken(selfToken(), own)).status).toBe(200);
    expect((await ask(['authorization', `bearer ${token()}`])).status).toBe(200);
    expect(await world.calls('BatchCreateAttendee')).toHaveLength(4);
    await world.forgetCalls();
  });
});

describe('a bad token', () => {
  const untouched = (value: string) => value.split('.') as [string, string, string];
  const tokens: [string, () => string][] = [
    [
      'alg none, with a signature',
      () => raw(JSON.stringify({ alg: 'none', kid: 'our-key', typ: 'at+jwt' }), JSON.stringify(claims())),
    ],
    [
      'alg none, without one',
      () => raw(JSON.stringify({ alg: 'none', typ: 'at+jwt' }), JSON.stringify(claims()), ''),
    ],
    ['alg None', () => token({}, { alg: 'None' })],
    ['no alg', () => token({}, { alg: undefined })],
    ['alg that is a list', () => token({}, { alg: ['RS256'] })],
    ['an HMAC with the public key as PEM', () => signWithPublicKey(key, claims(), 'spki-pem')],
    ['an HMAC with the public key as DER', () => signWithPublicKey(key, claims(), 'spki-der')],
    ['an HMAC with the public key as JWK', () => signWithPublicKey(key, claims(), 'jwk')],
    ['a published key of an algorithm that is not pinned', () => signToken(edKey, claims())],
    ['PSS where PKCS #1 is pinned', () => signToken(psKey, claims())],
    ['PSS, said to be PKCS #1', () => signToken(psKey, claims(), { alg: 'RS256' })],
    [
      'an ECDSA signature of zeros',
      () =>
        raw(
          JSON.stringify({ alg: 'ES256', kid: 'partner-key' }),
          JSON.stringify(partnerClaims()),
          base64url('\0'.repeat(64)),
        ),
    ],
    [
      'an ECDSA signature of a wrong length',
      () =>
        raw(JSON.stringify({ alg: 'ES256', kid: 'partner-key' }), JSON.stringify(partnerClaims()), 'AAAA'),
    ],
    ['a key id that no issuer published', () => token({}, { kid: 'another-key' })],
    ['a key id that is a path', () => token({}, { kid: '../../../../dev/null' })],
    ['a key id that is an address', () => signToken(evilKey, claims(), { kid: evil.jwksUri })],
    ['a key id that is a query', () => token({}, { kid: "x' UNION SELECT 'secret" })],
    ['a key id that every object has', () => token({}, { kid: '__proto__' })],
    ['a key id that is a list', () => token({}, { kid: ['our-key'] })],
    ['no key id, and a stranger’s key', () => signToken(evilKey, claims(), { kid: undefined })],
    [
      'no key id, and a key of another algorithm',
      () => signToken({ ...psKey, alg: 'RS256' }, claims(), { kid: undefined }),
    ],
    [
      'a key of another algorithm under a known key id',
      () => signToken({ ...twinKey, alg: 'RS256' }, claims()),
    ],
    ['a key of another algorithm, and its algorithm', () => signToken(twinKey, claims())],
    ['a published key that encrypts', () => signToken(encryptionKey, claims())],
    [
      'a published key that encrypts, under the key id of one that signs',
      () => signToken(encryptionKey, claims(), { kid: 'our-key' }),
    ],
    [
      'a published key that encrypts, without its key id',
      () => signToken(encryptionKey, claims(), { kid: undefined }),
    ],
    [
      'an HMAC with a published key that encrypts',
      () => signWithPublicKey(encryptionKey, claims(), 'spki-pem'),
    ],
    ['a key of the partner’s second key set', () => signToken(partnerSecondKey, claims(), { alg: 'RS256' })],
    [
      'a key of the partner’s second key set, said to be of the first',
      () => signToken(partnerSecondKey, partnerClaims(), { kid: 'partner-key' }),
    ],
    [
      'no key id, where two key sets have a key that fits',
      () => signToken(partnerKey, partnerClaims(), { kid: undefined }),
    ],
    [
      'roles by a path, and by a name that looks like it',
      () =>
        partnerToken({
          'access.roles': ['usher/attendees.create'],
          access: { roles: ['usher/attendees.create'] },
        }),
    ],
    [
      'a mark that its claims inherit',
      () => partnerToken({ token_use: undefined, ['__proto__']: { token_use: 'access' } }),
    ],
    ['the key id of another issuer', () => token({}, { kid: 'partner-key' })],
    ['a stranger’s key under a known key id', () => signToken(evilKey, claims())],
    ['a stranger’s key, where to find it in jku', () => signToken(evilKey, claims(), { jku: evil.jwksUri })],
    ['a stranger’s key, where to find it in x5u', () => signToken(evilKey, claims(), { x5u: evil.jwksUri })],
    ['a stranger’s key, by the way, in jwk', () => signToken(evilKey, claims(), { jwk: publicJwk(evilKey) })],
    ['a stranger’s key, by the way, in x5c', () => signToken(evilKey, claims(), { x5c: ['MIIB'] })],
    ['a critical extension', () => token({}, { crit: ['b64'], b64: false })],
    ['a critical extension that is known to all', () => token({}, { crit: ['exp'] })],
    ['an issuer that is not configured', () => signToken(evilKey, claims({ iss: evil.issuer }))],
    ['an issuer with a slash more', () => token({ iss: `${ours.issuer}/` })],
    ['an issuer with a path more', () => token({ iss: `${ours.issuer}/jwks` })],
    ['an issuer that is a list', () => token({ iss: [ours.issuer] })],
    ['no issuer', () => token({ iss: undefined })],
    ['another issuer’s name under our signature', () => token({ ...partnerClaims() })],
    ['our name under another issuer’s signature', () => partnerToken({ ...claims() }, { typ: 'at+jwt' })],
    ['another audience', () => token({ aud: 'billing' })],
    ['an audience of the same beginning', () => token({ aud: 'usher-admin' })],
    ['an audience in another case', () => token({ aud: 'Usher' })],
    ['no audience', () => token({ aud: undefined })],
    ['another client', () => partnerToken({ client_id: 'other-app' })],
    [
      'the right client in the wrong claim',
      () => partnerToken({ client_id: 'other-app', azp: 'partner-app' }),
    ],
    ['no client', () => partnerToken({ client_id: undefined, aud: 'partner-app' })],
    ['an ID token, by its type', () => token({}, { typ: 'JWT' })],
    ['no type', () => token({}, { typ: undefined })],
    ['an ID token, by its use', () => partnerToken({ token_use: 'id', aud: 'partner-app' })],
    ['no use', () => partnerToken({ token_use: undefined })],
    ['a time that is up, and the clock skew with it', () => token({ exp: nowSeconds() - 31 })],
    ['a time that has not come, beyond the clock skew', () => token({ iat: nowSeconds() + 60 })],
    ['a time that has not come', () => token({ nbf: nowSeconds() + 60 })],
    ['no end', () => token({ exp: undefined })],
    ['an end in words', () => token({ exp: '9999999999' })],
    ['no subject', () => token({ sub: undefined })],
    ['a subject of 256 characters', () => token({ sub: 'x'.repeat(256) })],
    ['a subject that is a list', () => token({ sub: ['mallory', 'admin'] })],
    ['a signature cut short', () => token().slice(0, -10)],
    [
      'its claims cut short',
      () =>
        untouched(token())
          .map((part, i) => (i === 1 ? part.slice(0, -10) : part))
          .join('.'),
    ],
    ['no signature', () => `${untouched(token()).slice(0, 2).join('.')}.`],
    ['two parts', () => untouched(token()).slice(0, 2).join('.')],
    ['five parts, as if encrypted', () => `${token()}.AAAA.AAAA`],
    [
      'other claims under the same signature',
      () =>
        untouched(token())
          .map((part, i) => (i === 1 ? base64url(claims({ sub: 'admin' })) : part))
          .join('.'),
    ],
    [
      'alg twice in its header',
      () => raw(`{"alg":"none","kid":"our-key","typ":"at+jwt","alg":"RS256"}`, JSON.stringify(claims())),
    ],
    ['no JSON', () => raw('alg=none', 'sub=admin')],
    ['more than 8 KiB', () => token({ padding: 'x'.repeat(6_100) })],
  ];

  it.each(tokens)('%s', async (_what, make) => {
    expectRejection(await withToken(make()), 401, 'Unauthorized');
  });

  it('never causes a key fetch from an address in the token', () => {
    expect(evil.fetches).toBe(0);
  });
});

describe('a token that is in the wrong place', () => {
  const places: [string, () => Promise<Answer>][] = [
    ['nowhere', () => ask([])],
    ['two Authorization headers', () => ask([...bearer(token()), ...bearer(token())])],
    ['two that differ in case', () => ask([...bearer(token()), 'authorization', `Bearer ${token()}`])],
    ['a good one behind a bad one', () => ask(['Authorization', 'Bearer x', ...bearer(token())])],
    ['two in one header', () => ask(['Authorization', `Bearer ${token()}, Bearer ${token()}`])],
    ['a header without a scheme', () => ask(['Authorization', token()])],
    ['another scheme', () => ask(['Authorization', `Basic ${token()}`])],
    [
      'a signature of AWS',
      () =>
        ask([
          'Authorization',
          'AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/chime/aws4_request, SignedHeaders=host, Signature=00',
        ]),
    ],
    ['a proxy’s header', () => ask(['Proxy-Authorization', `Bearer ${token()}`])],
    ['the header that a gateway renames', () => ask(['X-Amzn-Remapped-Authorization', `Bearer ${token()}`])],
    ['a cookie', () => ask(['Cookie', `access_token=${token()}`])],
    [
      'the query',
      () =>
        world.ask({
          query: `operation=batch-create&access_token=${token()}`,
          body: attendees('acme:victim'),
          meetingId: acmeMeeting,
        }),
    ],
    [
      'the body',
      () =>
        ask([], JSON.stringify({ access_token: token(), Attendees: [{ ExternalUserId: 'acme:victim' }] })),
    ],
  ];
  it.each(places)('%s', async (_where, send) => {
    expectRejection(await send(), 401, 'Unauthorized');
  });

  it('is refused from a page, which may read the challenge by the name that the gateway gives it', async () => {
    const { headers } = await ask(['Origin', 'http://localhost:5173']);
    expect(headers['access-control-allow-origin']).toBe('http://localhost:5173');
    expect(headers['access-control-expose-headers']?.split(',')).toContain(
      'x-amzn-Remapped-WWW-Authenticate',
    );
    expect(headers['x-amzn-remapped-www-authenticate']).toBe('Bearer');
  });

  it('a header that is larger than a gateway takes', async () => {
    expect((await withToken('x'.repeat(10_240))).status).toBe(413);
  });
});

describe('a caller without the right', () => {
  const own = (capabilities: object | undefined) =>
    attendees({ ExternalUserId: 'acme:mallory', Capabilities: capabilities });
  const attacks: [string, number, Rule | undefined, () => Promise<Answer>][] = [
    ['no scope', 403, 'scope', () => withToken(token({ scope: undefined }))],
    [
      'roles that the object of its path inherits',
      403,
      'scope',
      () =>
        withToken(
          partnerToken({
            scope: undefined,
            access: JSON.parse('{"__proto__":{"roles":["usher/attendees.create"]}}'),
          }),
          attendees('globex:gus'),
          globexMeeting,
        ),
    ],
    [
      'roles at a path with an empty part',
      403,
      'scope',
      () =>
        withToken(
          partnerToken({ scope: undefined, access: { '': { roles: ['usher/attendees.create'] } } }),
          attendees('globex:gus'),
          globexMeeting,
        ),
    ],
    [
      'roles at the path of a constructor',
      403,
      'scope',
      () =>
        withToken(
          partnerToken({ scope: undefined, constructor: { roles: ['usher/attendees.create'] } }),
          attendees('globex:gus'),
          globexMeeting,
        ),
    ],
    ['an empty scope', 403, 'scope', () => withToken(token({ scope: '' }))],
    [
      'a scope of the same beginning',
      403,
      'scope',
      () => withToken(token({ scope: 'attendees.create.selfish attendees' })),
    ],
    ['a scope in another case', 403, 'scope', () => withToken(token({ scope: 'Attendees.Create' }))],
    [
      'a scope that every object has',
      403,
      'scope',
      () => withToken(token({ scope: 'constructor __proto__' })),
    ],
    ['a scope of another issuer', 403, 'scope', () => withToken(token({ scope: 'usher/attendees.create' }))],
    ['a scope between tabs', 403, 'scope', () => withToken(token({ scope: 'openid\tattendees.create' }))],
    [
      'a scope in a claim that is not configured',
      403,
      'scope',
      () => withToken(token({ scope: undefined, scp: 'attendees.create' })),
    ],

    [
      'another user',
      403,
      'self-own-name',
      () => withToken(selfToken(), attendees({ ExternalUserId: 'acme:victim', Capabilities: WATCH })),
    ],
    [
      'another user, in the second of two members of one name',
      403,
      'self-own-name',
      () =>
        withToken(
          selfToken(),
          `{"Attendees":[{"ExternalUserId":"acme:mallory","ExternalUserId":"acme:victim","Capabilities":${JSON.stringify(WATCH)}}]}`,
        ),
    ],
    [
      'itself and another user',
      403,
      'self-one-attendee',
      () =>
        withToken(
          selfToken(),
          attendees(
            { ExternalUserId: 'acme:mallory', Capabilities: WATCH },
            { ExternalUserId: 'acme:victim', Capabilities: WATCH },
          ),
        ),
    ],
    [
      'itself twice',
      403,
      'self-one-attendee',
      () =>
        withToken(
          selfToken(),
          attendees(
            { ExternalUserId: 'acme:mallory', Capabilities: WATCH },
            { ExternalUserId: 'acme:mallory', Capabilities: WATCH },
          ),
        ),
    ],
    [
      'itself without its prefix',
      403,
      'self-own-name',
      () => withToken(selfToken(), attendees({ ExternalUserId: 'mallory', Capabilities: WATCH })),
    ],
    [
      'itself in another case',
      403,
      'self-own-name',
      () => withToken(selfToken(), attendees({ ExternalUserId: 'acme:Mallory', Capabilities: WATCH })),
    ],
    [
      'itself and a space',
      403,
      'self-own-name',
      () => withToken(selfToken(), attendees({ ExternalUserId: 'acme:mallory ', Capabilities: WATCH })),
    ],
    [
      'a subject that holds the victim’s composed name, decomposed',
      403,
      'self-own-name',
      () =>
        withToken(
          selfToken({ sub: 'zoe\u0308' }),
          attendees({ ExternalUserId: 'acme:zoë', Capabilities: WATCH }),
        ),
    ],
    [
      'a Cyrillic lookalike',
      400,
      undefined,
      () => withToken(selfToken(), attendees({ ExternalUserId: 'acme:m\u0430llory', Capabilities: WATCH })),
    ],
    ['a space of no width', 400, undefined, () => withToken(token(), attendees('acme:victim\u200b'))],
    ['a null character', 400, undefined, () => withToken(token(), attendees('acme:victim\u0000'))],
    [
      'the name that Chime keeps for itself',
      400,
      undefined,
      () => withToken(token(), attendees('aws:victim')),
    ],
    [
      'a name that is a list',
      400,
      undefined,
      () => withToken(token(), attendees({ ExternalUserId: ['acme:victim'] })),
    ],
    [
      'attendees that it inherits',
      400,
      undefined,
      () => withToken(token(), '{"__proto__":{"Attendees":[{"ExternalUserId":"acme:victim"}]}}'),
    ],

    [
      'a name of another issuer’s users',
      403,
      'name-prefix',
      () => withToken(token(), attendees('acme:bob', 'globex:victim')),
    ],
    ['a name without a prefix', 403, 'name-prefix', () => withToken(token(), attendees('victim'))],
    ['a prefix in another case', 403, 'name-prefix', () => withToken(token(), attendees('ACME:victim'))],
    ['a prefix behind a space', 403, 'name-prefix', () => withToken(token(), attendees(' acme:victim'))],
    [
      'a partner, our users',
      403,
      'name-prefix',
      () => withToken(partnerToken(), attendees('acme:victim'), globexMeeting),
    ],
    [
      'a partner, its user whose subject is a name of ours',
      403,
      'self-own-name',
      () =>
        withToken(
          partnerToken({ sub: 'acme:victim', scope: 'usher/attendees.create.self' }),
          attendees('acme:victim'),
          globexMeeting,
        ),
    ],

    [
      'more than its ceiling in one medium',
      403,
      'capability-ceiling',
      () => withToken(selfToken(), own({ ...WATCH, Content: 'Send' })),
    ],
    [
      'more than its ceiling, in so many words',
      403,
      'capability-ceiling',
      () => withToken(selfToken(), own(EVERYTHING)),
    ],
    [
      'the other direction than its ceiling',
      403,
      'capability-ceiling',
      () => withToken(selfToken(), own({ ...TALK, Content: 'Send' })),
    ],
    [
      'a capability in another case',
      400,
      undefined,
      () => withToken(selfToken(), own({ ...TALK, Content: 'sendreceive' })),
    ],

    ['no tenant', 403, 'tenant-claim', () => withToken(token({ tenant: undefined }))],
    ['an empty tenant', 403, 'tenant-claim', () => withToken(token({ tenant: '' }))],
    [
      'a tenant of another issuer',
      403,
      'tenant-claim',
      () => withToken(token({ tenant: 'globex' }), undefined, globexMeeting),
    ],
    [
      'a tenant of another issuer beside its own',
      403,
      'tenant-claim',
      () => withToken(token({ tenant: ['acme', 'globex'] }), undefined, globexMeeting),
    ],
    ['a tenant in another case', 403, 'tenant-claim', () => withToken(token({ tenant: 'ACME' }))],
    ['a tenant in an object', 403, 'tenant-claim', () => withToken(token({ tenant: { 0: 'acme' } }))],
    [
      'a partner, our tenant',
      403,
      'tenant-claim',
      () => withToken(partnerToken({ 'custom:tenant': 'acme' }), attendees('globex:gus')),
    ],
    [
      'a partner, our tenant in the claim that we use',
      403,
      'tenant-claim',
      () => withToken(partnerToken({ 'custom:tenant': undefined, tenant: 'acme' }), attendees('globex:gus')),
    ],

    [
      'a meeting that the token does not list',
      403,
      'meetings-claim',
      () => withToken(token({ meetings: [ABSENT] })),
    ],
    ['a token that lists no meeting', 403, 'meetings-claim', () => withToken(token({ meetings: [] }))],
    [
      'a token that lists meetings in an object',
      403,
      'meetings-claim',
      () => withToken(token({ meetings: { 0: acmeMeeting } })),
    ],
    ['a token that lists a pattern', 403, 'meetings-claim', () => withToken(token({ meetings: ['*'] }))],

    ['a meeting of another tenant', 404, undefined, () => withToken(token(), undefined, globexMeeting)],
    ['a meeting of no tenant', 404, undefined, () => withToken(token(), undefined, nobodysMeeting)],
    ['a meeting that does not exist', 404, undefined, () => withToken(token(), undefined, ABSENT)],
    [
      'a partner, our meeting',
      404,
      undefined,
      () => withToken(partnerToken(), attendees('globex:gus'), acmeMeeting),
    ],
    [
      'a meeting id that is a way to another',
      400,
      undefined,
      () => withToken(token(), undefined, `${acmeMeeting}%2f..%2f${globexMeeting}`),
    ],
    [
      'a meeting id with a line break',
      400,
      undefined,
      () => withToken(token(), undefined, `${acmeMeeting}%0a`),
    ],
    [
      'a path that leads elsewhere',
      404,
      undefined,
      () => withToken(token(), undefined, `../meetings/${globexMeeting}`),
    ],
  ];
  const classes: Record<number, string> = { 400: 'BadRequest', 403: 'Forbidden', 404: 'NotFound' };
  it.each(attacks)('%s: %d %s', async (_what, status, rule, send) => {
    const answer = await send();
    expectRejection(answer, status, classes[status] ?? '');
    if (rule !== undefined) expect(answer.headers['x-usher-rule']).toBe(rule);
  });
});

describe('the witnesses', () => {
  it('saw none of this reach BatchCreateAttendee, and four look-ups of meetings', async () => {
    expect(await world.calls('BatchCreateAttendee')).toEqual([]);
    expect((await world.calls('GetMeeting')).map((call) => call.meetingId)).toEqual([
      globexMeeting,
      nobodysMeeting,
      ABSENT,
      acmeMeeting,
    ]);
  });

  it('saw only the attendees of the valid requests', async () => {
    const names = async (meetingId: string) =>
      (await world.attendeesOf(meetingId)).map((attendee) => attendee.ExternalUserId).sort();
    expect(await names(acmeMeeting)).toEqual(['acme:mallory', 'acme:victim']);
    expect(await names(globexMeeting)).toEqual(['globex:gus']);
    expect(await names(nobodysMeeting)).toEqual([]);
  });

  it('wrote down no name, no subject and no token in the log', () => {
    const log = world.system.stdout();
    expect(log).toContain('request failed');
    expect(log).not.toMatch(/mallory|victim|globex:|eyJ[\w-]{16}/);
  });
});

describe('a caller without the right to see a meeting', () => {
  const look = (value: string, meetingId = acmeMeeting) => world.look({ headers: bearer(value), meetingId });
  /** A caller of its own for each attack, so that none of them has used up the budget for look-ups. */
  const seer = (overrides: object = {}) => ({ sub: `seer-${crypto.randomUUID()}`, ...overrides });

  it('differs from one that has it in one thing only', async () => {
    await world.forgetCalls();
    for (const [value, meetingId] of [
      [token(), acmeMeeting],
      [selfToken(), acmeMeeting],
      [token({ meetings: [acmeMeeting.toUpperCase()] }), acmeMeeting],
      [partnerToken(), globexMeeting],
    ] as const) {
      const { status, headers, text } = await look(value, meetingId);
      expect({ status, text }).toMatchObject({ status: 200 });
      expect(headers['cache-control']).toBe('no-store');
      const { Meeting } = JSON.parse(text);
      expect(Meeting).toMatchObject({ MeetingId: meetingId, MediaPlacement: expect.any(Object) });
      expect(Object.keys(Meeting).toSorted()).toEqual([
        'ExternalMeetingId',
        'MediaPlacement',
        'MediaRegion',
        'MeetingId',
      ]);
      expect(text).not.toMatch(/arn:|123456789012|"acme"|"globex"/);
    }
  });

  const attacks: [string, number, Rule | undefined, () => Promise<Answer>][] = [
    ['a token of a stranger', 401, undefined, () => look(signToken(evilKey, claims()))],
    ['an expired token', 401, undefined, () => look(token({ exp: nowSeconds() - 31 }))],
    ['an ID token', 401, undefined, () => look(token({}, { typ: 'JWT' }))],
    ['no token', 401, undefined, () => world.look({ meetingId: acmeMeeting })],
    [
      'a token in the query',
      401,
      undefined,
      () => world.look({ meetingId: acmeMeeting, query: `access_token=${token()}` }),
    ],
    ['no scope', 403, 'scope', () => look(token(seer({ scope: 'openid' })))],
    ['a scope of another issuer', 403, 'scope', () => look(token(seer({ scope: 'usher/attendees.create' })))],
    ['no tenant', 403, 'tenant-claim', () => look(token(seer({ tenant: undefined })))],
    [
      'a tenant of another issuer',
      403,
      'tenant-claim',
      () => look(token(seer({ tenant: ['acme', 'globex'] })), globexMeeting),
    ],
    ['another meeting', 403, 'meetings-claim', () => look(token(seer({ meetings: [ABSENT] })))],
    ['a pattern of meetings', 403, 'meetings-claim', () => look(selfToken(seer({ meetings: ['*'] })))],
    ['a name that Chime keeps', 403, 'self-own-name', () => look(selfToken({ sub: 'x'.repeat(64) }))],
    ['a name with a line break', 403, 'self-own-name', () => look(selfToken({ sub: 'mal\u0000lory' }))],
    ['a meeting of another tenant', 404, undefined, () => look(token(seer()), globexMeeting)],
    ['a meeting of no tenant', 404, undefined, () => look(selfToken(seer()), nobodysMeeting)],
    ['a meeting that does not exist', 404, undefined, () => look(token(seer()), ABSENT)],
    ['a partner, our meeting', 404, undefined, () => look(partnerToken(seer()), acmeMeeting)],
    ['an id that is a way to another', 400, undefined, () => look(token(), `${acmeMeeting}%2f..`)],
  ];
  const classes: Record<number, string> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
  };
  it.each(attacks)('%s: %d %s', async (_what, status, rule, send) => {
    const answer = await send();
    expectRejection(answer, status, classes[status] ?? '');
    expect(answer.headers['x-usher-rule']).toBe(rule);
  });

  it('cannot distinguish a foreign meeting from an absent one, even by look-ups', async () => {
    const foreign = await world.meetingOf('globex');
    expect((await look(partnerToken(), foreign)).status).toBe(200);
    const observed = [];
    for (const meetingId of [foreign, await world.meetingOf(), crypto.randomUUID()]) {
      await world.forgetCalls();
      const value = token(seer());
      const answers = [await look(value, meetingId), await look(value, meetingId)];
      observed.push({
        calls: (await world.calls('GetMeeting')).length,
        answers: answers.map(({ status, headers, text }) => {
          const own = ['date', 'x-amzn-requestid', 'x-amz-apigw-id', 'x-usher-batch-id'];
          const { RequestId, Message, ...body } = JSON.parse(text);
          expect(RequestId).toBe(headers['x-amzn-requestid']);
          const others = Object.entries(headers).filter(([name]) => !own.includes(name));
          return { status, others, body, message: Message.replace(meetingId, 'MEETING') };
        }),
      });
    }
    expect(observed[0]).toMatchObject({ calls: 1, answers: [{ status: 404 }, { status: 404 }] });
    expect(observed[1]).toEqual(observed[0]);
    expect(observed[2]).toEqual(observed[0]);
  });

  it('that asks for random ids spends its own budget, with attendees and meetings together', async () => {
    await world.forgetCalls();
    const value = token(seer());
    const statuses = [];
    for (let i = 0; i < 4; i += 1) {
      statuses.push((await look(value, crypto.randomUUID())).status);
      statuses.push((await withToken(value, undefined, crypto.randomUUID())).status);
    }
    expect(statuses.slice(0, 5)).toEqual(Array(5).fill(404));
    expect(statuses).toContain(429);
    expect((await world.calls('GetMeeting')).length).toBeLessThan(8);
  });

  it('is never admitted', async () => {
    expect(await world.calls('BatchCreateAttendee')).toEqual([]);
  });
});

describe('meetings that are not the caller’s', () => {
  it('do not differ in status, headers, body or look-ups', async () => {
    const answersFor = async (sub: string, meetingId: string) => {
      await world.forgetCalls();
      const answers = [];
      for (const _ of [1, 2, 3]) {
        const { status, headers, text } = await withToken(token({ sub }), undefined, meetingId);
        const {
          date,
          'x-amzn-requestid': id,
          'x-amz-apigw-id': gatewayId,
          'x-usher-batch-id': batchId,
          ...rest
        } = headers;
        expect([date, id, gatewayId, batchId]).not.toContain(undefined);
        answers.push({
          status,
          headers: rest,
          text: text.replace(id as string, 'REQUEST').replace(meetingId, 'MEETING'),
        });
      }
      return { answers, calls: (await world.calls('GetMeeting')).length };
    };
    const foreign = await world.meetingOf('globex');
    // A permitted caller is already in the meeting.
    expect((await withToken(partnerToken(), attendees('globex:gus'), foreign)).status).toBe(200);

    const observed = [
      await answersFor('one', foreign),
      await answersFor('two', await world.meetingOf()),
      await answersFor('three', crypto.randomUUID()),
    ];
    expect(observed[0]).toMatchObject({
      calls: 1,
      answers: [{ status: 404 }, { status: 404 }, { status: 404 }],
    });
    expect(observed[1]).toEqual(observed[0]);
    expect(observed[2]).toEqual(observed[0]);
  });
});

describe('an answer of Chime with more than was allowed', () => {
  const withheld = (answer: Answer, meeting: { JoinToken: string }[], rule: string) => {
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({
      Errors: [
        { ErrorCode: 'Forbidden', ErrorMessage: expect.stringContaining(`Denied by the rule ${rule}`) },
      ],
    });
    expect(meeting.length).toBeGreaterThan(0);
    for (const { JoinToken } of meeting) expect(answer.text + world.system.stdout()).not.toContain(JoinToken);
  };
  const own = attendees({ ExternalUserId: 'acme:mallory', Capabilities: TALK });

  it('withholds the token of an attendee to whom a host gave more', async () => {
    const meetingId = await world.meetingOf('acme');
    expect((await withToken(token(), attendees('acme:mallory'), meetingId)).status).toBe(200);
    const answer = await withToken(selfToken(), own, meetingId);
    withheld(answer, await world.attendeesOf(meetingId), 'capability-ceiling');
    expect(JSON.parse(answer.text).Attendees).toEqual([]);
  });

  it('keeps the token of an existing attendee from a delegate whose ceiling is lower', async () => {
    const meetingId = await world.meetingOf('acme', 'globex');
    await world.fault({ alteredCapabilities: { capabilities: EVERYTHING }, times: 1 });
    const body = attendees({ ExternalUserId: 'globex:mallory', Capabilities: TALK });
    const answer = await withToken(
      partnerToken({ scope: 'usher/attendees.create usher/attendees.create.self' }),
      body,
      meetingId,
    );
    withheld(answer, await world.attendeesOf(meetingId), 'capability-ceiling');
    expect(JSON.parse(answer.text).Attendees).toEqual([]);
  });

  it('keeps the token of an attendee that exists under another case of a name', async () => {
    const meetingId = await world.meetingOf('acme');
    await world.fault({
      extraAttendee: { externalUserId: 'acme:Mallory', capabilities: EVERYTHING },
      times: 1,
    });
    const answer = await withToken(selfToken(), own, meetingId);
    const others = (await world.attendeesOf(meetingId)).filter((a) => a.ExternalUserId === 'acme:Mallory');
    withheld(answer, others, 'answer-requested-name');
  });

  it('keeps the token of an attendee whose capabilities Chime altered', async () => {
    const meetingId = await world.meetingOf('acme');
    await world.fault({ alteredCapabilities: { capabilities: EVERYTHING }, times: 1 });
    const answer = await withToken(selfToken(), own, meetingId);
    withheld(answer, await world.attendeesOf(meetingId), 'capability-ceiling');
  });

  it('withholds the token of an attendee that was not requested', async () => {
    const meetingId = await world.meetingOf('acme');
    await world.fault({ extraAttendee: { externalUserId: 'acme:victim' }, times: 1 });
    const answer = await withToken(selfToken(), own, meetingId);
    const victims = (await world.attendeesOf(meetingId)).filter((a) => a.ExternalUserId === 'acme:victim');
    withheld(answer, victims, 'answer-requested-name');
    expect(JSON.parse(answer.text).Attendees).toHaveLength(1);
  });
});
