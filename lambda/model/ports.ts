import type { Attendee, AttendeeError, AttendeeRequest, IssuedAttendee, Medium } from './attendees.ts';
import type { FacadeError } from './errors.ts';
import type { IssuerRules } from './issuer-rules.ts';
import type { Meeting } from './meetings.ts';

export interface CallOptions {
  /** The call is aborted after this many milliseconds. */
  timeoutMs: number;
}

/** Who is asking, as a verified token says. */
export interface Caller {
  rules: IssuerRules;
  clientId: string;
  subject: string;
  scopes: ReadonlySet<string>;
  /** The verified claims of the token. */
  claims: Readonly<Record<string, unknown>>;
}

export interface TokenVerifier {
  /**
   * Verifies a bearer token.
   *
   * @throws FacadeError `Unauthorized` for a token that does not verify; `ServiceUnavailable` if the issuer's keys are
   * not available, so that a broken issuer never looks like a bad token.
   */
  verify(token: string): Promise<Caller>;
}

/** What the rules need to know of a meeting. */
export interface MeetingFacts {
  tenantIds: readonly string[];
  /** The name that the meeting's creator gave it. */
  externalMeetingId?: string | undefined;
  /** Media that the meeting was created without (`MaxResolution` of `None`): Chime accepts no other capability than `None`. */
  missingMedia?: readonly Medium[];
  /** What an admitted caller learns. */
  meeting: Meeting;
}

/** The result of one attempt to create attendees. */
export type CreationResult =
  | { kind: 'answered'; attendees: Attendee[]; errors: AttendeeError[]; chimeRequestId: string | undefined }
  /** Chime definitely created nothing; `error` is for the caller. */
  | { kind: 'refused'; error: FacadeError; chimeRequestId: string | undefined }
  /**
   * Chime may or may not have created attendees: time-out, broken connection, 5xx, an unreadable answer. `error` is for
   * the caller, if Chime's answer says more than that.
   */
  | { kind: 'ambiguous'; cause: unknown; error?: FacadeError | undefined };

export interface Meetings {
  /**
   * @returns undefined for a meeting that does not exist or has ended
   * @throws FacadeError `Throttling` or `ServiceUnavailable`
   */
  findMeeting(meetingId: string, options: CallOptions): Promise<MeetingFacts | undefined>;
  createAttendees(
    meetingId: string,
    attendees: AttendeeRequest[],
    options: CallOptions,
  ): Promise<CreationResult>;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Who exists in a meeting. */
export interface AttendeeList {
  /**
   * One page.
   *
   * @returns `gone` for a meeting that has ended or never was
   * @throws for every other failure
   */
  page(meetingId: string, nextToken: string | undefined): Promise<AttendeePage | 'gone'>;
}

export interface AttendeePage {
  attendees: IssuedAttendee[];
  nextToken: string | undefined;
}
