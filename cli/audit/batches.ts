import { beginningOfBatch } from '../../lambda/audit/batch-id.ts';
import {
  type AuditRecord,
  type CallerFacts,
  callerId,
  callerNamed,
  type DenialRecord,
  type IntentRecord,
  type OutcomeRecord,
} from '../../lambda/audit/records.ts';
import type { AttendeeLine, PresenceOf, Result, State } from './words.ts';

/**
 * The records of one batch, paired by batch id. `OPEN` is an intent without an outcome; `DAMAGED` has an unreadable
 * outcome, or only unreadable records.
 */
export interface Batch {
  batchId: string;
  meetingId: string;
  state: State;
  /** Absent for a denial, and if it expired a moment before its outcome. */
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  denial?: DenialRecord;
  /** What Chime's events say of its attendees, if they are known. Not for people. */
  presenceOf?: PresenceOf;
  /** Attendees of the meeting that no record explains, in place of a batch. Not for people: they are in `attendees`. */
  withoutRecord?: AttendeeLine[];
}

/** An existing record that cannot be read. */
export interface DamagedRecord {
  meetingId: string;
  batchId: string;
  kind: 'damaged';
  /** The kind in its key. */
  damaged: AuditRecord['kind'];
}

/** An item of the admission table with the records of its batch. */
export interface Admission extends Omit<AttendeeLine, 'reason'> {
  attendeeId: string;
  meetingId: string;
  externalMeetingId?: string;
  batchId: string;
  /** When the batch began, ISO 8601 in UTC. */
  time: string;
  result: Result;
  reason?: string;
  /** Absent, like the following, if the batch's records have expired. */
  state?: State;
  callerId?: string;
  caller?: CallerFacts;
  rulesDigest?: string;
  functionVersion?: string;
  chimeRequestId?: string;
  expiresAt?: number;
  /** Not shown to people. */
  batch?: Batch;
}

/** The batch of records with one batch id. */
export function batchOf(records: readonly (AuditRecord | DamagedRecord)[]): Batch | undefined {
  const [first] = records;
  if (first === undefined) return undefined;
  const batch: Batch = { batchId: first.batchId, meetingId: first.meetingId, state: 'OPEN' };
  const damaged = new Set<string>();
  for (const record of records) {
    if (record.kind === 'damaged') damaged.add(record.damaged);
    else Object.assign(batch, { [record.kind]: record });
  }
  const { intent, outcome, denial } = batch;
  const isDamaged = damaged.has('outcome') || (intent ?? outcome ?? denial) === undefined;
  batch.state = denial ? 'DENIED' : (outcome?.state ?? (isDamaged ? 'DAMAGED' : 'OPEN'));
  return batch;
}

/** The caller of a batch; parts that its records lack are empty. */
export function callerOf({ intent, denial }: Batch): CallerFacts | undefined {
  const record = intent ?? denial;
  if (record === undefined) return undefined;
  const named = record.callerId === undefined ? undefined : callerNamed(record.callerId);
  return { issuer: '', clientId: '', subject: '', ...record.caller, ...named } as CallerFacts;
}

/** The caller id that `--caller` takes; undefined if the records lack it. */
export function callerIdOf(batch: Batch): string | undefined {
  const recorded = (batch.intent ?? batch.denial)?.callerId;
  const caller = callerOf(batch);
  return recorded ?? (caller?.issuer ? callerId(caller) : undefined);
}

/** The name that the meeting's creator gave it, if recorded. */
export function externalMeetingIdOf({ intent, denial }: Batch): string | undefined {
  return (intent ?? denial)?.externalMeetingId;
}

/** When a batch began, ISO 8601 in UTC, from its id; empty if that is not a batch id. */
export function timeOfBatch(batchId: string): string {
  const timeMs = beginningOfBatch(batchId);
  return Number.isNaN(timeMs) ? '' : new Date(timeMs).toISOString();
}

/** Remarks on a batch as a whole. */
export function remarkOn({ state, intent, outcome, denial }: Batch, nowMs = Date.now()): string {
  const expiresAt = intent?.expiresAt;
  const remarks = [
    denial && `denied by the rule ${denial.rule}`,
    state === 'OPEN' && intent && `deadline ${intent.deadline}`,
    state === 'OPEN' &&
      expiresAt !== undefined &&
      expiresAt * 1000 <= nowMs &&
      'the batch has expired: its outcome may already be deleted',
    state === 'DAMAGED' && 'a record of this batch cannot be read',
    outcome && !intent && 'the intent has expired or cannot be read',
    outcome?.refusal && `${outcome.refusal.code}: ${outcome.refusal.message}`,
    outcome?.delivered === false && outcome.issued.length > 0 && 'tokens not delivered',
    outcome?.attribution && `attribution ${outcome.attribution}`,
    // Not for the reconciler's outcomes: it writes them before the admissions.
    outcome?.admissions === 'pending' && outcome.writtenBy === 'handler' && 'admissions written later',
  ];
  return remarks.filter(Boolean).join('; ');
}
