import { isUtf8 } from 'node:buffer';
import type { Objects } from '../aws/s3-objects.ts';
import { beginningOfHour, HOUR_MS, hourAt, hourOfKey, sealKey } from './seals.ts';

/** The objects of one chain of seals. None is ever replaced. */
export interface SealStore {
  /** The newest hour that has an object, of those up to one. */
  newest(upTo: string): Promise<string | undefined>;
  /** @returns undefined where the hour has no object */
  read(hour: string): Promise<string | undefined>;
  /** @returns false where the hour has an object already, which stays as it is */
  write(hour: string, text: string): Promise<boolean>;
}

/** A sealer that runs finds the newest seal among the last hours: all keys are listed only after a longer pause. */
const RECENT_HOURS = 72;

/** The seals of one facade. */
export function createSealStore(objects: Objects, { prefix }: { prefix: string }): SealStore {
  return {
    async newest(upTo) {
      const recent = hourAt(beginningOfHour(upTo) - RECENT_HOURS * HOUR_MS);
      return (await newestAfter(sealKey(prefix, recent), upTo)) ?? newestAfter(undefined, upTo);
    },

    async read(hour) {
      const bytes = await objects.read(sealKey(prefix, hour));
      if (bytes === undefined) return undefined;
      // What is no text is no seal, and must not become one by replaced characters.
      return isUtf8(bytes) ? bytes.toString('utf8') : '';
    },

    write: (hour, text) => objects.put(sealKey(prefix, hour), text),
  };

  async function newestAfter(after: string | undefined, upTo: string): Promise<string | undefined> {
    let newest: string | undefined;
    for await (const keys of objects.keys(prefix, after)) {
      for (const key of keys) {
        const hour = hourOfKey(prefix, key);
        if (hour !== undefined && hour <= upTo) newest = hour;
      }
    }
    return newest;
  }
}
