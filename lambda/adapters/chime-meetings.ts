import {
  BatchCreateAttendeeCommand,
  type ChimeSDKMeetingsClient,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import type { Attendee, AttendeeError, Capabilities } from '../attendees.ts';
import { ERROR_STATUS, type ErrorCode, type ErrorDetails, FacadeError } from '../errors.ts';
import type { CreationResult, Meetings } from '../ports.ts';

/** The Amazon Chime SDK Meetings API. */
export function chimeMeetings(client: ChimeSDKMeetingsClient): Meetings {
  return {
    async findMeeting(meetingId, { timeoutMs }) {
      try {
        const { Meeting } = await client.send(new GetMeetingCommand({ MeetingId: meetingId }), {
          abortSignal: AbortSignal.timeout(timeoutMs),
        });
        return { tenantIds: Meeting?.TenantIds ?? [] };
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
        const answer = await client.send(
          new BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees: attendees }),
          { abortSignal: AbortSignal.timeout(timeoutMs) },
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
              ErrorMessage: error.ErrorMessage ?? '',
            }),
          ),
          chimeRequestId: answer.$metadata.requestId,
        };
      } catch (error) {
        const refusal = refusalOf(error);
        return refusal === undefined
          ? { kind: 'ambiguous', cause: error }
          : { kind: 'refused', error: refusal, chimeRequestId: refusal.details.chimeRequestId };
      }
    },
  };
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

/** Names that throttling goes by in AWS services, beside the modelled one. */
const THROTTLING_NAMES = new Set([
  'ThrottledClientException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Which class an error without a modelled name is passed on as; any other 4xx is a BadRequest. */
const CODE_BY_STATUS: Record<number, ErrorCode> = {
  404: 'NotFound',
  422: 'UnprocessableEntity',
  429: 'Throttling',
};

/**
 * The error to pass on where Chime definitely did nothing: an answer of 4xx that could be read. Everything else (5xx,
 * a broken connection, a time-out, an unreadable answer) says nothing about what happened, and is undefined here.
 */
function refusalOf(error: unknown): FacadeError | undefined {
  if (!(error instanceof Error) || error instanceof SyntaxError) return undefined;
  const { httpStatusCode: status, requestId } = metadataOf(error);
  if (status === undefined || status < 400 || status > 499) return undefined;
  const retryAfterSeconds = retryAfterOf(error);
  const details: ErrorDetails = {
    reason: 'chime-refused',
    cause: error,
    ...(requestId === undefined ? {} : { chimeRequestId: requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  const code = codeOf(error.name);
  if (code === undefined && (status === 401 || status === 403)) {
    // AWS refuses our own credentials or role: nothing that the caller could mend, in words that name our account.
    return new FacadeError('ServiceFailure', 'This service may not call Chime at present.', {
      ...details,
      reason: 'chime-access',
    });
  }
  return new FacadeError(code ?? CODE_BY_STATUS[status] ?? 'BadRequest', error.message, details);
}

function codeOf(name: string): ErrorCode | undefined {
  if (THROTTLING_NAMES.has(name)) return 'Throttling';
  const modelled = name.replace(/Exception$/, '');
  return Object.hasOwn(ERROR_STATUS, modelled) ? (modelled as ErrorCode) : undefined;
}

function metadataOf(error: Error): { httpStatusCode?: number; requestId?: string } {
  return (error as { $metadata?: { httpStatusCode?: number; requestId?: string } }).$metadata ?? {};
}

function retryAfterOf(error: unknown): number | undefined {
  const { RetryAfterSeconds, $response } = error as {
    RetryAfterSeconds?: string;
    $response?: { headers?: Record<string, string> };
  };
  const seconds = Number(RetryAfterSeconds ?? $response?.headers?.['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
