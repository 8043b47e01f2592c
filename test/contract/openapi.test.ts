import { readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { apiDiff, type Diff } from 'api-smart-diff';
import {
  EXTERNAL_USER_ID_CHARACTERS,
  EXTERNAL_USER_ID_LENGTH,
  JOIN_TOKEN_LENGTH,
  MAX_ATTENDEES,
  MEDIA_CAPABILITIES,
  MEETING_ID_PATTERN,
  STRING_LENGTH,
} from '../support/contract/model-facts.ts';

const PATH = '/meetings/{MeetingId}/attendees';
const MEETING_PATH = '/meetings/{MeetingId}';
const project = (file: string) => new URL(`../../${file}`, import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(project(file), 'utf8'));

const api = read('openapi.json');
const { schemas, responses } = api.components;
const operation = api.paths[PATH].post;
const getMeeting = api.paths[MEETING_PATH].get;

/** The SDK's own schemas: `[kind, namespace, name, traits, member names, member schemas, how many are required]`. */
type SdkStructure = [number, string, string, unknown, string[], unknown[], number?];
const structure = (schema: unknown) => {
  const [, , , , members, , required = 0] = schema as unknown as SdkStructure;
  return { members, required: members.slice(0, required) };
};
const ofApi = (name: string) => ({
  members: Object.keys(schemas[name].properties),
  required: schemas[name].required ?? [],
});
const sorted = ({ members, required }: { members: string[]; required: string[] }) => ({
  members: members.toSorted(),
  required: required.toSorted(),
});

describe('the API document, compared with the schemas of the stock SDK', () => {
  it.each([
    ['Capabilities', sdk.AttendeeCapabilities$],
    ['AttendeeRequest', sdk.CreateAttendeeRequestItem$],
    ['Attendee', sdk.Attendee$],
    ['AttendeeError', sdk.CreateAttendeeError$],
    ['BatchCreateAttendeeResponse', sdk.BatchCreateAttendeeResponse$],
  ])('has the members of %s', (name, schema) => {
    expect(sorted(ofApi(name))).toEqual(sorted(structure(schema)));
  });

  /** Members of Chime's answer that say too much: docs/wire-contract.md, "Where Usher and Chime differ". */
  const LEFT_OUT = ['MeetingArn', 'MeetingHostId', 'PrimaryMeetingId', 'TenantIds'];
  it.each([
    ['GetMeetingResponse', sdk.GetMeetingResponse$],
    ['Meeting', sdk.Meeting$],
    ['MediaPlacement', sdk.MediaPlacement$],
    ['MeetingFeatures', sdk.MeetingFeaturesConfiguration$],
  ])('has the members of %s, but for those that are left out', (name, schema) => {
    const members = structure(schema).members.filter((member) => !LEFT_OUT.includes(member));
    expect(sorted(ofApi(name))).toEqual(sorted({ members, required: [] }));
  });

  it.each([
    ['Audio', sdk.AudioFeatures$],
    ['Video', sdk.VideoFeatures$],
    ['Content', sdk.ContentFeatures$],
    ['Attendee', sdk.AttendeeFeatures$],
  ])('has the features of %s', (name, schema) => {
    const { properties } = schemas.MeetingFeatures.properties[name];
    expect(Object.keys(properties)).toEqual(structure(schema).members);
  });

  it('has the values of the features', () => {
    const { Audio, Video, Content } = schemas.MeetingFeatures.properties;
    const values = (schema: { enum: string[] }) => new Set(schema.enum);
    expect(values(Audio.properties.EchoReduction)).toEqual(new Set(Object.values(sdk.MeetingFeatureStatus)));
    expect(values(Video.properties.MaxResolution)).toEqual(new Set(Object.values(sdk.VideoResolution)));
    expect(values(Content.properties.MaxResolution)).toEqual(new Set(Object.values(sdk.ContentResolution)));
  });

  it('has the members of the request, of which the path holds one', () => {
    const { members, required } = ofApi('BatchCreateAttendeeRequest');
    const inPath = operation.parameters.filter((p: { in: string }) => p.in === 'path');
    const names = inPath.map(({ name }: { name: string }) => name);
    expect(sorted({ members: [...names, ...members], required: [...names, ...required] })).toEqual(
      sorted(structure(sdk.BatchCreateAttendeeRequest$)),
    );
  });

  it('has its method, path, query and status', () => {
    const [, , , { http }] = sdk.BatchCreateAttendee$ as unknown as [
      number,
      string,
      string,
      { http: [string, string, number] },
    ];
    const [query] = operation.parameters.filter((p: { in: string }) => p.in === 'query');
    expect(http).toEqual(['POST', `${PATH}?${query.name}=${query.schema.enum}`, 200]);
  });

  it('has the method, path and status of GetMeeting, which has no query and no body', () => {
    const [, , , { http }] = sdk.GetMeeting$ as unknown as [
      number,
      string,
      string,
      { http: [string, string, number] },
    ];
    expect(http).toEqual(['GET', MEETING_PATH, 200]);
    expect(getMeeting.parameters).toMatchObject([{ name: 'MeetingId', in: 'path' }]);
    expect(getMeeting.requestBody).toBeUndefined();
  });

  it('has for GetMeeting the errors that the model gives it, and the one that no gateway can shape', () => {
    const statuses = ['200', '400', '401', '403', '404', '413', '429', '500', '503'];
    expect(Object.keys(getMeeting.responses).toSorted()).toEqual(statuses);
  });

  it('has the media capabilities', () => {
    expect(schemas.MediaCapability.enum.toSorted()).toEqual(Object.values(sdk.MediaCapabilities).toSorted());
    expect(schemas.MediaCapability.enum).toEqual(MEDIA_CAPABILITIES);
  });

  /** The classes that BatchCreateAttendee may answer, by the API reference. */
  const classes = [
    sdk.BadRequestException$,
    sdk.ForbiddenException$,
    sdk.LimitExceededException$,
    sdk.NotFoundException$,
    sdk.ServiceFailureException$,
    sdk.ServiceUnavailableException$,
    sdk.ThrottlingException$,
    sdk.UnauthorizedException$,
    sdk.UnprocessableEntityException$,
  ].map((schema) => {
    const [, , name, { httpError }] = schema as unknown as [number, string, string, { httpError: number }];
    return { name, status: String(httpError) };
  });

  it('has every error under its status, and no other but the one that no gateway can shape', () => {
    expect(new Set(Object.keys(operation.responses))).toEqual(
      new Set(['200', '413', ...classes.map(({ status }) => status)]),
    );
  });

  it.each(classes)('names $name, and has an example of it', ({ name, status }) => {
    const response = responses[operation.responses[status].$ref.split('/').at(-1)];
    expect(response.description).toContain(name);
    const examples = Object.values<{ value: { Code: string } }>(
      response.content['application/json'].examples,
    );
    expect(examples.map(({ value }) => `${value.Code}Exception`)).toContain(name);
    expect(Object.keys(response.headers)).toEqual(expect.arrayContaining(['x-amzn-ErrorType']));
  });
});

describe('the API document, compared with the constraints of the model', () => {
  it('limits a batch', () => {
    expect(schemas.BatchCreateAttendeeRequest.properties.Attendees).toMatchObject({
      minItems: 1,
      maxItems: MAX_ATTENDEES,
    });
  });

  it('limits names to the documented characters and no others', () => {
    const { minLength, maxLength, pattern, not } = schemas.ExternalUserId;
    expect({ min: minLength, max: maxLength }).toEqual(EXTERNAL_USER_ID_LENGTH);
    const allowed = Array.from({ length: 0x3000 }, (_, i) => String.fromCodePoint(i)).filter((character) =>
      new RegExp(pattern, 'u').test(character),
    );
    expect(new Set(allowed)).toEqual(new Set(EXTERNAL_USER_ID_CHARACTERS));
    const isReserved = (name: string) => new RegExp(not.pattern).test(name);
    expect(['aws:', 'AWS:x', 'aWs:x'].every(isReserved)).toBe(true);
    expect(['aws', 'xaws:', ' aws:', 'aw:s'].some(isReserved)).toBe(false);
  });

  it('limits ids, tokens and texts', () => {
    expect(schemas.MeetingId.pattern).toBe(MEETING_ID_PATTERN);
    expect(schemas.AttendeeId.pattern).toBe(MEETING_ID_PATTERN);
    const { minLength, maxLength } = schemas.Attendee.properties.JoinToken;
    expect({ min: minLength, max: maxLength }).toEqual(JOIN_TOKEN_LENGTH);
    for (const text of [
      ...Object.values<{ maxLength: number }>(schemas.ErrorResponse.properties),
      schemas.AttendeeError.properties.ErrorCode,
      schemas.AttendeeError.properties.ErrorMessage,
    ]) {
      expect(text.maxLength).toBe(STRING_LENGTH.max);
    }
  });
});

describe('the API document, for those who read it', () => {
  const ajv = new Ajv({ strict: false });
  ajv.addSchema({ ...api, $id: 'api' });
  const bodies: [string, { schema: object; examples?: Record<string, { value: unknown }> }][] = [];
  const collect = (where: string, node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'application/json') bodies.push([where, value]);
      else collect(`${where}/${key}`, value);
    }
  };
  collect('', { paths: api.paths, responses });

  it.each(bodies)('has examples that keep to the schema: %s', (_where, { schema, examples = {} }) => {
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')));
    const values = Object.values(examples);
    expect(values.length).toBeGreaterThan(0);
    for (const { value } of values) {
      validate(value);
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  it('describes every schema, response, header, parameter and operation', () => {
    type Described = { name?: string; description?: string; parameters?: Described[] };
    const components = Object.entries<Record<string, Described>>(api.components).flatMap(([kind, members]) =>
      Object.entries(members).map(([name, described]): [string, Described] => [`${kind} ${name}`, described]),
    );
    const operations = Object.entries<Record<string, Described>>(api.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]): [string, Described][] => [
        [`${method} ${path}`, operation],
        ...(operation.parameters ?? []).map((parameter): [string, Described] => [
          `${method} ${path} ${parameter.name}`,
          parameter,
        ]),
      ]),
    );
    const mute = [...components, ...operations].filter(([, { description }]) => !description);
    expect(mute).toEqual([]);
  });
});

