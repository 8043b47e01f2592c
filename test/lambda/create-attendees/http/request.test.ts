import { describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { bearerToken, parseBatch, parseMeeting } from '../../../../lambda/create-attendees/http/request.ts';
import { ROUTES, type Route, routeTo } from '../../../../lambda/create-attendees/routes.ts';

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const ATTENDEES = `/meetings/${MEETING}/attendees`;
const WATCH = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };

function event(overrides: {
  resource?: string;
  /** Raw, and with the stage before it in the context. */
  path?: string;
  contextPath?: string;
  httpMethod?: string;
  operations?: string[] | null;
  headers?: Record<string, string[]>;
  meetingId?: string;
  body?: string | null;
  isBase64Encoded?: boolean;
}): APIGatewayProxyEvent {
  const path = overrides.path ?? ATTENDEES;
  return {
    path,
    requestContext: { path: overrides.contextPath ?? `/v1${path}` },
    resource: overrides.resource ?? '/meetings/{MeetingId}/attendees',
    httpMethod: overrides.httpMethod ?? 'POST',
    multiValueQueryStringParameters:
      overrides.operations === null ? null : { operation: overrides.operations ?? ['batch-create'] },
    multiValueHeaders: overrides.headers ?? { 'Content-Type': ['application/json'] },
    pathParameters: { MeetingId: overrides.meetingId ?? MEETING },
    body: overrides.body === undefined ? '{}' : overrides.body,
    isBase64Encoded: overrides.isBase64Encoded ?? false,
  } as unknown as APIGatewayProxyEvent;
}

const bodyOf = (body: unknown) => event({ body: JSON.stringify(body) });
const attendees = (...list: unknown[]) => bodyOf({ Attendees: list });
const messageOf = (e: APIGatewayProxyEvent): string => {
  try {
    parseBatch(e);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BadRequest' });
    return (error as Error).message;
  }
  throw new Error('nothing was rejected');
};

describe('what is offered', () => {
  const PATH =
    'There is nothing at this path. Use POST /meetings/{MeetingId}/attendees?operation=batch-create or GET /meetings/{MeetingId}.';
  it('is one operation on one path', () => {
    expect(() => routeTo(event({}))).not.toThrow();
  });

  it('is the same behind a base path, and with an encoded id', () => {
    for (const path of [`/usher${ATTENDEES}`, ATTENDEES.replace('3', '%33')]) {
      expect(() => routeTo(event({ path }))).not.toThrow();
      expect(() => routeTo(event({ path, contextPath: path }))).not.toThrow();
    }
  });

  it.each([
    ['a trailing slash', { path: `${ATTENDEES}/` }],
    ['two trailing slashes', { path: `${ATTENDEES}//` }],
    ['a doubled slash at the beginning', { path: `/${ATTENDEES}` }],
    ['a doubled slash in the middle', { path: ATTENDEES.replace('/att', '//att') }],
    ['no meeting', { path: '/meetings//attendees' }],
    ['a trailing slash in the context only', { contextPath: `/v1${ATTENDEES}/` }],
    ['a doubled slash behind the stage only', { contextPath: `/v1/${ATTENDEES}` }],
    ['an encoded word', { path: ATTENDEES.replace('m', '%6D') }],
    ['something behind it', { path: `${ATTENDEES}/alice` }],
    ['a word too few', { path: `/${MEETING}/attendees` }],
  ])('is not found at a raw path with %s, whatever resource API Gateway matched', (_what, paths) => {
    expect(() => routeTo(event(paths))).toThrow(
      expect.objectContaining({ code: 'NotFound', message: PATH, details: { reason: 'path' } }),
    );
  });

  const METHOD = 'Only POST is offered at this path.';
  const OPERATION =
    'The query parameter operation must be given once, as batch-create: no other operation is offered here.';
  it.each([
    ['NotFound', 'path', PATH, 'another path', event({ resource: '/{proxy+}' })],
    ['BadRequest', 'method', METHOD, 'another method', event({ httpMethod: 'GET' })],
    ['BadRequest', 'operation', OPERATION, 'another one', event({ operations: ['batch-update-except'] })],
    ['BadRequest', 'operation', OPERATION, 'another case', event({ operations: ['Batch-Create'] })],
    ['BadRequest', 'operation', OPERATION, 'none', event({ operations: [] })],
    ['BadRequest', 'operation', OPERATION, 'no query', event({ operations: null })],
    [
      'BadRequest',
      'operation',
      OPERATION,
      'it twice',
      event({ operations: ['batch-create', 'batch-create'] }),
    ],
  ])('rejects as %s by %s, saying %j: %s', (code, reason, message, _what, e) => {
    expect(() => routeTo(e)).toThrow(expect.objectContaining({ code, message, details: { reason } }));
  });
});

