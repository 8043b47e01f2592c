import type { SealedRow } from '../audit/seals.ts';

/** The key of a record. */
export interface FactKey {
  meetingId: string;
  recordId: string;
}

/** A record that an index names. One that a person wrote may have any `recordId` and `batchId`. */
export interface IndexedFact extends FactKey {
  batchId: string;
  index: 'byDay' | 'denialsByDay';
}

/** What the sealer reads of the table of facts. */
export interface Facts {
  /**
   * The intents, and then the denials, that the indexes have of these hours (`2026-11-23T13Z`, both included), each by time,
   * in pages. An index may be late.
   */
  indexed(firstHour: string, lastHour: string): AsyncIterable<IndexedFact[]>;
  /** The rows of those of these records that are on record at this moment, each once. */
  rows(keys: readonly FactKey[]): Promise<SealedRow[]>;
}
