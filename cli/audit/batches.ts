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
import type { AttendeeLine, Result, State } from './words.ts';

/**
 * What the audit knows of one batch: its records, paired by batch id. `OPEN` is an intent without an outcome; `DAMAGED` one
 * whose outcome, or whose only record, cannot be read.
 */
export interface Batch {
  batchId: string;
  meetingId: string;
  state: State;
  /** Absent for a denial, and where its expiry came a moment before its outcome's. */
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  denial?: DenialRecord;
}

/** A record that is there and cannot be read. */
export interface DamagedRecord {
  meetingId: string;
  batchId: string;
  kind: 'damaged';
  /** The kind that its key gives. */
  damaged: AuditRecord['kind'];
}

/** An entry of the admission table with what the audit table says of its batch. */
export interface Admission extends Omit<AttendeeLine, 'reason'> {
  attendeeId: string;
  meetingId: string;
  externalMeetingId?: string;
  batchId: string;
  /** When the batch began, ISO 8601 in UTC. */
  time: string;
  result: Result;
  reason?: string;
  /** Absent, as what follows, where the batch's records have expired. */
  state?: State;
  callerId?: string;
  caller?: CallerFacts;
  rulesDigest?: string;
  functionVersion?: string;
  chimeRequestId?: string;
  expiresAt?: number;
  /** Not for people. */
  batch?: Batch;
}

/** The batch of the records with one batch id. */
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

/** Who asked for a batch; parts that its records do not have are empty. */
export function callerOf({ intent, denial }: Batch): CallerFacts | undefined {
  const record = intent ?? denial;
  if (record === undefined) return undefined;
  const named = record.callerId === undefined ? undefined : callerNamed(record.callerId);
  return { issuer: '', clientId: '', subject: '', ...record.caller, ...named } as CallerFacts;
}

/** The name by which `--caller` asks for who asked for a batch; undefined where its records do not say. */
export function callerIdOf(batch: Batch): string | undefined {
  const recorded = (batch.intent ?? batch.denial)?.callerId;
  const caller = callerOf(batch);
  return recorded ?? (caller?.issuer ? callerId(caller) : undefined);
}

/** What its creator called the meeting, where that is on record. */
export function externalMeetingIdOf({ intent, denial }: Batch): string | undefined {
  return (intent ?? denial)?.externalMeetingId;
}

/** When a batch began, ISO 8601 in UTC, as its id says; empty for what is no batch id. */
export function timeOfBatch(batchId: string): string {
  const timeMs = beginningOfBatch(batchId);
  return Number.isNaN(timeMs) ? '' : new Date(timeMs).toISOString();
}

/** What there is to say of a batch beside its attendees. */
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
    // Of the reconciler's outcomes all say so: it writes them first.
    outcome?.admissions === 'pending' && outcome.writtenBy === 'handler' && 'admissions entered later',
  ];
  return remarks.filter(Boolean).join('; ');
}