describe('several operations at one path', () => {
  const [batch] = ROUTES as [Route];
  const route = (over: Partial<Route>): Route => ({ ...batch, ...over });
  const { query: _, ...single } = batch;
  const routes = [batch, single];

  it.each([
    [
      'a method once, however many operations it has',
      routes,
      { httpMethod: 'PUT' },
      'Only POST is offered at this path.',
    ],
    [
      'every method',
      [route({ method: 'GET' }), ...routes],
      { httpMethod: 'PUT' },
      'Only GET and POST are offered at this path.',
    ],
    [
      'that the operation may be left out',
      routes,
      { operations: ['batch-update'] },
      'The query parameter operation must be left out, or given once, as batch-create: no other operation is offered here.',
    ],
    [
      'every operation',
      [batch, route({ query: 'batch-update' })],
      { operations: [] },
      'The query parameter operation must be given once, as batch-create or batch-update: no other operation is offered here.',
    ],
  ])('are named in the error: %s', (_what, offered, request, message) => {
    expect(() => routeTo(event(request), offered)).toThrow(message);
  });

  it('are distinguished by the query parameter', () => {
    expect(routeTo(event({}), routes)).toBe(batch);
    expect(routeTo(event({ operations: null }), routes)).toBe(single);
  });
});

describe('the bearer token', () => {
  const withAuthorization = (...values: string[]) => event({ headers: { authorization: values } });

  it.each([
    ['Bearer abc.def-_~+/==', 'abc.def-_~+/=='],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
    [`Bearer ${'a'.repeat(8_192)}`, 'a'.repeat(8_192)],
  ])('is read from %j as %s', (value, token) => {
    expect(bearerToken(withAuthorization(value))).toBe(token);
  });

  it('is not read from any other header', () => {
    const headers = { 'Content-Type': ['application/json'], 'x-authorization': ['Bearer abc'] };
    expect(bearerToken(event({ headers: { ...headers, Authorization: ['Bearer def'] } }))).toBe('def');
    expect(() => bearerToken(event({ headers }))).toThrow(
      expect.objectContaining({
        message: 'An Authorization header with a bearer token is required.',
        details: { reason: 'token-missing', challenge: 'Bearer' },
      }),
    );
  });

  it('is reported as malformed if it is not exactly one token', () => {
    expect(() => bearerToken(withAuthorization('abc'))).toThrow(
      expect.objectContaining({
        message: 'The Authorization header must hold one bearer token.',
        details: { reason: 'token-malformed', challenge: 'Bearer error="invalid_request"' },
      }),
    );
  });

  it.each([
    ['no header', event({ headers: {} }), 'Bearer'],
    [
      'no headers at all',
      { ...event({}), multiValueHeaders: null } as unknown as APIGatewayProxyEvent,
      'Bearer',
    ],
    ['two values', withAuthorization('Bearer abc', 'Bearer abc'), 'Bearer error="invalid_request"'],
    [
      'two headers that differ in case',
      event({ headers: { Authorization: ['Bearer abc'], authorization: ['Bearer abc'] } }),
      'Bearer error="invalid_request"',
    ],
    ['an empty value', withAuthorization(''), 'Bearer error="invalid_request"'],
    ['a scheme alone', withAuthorization('Bearer '), 'Bearer error="invalid_request"'],
    ['no scheme', withAuthorization('abc'), 'Bearer error="invalid_request"'],
    ['another scheme', withAuthorization('Basic abc'), 'Bearer error="invalid_request"'],
    [
      'a signature of AWS',
      withAuthorization('AWS4-HMAC-SHA256 Credential=x'),
      'Bearer error="invalid_request"',
    ],
    ['two tokens', withAuthorization('Bearer abc, Bearer def'), 'Bearer error="invalid_request"'],
    ['something behind it', withAuthorization('Bearer abc def'), 'Bearer error="invalid_request"'],
    ['a line break', withAuthorization('Bearer abc\n'), 'Bearer error="invalid_request"'],
    [
      'one that is too long',
      withAuthorization(`Bearer ${'a'.repeat(8_193)}`),
      'Bearer error="invalid_request"',
    ],
  ])('is missed or rejected with %s', (_what, e, challenge) => {
    expect(() => bearerToken(e)).toThrow(
      expect.objectContaining({ code: 'Unauthorized', details: expect.objectContaining({ challenge }) }),
    );
  });
});

