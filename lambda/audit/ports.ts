import type { IssuedAttendee } from '../model/attendees.ts';
import type { CallOptions } from '../model/ports.ts';
import type { AdmissionRecord, DenialRecord, IntentRecord, OutcomeRecord } from './records.ts';

/** The append-only record. Each write rejects unless the record is known to be durable in time. */
export interface AuditLog {
  recordIntent(intent: IntentRecord, options: CallOptions): Promise<void>;
  /** @returns whether this very outcome is the recorded one; false means that another writer was first */
  recordOutcome(outcome: OutcomeRecord, options: CallOptions): Promise<boolean>;
  recordDenial(denial: DenialRecord, options: CallOptions): Promise<void>;
  /** Writes the derived items of an outcome. */
  recordAdmissions(outcome: OutcomeRecord, options: CallOptions): Promise<void>;
}

/** The key of a batch in the audit. */
export interface BatchKey {
  meetingId: string;
  batchId: string;
}

/** An item that differs from what Usher writes: a person wrote it. */
export interface Unreadable {
  /** The item's own batch id. */
  batchId: string;
  unreadable: true;
}

/** An attendee that a look found, and when (ISO 8601) a look first found it. */
export interface SeenAttendee extends IssuedAttendee {
  seenAt: string;
}

/** A batch that the reconciler has to finish: one without outcome, or with incomplete admissions. */
export interface OpenIntent extends BatchKey {
  /** ISO 8601, as are the others. */
  noticedAt: string;
  /** Whether its outcome was already on record: only its admissions have to be completed. */
  settled: boolean;
  /** Increases by one with each look; saving is conditional on it. */
  looks: number;
  /** Since when all looks agree: on the meeting, or that it is gone. */
  agreed?: { since: string; gone: boolean };
  /** Attendees that looks found: one that is gone by the next look existed all the same. */
  seen: SeenAttendee[];
}

/** `fast` finds what a handler could not finish, minutes later; `slow` finds what was not in the index by then. */
export type Cursor = 'fast' | 'slow';

/** The position of a cursor. */
export interface Mark {
  /** Every intent begun before this time (ISO 8601) is complete or on the list. */
  through: string;
  /** The last batch id that it passed, if it stopped between two. */
  afterBatch?: string;
}

/** A meeting with batches to finish, in a queue by due time. */
export interface DueMeeting {
  meetingId: string;
  /** ISO 8601. */
  due: string;
}

/** A meeting that this run works on. */
export interface ClaimedMeeting extends DueMeeting {
  /** How often a batch of it was noticed. */
  notices: number;
}

/** An item of an earlier version's list. */
export type EarlierIntent = Pick<OpenIntent, 'meetingId' | 'batchId' | 'seen'>;

/** The unfinished batches. */
export interface Unfinished {
  /** How many batches are open, as far as counted. */
  open: number;
  /** How many have an outcome and wait for their admissions, as far as counted. */
  incomplete: number;
  /** The oldest of either kind. */
  oldestOpen: BatchKey | undefined;
  oldestIncomplete: BatchKey | undefined;
}

/** The reconciler's working state. All of it can be lost and rebuilt from the audit. */
export interface OpenIntents {
  /** Records that a run begins. @returns when the previous run began (ISO 8601), if known */
  beginRun(at: string): Promise<string | undefined>;
  mark(cursor: Cursor): Promise<Mark | undefined>;
  /** @returns false if the cursor is no longer at `from`; then it stays where it is */
  moveMark(cursor: Cursor, from: Mark | undefined, to: Mark): Promise<boolean>;
  /**
   * Puts a batch under its meeting, and the meeting into the queue. Existing items stay as they are.
   *
   * @returns whether the batch is new there
   */
  notice(entry: OpenIntent, due: string): Promise<boolean>;
  /** The meetings that are due within a span of time, the longest waiting first. */
  dueMeetings(span: { from?: string; to?: string }, limit: number): Promise<DueMeeting[]>;
  /** Moves a meeting in the queue. @returns undefined if another run has moved it */
  claim(meeting: DueMeeting, due: string): Promise<ClaimedMeeting | undefined>;
  /** Takes a meeting out of the queue, unless a batch of it was noticed since it was claimed. */
  release(meeting: ClaimedMeeting): Promise<void>;
  /** The batches under a meeting, oldest first. */
  ofMeeting(
    meetingId: string,
    after: string | undefined,
    limit: number,
  ): Promise<(OpenIntent | Unreadable)[]>;
  /** @returns false if the batch is gone or another look was saved since it had these `looks` */
  save(entry: OpenIntent, looks: number): Promise<boolean>;
  remove(key: BatchKey): Promise<void>;
  unfinished(): Promise<Unfinished>;
  /** The list of an earlier version, which had one for all meetings. */
  earlierList(after: string | undefined, limit: number): Promise<(EarlierIntent | Unreadable)[]>;
  removeEarlier(batchId: string): Promise<void>;
}

/** The reconciler's read access to the audit. */
export interface AuditReader {
  /**
   * Keys of the intents begun from a mark, or after its batch, to a time (milliseconds since the epoch, included), by
   * time, in non-empty pages.
   */
  intentsBegun(from: Mark, toMs: number): AsyncIterable<(BatchKey | Unreadable)[]>;
  /** By batch id, what the outcomes say about their admissions; may miss an outcome of the last seconds. */
  admissionsNoted(keys: readonly BatchKey[]): Promise<Map<string, OutcomeRecord['admissions']>>;
  /** By batch id, the records at this moment. */
  batches(keys: readonly BatchKey[]): Promise<Map<string, Batch>>;
  /**
   * By attendee id, a batch of the meeting whose outcome holds the attendee. The index by attendee may be late, so the
   * answer may miss one; a batch in the answer was read in the outcome.
   */
  holders(meetingId: string, attendeeIds: readonly string[]): Promise<Map<string, string>>;
}

export interface Batch {
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  /** Whether either record differs from what Usher writes. */
  unreadable?: true;
}

/** The derived items of single batches. */
export interface Admissions {
  /** Writes the items of a batch, replacing existing ones. */
  write(admissions: readonly AdmissionRecord[], options: CallOptions): Promise<void>;
  ofBatch(batchId: string, externalUserIds: readonly string[]): Promise<AdmissionRecord[]>;
  remove(admissions: readonly AdmissionRecord[]): Promise<void>;
}
