import {
  type AttendeeRequest,
  type Capabilities,
  MEDIA_CAPABILITIES,
  type Meeting,
  type MeetingFeatures,
  type MeetingRequest,
} from './meetings.ts';
import { badRequest, ChimeError } from './wire-errors.ts';

/** `GuidString` of the Smithy model. */
const GUID = /^[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$/;
/** The names' documented pattern. It is Java's, where `\s` means ASCII white space only, so that is spelled out. */
const NAME = /^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ \t\n\v\f\r]*$/;
const CLIENT_REQUEST_TOKEN = /^[-_a-zA-Z0-9]*$/;
const TENANT_ID = /^(?!.*?(.)\1{3})[-_!@#$a-zA-Z0-9]*$/;
const ARN = /^arn[/:\-_.a-zA-Z0-9]+$/;
/** In these two, `+-=` is a range, with digits and all, because the Smithy model writes it like that. */
const TAG_KEY = /^[a-zA-Z+-=._:/]+$/;
const TAG_VALUE = /^[ \t\n\v\f\r\w+-=.:/@]*$/;
const MEDIA_REGIONS = [
  'af-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'us-gov-east-1',
  'us-gov-west-1',
];
const SIGNATURE =
  /^AWS4-HMAC-SHA256\s+Credential=[^/,\s]+\/\d{8}\/([a-z0-9-]+)\/chime\/aws4_request(?:[,\s]|$)/;

/** The API documents no default; a small page exposes a client that forgets to page. */
const DEFAULT_PAGE = 50;

type Members = Record<string, unknown>;

/**
 * The violations of a request, in AWS's style. Values are never repeated: names and tokens are sensitive in the model.
 * `where` is the path that AWS uses: lower camel case, list items counted from one.
 */
type Violations = string[];

function violate(violations: Violations, where: string, constraint: string): undefined {
  violations.push(`Value at '${where}' failed to satisfy constraint: ${constraint}`);
  return undefined;
}

function refuse(violations: Violations): never {
  const count = violations.length;
  throw badRequest(`${count} validation error${count === 1 ? '' : 's'} detected: ${violations.join('; ')}`);
}

/** Runs `read` and refuses the request if it found a violation. */
function validated<T>(read: (violations: Violations) => T): T {
  const violations: Violations = [];
  const value = read(violations);
  if (violations.length > 0) refuse(violations);
  return value;
}

/**
 * The Region of a request's signature, from an Authorization header that looks like Signature Version 4 for the service
 * `chime`; the signature itself is not checked. A choice: its absence is 401, not 403.
 *
 * @throws UnauthorizedException
 */
export function signedRegion(authorization: string | undefined): string {
  const region = authorization === undefined ? undefined : SIGNATURE.exec(authorization)?.[1];
  if (region === undefined) {
    throw new ChimeError(
      'UnauthorizedException',
      'The request is not signed with Signature Version 4 for chime',
    );
  }
  return region;
}

/** A meeting's or attendee's id from the path. */
export function readId(value: string | undefined, where: 'meetingId' | 'attendeeId'): string {
  if (value === undefined || !GUID.test(value)) {
    refuse([
      `Value at '${where}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${GUID.source}`,
    ]);
  }
  return value;
}

/** A choice: AWS's generic frameworks answer an unreadable body with SerializationException, which is not modelled. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The request body is not valid JSON');
  }
}

/** BatchCreateAttendee's body. */
export function readAttendeeRequests(body: unknown): AttendeeRequest[] {
  return validated((violations) => {
    const items = list(violations, 'attendees', members(body)['Attendees'], {
      required: true,
      min: 1,
      max: 100,
    });
    return items.map((item, index) => {
      const where = `attendees.${index + 1}.member`;
      const request = structure(violations, where, item, { required: true }) ?? {};
      const ExternalUserId =
        name(violations, `${where}.externalUserId`, request['ExternalUserId'], true) ?? '';
      const given = readCapabilities(violations, `${where}.capabilities`, request['Capabilities']);
      return { ExternalUserId, ...(given && { Capabilities: given }) };
    });
  });
}

function readCapabilities(violations: Violations, where: string, value: unknown): Capabilities | undefined {
  const given = structure(violations, where, value, {});
  if (given === undefined) return undefined;
  const one = (medium: 'Audio' | 'Video' | 'Content') =>
    oneOf(violations, `${where}.${camel(medium)}`, given[medium], MEDIA_CAPABILITIES, true) ?? 'None';
  return { Audio: one('Audio'), Video: one('Video'), Content: one('Content') };
}

/**
 * The rules between capabilities, and between them and the meeting's features. Omitted capabilities mean SendReceive; a
 * choice, the stricter reading of the documentation: they therefore fail in a meeting without video or content. The
 * messages are ours.
 */
export function refuseUnfitCapabilities(
  requests: AttendeeRequest[],
  { MeetingFeatures: features }: Meeting,
): void {
  validated((violations) => {
    for (const [index, { Capabilities: given }] of requests.entries()) {
      const { Video = 'SendReceive', Content = 'SendReceive' } = given ?? {};
      const unfit = (member: string, constraint: string) =>
        violate(violations, `attendees.${index + 1}.member.capabilities.${member}`, constraint);
      if (receives(Content) && !receives(Video))
        unfit('content', 'Member must not receive unless video receives');
      if (exceeds(Video, features?.Video)) unfit('video', 'Member must be None in a meeting without video');
      if (exceeds(Content, features?.Content))
        unfit('content', 'Member must be None in a meeting without content');
    }
  });
}

function exceeds(capability: string, feature: { MaxResolution?: string } | undefined): boolean {
  return feature?.MaxResolution === 'None' && capability !== 'None';
}

function receives(capability: string): boolean {
  return capability === 'SendReceive' || capability === 'Receive';
}

/**
 * CreateMeeting's body. Tags and notification targets are checked and then dropped: no operation here answers them.
 * Whether PrimaryMeetingId names an existing meeting is not checked.
 */
export function readMeetingRequest(body: unknown): MeetingRequest {
  const asked = members(body);
  return validated((violations) => {
    const token = text(violations, 'clientRequestToken', asked['ClientRequestToken'], {
      required: true,
      min: 2,
      max: 64,
      pattern: CLIENT_REQUEST_TOKEN,
    });
    const externalMeetingId = name(violations, 'externalMeetingId', asked['ExternalMeetingId'], true);
    const mediaRegion = oneOf(violations, 'mediaRegion', asked['MediaRegion'], MEDIA_REGIONS, true);
    const host = name(violations, 'meetingHostId', asked['MeetingHostId'], false);
    const features = readFeatures(violations, asked['MeetingFeatures']);
    const primary = text(violations, 'primaryMeetingId', asked['PrimaryMeetingId'], { min: 2, max: 64 });
    const tenants = readTenantIds(violations, asked['TenantIds']);
    checkNotifications(violations, asked['NotificationsConfiguration']);
    checkTags(violations, asked['Tags']);
    return {
      ClientRequestToken: token ?? '',
      ExternalMeetingId: externalMeetingId ?? '',
      MediaRegion: mediaRegion ?? '',
      ...(host !== undefined && { MeetingHostId: host }),
      ...(features && { MeetingFeatures: features }),
      ...(primary !== undefined && { PrimaryMeetingId: primary }),
      ...(tenants && { TenantIds: tenants }),
    };
  });
}

function readTenantIds(violations: Violations, value: unknown): string[] | undefined {
  if (isAbsent(value)) return undefined;
  return list(violations, 'tenantIds', value, { min: 1, max: 5 }).map(
    (tenant, index) =>
      text(violations, `tenantIds.${index + 1}.member`, tenant, {
        required: true,
        min: 2,
        max: 256,
        pattern: TENANT_ID,
      }) ?? '',
  );
}

function readFeatures(violations: Violations, value: unknown): MeetingFeatures | undefined {
  const asked = structure(violations, 'meetingFeatures', value, {});
  if (asked === undefined) return undefined;
  const feature = (medium: string) =>
    structure(violations, `meetingFeatures.${camel(medium)}`, asked[medium], {});
  const choice = <T extends string>(medium: string, member: string, values: readonly T[]) =>
    oneOf(
      violations,
      `meetingFeatures.${camel(medium)}.${camel(member)}`,
      feature(medium)?.[member],
      values,
      false,
    );
  const echo = choice('Audio', 'EchoReduction', ['AVAILABLE', 'UNAVAILABLE'] as const);
  const video = choice('Video', 'MaxResolution', ['None', 'HD', 'FHD'] as const);
  const content = choice('Content', 'MaxResolution', ['None', 'FHD', 'UHD'] as const);
  const maxCount = feature('Attendee')?.['MaxCount'];
  if (!isAbsent(maxCount)) range(violations, 'meetingFeatures.attendee.maxCount', maxCount, 1, 250);
  return {
    ...(echo && { Audio: { EchoReduction: echo } }),
    ...(video && { Video: { MaxResolution: video } }),
    ...(content && { Content: { MaxResolution: content } }),
    ...(!isAbsent(maxCount) && { Attendee: { MaxCount: Number(maxCount) } }),
  };
}

function checkNotifications(violations: Violations, value: unknown): void {
  const targets = structure(violations, 'notificationsConfiguration', value, {}) ?? {};
  for (const target of ['LambdaFunctionArn', 'SnsTopicArn', 'SqsQueueArn']) {
    const where = `notificationsConfiguration.${camel(target)}`;
    text(violations, where, targets[target], { min: 1, max: 1024, pattern: ARN });
  }
}

function checkTags(violations: Violations, value: unknown): void {
  if (isAbsent(value)) return;
  for (const [index, item] of list(violations, 'tags', value, { min: 0, max: 50 }).entries()) {
    const where = `tags.${index + 1}.member`;
    const tag = structure(violations, where, item, { required: true }) ?? {};
    text(violations, `${where}.key`, tag['Key'], { required: true, min: 1, max: 128, pattern: TAG_KEY });
    text(violations, `${where}.value`, tag['Value'], {
      required: true,
      min: 0,
      max: 256,
      pattern: TAG_VALUE,
    });
  }
}

/** ListAttendees' query: how many, and the position that `pageMark` wrote into the token. */
export function readPaging(query: URLSearchParams, meetingId: string): { count: number; position: number } {
  const maxResults = query.get('max-results');
  const nextToken = query.get('next-token');
  const count =
    maxResults === null ? DEFAULT_PAGE : /^-?\d+$/.test(maxResults) ? Number(maxResults) : Number.NaN;
  return validated((violations) => {
    range(violations, 'maxResults', count, 1, 100);
    if (nextToken === null) return { count, position: 0 };
    const mark = /^(.+)\|(\d+)$/.exec(Buffer.from(nextToken, 'base64url').toString());
    if (mark?.[1] !== meetingId) {
      violate(violations, 'nextToken', 'Member must be a token from an earlier answer for this meeting');
    }
    return { count, position: Number(mark?.[2]) };
  });
}

/** The opaque token of a page that starts at `position`. */
export function pageMark(meetingId: string, position: number): string {
  return Buffer.from(`${meetingId}|${position}`).toString('base64url');
}

/** In JSON, a member that is null counts as omitted (restJson1). */
function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function members(body: unknown): Members {
  if (!isMembers(body)) throw badRequest('The request body is not a JSON object');
  return body;
}

function camel(member: string): string {
  return member.charAt(0).toLowerCase() + member.slice(1);
}

function missing(violations: Violations, where: string, required: boolean | undefined): undefined {
  return required ? violate(violations, where, 'Member must not be null') : undefined;
}

function structure(
  violations: Violations,
  where: string,
  value: unknown,
  rule: { required?: boolean },
): Members | undefined {
  if (isAbsent(value)) return missing(violations, where, rule.required);
  return isMembers(value) ? value : violate(violations, where, 'Member must be a structure');
}

function list(
  violations: Violations,
  where: string,
  value: unknown,
  rule: { required?: boolean; min: number; max: number },
): unknown[] {
  if (isAbsent(value)) return missing(violations, where, rule.required) ?? [];
  if (!Array.isArray(value)) return violate(violations, where, 'Member must be a list') ?? [];
  const before = violations.length;
  length(violations, where, value.length, rule);
  // With too many items, the items themselves are not checked.
  return violations.length > before ? [] : value;
}

function text(
  violations: Violations,
  where: string,
  value: unknown,
  rule: { required?: boolean; min: number; max: number; pattern?: RegExp },
): string | undefined {
  if (isAbsent(value)) return missing(violations, where, rule.required);
  if (typeof value !== 'string') return violate(violations, where, 'Member must be a string');
  // Smithy counts the length of a string in Unicode scalar values.
  length(violations, where, [...value].length, rule);
  if (rule.pattern && !rule.pattern.test(value)) {
    violate(violations, where, `Member must satisfy regular expression pattern: ${rule.pattern.source}`);
  }
  return value;
}

function length(
  violations: Violations,
  where: string,
  actual: number,
  rule: { min: number; max: number },
): void {
  if (actual < rule.min) {
    violate(violations, where, `Member must have length greater than or equal to ${rule.min}`);
  }
  if (actual > rule.max) {
    violate(violations, where, `Member must have length less than or equal to ${rule.max}`);
  }
}

/** The rule of ExternalUserId, which ExternalMeetingId and MeetingHostId share. */
function name(violations: Violations, where: string, value: unknown, required: boolean): string | undefined {
  const given = text(violations, where, value, { required, min: 2, max: 64, pattern: NAME });
  if (given !== undefined && /^aws:/i.test(given)) {
    violate(violations, where, 'Member must not begin with the reserved prefix aws:');
  }
  return given;
}

function oneOf<T extends string>(
  violations: Violations,
  where: string,
  value: unknown,
  values: readonly T[],
  required: boolean,
): T | undefined {
  if (isAbsent(value)) return missing(violations, where, required);
  const found = values.find((candidate) => candidate === value);
  return found ?? violate(violations, where, `Member must satisfy enum value set: [${values.join(', ')}]`);
}

function range(violations: Violations, where: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value))
    violate(violations, where, 'Member must be an integer');
  else if (value < min) violate(violations, where, `Member must have value greater than or equal to ${min}`);
  else if (value > max) violate(violations, where, `Member must have value less than or equal to ${max}`);
}
