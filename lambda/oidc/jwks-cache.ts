import {
  FetchError,
  JwksNotAvailableInCacheError,
  JwtWithoutValidKidError,
  KidNotFoundInJwksError,
} from 'aws-jwt-verify/error';
import type { Jwks, JwksCache, JwkWithKid } from 'aws-jwt-verify/jwk';

/** How a key set is fetched; rejects if it cannot be had in time or is none. */
export type FetchJwks = (jwksUri: string) => Promise<Jwks>;

export interface JwksCacheOptions {
  fetchJwks: FetchJwks;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Keys are asked for anew after this long, so that a key an issuer withdrew stops working. */
  maxAgeMs: number;
  /** An unknown key id makes us ask again only after this long, however many unknown key ids come. */
  unknownKeyCooldownMs: number;
  /** After a failed fetch, an issuer whose key is needed is left alone for this long. */
  failureCooldownMs: number;
  /** The same where the key is known and only due to be asked for anew, so that a slow issuer slows few requests. */
  staleRetryMs: number;
  /** Known keys keep working for this long while the issuer cannot be reached. */
  maxStaleMs: number;
}

interface Entry {
  jwks?: Jwks;
  fetchedAtMs: number;
  failedAtMs: number;
  fetching?: Promise<void>;
}

/**
 * The issuers' keys, with a bound on how often an issuer is asked: one fetch at a time each, and none within the
 * cool-downs. Known keys outlive an outage of their issuer; only what needs a key that we do not have waits for it.
 */
export function jwksCache(options: JwksCacheOptions): JwksCache {
  const entries = new Map<string, Entry>();
  const entryOf = (jwksUri: string): Entry => {
    let entry = entries.get(jwksUri);
    if (entry === undefined) {
      entry = { fetchedAtMs: Number.NEGATIVE_INFINITY, failedAtMs: Number.NEGATIVE_INFINITY };
      entries.set(jwksUri, entry);
    }
    return entry;
  };

  function store(entry: Entry, jwks: Jwks): void {
    entry.jwks = jwks;
    entry.fetchedAtMs = options.now();
    entry.failedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Fetches unless the last failure is too fresh; what came of it is in the entry. */
  function refresh(jwksUri: string, entry: Entry, cooldownMs: number): Promise<void> {
    if (options.now() - entry.failedAtMs < cooldownMs) return Promise.resolve();
    entry.fetching ??= options
      .fetchJwks(jwksUri)
      .then(
        (jwks) => store(entry, jwks),
        () => {
          entry.failedAtMs = options.now();
        },
      )
      .finally(() => {
        delete entry.fetching;
      });
    return entry.fetching;
  }

  function usableKey(entry: Entry, kid: string): JwkWithKid | undefined {
    if (options.now() - entry.fetchedAtMs > options.maxAgeMs + options.maxStaleMs) return undefined;
    return entry.jwks?.keys.find((jwk): jwk is JwkWithKid => jwk.kid === kid);
  }

  return {
    async getJwk(jwksUri, { header: { kid } }) {
      if (typeof kid !== 'string') throw new JwtWithoutValidKidError('JWT header does not have a valid kid');
      const entry = entryOf(jwksUri);
      const ageMs = options.now() - entry.fetchedAtMs;
      if (usableKey(entry, kid) === undefined) {
        if (ageMs >= options.unknownKeyCooldownMs) await refresh(jwksUri, entry, options.failureCooldownMs);
      } else if (ageMs > options.maxAgeMs) {
        await refresh(jwksUri, entry, options.staleRetryMs);
      }
      const jwk = usableKey(entry, kid);
      if (jwk !== undefined) return jwk;
      // Only a key set that nothing failed after, and that has keys at all, can say that there is no such key.
      const latest = entry.failedAtMs > Number.NEGATIVE_INFINITY ? undefined : entry.jwks;
      if (!latest?.keys.length) throw new FetchError(jwksUri, 'the key set cannot be had');
      throw new KidNotFoundInJwksError('No key with this kid in the key set');
    },
    getCachedJwk() {
      throw new JwksNotAvailableInCacheError('Keys are only looked up asynchronously');
    },
    async getJwks(jwksUri) {
      const entry = entryOf(jwksUri);
      await refresh(jwksUri, entry, options.failureCooldownMs);
      if (entry.jwks === undefined) throw new FetchError(jwksUri, 'the key set cannot be had');
      return entry.jwks;
    },
    addJwks(jwksUri, jwks) {
      store(entryOf(jwksUri), jwks);
    },
  };
}
