import { beforeEach, describe, expect, it } from '@jest/globals';
import { chooseKeys } from '../../../lambda/oidc/key-choice.ts';
import { type KeySet, parseKeySet } from '../../../lambda/oidc/key-set.ts';
import { createKeySetCache, type KeySetCache } from '../../../lambda/oidc/key-set-cache.ts';
import { createSigningKey, publicJwk } from '../../support/issuer.ts';

const URI = 'https://idp.example.com/keys';
const OTHER_URI = 'https://partner.example.com/keys';
const key = createSigningKey('any');
const setOf = (...kids: string[]): KeySet =>
  parseKeySet({ keys: kids.map((kid) => ({ ...publicJwk(key), kid })) });

const OPTIONS = {
  timeoutMs: 2_000,
  maxAgeMs: 600_000,
  maxStaleMs: 3_600_000,
  unknownKeyCooldownMs: 10_000,
  failureCooldownMs: 2_000,
  staleRetryMs: 30_000,
};

let nowMs: number;
let fetched: string[];
let failures: [string, unknown][];
let published: Record<string, KeySet | Error>;
let cache: KeySetCache;
/** Of each fetch, how long it may take. */
let timeoutsMs: number[];
/** How long each fetch takes. */
let takesMs: number;

beforeEach(() => {
  nowMs = 1_000_000;
  fetched = [];
  timeoutsMs = [];
  takesMs = 0;
  failures = [];
  published = { [URI]: setOf('one'), [OTHER_URI]: setOf('other') };
  cache = createKeySetCache({
    fetchKeySet: async (uri, timeoutMs) => {
      fetched.push(uri);
      timeoutsMs.push(timeoutMs);
      await undefined;
      nowMs += takesMs;
      const answer = published[uri];
      if (answer instanceof Error || answer === undefined) throw answer;
      return answer;
    },
    onFailure: (uri, error) => failures.push([uri, error]),
    now: () => nowMs,
    ...OPTIONS,
  });
});

/** As the verifier uses the cache: what is known is renewed, what is not is asked for. */
async function lookUp(kid: string, uri = URI): Promise<'found' | 'unknown' | 'unavailable'> {
  const isKnown = async () =>
    (await chooseKeys([cache.known(uri) ?? []].flat(), { alg: 'RS256', kid })).keys.length > 0;
  if (await isKnown()) await cache.renew(uri);
  if (!(await isKnown())) await cache.ask(uri);
  if (await isKnown()) return 'found';
  return cache.isCurrent(uri) ? 'unknown' : 'unavailable';
}

describe('keys', () => {
  it('are fetched once and kept', async () => {
    expect(await lookUp('one')).toBe('found');
    nowMs += 600_000;
    await lookUp('one');
    expect(fetched).toEqual([URI]);
    nowMs += 1;
    await lookUp('one');
    expect(fetched).toEqual([URI, URI]);
  });

  it('are fetched once for many concurrent requests', async () => {
    await Promise.all(Array.from({ length: 50 }, () => lookUp('one')));
    expect(fetched).toEqual([URI]);
  });

  it('do not count for another issuer', async () => {
    await lookUp('one');
    expect(await lookUp('one', OTHER_URI)).toBe('unknown');
    expect(await lookUp('other', OTHER_URI)).toBe('found');
  });

  it('work after the cool-down if an issuer adds them, without a restart', async () => {
    await lookUp('one');
    published[URI] = setOf('one', 'two');
    nowMs += 9_999;
    expect(await lookUp('two')).toBe('unknown');
    nowMs += 1;
    expect(await lookUp('two')).toBe('found');
  });

  it('stop working when the set has aged if an issuer withdraws them', async () => {
    await lookUp('one');
    published[URI] = setOf('two');
    nowMs += 600_001;
    expect(await lookUp('one')).toBe('unknown');
  });
});