/**
 * What a client of the earlier document could stumble over. The comparison knows what breaks a request, but takes a
 * member of an answer for optional, as the schema says; a client that reads it is broken by its removal all the same.
 */
function breakingChanges(before: object, after: object): string[] {
  const removedFromAnswer = ({ action, path }: Diff) =>
    action === 'remove' && path.includes('properties') && path.includes('responses');
  return (
    apiDiff(before, after)
      .filter((diff) => diff.type === 'breaking' || removedFromAnswer(diff))
      // The tool takes the words of a response for its contract.
      .filter(({ action, path }) => action !== 'replace' || path.at(-1) !== 'description')
      .map(({ action, path }) => `${action} ${path.join(' ')}`)
  );
}

describe('the API document, compared with that of the last release', () => {
  const released = read(`docs/releases/openapi-${api.info.version}.json`);

  it('breaks no client', () => {
    expect(breakingChanges(released, api)).toEqual([]);
  });

  type Document = typeof api;
  const attendees = (d: Document) => d.components.schemas.BatchCreateAttendeeRequest.properties.Attendees;
  it.each<[string, (d: Document) => void]>([
    ['an operation removed', (d) => delete d.paths[PATH].post],
    ['a parameter renamed', (d) => Object.assign(d.paths[PATH].post.parameters[1], { name: 'op' })],
    ['an error removed', (d) => delete d.paths[PATH].post.responses['422']],
    [
      'a header of the answer removed',
      (d) => delete d.paths[PATH].post.responses['200'].headers['x-usher-batch-id'],
    ],
    ['a member of the answer removed', (d) => delete d.components.schemas.Attendee.properties.JoinToken],
    ['a member of an error removed', (d) => delete d.components.schemas.ErrorResponse.properties.RequestId],
    ['a member made required', (d) => d.components.schemas.AttendeeRequest.required.push('Capabilities')],
    ['a shorter batch', (d) => Object.assign(attendees(d), { maxItems: 10 })],
    ['longer names only', (d) => Object.assign(d.components.schemas.ExternalUserId, { minLength: 3 })],
    ['other characters only', (d) => Object.assign(d.components.schemas.ExternalUserId, { pattern: '^x$' })],
    ['a value removed', (d) => d.components.schemas.MediaCapability.enum.pop()],
  ])('reports %s', (_what, change) => {
    const changed = structuredClone(released);
    change(changed);
    expect(breakingChanges(released, changed)).not.toEqual([]);
  });

  it.each<[string, (d: Document) => void]>([
    ['other words', (d) => Object.assign(d.info, { description: 'other' })],
    [
      'one more member of the answer',
      (d) => Object.assign(d.components.schemas.Attendee.properties, { New: { type: 'string' } }),
    ],
    [
      'one more member that may be sent',
      (d) => Object.assign(d.components.schemas.AttendeeRequest.properties, { New: { type: 'string' } }),
    ],
    ['a longer batch', (d) => Object.assign(attendees(d), { maxItems: 200 })],
  ])('would not be troubled by %s', (_what, change) => {
    const changed = structuredClone(released);
    change(changed);
    expect(breakingChanges(released, changed)).toEqual([]);
  });
});
