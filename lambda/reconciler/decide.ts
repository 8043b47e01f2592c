import type { IntentRecord, OutcomeRecord, OutcomeState } from '../audit/records.ts';
import type { IssuedAttendee } from '../model/attendees.ts';
import type { MeetingRecords } from './meeting-records.ts';

/** What is known of an intent without outcome, all of it at the same look. */
export interface Evidence {
  intent: Pick<IntentRecord, 'batchId' | 'requested'>;
  /** Who exists in the meeting. */
  found: readonly IssuedAttendee[];
  /** Whether the meeting is gone, so that nobody can be looked for any more. */
  gone: boolean;
  /** What earlier looks found. */
  seen: readonly IssuedAttendee[];
  /** Whether an earlier look was long enough ago. */
  secondLook: boolean;
  /** What the audit says of `found` and `seen`, read after `found`: whoever made one of them shows there, if only as an intent. */
  records: MeetingRecords;
}

export type Decision = { kind: 'look again'; seen: IssuedAttendee[] } | ({ kind: 'settle' } & Findings);

export interface Findings {
  state: Extract<OutcomeState, 'RECOVERED' | 'NOT_ISSUED' | 'UNRESOLVED'>;
  issued: IssuedAttendee[];
  attribution?: 'sole' | 'ambiguous';
  heldElsewhere: NonNullable<OutcomeRecord['heldElsewhere']>;
}

/**
 * Decides what became of an intent from who exists. Every attendee of a requested name ends in some outcome: in that of
 * another batch, where it is, or else in this one, even where another may have made it (`ambiguous`). So nothing is
 * lost whether or not Chime gives the same attendee for the same name again.
 *
 * One look is enough where everything asked for is there and can only be of this batch. Anything less may still be
 * about to happen, or about to be claimed by a batch on its way, and takes a second look.
 */
export function decide({ intent, found, gone, seen, secondLook, records }: Evidence): Decision {
  const asked = countByName(intent.requested);
  const known = new Map([...seen, ...found].map((attendee) => [attendee.attendeeId, attendee]));
  const ofRequestedName = [...known.values()].filter(({ externalUserId }) => asked.has(externalUserId));

  const heldElsewhere = ofRequestedName.flatMap(({ externalUserId, attendeeId }) => {
    const batchId = records.holderOf(attendeeId);
    return batchId === undefined ? [] : [{ externalUserId, attendeeId, batchId }];
  });
  const issued = ofRequestedName.filter(({ attendeeId }) => records.holderOf(attendeeId) === undefined);

  const present = countByName(issued);
  const complete = [...asked].every(([name, count]) => (present.get(name) ?? 0) >= count);
  const sole = [...present].every(
    ([name, count]) => count <= (asked.get(name) ?? 0) && !records.isContested(name, intent.batchId),
  );
  if (!gone && !secondLook && !(complete && sole)) return { kind: 'look again', seen: ofRequestedName };

  const state = gone && !complete ? 'UNRESOLVED' : issued.length === 0 ? 'NOT_ISSUED' : 'RECOVERED';
  return {
    kind: 'settle',
    state,
    issued,
    heldElsewhere,
    ...(issued.length > 0 && { attribution: sole ? 'sole' : 'ambiguous' }),
  };
}

function countByName(attendees: readonly { externalUserId: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { externalUserId } of attendees)
    counts.set(externalUserId, (counts.get(externalUserId) ?? 0) + 1);
  return counts;
}