describe('an issuer', () => {
  it('is reported with its address, once for each failed fetch', async () => {
    published[URI] = new Error('down');
    await Promise.all([lookUp('one'), lookUp('one')]);
    expect(failures).toEqual([[URI, published[URI]]]);
  });

  it('is asked once per cool-down under a flood of unknown key ids', async () => {
    for (let i = 0; i < 500; i += 1) {
      expect(await lookUp(`unknown-${i}`)).toBe('unknown');
      nowMs += 100;
    }
    // 500 requests in 50 s, and one fetch at 0, 10, 20, 30 and 40 s.
    expect(fetched).toHaveLength(5);
  });

  it('is asked once per cool-down while it is down, and its tokens are not called bad', async () => {
    published[URI] = new Error('down');
    for (let i = 0; i < 100; i += 1) {
      expect(await lookUp('one')).toBe('unavailable');
      nowMs += 100;
    }
    // 100 requests in 10 s, and one fetch every 2 s.
    expect(fetched).toHaveLength(5);
  });

  it('leaves known keys working for a bounded time while it is down', async () => {
    await lookUp('one');
    published[URI] = new Error('down');
    nowMs += 600_001;
    expect(await lookUp('one')).toBe('found');
    nowMs += 3_599_999;
    expect(await lookUp('one')).toBe('found');
    nowMs += 1;
    expect(await lookUp('one')).toBe('unavailable');
  });

  it('is asked rarely while it is down, and at once for an unknown key', async () => {
    await lookUp('one');
    published[URI] = new Error('down');
    nowMs += 600_001;
    fetched = [];
    for (let i = 0; i < 100; i += 1) {
      await lookUp('one');
      nowMs += 1_000;
    }
    // 100 requests in 100 s, and one fetch at 0, 30, 60 and 90 s.
    expect(fetched).toHaveLength(4);
    expect(await lookUp('two')).toBe('unavailable');
    expect(fetched).toHaveLength(5);
  });

  it('leaves unknown keys undecided while it is down', async () => {
    await lookUp('one');
    published[URI] = new Error('down');
    nowMs += 10_000;
    expect(await lookUp('two')).toBe('unavailable');
    expect(await lookUp('one')).toBe('found');
  });

  it('is used again when it recovers', async () => {
    published[URI] = new Error('down');
    expect(await lookUp('one')).toBe('unavailable');
    published[URI] = setOf('one');
    nowMs += 2_000;
    expect(await lookUp('one')).toBe('found');
  });
});

describe('a key set that is fetched before it is needed', () => {
  it('is fetched once, for the request that needs it meanwhile and for later ones', async () => {
    cache.prefetch(URI);
    expect(await lookUp('one')).toBe('found');
    expect(await lookUp('one')).toBe('found');
    expect(fetched).toEqual([URI]);
  });

  it('is neither reported nor cached if it cannot be fetched', async () => {
    published[URI] = new Error('down');
    cache.prefetch(URI);
    await new Promise(setImmediate);
    published[URI] = setOf('one');
    expect(await lookUp('one')).toBe('found');
    expect(failures).toEqual([]);
  });

  it.each([
    {
      title: 'is fetched again, in the time that is left',
      waitsMs: 500,
      fetches: [2_000, 1_500],
      error: 'down',
    },
    { title: 'is not, with hardly any time left', waitsMs: 1_900, fetches: [2_000], error: 'timed out' },
  ])('that fails while a request waits for it $title', async ({ waitsMs, fetches, error }) => {
    const first = Promise.withResolvers<KeySet>();
    const late = createKeySetCache({
      ...OPTIONS,
      now: () => nowMs,
      onFailure: (uri, problem) => failures.push([uri, problem]),
      fetchKeySet: (_uri, timeoutMs) =>
        timeoutsMs.push(timeoutMs) === 1 ? first.promise : Promise.reject(new Error('down')),
    });
    late.prefetch(URI);
    const waiting = late.ask(URI);
    nowMs += waitsMs;
    first.reject(new Error('timed out'));
    await waiting;
    expect(timeoutsMs).toEqual(fetches);
    expect(failures).toEqual([[URI, new Error(error)]]);
  });

  it('works until it is 10 minutes old, counted from the start of its fetch, if it is withdrawn meanwhile', async () => {
    takesMs = 1_500;
    cache.prefetch(URI);
    await new Promise(setImmediate);
    takesMs = 0;
    published[URI] = setOf('two');
    nowMs += 598_500;
    expect(await lookUp('one')).toBe('found');
    nowMs += 1;
    expect(await lookUp('one')).toBe('unknown');
  });

  it('has keys that the issuer added since a fetch minutes before the first request', async () => {
    cache.prefetch(URI);
    await new Promise(setImmediate);
    published[URI] = setOf('one', 'two');
    nowMs += 300_000;
    expect(await lookUp('two')).toBe('found');
  });
});
