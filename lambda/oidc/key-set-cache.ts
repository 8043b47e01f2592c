import type { KeySet } from './key-set.ts';

export interface KeySetCacheOptions {
  /** Rejects if the key set cannot be fetched in time or is not a key set. */
  fetchKeySet(jwksUri: string, timeoutMs: number): Promise<KeySet>;
  onFailure(jwksUri: string, error: unknown): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The longest wait for a key set. */
  timeoutMs: number;
  /** Keys are fetched again after this time, so that a withdrawn key stops working. */
  maxAgeMs: number;
  /** An unknown key id causes another fetch only after this time, however many unknown key ids arrive. */
  unknownKeyCooldownMs: number;
  /** After a failed fetch, an issuer whose key is needed is not asked again for this time. */
  failureCooldownMs: number;
  /** The same if the key is known and only due for renewal, so that a slow issuer slows few requests. */
  staleRetryMs: number;
  /** Known keys keep working for this long while the issuer cannot be reached. */
  maxStaleMs: number;
}

export interface KeySetCache {
  /**
   * Fetches a set before a request needs it; not awaited. A request that needs it meanwhile waits for it. Only success
   * is kept: a process may be frozen during the fetch, and wake up to a time-out that says nothing about the issuer.
   */
  prefetch(jwksUri: string): void;
  /** The known set; undefined if there never was one, or if it is too old. */
  known(jwksUri: string): KeySet | undefined;
  /** Whether the set is known and no later fetch failed: only such a set can prove that a key is missing. */
  isCurrent(jwksUri: string): boolean;
  /** For a set that has the needed key: fetches it again if due. */
  renew(jwksUri: string): Promise<void>;
  /** For a set that lacks the needed key: fetches it again, within the cool-downs. */
  ask(jwksUri: string): Promise<void>;
}

interface Entry {
  keySet?: KeySet;
  fetchedAtMs: number;
  failedAtMs: number;
  fetching?: Promise<void>;
  /** Resolves to the error of a fetch that failed. */
  prefetching?: Promise<unknown> | undefined;
}

/** With less time left, a failed fetch is not retried. */
const MIN_FETCH_MS = 250;

/**
 * The issuers' keys, with a bound on requests to each issuer: one fetch at a time, and none within the cool-downs.
 * Known keys outlive an outage of their issuer; only a request that needs an unknown key waits.
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

  /** The age of a set counts from here: a process may be frozen during the fetch. */
  async function fetchInto(entry: Entry, jwksUri: string, timeoutMs: number): Promise<void> {
    const startedAtMs = options.now();
    entry.keySet = await options.fetchKeySet(jwksUri, timeoutMs);
    entry.fetchedAtMs = startedAtMs;
    entry.failedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Joins a prefetch in progress; if it fails, the remaining time is for the request's own fetch. */
  async function fetchOrJoin(entry: Entry, jwksUri: string): Promise<void> {
    let leftMs = options.timeoutMs;
    if (entry.prefetching !== undefined) {
      const startedAtMs = options.now();
      const error = await entry.prefetching;
      if (error === undefined) return;
      leftMs = Math.min(leftMs, leftMs - (options.now() - startedAtMs));
      if (leftMs < MIN_FETCH_MS) throw error;
    }
    await fetchInto(entry, jwksUri, leftMs);
  }

  /** Fetches unless the last failure is too recent; the entry holds the result. */
  function refresh(jwksUri: string, entry: Entry, cooldownMs: number): Promise<void> {
    if (options.now() - entry.failedAtMs < cooldownMs) return Promise.resolve();
    entry.fetching ??= fetchOrJoin(entry, jwksUri)
      .catch((error: unknown) => {
        entry.failedAtMs = options.now();
        options.onFailure(jwksUri, error);
      })
      .finally(() => {
        delete entry.fetching;
      });
    return entry.fetching;
  }

  return {
    prefetch(jwksUri) {
      const entry = entryOf(jwksUri);
      entry.prefetching ??= fetchInto(entry, jwksUri, options.timeoutMs)
        .catch((error: unknown) => error)
        .finally(() => {
          delete entry.prefetching;
        });
    },
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
