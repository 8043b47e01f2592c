import type { Fault } from './faults.ts';
import type { Attendee, AttendeeRequest, ExistingMode, Meetings } from './meetings.ts';
import type { OperationName } from './operation-names.ts';
import {
  pageMark,
  readAttendeeRequests,
  readId,
  readJson,
  readMeetingRequest,
  readPaging,
  refuseUnfitCapabilities,
} from './request-rules.ts';
import type { Answer } from './wire-errors.ts';

/** A request that reached its operation. */
export interface OperationRequest {
  meetingId: string | undefined;
  attendeeId: string | undefined;
  query: URLSearchParams;
  bodyText: string;
  /** The control Region it was signed for. */
  region: string;
  requestId: string;
  /** How a batch treats a name that the meeting already has. */
  existing: ExistingMode;
  /** The fault that changes what BatchCreateAttendee does or answers. */
  fault: Fault | undefined;
}

interface Operation {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** The value of the query member `operation`, if the model's URI has one. */
  operationQuery?: string;
  act(meetings: Meetings, request: OperationRequest): Answer;
}

/** The operations with the HTTP bindings of the Smithy model. `act` throws a ChimeError to refuse. */
export const OPERATIONS: Record<OperationName, Operation> = {
  CreateMeeting: {
    method: 'POST',
    path: '/meetings',
    act: (meetings, { bodyText, region }) => {
      const asked = readMeetingRequest(readJson(bodyText));
      return { status: 200, body: { Meeting: meetings.create(asked, region) } };
    },
  },
  GetMeeting: {
    method: 'GET',
    path: '/meetings/:meetingId',
    act: (meetings, request) => {
      const meetingId = readId(request.meetingId, 'meetingId');
      return { status: 200, body: { Meeting: meetings.get(meetingId) } };
    },
  },
  DeleteMeeting: {
    method: 'DELETE',
    path: '/meetings/:meetingId',
    act: (meetings, request) => {
      meetings.end(readId(request.meetingId, 'meetingId'));
      return { status: 204 };
    },
  },
  BatchCreateAttendee: {
    method: 'POST',
    path: '/meetings/:meetingId/attendees',
    operationQuery: 'batch-create',
    act: batchCreateAttendee,
  },
  ListAttendees: {
    method: 'GET',
    path: '/meetings/:meetingId/attendees',
    act: (meetings, request) => {
      const meetingId = readId(request.meetingId, 'meetingId');
      const { count, position } = readPaging(request.query, meetingId);
      const { page, next } = meetings.listAttendees(meetingId, position, count);
      return {
        status: 200,
        body: { Attendees: page, ...(next !== undefined && { NextToken: pageMark(meetingId, next) }) },
      };
    },
  },
  GetAttendee: {
    method: 'GET',
    path: '/meetings/:meetingId/attendees/:attendeeId',
    act: (meetings, request) => {
      const meetingId = readId(request.meetingId, 'meetingId');
      const attendeeId = readId(request.attendeeId, 'attendeeId');
      return { status: 200, body: { Attendee: meetings.getAttendee(meetingId, attendeeId) } };
    },
  },
  DeleteAttendee: {
    method: 'DELETE',
    path: '/meetings/:meetingId/attendees/:attendeeId',
    act: (meetings, request) => {
      const meetingId = readId(request.meetingId, 'meetingId');
      meetings.deleteAttendee(meetingId, readId(request.attendeeId, 'attendeeId'));
      return { status: 204 };
    },
  },
};

function batchCreateAttendee(meetings: Meetings, request: OperationRequest): Answer {
  const { fault, requestId } = request;
  const meetingId = readId(request.meetingId, 'meetingId');
  const requests = readAttendeeRequests(readJson(request.bodyText));
  refuseUnfitCapabilities(requests, meetings.get(meetingId));

  const errors = errorsOf(meetings, meetingId, requests, request);
  const existsDespiteError = fault?.when === 'after';
  const admitted = meetings.admit(
    meetingId,
    requests.filter((_, index) => existsDespiteError || errors[index] === undefined),
    request,
  );
  const listed = existsDespiteError ? admitted.filter((_, index) => errors[index] === undefined) : admitted;
  return {
    status: 200,
    body: {
      Attendees: [
        ...listed.map((attendee) => altered(meetings, meetingId, attendee, fault)),
        ...(fault?.extraAttendee ? [meetings.smuggle(meetingId, fault.extraAttendee, requestId)] : []),
      ],
      Errors: errors.filter((error) => error !== undefined),
    },
  };
}

interface BatchError {
  ExternalUserId: string;
  ErrorCode: string | undefined;
  ErrorMessage: string | undefined;
}

/** The error of each requested attendee, at its place; undefined without one. */
function errorsOf(
  meetings: Meetings,
  meetingId: string,
  requests: AttendeeRequest[],
  { fault, existing }: OperationRequest,
): (BatchError | undefined)[] {
  const rejected = existing === 'reject' ? meetings.namesOf(meetingId) : new Set<string>();
  const partial = fault?.partialErrors;
  return requests.map(({ ExternalUserId }, index) => {
    // Chime's code and words for this are not known.
    if (rejected.has(ExternalUserId)) {
      return { ExternalUserId, ErrorCode: 'Conflict', ErrorMessage: 'The attendee exists already' };
    }
    const fails =
      partial !== undefined &&
      (partial.externalUserIds === undefined || partial.externalUserIds.includes(ExternalUserId)) &&
      (partial.every === undefined || (index + 1) % partial.every === 0);
    return fails
      ? { ExternalUserId, ErrorCode: partial.errorCode, ErrorMessage: partial.errorMessage }
      : undefined;
  });
}

function altered(
  meetings: Meetings,
  meetingId: string,
  attendee: Attendee,
  fault: Fault | undefined,
): Attendee {
  const change = fault?.alteredCapabilities;
  if (!change) return attendee;
  if (change.externalUserIds && !change.externalUserIds.includes(attendee.ExternalUserId)) return attendee;
  return meetings.setCapabilities(meetingId, attendee.AttendeeId, change.capabilities);
}

/** The requested attendees of a BatchCreateAttendee, read without validation: the log has refused requests too. */
export function requestedAttendees(bodyText: string): { attendeeNames: string[]; attendees: unknown[] } {
  let attendees: unknown[] = [];
  try {
    const given = JSON.parse(bodyText)?.Attendees;
    if (Array.isArray(given)) attendees = given;
  } catch {
    // Not JSON: no names to log.
  }
  const attendeeNames = attendees.flatMap((item) => {
    const name = (item as { ExternalUserId?: unknown } | null)?.ExternalUserId;
    return typeof name === 'string' ? [name] : [];
  });
  return { attendeeNames, attendees };
}
