/** One direction of one medium (Chime's `MediaCapabilities`). */
export type MediaCapability = 'SendReceive' | 'Send' | 'Receive' | 'None';

/** Whether a medium is received; Chime refuses content that is received where video is not. */
export function receivesMedia(capability: MediaCapability): boolean {
  return capability === 'SendReceive' || capability === 'Receive';
}

/** What an attendee may do in a meeting (Chime's `AttendeeCapabilities`); member names as on Chime's wire. */
export interface Capabilities {
  Audio: MediaCapability;
  Video: MediaCapability;
  Content: MediaCapability;
}

/** What Chime grants where a request leaves `Capabilities` out. */
export const DEFAULT_CAPABILITIES: Capabilities = {
  Audio: 'SendReceive',
  Video: 'SendReceive',
  Content: 'SendReceive',
};

/** One requested attendee (Chime's `CreateAttendeeRequestItem`). */
export interface AttendeeRequest {
  ExternalUserId: string;
  Capabilities?: Capabilities;
}

/** One attendee as Chime answers it (Chime's `Attendee`). */
export interface Attendee {
  ExternalUserId: string;
  AttendeeId: string;
  /** Grants entry to the meeting: passed on to the caller, never stored or logged. */
  JoinToken: string;
  Capabilities: Capabilities;
}

/** One attendee that could not be created (Chime's `CreateAttendeeError`). */
export interface AttendeeError {
  ExternalUserId: string;
  ErrorCode: string;
  ErrorMessage: string;
}

/** One medium of a meeting. */
export type Medium = keyof Capabilities;

/** An attendee that Chime created or returned. */
export interface IssuedAttendee {
  externalUserId: string;
  attendeeId: string;
  capabilities: Capabilities;
  /** `sha256:` and the first 32 hexadecimal digits of the JoinToken's SHA-256. */
  tokenFingerprint: string;
  /**
   * Set where Chime returned more than was asked for. `ceiling`: more than the caller's scope allows, because the
   * attendee already existed under the caller's own name. `asked`: still within the scope.
   */
  above?: 'asked' | 'ceiling';
}
