import {
  BatchCreateAttendeeCommand,
  type Meeting as ChimeMeeting,
  type ChimeSDKMeetingsClient,
  ChimeSDKMeetingsServiceException,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import type { Attendee, AttendeeError, Capabilities, Medium } from '../model/attendees.ts';
import { ERROR_STATUS, type ErrorCode, type ErrorDetails, FacadeError } from '../model/errors.ts';
import type { Meeting } from '../model/meetings.ts';
import type { CreationResult, Meetings } from '../model/ports.ts';
import { withinTime } from './time-limit.ts';

/** The Amazon Chime SDK Meetings API. */
export function createChimeMeetings(client: ChimeSDKMeetingsClient): Meetings {
  return {
    async findMeeting(meetingId, { timeoutMs }) {
      try {
        const { Meeting } = await withinTime(timeoutMs, (abortSignal) =>
          client.send(new GetMeetingCommand({ MeetingId: meetingId }), { abortSignal }),
        );
        const tenantIds = Meeting?.TenantIds ?? [];
        // An answer without this meeting, as a proxy might make one, must not look like a meeting without tenants.
        if (Meeting?.MeetingId?.toLowerCase() !== meetingId.toLowerCase() || !isListOfStrings(tenantIds)) {
          throw new Error('An answer that is no GetMeetingResponse');
        }
        const { ExternalMeetingId: externalMeetingId } = Meeting;
        return {
          tenantIds,
          missingMedia: missingMediaOf(Meeting),
          externalMeetingId,
          meeting: publicPartOf(Meeting),
        };
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal?.code === 'NotFound') return undefined;
        if (refusal?.code === 'Throttling') throw refusal;
        throw new FacadeError('ServiceUnavailable', 'The meeting could not be looked up.', {
          retryAfterSeconds: retryAfterOf(error) ?? 1,
          reason: 'meeting-lookup',
          cause: error,
        });
      }
    },

    async createAttendees(meetingId, attendees, { timeoutMs }): Promise<CreationResult> {
      try {
        const answer = await withinTime(timeoutMs, (abortSignal) =>
          client.send(new BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees: attendees }), {
            abortSignal,
          }),
        );
        const created = answer.Attendees ?? [];
        const errors = answer.Errors ?? [];
        if (!created.every(isAttendee) || created.length + errors.length === 0) {
          return { kind: 'ambiguous', cause: new Error('An answer that is no BatchCreateAttendeeResponse') };
        }
        return {
          kind: 'answered',
          attendees: created.map(({ ExternalUserId, AttendeeId, JoinToken, Capabilities }) => ({
            ExternalUserId,
            AttendeeId,
            JoinToken,
            Capabilities,
          })),
          errors: errors.map(
            (error): AttendeeError => ({
              ExternalUserId: error.ExternalUserId ?? '',
              ErrorCode: error.ErrorCode ?? '',
              ErrorMessage: (error.ErrorMessage ?? '').replaceAll(ARN, '[resource]'),
            }),
          ),
          chimeRequestId: answer.$metadata.requestId,
        };
      } catch (error) {
        const refusal = refusalOf(error);
        return refusal === undefined
          ? { kind: 'ambiguous', cause: error, error: outageOf(error) }
          : { kind: 'refused', error: refusal, chimeRequestId: refusal.details.chimeRequestId };
      }
    },
  };
}

/** Media that the meeting was created without (CreateMeeting's `MeetingFeatures`, `MaxResolution`). */
function missingMediaOf({ MeetingFeatures }: ChimeMeeting): Medium[] {
  return (['Video', 'Content'] as const).filter(
    (medium) => MeetingFeatures?.[medium]?.MaxResolution === 'None',
  );
}

/** Lists the members that are passed on, so that a future member of Chime's is not. */
function publicPartOf(meeting: ChimeMeeting): Meeting {
  const { MeetingId = '', ExternalMeetingId, MediaRegion, MediaPlacement, MeetingFeatures } = meeting;
  return {
    MeetingId,
    ...(ExternalMeetingId && { ExternalMeetingId }),
    ...(MediaRegion && { MediaRegion }),
    ...(MediaPlacement && { MediaPlacement }),
    ...(MeetingFeatures && { MeetingFeatures }),
  };
}

function isListOfStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isAttendee(attendee: object): attendee is Attendee {
  const { ExternalUserId, AttendeeId, JoinToken, Capabilities } = attendee as Partial<Attendee>;
  return (
    typeof ExternalUserId === 'string' &&
    typeof AttendeeId === 'string' &&
    typeof JoinToken === 'string' &&
    isCapabilities(Capabilities)
  );
}

