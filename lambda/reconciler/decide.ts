import type { SeenAttendee } from '../audit/ports.ts';
import type { IntentRecord, OutcomeRecord, OutcomeState } from '../audit/records.ts';
import type { IssuedAttendee } from '../model/attendees.ts';

/** What is known of an intent without outcome at the time of the decision. */
export interface Evidence {
  intent: Pick<IntentRecord, 'requested'>;
  /** Whether the meeting is gone, so that its attendees can no longer be listed. */
  gone: boolean;
  /** The attendees with requested names that any look found. */
  seen: readonly SeenAttendee[];
  /** By attendee id, another batch whose outcome holds the attendee. */
  holders: ReadonlyMap<string, string>;
  /** Whether another batch may have created an attendee: one without outcome that had asked for the name by then. */
  isContested(attendee: SeenAttendee): boolean;
}

export interface Findings {
  state: Extract<OutcomeState, 'RECOVERED' | 'NOT_ISSUED' | 'UNRESOLVED'>;
  issued: IssuedAttendee[];
  attribution?: 'sole' | 'ambiguous';
  heldElsewhere: NonNullable<OutcomeRecord['heldElsewhere']>;
}

/**
 * Decides the outcome of an intent from the existing attendees. Every attendee with a requested name ends in some
 * outcome: in that of another batch, if it is there, or else in this one, even if another may have created it
 * (`ambiguous`). So no attendee is lost, whether or not Chime gives the same attendee for the same name again.
 */
export function decide({ intent, gone, seen, holders, isContested }: Evidence): Findings {
  const asked = countByName(intent.requested);
  const heldElsewhere = seen.flatMap(({ externalUserId, attendeeId }) => {
    const batchId = holders.get(attendeeId);
    return batchId === undefined ? [] : [{ externalUserId, attendeeId, batchId }];
  });
  const own = seen.filter(({ attendeeId }) => !holders.has(attendeeId));
  const present = countByName(own);
  const complete = [...asked].every(([name, count]) => (present.get(name) ?? 0) >= count);
  const sole =
    [...present].every(([name, count]) => count <= (asked.get(name) ?? 0)) && !own.some(isContested);
  const found = own.length === 0 ? 'NOT_ISSUED' : 'RECOVERED';
  return {
    state: gone && !complete ? 'UNRESOLVED' : found,
    issued: own.map(({ seenAt: _, ...attendee }) => attendee),
    heldElsewhere,
    ...(own.length > 0 && { attribution: sole ? 'sole' : 'ambiguous' }),
  };
}

function countByName(attendees: readonly { externalUserId: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { externalUserId } of attendees)
    counts.set(externalUserId, (counts.get(externalUserId) ?? 0) + 1);
  return counts;
}
