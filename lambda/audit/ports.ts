import type { IssuedAttendee } from '../model/attendees.ts';
import type { CallOptions } from '../model/ports.ts';
import type { AdmissionRecord, DenialRecord, IntentRecord, OutcomeRecord } from './records.ts';

/** The append-only record. Each write rejects if it is not known to be durable in time. */
export interface AuditLog {
  recordIntent(intent: IntentRecord, options: CallOptions): Promise<void>;
  /** @returns whether this very outcome is the one on record; false means that another writer was first */
  recordOutcome(outcome: OutcomeRecord, options: CallOptions): Promise<boolean>;
  recordDenial(denial: DenialRecord, options: CallOptions): Promise<void>;
  /** Writes the derived entries of an outcome. */
  recordAdmissions(outcome: OutcomeRecord, options: CallOptions): Promise<void>;
}

/** Where in the audit a batch is. */
export interface BatchKey {
  meetingId: string;
  batchId: string;
}

/** An item that is not as Usher writes it: a person wrote it. */
export interface Unreadable {
  /** What the item gives for one. */
  batchId: string;
  unreadable: true;
}

/** An attendee that a look found, and when (ISO 8601) a look found it first. */
export interface SeenAttendee extends IssuedAttendee {
  seenAt: string;
}

/** A batch that the reconciler has to finish: one without outcome, or whose admissions may be incomplete. */
export interface OpenIntent extends BatchKey {
  /** ISO 8601, as are the others. */
  noticedAt: string;
  /** Whether its outcome was on record already: only its admissions have to be completed. */
  settled: boolean;
  /** Each look raises it by one, and saving goes by it. */
  looks: number;
  /** Since when all looks found the same: the meeting, or that it is gone. */
  agreed?: { since: string; gone: boolean };
  /** Attendees that looks found: one that is gone by the next look existed nevertheless. */
  seen: SeenAttendee[];
}

/** `fast` finds what a handler could not finish, minutes later; `slow` finds what was not in the index by then. */
export type Cursor = 'fast' | 'slow';

/** How far a cursor came. */
export interface Mark {
  /** Every intent begun before this instant (ISO 8601) is complete or on the list. */
  through: string;
  /** The last batch id that it passed, where it stopped between two. */
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

/** What an earlier version had on its list. */
export type EarlierEntry = Pick<OpenIntent, 'meetingId' | 'batchId' | 'seen'>;

/** What is to be finished yet. */
export interface Unfinished {
  /** How many batches are open, as far as they were counted. */
  open: number;
  /** How many have their outcome and wait for their admissions, as far as they were counted. */
  incomplete: number;
  /** The oldest of either kind. */
  oldestOpen: BatchKey | undefined;
  oldestIncomplete: BatchKey | undefined;
}

/** The reconciler's working state. All of it can be lost and made again from the audit. */
export interface OpenIntents {
  /** Records that a run begins. @returns when the run before began (ISO 8601), where that is known */
  beginRun(at: string): Promise<string | undefined>;
  mark(cursor: Cursor): Promise<Mark | undefined>;
  /** @returns false where the cursor is not at `from` any more, and stays where it is */
  moveMark(cursor: Cursor, from: Mark | undefined, to: Mark): Promise<boolean>;
  /**
   * Puts a batch under its meeting, and the meeting into the queue. What is there already stays as it is.
   *
   * @returns whether the batch is new there
   */
  notice(entry: OpenIntent, due: string): Promise<boolean>;
  /** The meetings that are due from one instant to another, the one that waits longest first. */
  dueMeetings(span: { from?: string; to?: string }, limit: number): Promise<DueMeeting[]>;
  /** Moves a meeting in the queue. @returns undefined where another run has moved it */
  claim(meeting: DueMeeting, due: string): Promise<ClaimedMeeting | undefined>;
  /** Takes a meeting out of the queue, unless a batch of it was noticed since it was claimed. */
  release(meeting: ClaimedMeeting): Promise<void>;
  /** The batches under a meeting, oldest first. */
  entries(meetingId: string, after: string | undefined, limit: number): Promise<(OpenIntent | Unreadable)[]>;
  /** @returns false where the entry is gone or another look was saved since it had these `looks` */
  save(entry: OpenIntent, looks: number): Promise<boolean>;
  remove(key: BatchKey): Promise<void>;
  unfinished(): Promise<Unfinished>;
  /** The list of an earlier version, which had one for all meetings. */
  earlierList(after: string | undefined, limit: number): Promise<(EarlierEntry | Unreadable)[]>;
  removeEarlier(batchId: string): Promise<void>;
}

/** What the reconciler reads of the audit. */
export interface AuditReader {
  /**
   * Keys of the intents begun from a mark, or after its batch, to an instant (milliseconds since the epoch, included), by time, in
   * pages of which none is empty.
   */
  intentsBegun(from: Mark, toMs: number): AsyncIterable<(BatchKey | Unreadable)[]>;
  /** By batch id, what the outcomes say of their admissions; an outcome of the last seconds may be missed. */
  admissionsNoted(keys: readonly BatchKey[]): Promise<Map<string, OutcomeRecord['admissions']>>;
  /** By batch id, what is on record at this moment. */
  batches(keys: readonly BatchKey[]): Promise<Map<string, Batch>>;
  /**
   * By attendee id, a batch of the meeting whose outcome holds the attendee. The index by attendee may be late, so one may
   * be missed; one that is named was read in the outcome.
   */
  holders(meetingId: string, attendeeIds: readonly string[]): Promise<Map<string, string>>;
}

export interface Batch {
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  /** Either is not as Usher writes it. */
  unreadable?: true;
}

/** The derived entries of single batches. */
export interface Admissions {
  /** Writes the entries of a batch over whatever is there. */
  enter(admissions: readonly AdmissionRecord[], options: CallOptions): Promise<void>;
  ofBatch(batchId: string, externalUserIds: readonly string[]): Promise<AdmissionRecord[]>;
  remove(admissions: readonly AdmissionRecord[]): Promise<void>;
}
