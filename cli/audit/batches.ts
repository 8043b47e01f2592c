import { beginningOfBatch } from '../../lambda/audit/batch-id.ts';
import {
  type CallerFacts,
  callerNamed,
  type DenialRecord,
  type IntentRecord,
  type OutcomeRecord,
  type OutcomeState,
} from '../../lambda/audit/records.ts';

/** What the audit knows of one batch: its records, paired by batch id. `OPEN` is an intent without an outcome. */
export interface Batch {
  batchId: string;
  meetingId: string;
  state: OutcomeState | 'OPEN' | 'DENIED';
  /** Absent for a denial, and where its expiry came a moment before its outcome's. */
  intent?: IntentRecord;
  outcome?: OutcomeRecord;
  denial?: DenialRecord;
}

/** An entry of the admission table with what the audit table says of its batch. */
export interface Admission {
  externalUserId: string;
  attendeeId: string;
  meetingId: string;
  batchId: string;
  /** When the batch began, ISO 8601 in UTC. */
  time: string;
  /** Absent, as `callerId`, where the batch's records have expired. */
  state?: OutcomeState | 'OPEN';
  callerId?: string;
}

/** One attendee of a batch, whatever became of it. */
export interface AttendeeLine {
  result: 'issued' | 'withheld' | 'error' | 'not issued' | 'open';
  externalUserId: string;
  attendeeId?: string;
  capabilities?: IntentRecord['requested'][number]['capabilities'];
  /** The rule that withheld it, Chime's error, or whose it is. */
  reason?: string;
}

/** A batch of a denial or of the records with one batch id. */
export function batchOf(records: {
  intent?: IntentRecord | undefined;
  outcome?: OutcomeRecord | undefined;
  denial?: DenialRecord | undefined;
}): Batch | undefined {
  const { intent, outcome, denial } = records;
  const record = denial ?? outcome ?? intent;
  if (record === undefined) return undefined;
  return {
    batchId: record.batchId,
    meetingId: record.meetingId,
    state: denial ? 'DENIED' : (outcome?.state ?? 'OPEN'),
    ...(intent && { intent }),
    ...(outcome && { outcome }),
    ...(denial && { denial }),
  };
}

/** Who asked for a batch; parts that its records do not have are empty. */
export function callerOf({ intent, denial }: Batch): CallerFacts | undefined {
  if (intent !== undefined) return intent.caller;
  if (denial === undefined) return undefined;
  const named = denial.callerId === undefined ? undefined : callerNamed(denial.callerId);
  return { issuer: '', clientId: '', subject: '', ...denial.caller, ...named };
}

/** When a batch began, ISO 8601 in UTC, as its id says; empty for what is no batch id. */
export function timeOfBatch(batchId: string): string {
  const timeMs = beginningOfBatch(batchId);
  return Number.isNaN(timeMs) ? '' : new Date(timeMs).toISOString();
}

/** Everyone that a batch asked for or got, each once. */
export function attendeesOf({ intent, outcome }: Batch): AttendeeLine[] {
  const { issued = [], withheld = [], errors = [], heldElsewhere = [] } = outcome ?? {};
  const accounted = [...issued, ...withheld, ...errors].map(({ externalUserId }) => externalUserId);
  const unaccounted = (intent?.requested ?? []).filter(({ externalUserId }) => {
    // One entry answers for one request, so that a name asked for twice is accounted for twice.
    const index = accounted.indexOf(externalUserId);
    if (index >= 0) accounted.splice(index, 1);
    return index < 0;
  });
  return [
    ...issued.map((attendee) => ({ result: 'issued' as const, ...attendee })),
    ...withheld.map(({ rule, ...attendee }) => ({ result: 'withheld' as const, ...attendee, reason: rule })),
    ...errors.map(({ externalUserId, errorCode, errorMessage }) => ({
      result: 'error' as const,
      externalUserId,
      reason: `${errorCode}: ${errorMessage}`,
    })),
    ...unaccounted.map((attendee) => {
      const held = heldElsewhere.filter(({ externalUserId }) => externalUserId === attendee.externalUserId);
      return {
        result: outcome === undefined ? ('open' as const) : ('not issued' as const),
        ...attendee,
        ...(held.length > 0 && {
          reason: held
            .map(({ attendeeId, batchId }) => `attendee ${attendeeId} is of batch ${batchId}`)
            .join(', '),
        }),
      };
    }),
  ];
}

/** What there is to say of a batch beside its attendees. */
export function remarkOn({ state, intent, outcome, denial }: Batch): string {
  const remarks = [
    denial && `denied by the rule ${denial.rule}`,
    state === 'OPEN' && intent && `deadline ${intent.deadline}`,
    outcome?.refusal && `${outcome.refusal.code}: ${outcome.refusal.message}`,
    outcome?.delivered === false && outcome.issued.length > 0 && 'tokens not delivered',
    outcome?.attribution && `attribution ${outcome.attribution}`,
    // Of the reconciler's outcomes all say so: it writes them first.
    outcome?.admissions === 'pending' && outcome.writtenBy === 'handler' && 'admissions entered later',
  ];
  return remarks.filter(Boolean).join('; ');
}
