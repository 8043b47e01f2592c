import type { ErrorObject } from 'ajv';
import {
  validateBatchCreateAttendeeRequest,
  validateMeetingId as validateMeetingIdSchema,
} from '../../dist/generated/request-validators.cjs';
import type { AttendeeRequest } from '../attendees.ts';

/**
 * What is wrong with a request, each violation in the words that AWS services use: `Value at '<path>' failed to satisfy
 * constraint: …`. Paths count list members from 1. Values are never quoted: ExternalUserIds are personal data.
 */
export function validateBatch(body: unknown): string[] {
  if (!validateBatchCreateAttendeeRequest(body)) {
    return (validateBatchCreateAttendeeRequest.errors ?? []).map((error) => violation(error, body));
  }
  const { Attendees } = body as { Attendees: AttendeeRequest[] };
  return Attendees.flatMap(({ Capabilities }, index) =>
    Capabilities !== undefined && receives(Capabilities.Content) && !receives(Capabilities.Video)
      ? [
          constraint(
            `attendees.${index + 1}.member.capabilities.content`,
            'Member must not be SendReceive or Receive unless video is SendReceive or Receive',
          ),
        ]
      : [],
  );
}

export function validateMeetingId(meetingId: string): string[] {
  if (validateMeetingIdSchema(meetingId)) return [];
  return (validateMeetingIdSchema.errors ?? []).map(({ params }) =>
    constraint('meetingId', `Member must satisfy regular expression pattern: ${params['pattern']}`),
  );
}

const receives = (capability: string): boolean => capability === 'SendReceive' || capability === 'Receive';

function constraint(path: string, rule: string): string {
  return `Value at '${path}' failed to satisfy constraint: ${rule}`;
}

function violation({ keyword, params, instancePath }: ErrorObject, body: unknown): string {
  const path = wirePath(instancePath);
  switch (keyword) {
    case 'required': {
      const member = [path, wireName(params['missingProperty'])].filter(Boolean).join('.');
      return `Value null at '${member}' failed to satisfy constraint: Member must not be null`;
    }
    case 'minItems':
    case 'minLength':
      return constraint(path, `Member must have length greater than or equal to ${params['limit']}`);
    case 'maxItems':
    case 'maxLength':
      return constraint(path, `Member must have length less than or equal to ${params['limit']}`);
    case 'enum':
      return constraint(path, `Member must satisfy enum value set: [${params['allowedValues'].join(', ')}]`);
    case 'pattern':
      return /^aws:/i.test(String(valueAt(body, instancePath)))
        ? constraint(path, 'Member must not begin with aws:, which is reserved')
        : constraint(path, `Member must satisfy regular expression pattern: ${params['pattern']}`);
    default:
      return constraint(path || 'body', `Member must be of type ${params['type']}`);
  }
}

/** `/Attendees/0/Capabilities/Audio` becomes `attendees.1.member.capabilities.audio`. */
function wirePath(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `${Number(part) + 1}.member` : wireName(part)))
    .join('.');
}

function wireName(member: string): string {
  return member.charAt(0).toLowerCase() + member.slice(1);
}

function valueAt(body: unknown, instancePath: string): unknown {
  return instancePath
    .split('/')
    .slice(1)
    .reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], body);
}