describe('a batch', () => {
  it('is the meeting and its attendees, without other members of the body', () => {
    const body = {
      Attendees: [
        { ExternalUserId: 'alice', Capabilities: { ...WATCH, Smell: 'Send' }, Tags: [1] },
        { ExternalUserId: 'bob' },
      ],
      ClientRequestToken: 'x',
    };
    expect(parseBatch(bodyOf(body))).toEqual({
      meetingId: MEETING,
      attendees: [{ ExternalUserId: 'alice', Capabilities: WATCH }, { ExternalUserId: 'bob' }],
    });
  });

  it('may omit members by null, as in AWS’s JSON protocols', () => {
    const { attendees: parsed } = parseBatch(attendees({ ExternalUserId: 'alice', Capabilities: null }));
    expect(parsed).toEqual([{ ExternalUserId: 'alice' }]);
  });

  it.each(['ab', 'a'.repeat(64), '«alice».:|\'"#,(){}[]/-_&@+= ÀÿÖ\t\n', 'aws', 'xaws:y', ' aws:'])(
    'accepts the name %j',
    (name) => {
      expect(parseBatch(attendees({ ExternalUserId: name })).attendees).toEqual([{ ExternalUserId: name }]);
    },
  );

  it('accepts 100 attendees', () => {
    const list = Array.from({ length: 100 }, (_, i) => ({ ExternalUserId: `user-${i}` }));
    expect(parseBatch(attendees(...list)).attendees).toHaveLength(100);
  });

  it('may come in base64', () => {
    const body = Buffer.from(JSON.stringify({ Attendees: [{ ExternalUserId: 'zoë' }] })).toString('base64');
    expect(parseBatch(event({ body, isBase64Encoded: true })).attendees).toEqual([{ ExternalUserId: 'zoë' }]);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])(
    'may have the Content-Type %s',
    (contentType) => {
      const e = {
        ...attendees({ ExternalUserId: 'alice' }),
        multiValueHeaders: { 'content-type': [contentType] },
      };
      expect(parseBatch(e as APIGatewayProxyEvent).attendees).toHaveLength(1);
    },
  );

  it('may omit the Content-Type', () => {
    const e = { ...attendees({ ExternalUserId: 'alice' }), multiValueHeaders: {} };
    expect(parseBatch(e as APIGatewayProxyEvent).attendees).toHaveLength(1);
  });

  it('may come with any other headers', () => {
    const e = {
      ...attendees({ ExternalUserId: 'alice' }),
      multiValueHeaders: { Accept: ['text/html', '*/*'] },
    };
    expect(parseBatch(e as unknown as APIGatewayProxyEvent).attendees).toHaveLength(1);
  });

  it.each([
    ['content-type', event({ headers: { 'Content-Type': ['text/application/json'] } })],
    ['json', event({ body: '{' })],
    ['body-length', event({ body: ' '.repeat(10_000_000) })],
    ['json', event({ body: null, isBase64Encoded: true })],
    ['validation', bodyOf({})],
    ['validation', { ...attendees({ ExternalUserId: 'alice' }), pathParameters: null }],
  ])('is rejected by %s', (reason, e) => {
    expect(() => parseBatch(e)).toThrow(expect.objectContaining({ code: 'BadRequest', details: { reason } }));
  });

  const name = 'attendees.1.member.externalUserId';
  const refused: [string, APIGatewayProxyEvent, string][] = [
    ['no body', event({ body: null }), 'The body must be JSON.'],
    ['an empty body', event({ body: '' }), 'The body must be JSON.'],
    ['something that is no JSON', event({ body: '{"Attendees":' }), 'The body must be JSON.'],
    ['a byte order mark', event({ body: '\ufeff{"Attendees":[]}' }), 'The body must be JSON.'],
    [
      'a form',
      event({ headers: { 'Content-Type': ['application/x-www-form-urlencoded'] } }),
      'The Content-Type must be application/json.',
    ],
    [
      'two content types',
      event({ headers: { 'Content-Type': ['application/json', 'text/plain'] } }),
      'The Content-Type must be application/json.',
    ],
    [
      'a list',
      bodyOf([]),
      "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must be of type object",
    ],
    [
      'nothing',
      bodyOf(null),
      "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must be of type object",
    ],
    [
      'no attendees',
      bodyOf({}),
      "1 validation error detected: Value null at 'attendees' failed to satisfy constraint: Member must not be null",
    ],
    [
      'null for attendees',
      bodyOf({ Attendees: null }),
      "1 validation error detected: Value null at 'attendees' failed to satisfy constraint: Member must not be null",
    ],
    [
      'an empty list',
      attendees(),
      "1 validation error detected: Value at 'attendees' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      '101 attendees',
      attendees(...Array.from({ length: 101 }, () => ({ ExternalUserId: 'alice' }))),
      "1 validation error detected: Value at 'attendees' failed to satisfy constraint: Member must have length less than or equal to 100",
    ],
    [
      'an attendee that is null',
      attendees(null),
      "1 validation error detected: Value at 'attendees.1.member' failed to satisfy constraint: Member must be of type object",
    ],
    [
      'a name left out',
      attendees({}),
      `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
    ],
    [
      'a name that is a number',
      attendees({ ExternalUserId: 42 }),
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must be of type string`,
    ],
    [
      'a name of one character',
      attendees({ ExternalUserId: 'x' }),
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must have length greater than or equal to 2`,
    ],
    [
      'a name of 65 characters',
      attendees({ ExternalUserId: 'x'.repeat(65) }),
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      'a reserved name',
      attendees({ ExternalUserId: 'AwS:x' }),
      `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must not begin with aws:, which is reserved`,
    ],
    [
      'a capability left out, in the second',
      attendees(
        { ExternalUserId: 'alice' },
        { ExternalUserId: 'bob', Capabilities: { Audio: 'None', Video: 'None' } },
      ),
      "1 validation error detected: Value null at 'attendees.2.member.capabilities.content' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a capability that there is not',
      attendees({ ExternalUserId: 'alice', Capabilities: { ...WATCH, Audio: 'Listen' } }),
      "1 validation error detected: Value at 'attendees.1.member.capabilities.audio' failed to satisfy constraint: Member must satisfy enum value set: [SendReceive, Send, Receive, None]",
    ],
    [
      'content without video',
      attendees({
        ExternalUserId: 'alice',
        Capabilities: { Audio: 'None', Video: 'Send', Content: 'Receive' },
      }),
      "1 validation error detected: Value at 'attendees.1.member.capabilities.content' failed to satisfy constraint: Member must not be SendReceive or Receive unless video is SendReceive or Receive",
    ],
  ];
  it.each(refused)('is refused with %s', (_what, e, message) => {
    expect(messageOf(e)).toBe(message);
  });

  it.each([
    'x\u0000y',
    'a;b',
    'a<b',
    'a*b',
    '日本',
    '\u00a0\u00a0',
    '\u2028x',
    '💣💣',
    'a\u200db',
    '\ud800x',
  ])('is rejected with the name %j, without quoting it', (externalUserId) => {
    const message = messageOf(attendees({ ExternalUserId: externalUserId }));
    expect(message).toContain(
      `Value at '${name}' failed to satisfy constraint: Member must satisfy regular expression`,
    );
    expect(message.split('pattern:')[0]).not.toContain(externalUserId);
  });

  it.each([
    '',
    'x',
    `${MEETING}x`,
    `${MEETING}\n`,
    MEETING.replace('3', 'g'),
    MEETING.replaceAll('-', ''),
    '%2e%2e',
  ])('is rejected for the meeting %j', (meetingId) => {
    expect(
      messageOf({ ...attendees({ ExternalUserId: 'alice' }), pathParameters: { MeetingId: meetingId } }),
    ).toContain("1 validation error detected: Value at 'meetingId'");
  });

  it('is rejected unread if longer than any batch, and read at the limit', () => {
    const ofLength = (length: number) => '{"Attendees":[{"ExternalUserId":"alice"}]}'.padEnd(length);
    expect(parseBatch(event({ body: ofLength(262_144) })).attendees).toHaveLength(1);
    expect(messageOf(event({ body: ofLength(262_145) }))).toBe(
      'The body must have at most 262144 characters.',
    );
  });

  it('is rejected with more than 100 attendees, without further violations', () => {
    expect(messageOf(attendees(...Array.from({ length: 101 }, () => ({}))))).toBe(
      "1 validation error detected: Value at 'attendees' failed to satisfy constraint: Member must have length less than or equal to 100",
    );
  });

  it('is rejected with a capability of the wrong type by its enum', () => {
    expect(messageOf(attendees({ ExternalUserId: 'alice', Capabilities: { ...WATCH, Video: 1 } }))).toBe(
      "1 validation error detected: Value at 'attendees.1.member.capabilities.video' failed to satisfy constraint: Member must satisfy enum value set: [SendReceive, Send, Receive, None]",
    );
  });

  it('is rejected with all violations counted and the first ten listed', () => {
    const message = messageOf(attendees(...Array.from({ length: 12 }, () => ({ ExternalUserId: 'x' }))));
    expect(message).toMatch(/^12 validation errors detected: /);
    expect(message.match(/Value at/g)).toHaveLength(10);
    expect(message).toMatch(/; and 2 more$/);
  });

  it('is rejected with all violations listed up to ten', () => {
    const message = messageOf(attendees(...Array.from({ length: 10 }, () => ({ ExternalUserId: 'x' }))));
    expect(message).toMatch(/^10 validation errors detected: ([^;]+; ){9}[^;]+ equal to 2$/);
  });
});

describe('the meeting of a request', () => {
  const meetingOf = (pathParameters: object | null) =>
    parseMeeting({ pathParameters } as unknown as APIGatewayProxyEvent);

  it('is the id in the path', () => {
    const MeetingId = '6d0a1f6e-9c2b-4e87-b1d3-0f6a7c8e9d21';
    expect(meetingOf({ MeetingId })).toEqual({ meetingId: MeetingId });
  });

  it.each([null, {}, { MeetingId: '' }, { MeetingId: 'not an id' }])('is rejected from %j', (parameters) => {
    expect(() => meetingOf(parameters)).toThrow(
      expect.objectContaining({
        code: 'BadRequest',
        message: expect.stringMatching(/^1 validation error detected: Value/),
        details: { reason: 'validation' },
      }),
    );
  });
});
