/** The operations of Chime's that are offered here, by their names in its model. */
export const OPERATION_NAMES = ['BatchCreateAttendee', 'GetMeeting'] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];
