import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createChimeMeetings } from '../../../lambda/aws/chime-meetings.ts';
import { startEmulator } from '../../support/chime-emulator.ts';

const ABSENT = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const QUICK = { timeoutMs: 2_000 };
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };

async function chime() {
  const running = await startEmulator();
  return { ...running, meetings: createChimeMeetings(running.client), meetingId: await running.meeting() };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A stand-in for Chime that answers everything with 200 and this. */
async function answering(answer: unknown) {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new ChimeSDKMeetingsClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  closing.push(() => {
    client.destroy();
    server.close();
  });
  return { meetings: createChimeMeetings(client) };
}

describe('finding a meeting', () => {
  it('returns its tenants', async () => {
    const { meetings, meeting } = await chime();
    const meetingId = await meeting({ TenantIds: ['acme', 'globex'] });
    expect(await meetings.findMeeting(meetingId, QUICK)).toMatchObject({
      tenantIds: ['acme', 'globex'],
      missingMedia: [],
      externalMeetingId: 'standup',
    });
  });

  it('returns an empty list for a meeting without tenants', async () => {
    const { meetings, meetingId } = await chime();
    expect(await meetings.findMeeting(meetingId, QUICK)).toMatchObject({ tenantIds: [] });
  });

  it('passes on the members that joining needs, and no others', async () => {
    const passedOn = {
      MeetingId: ABSENT.toUpperCase(),
      ExternalMeetingId: 'board',
      MediaRegion: 'eu-central-1',
      MediaPlacement: { AudioHostUrl: 'audio.example', SignalingUrl: 'wss://signal.example' },
      MeetingFeatures: { Video: { MaxResolution: 'HD' } },
    };
    const { meetings } = await answering({
      Meeting: {
        ...passedOn,
        MediaPlacement: { ...passedOn.MediaPlacement, Secret: 's3cret' },
        MeetingArn: 'arn:aws:chime:us-east-1:123456789012:meeting/s3cret',
        MeetingHostId: 's3cret',
        PrimaryMeetingId: 's3cret',
        TenantIds: ['acme', 's3cret'],
        Secret: 's3cret',
      },
    });
    expect((await meetings.findMeeting(ABSENT, QUICK))?.meeting).toEqual(passedOn);
  });

  it('returns the media that it was created without', async () => {
    const { meetings, meeting } = await chime();
    const meetingId = await meeting({
      MeetingFeatures: { Video: { MaxResolution: 'HD' }, Content: { MaxResolution: 'None' } },
    });
    expect(await meetings.findMeeting(meetingId, QUICK)).toMatchObject({ missingMedia: ['Content'] });
  });

  it('returns undefined for a meeting that does not exist', async () => {
    const { meetings } = await chime();
    expect(await meetings.findMeeting(ABSENT, QUICK)).toBeUndefined();
  });

  it.each([
    ['Throttling', { status: 429, errorType: 'ThrottlingException' }],
    ['ServiceUnavailable', { status: 500, errorType: 'ServiceFailureException' }],
    ['ServiceUnavailable', { status: 503, errorType: 'ServiceUnavailableException', retryAfterSeconds: 7 }],
    ['ServiceUnavailable', { status: 403, errorType: 'AccessDeniedException' }],
    ['ServiceUnavailable', { reset: true }],
    ['ServiceUnavailable', { garbage: true }],
    ['ServiceUnavailable', { garbage: true, status: 404 }],
    ['ServiceUnavailable', { truncate: true, status: 404, errorType: 'NotFoundException' }],
  ])('is %s after %j, never a missing meeting', async (code, fault) => {
    const { meetings, meetingId, fault: inject } = await chime();
    await inject({ operation: 'GetMeeting', ...fault });
    await expect(meetings.findMeeting(meetingId, QUICK)).rejects.toMatchObject({ code });
  });

  it.each([
    ['nothing', {}],
    ['no meeting', { Meeting: null }],
    ['a meeting without its id', { Meeting: { TenantIds: ['acme'] } }],
    ['another meeting', { Meeting: { MeetingId: ABSENT.replace('3', '4'), TenantIds: ['acme'] } }],
    ['tenants that are no list', { Meeting: { MeetingId: ABSENT, TenantIds: 'acme' } }],
    ['tenants that are no names', { Meeting: { MeetingId: ABSENT, TenantIds: [{ acme: true }] } }],
  ])(
    'is ServiceUnavailable after an answer of 200 with %s, never a meeting without tenants',
    async (_what, answer) => {
      const { meetings } = await answering(answer);
      await expect(meetings.findMeeting(ABSENT, QUICK)).rejects.toMatchObject({
        code: 'ServiceUnavailable',
        details: { reason: 'meeting-lookup' },
      });
    },
  );

  it('is aborted at its time limit', async () => {
    const { meetings, meetingId, fault } = await chime();
    await fault({ operation: 'GetMeeting', latencyMs: 5_000 });
    await expect(meetings.findMeeting(meetingId, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
  });
});

describe('creating attendees', () => {
  it('answers what Chime answers', async () => {
    const { meetings, meetingId, attendees } = await chime();
    const result = await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK);
    const [alice] = await attendees();
    expect(result).toEqual({
      kind: 'answered',
      attendees: [
        {
          ExternalUserId: 'alice',
          AttendeeId: alice?.AttendeeId,
          JoinToken: alice?.JoinToken,
          Capabilities: EVERYTHING,
        },
      ],
      errors: [],
      chimeRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('answers per-attendee errors', async () => {
    const { meetings, meetingId, fault } = await chime();
    await fault({ partialErrors: { externalUserIds: ['bob'], errorCode: 'Some', errorMessage: 'thing' } });
    const result = await meetings.createAttendees(
      meetingId,
      [{ ExternalUserId: 'alice' }, { ExternalUserId: 'bob' }],
      QUICK,
    );
    expect(result).toMatchObject({
      kind: 'answered',
      attendees: [{ ExternalUserId: 'alice' }],
      errors: [{ ExternalUserId: 'bob', ErrorCode: 'Some', ErrorMessage: 'thing' }],
    });
  });

  it.each([
    ['BadRequest', 400, 'BadRequestException'],
    ['LimitExceeded', 400, 'LimitExceededException'],
    ['BadRequest', 400, 'ValidationException'],
    ['Unauthorized', 401, 'UnauthorizedException'],
    ['Forbidden', 403, 'ForbiddenException'],
    ['NotFound', 404, 'NotFoundException'],
    ['UnprocessableEntity', 422, 'UnprocessableEntityException'],
    ['Throttling', 429, 'ThrottlingException'],
    ['Throttling', 429, 'ThrottledClientException'],
    ['Throttling', 400, 'Throttling'],
    ['BadRequest', 418, 'SomethingNew'],
  ])('is refused as %s after %d %s', async (code, status, errorType) => {
    const { meetings, meetingId, fault, attendees } = await chime();
    await fault({ status, errorType, message: 'what Chime says' });
    const result = await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK);
    expect(result).toMatchObject({
      kind: 'refused',
      error: { code, message: 'what Chime says', details: { chimeRequestId: expect.any(String) } },
      chimeRequestId: expect.any(String),
    });
    expect(await attendees()).toEqual([]);
  });

  it.each([
    [403, 'AccessDeniedException'],
    [403, 'UnrecognizedClientException'],
    [401, 'InvalidSignatureException'],
    [400, 'ExpiredTokenException'],
    [403, 'ForbiddenException'],
    [401, 'SomethingNew'],
  ])('is a failure of ours after %d %s, which names our account', async (status, errorType) => {
    const { meetings, meetingId, fault } = await chime();
    await fault({ status, errorType, message: 'User: arn:aws:sts::123456789012:assumed-role/usher' });
    expect(await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK)).toMatchObject({
      kind: 'refused',
      error: { code: 'ServiceFailure', message: 'This service may not call Chime at present.' },
    });
  });

  it.each([
    'User: arn:aws:sts::123456789012:assumed-role/usher/usher is not authorized',
    'arn:aws-us-gov:chime:us-gov-west-1:123456789012:meeting/1',
    'on "ARN:AWS:chime::123456789012:meeting/1", (arn%3Aaws%3Aiam%3A%3A123456789012%3Arole/usher)',
  ])('removes the name of our account from the error of one attendee: %s', async (ErrorMessage) => {
    const error = { ExternalUserId: 'bob', ErrorCode: 'AccessDenied', ErrorMessage };
    const { meetings } = await answering({ Attendees: [], Errors: [error] });
    const result = await meetings.createAttendees(ABSENT, [{ ExternalUserId: 'bob' }], QUICK);
    expect(result).toMatchObject({ kind: 'answered', errors: [{ ErrorCode: 'AccessDenied' }] });
    expect(JSON.stringify(result)).not.toContain('123456789012');
    expect(JSON.stringify(result)).toContain('[resource]');
  });

  it('removes it from an outage too', async () => {
    const { meetings, meetingId, fault } = await chime();
    const message = 'No room for arn:aws:chime::123456789012:meeting/1 at present';
    await fault({ status: 503, errorType: 'ServiceUnavailableException', message });
    expect(await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK)).toMatchObject({
      kind: 'ambiguous',
      error: { message: 'No room for [resource] at present' },
    });
  });

  it('passes on Retry-After', async () => {
    const { meetings, meetingId, fault } = await chime();
    await fault({ status: 429, errorType: 'ThrottlingException', retryAfterSeconds: 7 });
    expect(await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK)).toMatchObject({
      error: { details: { retryAfterSeconds: 7 } },
    });
  });

  it.each([
    [{ status: 500, errorType: 'ServiceFailureException' }],
    [{ status: 503, errorType: 'ServiceUnavailableException' }],
    [{ status: 504, errorType: 'GatewayTimeout' }],
    [{ status: 408, errorType: 'RequestTimeoutException' }],
    [{ reset: true }],
    [{ reset: true, when: 'after' }],
    [{ garbage: true }],
    [{ garbage: true, status: 400 }],
    [{ truncate: true }],
    [{ truncate: true, status: 400, errorType: 'LimitExceededException' }],
    [{ truncate: true, status: 429, errorType: 'ThrottlingException' }],
  ])('is ambiguous after %j', async (fault) => {
    const { meetings, meetingId, fault: inject } = await chime();
    await inject(fault);
    expect(await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK)).toMatchObject({
      kind: 'ambiguous',
    });
  });

  it('passes on the message of an outage', async () => {
    const { meetings, meetingId, fault } = await chime();
    const create = () => meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], QUICK);
    await fault({
      status: 503,
      errorType: 'ServiceUnavailableException',
      message: 'what Chime says',
      retryAfterSeconds: 7,
      times: 1,
    });
    expect(await create()).toMatchObject({
      kind: 'ambiguous',
      error: {
        code: 'ServiceUnavailable',
        message: 'what Chime says',
        details: { retryAfterSeconds: 7, chimeRequestId: expect.any(String) },
      },
    });
    await fault({ status: 500, errorType: 'ServiceFailureException', message: 'what Chime says', times: 1 });
    expect(await create()).toMatchObject({
      kind: 'ambiguous',
      error: {
        code: 'ServiceUnavailable',
        message: expect.stringMatching(/not known yet/),
        details: { retryAfterSeconds: 1, chimeRequestId: expect.any(String) },
      },
    });
    await fault({ reset: true, times: 1 });
    expect(await create()).toMatchObject({ kind: 'ambiguous', error: undefined });
  });

  it('is ambiguous after its time limit, and sends one request', async () => {
    const { meetings, meetingId, fault, calls } = await chime();
    await fault({ operation: 'BatchCreateAttendee', latencyMs: 5_000 });
    expect(
      await meetings.createAttendees(meetingId, [{ ExternalUserId: 'alice' }], { timeoutMs: 100 }),
    ).toMatchObject({ kind: 'ambiguous' });
    expect((await calls()).filter(({ operation }) => operation === 'BatchCreateAttendee')).toHaveLength(1);
  });
});
