import type { ErrorObject } from 'ajv';
import {
  validateBatchCreateAttendeeRequest,
  validateMeetingId as validateMeetingIdSchema,
} from '../../../dist/generated/request-validators.cjs';
import { type AttendeeRequest, receivesMedia } from '../../model/attendees.ts';

/**
 * The violations of a request, in the wording of AWS services: `Value at '<path>' failed to satisfy constraint: …`.
 * Paths count list members from 1. Values are never quoted: ExternalUserIds are personal data.
 */
export function validateBatch(body: unknown): string[] {
  if (hasTooMany(body)) {
    // Members are not validated here: a body of 6 MB has room for millions of violations.
    return [constraint('attendees', `Member must have length less than or equal to ${MAX_ATTENDEES}`)];
  }
  if (!validateBatchCreateAttendeeRequest(body)) {
    return violations(validateBatchCreateAttendeeRequest.errors ?? []);
  }
  const { Attendees } = body as { Attendees: AttendeeRequest[] };
  return Attendees.flatMap(({ Capabilities }, index) =>
    Capabilities !== undefined && receivesMedia(Capabilities.Content) && !receivesMedia(Capabilities.Video)
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

/** Whether an attendee can have this name: whether a batch with only this name is valid. */
export function isExternalUserId(name: string | undefined): boolean {
  return validateBatchCreateAttendeeRequest({ Attendees: [{ ExternalUserId: name }] });
}

/** Chime's limit for one batch; the schema has it too. */
const MAX_ATTENDEES = 100;

function hasTooMany(body: unknown): boolean {
  const attendees = (body as { Attendees?: unknown } | null | undefined)?.Attendees;
  return Array.isArray(attendees) && attendees.length > MAX_ATTENDEES;
}

function constraint(path: string, rule: string): string {
  return `Value at '${path}' failed to satisfy constraint: ${rule}`;
}

/** A value of the wrong type breaks one rule only: its enum, if it has one. */
function violations(errors: ErrorObject[]): string[] {
  const brokenAt = (path: string, rule: string): boolean =>
    errors.some(({ instancePath, keyword }) => instancePath === path && keyword === rule);
  return errors
    .filter(({ keyword, instancePath }) => {
      if (!brokenAt(instancePath, 'type')) return true;
      return keyword === (brokenAt(instancePath, 'enum') ? 'enum' : 'type');
    })
    .map(violation);
}

function violation({ keyword, params, instancePath }: ErrorObject): string {
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
      return constraint(path, `Member must satisfy regular expression pattern: ${params['pattern']}`);
    case 'not':
      // The only use of `not` in the schema.
      return constraint(path, 'Member must not begin with aws:, which is reserved');
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
