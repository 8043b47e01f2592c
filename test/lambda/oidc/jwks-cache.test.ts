import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  FetchError,
  JwksNotAvailableInCacheError,
  JwtWithoutValidKidError,
  KidNotFoundInJwksError,
} from 'aws-jwt-verify/error';
import type { Jwks } from 'aws-jwt-verify/jwk';
import type { DecomposedJwt } from 'aws-jwt-verify/jwt';
import { jwksCache } from '../../../lambda/oidc/jwks-cache.ts';

const URI = 'https://idp.example.com/keys';
const OTHER_URI = 'https://partner.example.com/keys';
const jwks = (...kids: string[]): Jwks => ({ keys: kids.map((kid) => ({ kid, kty: 'RSA' })) });
const signedWith = (kid: unknown) => ({ header: { kid } }) as DecomposedJwt;

let nowMs: number;
let fetched: string[];
let published: Record<string, Jwks | Error>;
let cache: ReturnType<typeof jwksCache>;

beforeEach(() => {
  nowMs = 1_000_000;
  fetched = [];
  published = { [URI]: jwks('one'), [OTHER_URI]: jwks('other') };
  cache = jwksCache({
    fetchJwks: async (uri) => {
      fetched.push(uri);
      const answer = published[uri];
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
    now: () => nowMs,
    maxAgeMs: 600_000,
    maxStaleMs: 3_600_000,
    unknownKeyCooldownMs: 10_000,
    failureCooldownMs: 2_000,
    staleRetryMs: 30_000,
  });
});

const keyOf = (kid: unknown, uri = URI) => cache.getJwk(uri, signedWith(kid));

describe('keys', () => {
  it('are fetched once and kept', async () => {
    expect(await keyOf('one')).toMatchObject({ kid: 'one' });
    nowMs += 600_000;
    await keyOf('one');
    expect(fetched).toEqual([URI]);
    nowMs += 1;
    await keyOf('one');
    expect(fetched).toEqual([URI, URI]);
  });

  it('are fetched once for many who ask at once', async () => {
    await Promise.all(Array.from({ length: 50 }, () => keyOf('one')));
    expect(fetched).toEqual([URI]);
  });

  it('of one issuer say nothing of another’s', async () => {
    await keyOf('one');
    await expect(keyOf('one', OTHER_URI)).rejects.toBeInstanceOf(KidNotFoundInJwksError);
    expect(await keyOf('other', OTHER_URI)).toMatchObject({ kid: 'other' });
  });

  it('need a kid that is a string', async () => {
    await expect(keyOf(undefined)).rejects.toBeInstanceOf(JwtWithoutValidKidError);
    await expect(keyOf(1)).rejects.toBeInstanceOf(JwtWithoutValidKidError);
    expect(fetched).toEqual([]);
  });

  it('that an issuer adds work after the cool-down, without a restart', async () => {
    await keyOf('one');
    published[URI] = jwks('one', 'two');
    nowMs += 9_999;
    await expect(keyOf('two')).rejects.toBeInstanceOf(KidNotFoundInJwksError);
    nowMs += 1;
    expect(await keyOf('two')).toMatchObject({ kid: 'two' });
  });

  it('that an issuer withdraws stop working when the set has aged', async () => {
    await keyOf('one');
    published[URI] = jwks('two');
    nowMs += 600_001;
    await expect(keyOf('one')).rejects.toBeInstanceOf(KidNotFoundInJwksError);
  });
});

describe('an issuer', () => {
  it('is asked once per cool-down under a flood of unknown key ids', async () => {
    for (let i = 0; i < 500; i += 1) {
      await expect(keyOf(`unknown-${i}`)).rejects.toBeInstanceOf(KidNotFoundInJwksError);
      nowMs += 100;
    }
    // 500 requests in 50 s, and one fetch at 0, 10, 20, 30 and 40 s.
    expect(fetched).toHaveLength(5);
  });

  it('that is down is asked once per cool-down, and is no reason to call a token bad', async () => {
    published[URI] = new Error('down');
    for (let i = 0; i < 100; i += 1) {
      await expect(keyOf('one')).rejects.toBeInstanceOf(FetchError);
      nowMs += 100;
    }
    // 100 requests in 10 s, and one fetch every 2 s.
    expect(fetched).toHaveLength(5);
  });

  it('that is down leaves known keys working, for as long as is bearable', async () => {
    await keyOf('one');
    published[URI] = new Error('down');
    nowMs += 600_001;
    expect(await keyOf('one')).toMatchObject({ kid: 'one' });
    nowMs += 3_599_999;
    expect(await keyOf('one')).toMatchObject({ kid: 'one' });
    nowMs += 1;
    await expect(keyOf('one')).rejects.toBeInstanceOf(FetchError);
  });

  it('that is down is asked seldom while its keys are known, and at once by who needs another', async () => {
    await keyOf('one');
    published[URI] = new Error('down');
    nowMs += 600_001;
    fetched = [];
    for (let i = 0; i < 100; i += 1) {
      await keyOf('one');
      nowMs += 1_000;
    }
    // 100 requests in 100 s, and one fetch at 0, 30, 60 and 90 s.
    expect(fetched).toHaveLength(4);
    await expect(keyOf('two')).rejects.toBeInstanceOf(FetchError);
    expect(fetched).toHaveLength(5);
  });

  it('that publishes no keys at all says nothing of any key', async () => {
    await keyOf('one');
    published[URI] = jwks();
    nowMs += 600_001;
    await expect(keyOf('one')).rejects.toBeInstanceOf(FetchError);
  });

  it('that is down leaves unknown keys undecided', async () => {
    await keyOf('one');
    published[URI] = new Error('down');
    nowMs += 10_000;
    await expect(keyOf('two')).rejects.toBeInstanceOf(FetchError);
    expect(await keyOf('one')).toMatchObject({ kid: 'one' });
  });

  it('that comes back is believed again', async () => {
    published[URI] = new Error('down');
    await expect(keyOf('one')).rejects.toBeInstanceOf(FetchError);
    published[URI] = jwks('one');
    nowMs += 2_000;
    expect(await keyOf('one')).toMatchObject({ kid: 'one' });
  });
});

describe('what the library may ask of a cache of keys', () => {
  it('is a whole key set', async () => {
    expect(await cache.getJwks(URI)).toEqual(jwks('one'));
    published[OTHER_URI] = new Error('down');
    await expect(cache.getJwks(OTHER_URI)).rejects.toBeInstanceOf(FetchError);
  });

  it('is to be given one', async () => {
    cache.addJwks(URI, jwks('given'));
    expect(await keyOf('given')).toMatchObject({ kid: 'given' });
    expect(fetched).toEqual([]);
  });

  it('is not a key at once', () => {
    expect(() => cache.getCachedJwk(URI, signedWith('one'))).toThrow(JwksNotAvailableInCacheError);
  });
});
