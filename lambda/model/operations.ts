/** The Chime operations that Usher offers, by their names in Chime's model. */
export const OPERATION_NAMES = ['BatchCreateAttendee', 'GetMeeting'] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