function isCapabilities(value: Partial<Capabilities> | undefined): boolean {
  return [value?.Audio, value?.Video, value?.Content].every((medium) => typeof medium === 'string');
}

/** The names of throttling errors in AWS services, besides the modelled one. */
const THROTTLING_NAMES = new Set([
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledClientException',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Names of resources in our account, encoded or not: they are not for callers. */
const ARN = /\barn(?::|%3a)aws[^\s"'<>]*/gi;

/**
 * Errors that any AWS service may answer about the credentials of its caller
 * (https://docs.aws.amazon.com/general/latest/gr/api-error-codes.html), with 400 as well as 401 and 403. Here the
 * credentials are ours: the client can fix nothing.
 */
const ACCESS_NAMES = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'OptInRequired',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** Chime gave up waiting for the rest of the request, and does not say what it did with the first part. */
const REQUEST_TIMEOUT = 408;

/** The class for an error without a modelled name; any other 4xx is a BadRequest. */
const CODE_BY_STATUS: Record<number, ErrorCode> = {
  401: 'ServiceFailure',
  403: 'ServiceFailure',
  404: 'NotFound',
  422: 'UnprocessableEntity',
  429: 'Throttling',
};

/**
 * The error for the caller if Chime definitely did nothing: a readable answer of 4xx. Everything else (5xx, a broken
 * connection, a time-out, an unreadable answer) says nothing about what happened, and is undefined here. The whole
 * mapping is the table in docs/wire-contract.md.
 */
function refusalOf(error: unknown): FacadeError | undefined {
  // The SDK makes this class only of answers that it could read to their end.
  if (!(error instanceof ChimeSDKMeetingsServiceException)) return undefined;
  const { httpStatusCode: status } = metadataOf(error);
  if (status === undefined || status < 400 || status > 499 || status === REQUEST_TIMEOUT) return undefined;
  const code = codeOf(error.name) ?? CODE_BY_STATUS[status] ?? 'BadRequest';
  // A name of a resource in our account means that our access is the problem, whatever the class.
  if (code === 'ServiceFailure' || error.message.search(ARN) >= 0) {
    return new FacadeError('ServiceFailure', 'This service may not call Chime at present.', {
      ...detailsOf(error),
      reason: 'chime-access',
    });
  }
  return new FacadeError(code, error.message, {
    ...detailsOf(error),
    reason: code === 'Throttling' ? 'chime-throttled' : 'chime-refused',
  });
}

/**
 * The error for the caller if Chime answered that it failed, or anything readable: undefined if there was no answer.
 * Chime's 500 becomes a 503, because a retry helps.
 */
function outageOf(error: unknown): FacadeError | undefined {
  if (!(error instanceof Error) || metadataOf(error).httpStatusCode === undefined) return undefined;
  const message =
    error.name === 'ServiceUnavailableException'
      ? error.message.replaceAll(ARN, '[resource]')
      : 'It is not known yet whether attendees were created. Repeating the same request is safe.';
  return new FacadeError('ServiceUnavailable', message, {
    retryAfterSeconds: 1,
    ...detailsOf(error),
    reason: 'chime-ambiguous',
  });
}

function detailsOf(error: Error): ErrorDetails {
  const { requestId } = metadataOf(error);
  const retryAfterSeconds = retryAfterOf(error);
  return {
    cause: error,
    ...(requestId === undefined ? {} : { chimeRequestId: requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function codeOf(name: string): ErrorCode | undefined {
  if (THROTTLING_NAMES.has(name)) return 'Throttling';
  if (ACCESS_NAMES.has(name)) return 'ServiceFailure';
  const modelled = name.replace(/Exception$/, '');
  return Object.hasOwn(ERROR_STATUS, modelled) ? (modelled as ErrorCode) : undefined;
}

function metadataOf(error: Error): { httpStatusCode?: number; requestId?: string } {
  return (error as { $metadata?: { httpStatusCode?: number; requestId?: string } }).$metadata ?? {};
}

/** Whole seconds, as in RFC 9110 section 10.2.3; dates are ignored. */
function retryAfterOf(error: unknown): number | undefined {
  const { RetryAfterSeconds, $response } = error as {
    RetryAfterSeconds?: string;
    $response?: { headers?: Record<string, string> };
  };
  const seconds = Math.ceil(Number(RetryAfterSeconds ?? $response?.headers?.['retry-after'] ?? Number.NaN));
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined;
}
