import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../lib/settings/complete.ts';
import { PROVIDERS } from '../../lib/settings/providers.ts';
import { type ConfigurationExample, type RequestExample, readExamples } from '../support/doc-examples.ts';
import {
  createSigningKey,
  publicJwk,
  type SigningAlgorithm,
  type SigningKey,
  signToken,
  startKeyServer,
} from '../support/issuer.ts';
import { answerFor } from '../support/token-answers.ts';

/** The examples of docs/identity-providers.md, read from there, as real tokens that are verified and judged. */

const PAGE = readFileSync('docs/identity-providers.md', 'utf8');
const { examples } = readExamples(PAGE);

const signers = new Map<string, SigningKey>();
let keys: Awaited<ReturnType<typeof startKeyServer>>;
beforeAll(async () => {
  for (const alg of ['RS256', 'ES256', 'ES384'] as const) signers.set(alg, createSigningKey(alg, alg));
  keys = await startKeyServer([...signers.values()]);
});
afterAll(() => keys.close());

/** `200`, or the status with its reason or rule. */
async function answerTo(
  { configuration }: ConfigurationExample,
  { token, body }: RequestExample,
): Promise<string> {
  const config = parseConfig(configuration, 'docs/identity-providers.md');
  const { header, claims } = token;
  const alg = header['alg'] as SigningAlgorithm;
  const signer = signers.get(alg) as SigningKey;
  // AD FS writes no key id, and publishes one key.
  keys.respond = () =>
    JSON.stringify({
      keys: [...signers.values()].filter((one) => 'kid' in header || one === signer).map(publicJwk),
    });
  const nowSeconds = Math.floor(Date.now() / 1000);
  const signed = signToken(
    signer,
    { ...claims, iat: nowSeconds, exp: nowSeconds + 60 },
    { typ: undefined, ...header, kid: 'kid' in header ? signer.kid : undefined },
  );
  const rules = config.issuers.map((one) => ({ ...one, jwksUris: [keys.jwksUri] }));
  return answerFor(signed, rules, JSON.parse(body).Attendees);
}

describe.each(examples)('$heading', (example) => {
  it.each(example.requests)('answers the token of $token.claims.sub with $status $rule', async (request) => {
    const expected = [request.status, request.rule].filter(Boolean).join(' ');
    expect(await answerTo(example, request)).toBe(expected);
  });

  it('has a token that works, and one that does not', () => {
    const statuses = example.requests.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses.some((status) => status !== 200)).toBe(true);
  });

  it('finds its keys by https', () => {
    const { issuers } = parseConfig(example.configuration, 'docs/identity-providers.md');
    for (const jwksUri of issuers.flatMap(({ jwksUris }) => jwksUris)) expect(jwksUri).toMatch(/^https:\/\//);
  });
});

it('every preset has an example, and the table names it', () => {
  const shown = examples.flatMap(({ configuration }) =>
    configuration.issuers.map((issuer) => (issuer as { provider?: string }).provider),
  );
  expect([...new Set(shown)].toSorted()).toEqual(Object.keys(PROVIDERS).toSorted());
  const rows = [...PAGE.matchAll(/^\| \[(.*)\]\(#.*\) \| `(.*)` \|$/gm)].map(([, heading, provider]) => [
    heading,
    provider,
  ]);
  expect(rows).toEqual(examples.map(({ heading }, index) => [heading, shown[index]]));
});
