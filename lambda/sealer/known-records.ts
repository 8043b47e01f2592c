import { hash } from 'node:crypto';
import type { Seal } from '../audit/seals.ts';
import type { FactKey } from './ports.ts';

/** Which records the seals of the last hours have: of each 72 bits of a hash, so that two busy days fit into the function's memory. */
export class KnownRecords {
  readonly #byHour = new Map<string, Set<string>>();

  add({ hour, records, late }: Seal): void {
    const marks = new Set<string>();
    for (const rows of [records, late]) {
      for (const [meetingId, recordId] of rows) marks.add(markOf({ meetingId, recordId }));
    }
    this.#byHour.set(hour, marks);
  }

  /** Forgets what seals of earlier hours have. */
  forgetBefore(hour: string): void {
    for (const known of this.#byHour.keys()) if (known < hour) this.#byHour.delete(known);
  }

  /** @param likely the hour whose seal is the likeliest to have it */
  has(key: FactKey, likely: string): boolean {
    const mark = markOf(key);
    if (this.#byHour.get(likely)?.has(mark)) return true;
    for (const marks of this.#byHour.values()) if (marks.has(mark)) return true;
    return false;
  }
}

function markOf({ meetingId, recordId }: FactKey): string {
  return hash('sha256', `${meetingId}\n${recordId}`, 'base64').slice(0, 12);
}
