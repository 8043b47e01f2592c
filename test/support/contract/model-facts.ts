/**
 * What Chime's contract says beyond the schema that `@aws-sdk/client-chime-sdk-meetings` carries in its code (that has
 * members, bindings, error classes and their status, but no constraints): from the traits of the service's Smithy model
 * `chime-sdk-meetings-2021-07-15` and the API reference of BatchCreateAttendee. Typed here once more, on purpose: a test
 * that read them from the contract would agree with whatever the contract says.
 */

export const MEETING_ID_PATTERN = '^[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$';

export const MAX_ATTENDEES = 100;

export const EXTERNAL_USER_ID_LENGTH = { min: 2, max: 64 };

/** The documented characters; `\s` of the documented pattern is Java's, which is ASCII white space only. */
export const EXTERNAL_USER_ID_CHARACTERS = [
  ...`-_&@+=,(){}[]/«».:|'"# \t\n\v\f\r`,
  ...between('a', 'z'),
  ...between('A', 'Z'),
  ...between('0', '9'),
  ...between('À', 'ÿ'),
];

export const MEDIA_CAPABILITIES = ['SendReceive', 'Send', 'Receive', 'None'];

export const JOIN_TOKEN_LENGTH = { min: 2, max: 2048 };

/** Of the model's plain strings: `Code`, `Message`, `RequestId`, `ErrorCode`, `ErrorMessage`. */
export const STRING_LENGTH = { min: 0, max: 4096 };

function between(first: string, last: string): string[] {
  const from = first.charCodeAt(0);
  return Array.from({ length: last.charCodeAt(0) - from + 1 }, (_, i) => String.fromCharCode(from + i));
}
