import type { KeySet } from './key-set.ts';

export interface KeySetCacheOptions {
  /** Rejects if the key set cannot be fetched in time or is none. */
  fetchKeySet(jwksUri: string, timeoutMs: number): Promise<KeySet>;
  onFailure(jwksUri: string, error: unknown): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The longest that anything waits for a key set. */
  timeoutMs: number;
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
  /**
   * Fetches a set that no request needs yet; awaited by no one. Who needs it meanwhile waits for it. Only success is
   * remembered: a process may be frozen while it fetches, and wake up to a time-out that says nothing of the issuer.
   */
  prefetch(jwksUri: string): void;
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
  /** Resolves to the error of a fetch that failed. */
  prefetching?: Promise<unknown> | undefined;
}

/** With less time left, a fetch that failed is not tried again. */
const MIN_FETCH_MS = 250;

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

  /** The age of a set counts from here, so that a process that was frozen meanwhile does not take it for new. */
  async function fetchInto(entry: Entry, jwksUri: string, timeoutMs: number): Promise<void> {
    const startedAtMs = options.now();
    entry.keySet = await options.fetchKeySet(jwksUri, timeoutMs);
    entry.fetchedAtMs = startedAtMs;
    entry.failedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Joins a prefetch that is under way; where that fails, the time that is left is for a fetch of the request's own. */
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

  /** Fetches unless the last failure is too fresh; what came of it is in the entry. */
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
