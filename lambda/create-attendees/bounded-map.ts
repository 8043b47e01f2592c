/** A map that drops the least recently used entry beyond `limit` entries, so that no flood of keys can fill memory. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  /** Removes every entry whose key matches. */
  deleteWhere(isGone: (key: K) => boolean): void;
}

export function createBoundedMap<K, V>(limit: number): BoundedMap<K, V> {
  // A Map iterates in order of insertion; a used entry is inserted again, so the first key is the least recently used.
  const entries = new Map<K, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > limit) entries.delete(entries.keys().next().value as K);
    },
    deleteWhere(isGone) {
      for (const key of entries.keys()) if (isGone(key)) entries.delete(key);
    },
  };
}
