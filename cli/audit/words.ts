/** The result of one attendee, in the words of every output, each with its explanation. */
export const RESULTS = {
  issued:
    'Its join token was released to the caller. Whether the answer arrived, and whether anyone joined, is not known here.',
  refused:
    'No attendee was created for this request: the reason is Chime’s, or says that Chime was not asked.',
  withheld: 'Chime returned the attendee, and the rule kept its token from the caller.',
  'exists, token not delivered':
    'The request ended early. The reconciler found the attendee in Chime; its token was not released.',
  'not issued':
    'The request ended early. The reconciler looked twice and found no such attendee of this request.',
  unknown: 'It is not known whether the attendee was created, or whether its token was released.',
  'present without a record':
    'Chime’s events name the attendee, and no record of Usher explains it: it came in by another door, or a record is gone.',
  denied: 'A rule refused the request. Chime was not asked.',
} as const;

export type Result = keyof typeof RESULTS;

/** The state of a batch. */
export const STATES = {
  ISSUED: 'Every requested attendee was issued.',
  PARTIAL: 'Some attendees were issued or exist; each of the others has its own result.',
  FAILED: 'No attendee was issued: Chime refused, or was not asked.',
  RECOVERED:
    'The request ended early; the reconciler found attendees of it in Chime. No token was delivered.',
  NOT_ISSUED: 'The request ended early; the reconciler looked twice and found no attendee of it.',
  UNRESOLVED:
    'The request ended early, and the meeting ended before anyone could look. What was created is unknown.',
  OPEN: 'There is no outcome yet. What was created is unknown until the reconciler has looked.',
  DENIED: 'A rule refused the request; Chime was not asked.',
  DAMAGED: 'A record of this batch cannot be read. What was created is unknown.',
  NO_RECORD: 'This is no batch: Chime’s events name attendees whom no record of Usher explains.',
} as const;

export type State = keyof typeof STATES;

/** What Chime's events say of an attendee. They are best effort: one that is missing proves nothing. */
export type Presence = 'joined' | 'no join event received' | 'too early to say';

/** One attendee of a batch, whatever its result. */
export interface AttendeeLine {
  result: Result;
  explanation: string;
  externalUserId: string;
  attendeeId?: string;
  capabilities?: { Audio?: string; Video?: string; Content?: string };
  tokenFingerprint?: string;
  above?: string;
  /** The rule, Chime's error, the attendee's batch, or why nothing is known. */
  reason?: string;
  /** What Chime's events say, if they are known. */
  presence?: Presence;
  /** When the attendee first joined, as the events say, ISO 8601 in UTC. */
  firstJoinAt?: string;
  /** When the first event of the attendee happened; only without a record. */
  firstSeenAt?: string;
}

/** What events say of an attendee that a batch has. */
export type PresenceOf = (attendeeId: string) => Pick<AttendeeLine, 'presence' | 'firstJoinAt'>;
