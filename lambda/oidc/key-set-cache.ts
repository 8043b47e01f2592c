import type { KeySet } from './key-set.ts';

export interface KeySetCacheOptions {
  /** Rejects if the key set cannot be fetched in time or is none. */
  fetchKeySet(jwksUri: string): Promise<KeySet>;
  onFailure(jwksUri: string, error: unknown): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Keys are fetched again after this long, so that a key an issuer withdrew stops working. */
  maxAgeMs: number;
  /** An unknown key id causes another fetch only after this long, however many unknown key ids come. */
  unknownKeyCooldownMs: number;
  /** After a failed fetch, an issuer whose key is needed is left alone for this long. */
  failureCooldownMs: number;
  /** The same where the key is known and only due to be fetched again, so that a slow issuer slows few requests. */
  staleRetryMs: number;
  /** Known keys keep working for this long while the issuer cannot be reached. */
  maxStaleMs: number;
}

export interface KeySetCache {
  /** The set as it is known; undefined if it never was, or not for too long. */
  known(jwksUri: string): KeySet | undefined;
  /** Whether the set is known and no later fetch failed: only such a set can say that it lacks a key. */
  isCurrent(jwksUri: string): boolean;
  /** For a set with the key that is needed: fetches it again where it is due. */
  renew(jwksUri: string): Promise<void>;
  /** For a set without the key that is needed: fetches it again, but no more often than the cool-downs say. */
  ask(jwksUri: string): Promise<void>;
}

interface Entry {
  keySet?: KeySet;
  fetchedAtMs: number;
  failedAtMs: number;
  fetching?: Promise<void>;
}

/**
 * The issuers' keys, with a bound on how often an issuer is asked: one fetch at a time each, and none within the
 * cool-downs. Known keys outlive an outage of their issuer; only what needs a key that we do not have waits for it.
 */
export function createKeySetCache(options: KeySetCacheOptions): KeySetCache {
  const entries = new Map<string, Entry>();
  const entryOf = (jwksUri: string): Entry => {
    let entry = entries.get(jwksUri);
    if (entry === undefined) {
      entry = { fetchedAtMs: Number.NEGATIVE_INFINITY, failedAtMs: Number.NEGATIVE_INFINITY };
      entries.set(jwksUri, entry);
    }
    return entry;
  };
  const ageMsOf = (entry: Entry): number => options.now() - entry.fetchedAtMs;

  /** Fetches unless the last failure is too fresh; what came of it is in the entry. */
  function refresh(jwksUri: string, entry: Entry, cooldownMs: number): Promise<void> {
    if (options.now() - entry.failedAtMs < cooldownMs) return Promise.resolve();
    entry.fetching ??= options
      .fetchKeySet(jwksUri)
      .then(
        (keySet) => {
          entry.keySet = keySet;
          entry.fetchedAtMs = options.now();
          entry.failedAtMs = Number.NEGATIVE_INFINITY;
        },
        (error: unknown) => {
          entry.failedAtMs = options.now();
          options.onFailure(jwksUri, error);
        },
      )
      .finally(() => {
        delete entry.fetching;
      });
    return entry.fetching;
  }

  return {
    known(jwksUri) {
      const entry = entryOf(jwksUri);
      return ageMsOf(entry) > options.maxAgeMs + options.maxStaleMs ? undefined : entry.keySet;
    },
    isCurrent(jwksUri) {
      const entry = entryOf(jwksUri);
      return entry.keySet !== undefined && entry.failedAtMs === Number.NEGATIVE_INFINITY;
    },
    async renew(jwksUri) {
      const entry = entryOf(jwksUri);
      if (ageMsOf(entry) > options.maxAgeMs) await refresh(jwksUri, entry, options.staleRetryMs);
    },
    async ask(jwksUri) {
      const entry = entryOf(jwksUri);
      if (ageMsOf(entry) >= options.unknownKeyCooldownMs) {
        await refresh(jwksUri, entry, options.failureCooldownMs);
      }
    },
  };
}
