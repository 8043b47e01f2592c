import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../lib/settings/complete.ts';
import { readExamples, type TokenExample } from '../support/doc-examples.ts';
import { createSigningKey, signToken, startKeyServer } from '../support/issuer.ts';
import { bearer, nowSeconds, startWorld, type World } from '../support/system-world.ts';

/** The examples of docs/administrators.md, read from there: each configuration is run, each token signed, each request sent. */

const PAGE = readFileSync(new URL('../../docs/administrators.md', import.meta.url), 'utf8');
const { examples, triggers } = readExamples(PAGE);

const key = createSigningKey('the key of the test');
let keys: Awaited<ReturnType<typeof startKeyServer>>;
beforeAll(async () => {
  keys = await startKeyServer([key]);
});
afterAll(() => keys.close());

function sign({ header, claims }: TokenExample, meetingId: string): string {
  const named = JSON.stringify(claims).replaceAll('THE-MEETING', meetingId);
  const times = { iat: nowSeconds(), exp: nowSeconds() + 300 };
  return signToken(key, { ...JSON.parse(named), ...times }, { typ: undefined, ...header, kid: key.kid });
}

it('the page has examples for all that it promises', () => {
  expect(examples.map(({ heading }) => heading)).toEqual([
    'A backend of your own, with Amazon Cognito',
    'Hosts, guests and viewers, with Amazon Cognito',
    'Hosts, guests, viewers and a backend, with any OpenID Connect provider',
    'Two tenants',
    "A partner's identity provider beside your own pool",
  ]);
});

describe.each(examples)('$heading', ({ configuration, requests }) => {
  let world: World;
  beforeAll(async () => {
    // As it is written first, and then with nothing changed but where the keys are.
    parseConfig(configuration, 'docs/administrators.md');
    world = await startWorld(
      configuration.issuers.map((issuer, n) => ({ ...issuer, jwksUri: `${keys.jwksUri}?n=${n}` })),
      { processes: 1 },
    );
  }, 40_000);
  afterAll(() => world.system.stop());

  it.each(requests)('$token.claims.sub, in a meeting of $tenants: $status $rule', async (example) => {
    const { token, tenants, status, rule, body } = example;
    const meetingId = await world.meetingOf(...tenants);
    const answer = await world.ask({ headers: bearer(sign(token, meetingId)), body, meetingId });
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    if (rule !== undefined) expect(answer.headers['x-usher-rule']).toBe(rule);
    const named = (text: string) =>
      JSON.parse(text).Attendees.map((a: { ExternalUserId: string }) => a.ExternalUserId);
    if (status === 200) expect(named(answer.text)).toEqual(named(body));
    else expect(await world.attendeesOf(meetingId)).toEqual([]);
  });
});

describe('the trigger', () => {
  // Of host, guest and viewer, each once.
  const tokens = new Set(examples[1]?.requests.map(({ token }) => token.claims));
  it.each([...tokens])('writes what is in the token of $sub', async (claims) => {
    const [source] = triggers;
    const { handler } = await import(`data:text/javascript,${encodeURIComponent(source ?? '')}`);
    const { response } = await handler({
      request: {
        userAttributes: { sub: claims['sub'], 'custom:tenant': 'acme' },
        groupConfiguration: { groupsToOverride: claims['cognito:groups'] },
        scopes: ['openid'],
      },
      response: {},
    });
    const { claimsToAddOrOverride, scopesToAdd } =
      response.claimsAndScopesOverrideDetails.accessTokenGeneration;
    expect(claims).toMatchObject(claimsToAddOrOverride);
    expect(claims['scope']).toBe(`openid ${scopesToAdd.join(' ')}`);
  });
});
