import type { Origin, RequestFacts, Stamp } from '../audit/build-records.ts';
import type { AuditLog } from '../audit/ports.ts';
import type { InForce } from '../audit/records.ts';
import type { LogEvent } from '../model/log-events.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { Caller, Clock, Meetings } from '../model/ports.ts';
import type { CallerBudget } from './caller-budget.ts';
import type { MeetingAccess } from './meeting-access.ts';
import type { TimeBudget } from './time-budget.ts';

/** What the operations need. */
export interface Dependencies {
  meetingAccess: MeetingAccess;
  meetings: Pick<Meetings, 'createAttendees'>;
  /** How many denials of one caller are recorded; the others are only logged. */
  denialBudget: CallerBudget;
  auditLog: AuditLog;
  clock: Clock;
  /** `sha256:` and 32 hexadecimal digits. */
  fingerprint(joinToken: string): string;
  randomHex(): string;
  auditRetentionDays: number | undefined;
  inForce: InForce;
  /** The Chime SDK control Region that knows the meetings. */
  meetingsRegion: string;
  addMetrics: AddMetrics;
  /** Logs an event, in words that hold no personal data. */
  report(event: LogEvent, facts: Record<string, string | number | undefined>): void;
}

/** The meeting of a request: every operation is on one meeting. */
export interface Asked {
  /** As the client spells it. */
  meetingId: string;
}

/** A request of a known caller, as all steps after parsing see it. */
export interface CallerRequest<What extends Asked = Asked> {
  /** Minted for this request; identifies it in logs and records. */
  batchId: string;
  caller: Caller;
  origin: Origin;
  budget: TimeBudget;
  asked: What;
}

/** A request as its records have it. */
export function factsOf(
  { batchId, caller, origin, budget, asked }: CallerRequest,
  { auditRetentionDays: days, inForce }: Dependencies,
): RequestFacts {
  return {
    batchId,
    meetingId: asked.meetingId.toLowerCase(),
    caller,
    origin,
    inForce,
    expiresAt: days === undefined ? undefined : Math.floor(budget.startMs / 1000) + days * 86_400,
  };
}

export function stampOf({ clock, randomHex }: Dependencies): Stamp {
  return { nowMs: clock.now(), writerId: randomHex() };
}

/** Messages of foreign errors may quote their input, even a join token: only names are reported. */
export function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}
