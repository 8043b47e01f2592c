import type { IssuerRules } from '../model/issuer-rules.ts';
import type { Clock } from '../model/ports.ts';
import { fetchKeySet, KeySetFetchError } from './fetch-key-set.ts';
import { createKeySetCache, type KeySetCache } from './key-set-cache.ts';
import type { Report } from './token-refusals.ts';

/** How each process asks each issuer for its keys; docs/authorization.md has the totals. */
export const KEY_FETCHING = {
  timeoutMs: 2_000,
  maxBytes: 512 * 1_024,
  maxAgeMs: 10 * 60_000,
  maxStaleMs: 60 * 60_000,
  unknownKeyCooldownMs: 10_000,
  failureCooldownMs: 2_000,
  staleRetryMs: 30_000,
  prefetchedIssuers: 3,
};

/** The issuers' keys, fetched by the limits above. Loads no library, so that a fetch can begin before anything else. */
export function createIssuerKeys(clock: Clock, report: Report): KeySetCache {
  return createKeySetCache({
    ...KEY_FETCHING,
    now: clock.now,
    fetchKeySet: (jwksUri, timeoutMs) => fetchKeySet(jwksUri, { ...KEY_FETCHING, timeoutMs }),
    onFailure: (jwksUri, error) =>
      report('keys not fetched', {
        jwksUri,
        ...(error instanceof KeySetFetchError ? error.facts : { problem: 'unexpected' }),
      }),
  });
}

/** Fetches the keys of the first issuers before a token needs them; not awaited, and only success is kept. */
export function prefetchKeys(issuers: readonly IssuerRules[], cache: KeySetCache): void {
  const first = issuers.slice(0, KEY_FETCHING.prefetchedIssuers);
  for (const jwksUri of first.flatMap(({ jwksUris }) => jwksUris)) cache.prefetch(jwksUri);
}
