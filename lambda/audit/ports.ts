import type { CallOptions } from '../model/ports.ts';
import type { AdmissionRecord, DenialRecord, IntentRecord, OutcomeRecord } from './records.ts';

/** The append-only record. Each write rejects if it is not known to be durable in time. */
export interface AuditLog {
  recordIntent(intent: IntentRecord, options: CallOptions): Promise<void>;
  /** @returns whether this very outcome is the one on record; false means that another writer was first */
  recordOutcome(outcome: OutcomeRecord, options: CallOptions): Promise<boolean>;
  recordDenial(denial: DenialRecord, options: CallOptions): Promise<void>;
  /** Writes the derived entries of an outcome; rejects if not all of them are known to be durable in time. */
  recordAdmissions(outcome: OutcomeRecord, options: CallOptions): Promise<void>;
}

import type { IssuedAttendee } from '../model/attendees.ts';

/** Where in the audit a batch is. */
export interface BatchKey {
  meetingId: string;
  batchId: string;
}

/** What stands in a table where something else should: nobody but a person writes such a thing. */
export interface Unreadable {
  /** What the item gives for one. */
  batchId: string;
  unreadable: true;
}

/** A batch that the reconciler has to deal with: one without outcome, or whose admissions may be incomplete. */
export interface OpenIntent extends BatchKey {
  /** ISO 8601, as are the others. */
  noticedAt: string;
  /** How often Chime was asked who exists; each look raises it by one, and saving goes by it. */
  looks: number;
  lastLookAt?: string;
  /** When a look at its meeting began last, whatever came of it; of one meeting, the latest counts. */
  lastTryAt?: string;
  /** Attendees that earlier looks found: what is gone by the next look has existed nevertheless. */
  seen: IssuedAttendee[];
}

/** The reconciler's working state. All of it can be lost and made again from the audit. */
export interface OpenIntents {
  /** Every intent begun before this instant (ISO 8601) was looked at; undefined before the first sweep. */
  sweptThrough(): Promise<string | undefined>;
  /** Never moves back. */
  advance(through: string): Promise<void>;
  /** Puts a batch on the list; one that is there already stays as it is. */
  notice(entry: OpenIntent): Promise<void>;
  /** The whole list, oldest batch first. */
  list(): Promise<(OpenIntent | Unreadable)[]>;
  /** @returns false where the entry is gone or has had another look than the `looks` given */
  save(entry: OpenIntent, looks: number): Promise<boolean>;
  remove(key: BatchKey): Promise<void>;
}

/** What the reconciler reads of the audit. */
export interface AuditReader {
  /** Keys of intents begun in this span (milliseconds since the epoch, both ends included), by time, in pages. */
  intentsBegun(fromMs: number, toMs: number): AsyncIterable<(BatchKey | Unreadable)[]>;
  /** By batch id, what the outcomes say of their admissions; an outcome of the last seconds may be missed. */
  admissionsNoted(keys: readonly BatchKey[]): Promise<Map<string, OutcomeRecord['admissions']>>;
  /** By batch id, what is on record at this moment. */
  batches(keys: readonly BatchKey[]): Promise<Map<string, Batch>>;
  /**
   * What is on record of a meeting at this moment, in pages, a batch's intent before its outcome.
   *
   * @throws UnreadableRecord
   */
  meeting(meetingId: string): AsyncIterable<MeetingRecord[]>;
}

export interface Batch {
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  /** Either is not as Usher writes it. */
  unreadable?: true;
}

/** What says who asked for whom in a meeting, and who holds whom. */
export type MeetingRecord =
  | Pick<IntentRecord, 'kind' | 'batchId' | 'requested'>
  | Pick<OutcomeRecord, 'kind' | 'batchId' | 'issued' | 'withheld'>;

/** The derived entries of one batch. */
export interface Admissions {
  /** Writes entries over what is there, 25 in a request and all requests at once; what is put off is sent again. */
  enter(admissions: readonly AdmissionRecord[], options: CallOptions): Promise<void>;
  ofBatch(batchId: string, externalUserIds: readonly string[]): Promise<AdmissionRecord[]>;
  remove(admissions: readonly AdmissionRecord[]): Promise<void>;
}
