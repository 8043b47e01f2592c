import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { AttendeeRequest } from '../../model/attendees.ts';
import { FacadeError } from '../../model/errors.ts';
import { validateBatch, validateMeetingId } from './validation.ts';

/** Longer bearer tokens are refused unread; a REST API takes 10,240 bytes of headers in all. */
const MAX_TOKEN_LENGTH = 8_192;

/**
 * Several times the size of 100 attendees with the longest names, every character escaped. The six megabytes that a
 * REST API lets through would keep the function busy for seconds.
 */
const MAX_BODY_LENGTH = 262_144;

/**
 * Whether a raw path leads to a resource, with or without a stage or base path before it. How API Gateway resolves
 * trailing and doubled slashes is not documented: such a path leads nowhere.
 */
export function leadsTo(resource: string, path: string): boolean {
  const segments = path.split('/').slice(1);
  const isSame = (part: string, segment: string | undefined) => part === segment || part.startsWith('{');
  return (
    !segments.includes('') &&
    resource
      .split('/')
      .slice(1)
      .toReversed()
      .every((part, index) => isSame(part, segments.at(-1 - index)))
  );
}

/**
 * The bearer token of the Authorization header (RFC 6750 section 2.1), the only place it is read from.
 *
 * @throws FacadeError `Unauthorized`
 */
export function bearerToken(event: APIGatewayProxyEvent): string {
  const values = headerValues(event, 'authorization');
  if (values.length === 0) {
    // RFC 6750 section 3.1: a request without credentials gets a challenge without an error code.
    throw new FacadeError('Unauthorized', 'An Authorization header with a bearer token is required.', {
      reason: 'token-missing',
      challenge: 'Bearer',
    });
  }
  const token =
    values.length === 1 ? /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(values[0] ?? '')?.[1] : undefined;
  if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
    throw new FacadeError('Unauthorized', 'The Authorization header must hold one bearer token.', {
      reason: 'token-malformed',
      challenge: 'Bearer error="invalid_request"',
    });
  }
  return token;
}

/**
 * The meeting and the attendees of a request, without any other members of its body.
 *
 * @throws FacadeError `BadRequest`, with every violation counted
 */
export function parseBatch(event: APIGatewayProxyEvent): {
  meetingId: string;
  attendees: AttendeeRequest[];
} {
  const meetingId = event.pathParameters?.['MeetingId'] ?? '';
  const contentTypes = headerValues(event, 'content-type');
  if (contentTypes.length > 1 || !/^application\/json *(;|$)/i.test(contentTypes[0] ?? 'application/json')) {
    throw new FacadeError('BadRequest', 'The Content-Type must be application/json.', {
      reason: 'content-type',
    });
  }
  const body = parseJson(event);
  const violations = [...validateMeetingId(meetingId), ...validateBatch(body)];
  if (violations.length > 0) {
    throw new FacadeError('BadRequest', violationsMessage(violations), { reason: 'validation' });
  }
  const { Attendees } = body as { Attendees: AttendeeRequest[] };
  return {
    meetingId,
    attendees: Attendees.map(({ ExternalUserId, Capabilities }) => ({
      ExternalUserId,
      ...(Capabilities === undefined
        ? {}
        : {
            Capabilities: {
              Audio: Capabilities.Audio,
              Video: Capabilities.Video,
              Content: Capabilities.Content,
            },
          }),
    })),
  };
}

/**
 * The meeting of a request. The body is ignored: Chime's operation has none.
 *
 * @throws FacadeError `BadRequest`
 */
export function parseMeeting(event: APIGatewayProxyEvent): { meetingId: string } {
  const meetingId = event.pathParameters?.['MeetingId'] ?? '';
  const violations = validateMeetingId(meetingId);
  if (violations.length > 0) {
    throw new FacadeError('BadRequest', violationsMessage(violations), { reason: 'validation' });
  }
  return { meetingId };
}

/** A member that is null counts as omitted, as in AWS's JSON protocols (Smithy specification, AWS restJson1). */
function parseJson(event: APIGatewayProxyEvent): unknown {
  const text = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString('utf8') : event.body;
  if (text !== null && text.length > MAX_BODY_LENGTH) {
    throw new FacadeError('BadRequest', `The body must have at most ${MAX_BODY_LENGTH} characters.`, {
      reason: 'body-length',
    });
  }
  try {
    // A reviver takes three times as long as parsing, and hardly any body has a null.
    return JSON.parse(text ?? '', text?.includes('null') ? leaveOutNull : undefined);
  } catch {
    throw new FacadeError('BadRequest', 'The body must be JSON.', { reason: 'json' });
  }
}

function leaveOutNull(this: unknown, _key: string, value: unknown): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}

/** AWS lists the violations in one sentence; beyond this many, only their number grows. */
const MAX_LISTED = 10;

function violationsMessage(violations: string[]): string {
  const count = violations.length;
  const listed = violations.slice(0, MAX_LISTED).join('; ');
  const more = count > MAX_LISTED ? `; and ${count - MAX_LISTED} more` : '';
  return `${count} validation error${count === 1 ? '' : 's'} detected: ${listed}${more}`;
}

function headerValues(event: APIGatewayProxyEvent, name: string): string[] {
  return Object.entries(event.multiValueHeaders ?? {})
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, values]) => values ?? []);
}
