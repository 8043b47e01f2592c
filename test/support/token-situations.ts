import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { explainToken } from '../../cli/explain-token.ts';
import { issuersSchema } from '../../lib/settings/issuers.ts';
import type { IssuerEntry } from '../../lib/settings/props.ts';
import {
  createSigningKey,
  publicJwk,
  type SigningAlgorithm,
  type SigningKey,
  signToken,
  startKeyServer,
} from './issuer.ts';
import { answerFor } from './token-answers.ts';

/** Tokens of one kind of issuer, and the configuration that answers them. */
export interface Situation {
  /** What is written beside issuer, audience and key address. */
  entry?: Partial<IssuerEntry>;
  issuer?: string;
  alg?: SigningAlgorithm;
  /** The key sets under the key server's address, where there are several. */
  jwksPaths?: string[];
  /** What is published, of the key that signs and another. */
  publish?: (signer: Jwk, other: Jwk) => unknown[];
  serve?: (request: IncomingMessage, response: ServerResponse, keySet: string) => void;
  /** Of requests for `bob`, or for `names`. */
  tokens: { header?: object; claims?: object; answer: string; names?: string }[];
}
type Jwk = Record<string, unknown>;

export const from = (secondsFromNow: number): number => Math.floor(Date.now() / 1000) + secondsFromNow;

/** One test for each token of each situation: what the function answers, and whether `explain-token` says the same. */
export function describeSituations(situations: Record<string, Situation>): void {
  const signers = new Map<SigningAlgorithm, SigningKey>();
  let other: SigningKey;
  let keys: Awaited<ReturnType<typeof startKeyServer>>;
  beforeAll(async () => {
    for (const alg of ['RS256', 'PS256', 'ES384'] as const) signers.set(alg, createSigningKey('k1', alg));
    other = createSigningKey('e1');
    keys = await startKeyServer([]);
  });
  beforeEach(() => {
    keys.answer = undefined;
  });
  afterAll(() => keys.close());

  describe.each(Object.entries(situations))('%s', (_situation, situation) => {
    const {
      issuer = 'https://login.example.org',
      alg = 'RS256',
      entry = {},
      publish,
      serve,
      jwksPaths,
      tokens,
    } = situation;
    it.each(tokens)(
      'is answered with $answer: $claims',
      async ({ header = {}, claims = {}, answer, names = 'bob' }) => {
        const signer = signers.get(alg) as SigningKey;
        const published = publish?.(publicJwk(signer), publicJwk(other)) ?? [publicJwk(signer)];
        keys.respond = () => JSON.stringify({ keys: published });
        if (serve !== undefined)
          keys.answer = (request, response) => serve(request, response, keys.respond());
        const rules = issuersSchema.parse([
          {
            issuer,
            ...(jwksPaths === undefined
              ? { jwksUri: keys.jwksUri }
              : { jwksUris: jwksPaths.map((path) => new URL(path, keys.jwksUri).href) }),
            audience: ['api'],
            scopes: { delegate: 'meet.host' },
            ...(entry.provider === undefined ? { accessTokenMark: { typ: 'at+jwt' } } : {}),
            ...entry,
          },
        ]);
        const token = signToken(
          signer,
          { iss: issuer, aud: 'api', sub: 'user-1', exp: from(3_600), ...claims },
          { ...header },
        );
        expect(await answerFor(token, rules, [{ ExternalUserId: names }])).toBe(answer);
        const { isAccepted } = await explainToken(token, rules);
        expect(isAccepted).toBe(answer === '200');
      },
    );
  });
}
