export const OPERATION_NAMES = [
  'CreateMeeting',
  'GetMeeting',
  'DeleteMeeting',
  'BatchCreateAttendee',
  'ListAttendees',
  'GetAttendee',
  'DeleteAttendee',
] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];
