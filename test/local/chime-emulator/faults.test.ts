import {
  BatchCreateAttendeeCommand,
  GetMeetingCommand,
  ServiceUnavailableException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { rejectionOf, startEmulator } from '../../support/chime-emulator.ts';

async function withMeeting(
  names = ['alice', 'bob', 'carol', 'dave'],
  options: { maxAttempts?: number } = {},
) {
  const started = await startEmulator(options);
  const MeetingId = await started.meeting();
  const Attendees = names.map((ExternalUserId) => ({ ExternalUserId }));
  return {
    ...started,
    MeetingId,
    create: () => started.client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees })),
    get: () => started.client.send(new GetMeetingCommand({ MeetingId })),
    existing: async () => (await started.attendees()).map(({ ExternalUserId }) => ExternalUserId),
    lastCall: async () => (await started.calls()).at(-1),
  };
}

describe('an error', () => {
  it.each([
    [400, 'BadRequestException'],
    [400, 'LimitExceededException'],
    [401, 'UnauthorizedException'],
    [403, 'ForbiddenException'],
    [404, 'NotFoundException'],
    [422, 'UnprocessableEntityException'],
    [429, 'ThrottlingException'],
    [500, 'ServiceFailureException'],
    [503, 'ServiceUnavailableException'],
  ])('%i %s is the class of that name to the SDK', async (status, errorType) => {
    const { fault, create, existing } = await withMeeting();
    await fault({ status, errorType, message: 'As configured' });
    const refused = await rejectionOf(create());
    expect(refused.constructor.name).toBe(errorType);
    expect(refused).toMatchObject({
      name: errorType,
      message: 'As configured',
      Code: errorType.replace('Exception', ''),
      RequestId: expect.any(String),
      $metadata: { httpStatusCode: status, requestId: refused['RequestId'] },
    });
    expect(await existing()).toEqual([]);
  });

  it('carries Retry-After if the fault has it', async () => {
    const { fault, get } = await withMeeting();
    await fault({ status: 503, errorType: 'ServiceUnavailableException', retryAfterSeconds: 7 });
    const refused = await rejectionOf(get());
    expect(refused).toBeInstanceOf(ServiceUnavailableException);
    expect(refused).toMatchObject({ RetryAfterSeconds: '7', $response: { headers: { 'retry-after': '7' } } });
  });

  it('after acting leaves the attendees behind', async () => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ status: 500, errorType: 'ServiceFailureException', when: 'after' });
    expect((await rejectionOf(create())).name).toBe('ServiceFailureException');
    expect(await existing()).toEqual(['alice']);
    expect(await lastCall()).toMatchObject({ status: 500, outcome: 'answered', acted: true });
  });

  it('is retried by a client that retries', async () => {
    const { fault, create, lastCall, calls } = await withMeeting(['alice'], { maxAttempts: 3 });
    await fault({ status: 500, errorType: 'ServiceFailureException', times: 2 });
    expect((await create()).$metadata.attempts).toBe(3);
    expect((await calls()).filter(({ operation }) => operation === 'BatchCreateAttendee')).toHaveLength(3);
    expect(await lastCall()).toMatchObject({ status: 200, acted: true });
  });
});

describe('which calls a fault is for', () => {
  const boom = { status: 500, errorType: 'ServiceFailureException' };

  it('is its operation only', async () => {
    const { fault, create, get } = await withMeeting();
    await fault({ ...boom, operation: 'BatchCreateAttendee' });
    await get();
    expect((await rejectionOf(create())).name).toBe('ServiceFailureException');
  });

  it('is used as often as configured, in the order of the faults', async () => {
    const { fault, get, control } = await withMeeting();
    await fault({ ...boom, times: 1 });
    await fault({ status: 403, errorType: 'ForbiddenException', times: 1 });
    expect((await rejectionOf(get())).name).toBe('ServiceFailureException');
    expect((await rejectionOf(get())).name).toBe('ForbiddenException');
    await get();
    expect((await control('GET', 'faults')).body.faults).toMatchObject([
      { id: 1, errorType: 'ServiceFailureException', applied: 1, remaining: 0 },
      { id: 2, applied: 1, remaining: 0 },
    ]);
  });

  it('is every one until the faults are cleared', async () => {
    const { fault, get, control } = await withMeeting();
    await fault(boom);
    await rejectionOf(get());
    await rejectionOf(get());
    expect((await control('DELETE', 'faults')).status).toBe(204);
    await get();
    expect((await control('GET', 'faults')).body).toEqual({ faults: [] });
  });

  it('is a repeatable share of them with a probability', async () => {
    const draws = async (seed: number) => {
      const { fault, get } = await withMeeting();
      await fault({ ...boom, probability: 0.5, seed });
      const failed: boolean[] = [];
      for (let n = 0; n < 24; n += 1)
        failed.push(
          await get().then(
            () => false,
            () => true,
          ),
        );
      return failed;
    };
    const first = await draws(3);
    expect(first).toContain(true);
    expect(first).toContain(false);
    expect(await draws(3)).toEqual(first);
    expect(await draws(4)).not.toEqual(first);
  });
});

describe('what happens to the connection or the body', () => {
  it.each([
    ['before', []],
    ['after', ['alice']],
  ])('a reset %s acting', async (when, exist) => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ reset: true, when });
    expect((await rejectionOf(create())).message).toContain('ECONNRESET');
    expect(await existing()).toEqual(exist);
    expect(await lastCall()).toMatchObject({ status: null, outcome: 'reset', acted: exist.length > 0 });
  });

  it.each([
    ['before', []],
    ['after', ['alice']],
  ])('garbage %s acting', async (when, exist) => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ garbage: true, when });
    expect(await rejectionOf(create())).toBeInstanceOf(SyntaxError);
    expect(await existing()).toEqual(exist);
    expect(await lastCall()).toMatchObject({ status: 200, outcome: 'answered' });
  });

  it('garbage with a status', async () => {
    const { fault, get } = await withMeeting();
    await fault({ garbage: true, status: 502 });
    expect(await rejectionOf(get())).toMatchObject({ $response: { statusCode: 502 } });
  });

  it('an answer cut in the middle, after acting', async () => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ truncate: true });
    expect((await rejectionOf(create())).message).toContain('aborted');
    expect(await existing()).toEqual(['alice']);
    expect(await lastCall()).toMatchObject({ outcome: 'truncated', acted: true });
  });

  it('an error cut in the middle, before acting', async () => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ status: 400, errorType: 'LimitExceededException', truncate: true });
    expect((await rejectionOf(create())).message).toContain('aborted');
    expect(await existing()).toEqual([]);
    expect(await lastCall()).toMatchObject({ outcome: 'truncated', acted: false, status: 400 });
  });
});

describe('latency', () => {
  it.each([
    ['before', 0],
    ['after', 1],
  ])('%s acting holds back the answer', async (when, existMeanwhile) => {
    const { fault, create, existing, lastCall } = await withMeeting(['alice']);
    await fault({ latencyMs: 1_000, when });
    const creating = create();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await lastCall()).toMatchObject({
      operation: 'BatchCreateAttendee',
      outcome: 'pending',
      status: null,
    });
    expect(await existing()).toHaveLength(existMeanwhile);
    expect((await creating).Attendees).toHaveLength(1);
    expect(await lastCall()).toMatchObject({ outcome: 'answered' });
  });

  it('answers with the state at the time of the action, for latency after acting', async () => {
    const { fault, create, existing } = await withMeeting(['alice']);
    const capabilities = { Audio: 'None', Video: 'None', Content: 'None' };
    await fault({ latencyMs: 150, when: 'after', times: 1 });
    await fault({ alteredCapabilities: { capabilities } });
    const early = create();
    while ((await existing()).length === 0);
    expect((await create()).Attendees?.[0]?.Capabilities).toEqual(capabilities);
    expect((await early).Attendees?.[0]?.Capabilities).toMatchObject({ Audio: 'SendReceive' });
  });

  it('can be combined with an effect', async () => {
    const { fault, get } = await withMeeting();
    await fault({ latencyMs: 100, reset: true });
    const startedAt = performance.now();
    expect((await rejectionOf(get())).message).toContain('ECONNRESET');
    expect(performance.now() - startedAt).toBeGreaterThan(95);
  });

  it('ends when the client leaves, and the call is still carried out', async () => {
    const { fault, client, MeetingId, existing, calls } = await withMeeting();
    await fault({ latencyMs: 1_000 });
    const command = new BatchCreateAttendeeCommand({ MeetingId, Attendees: [{ ExternalUserId: 'alice' }] });
    await rejectionOf(client.send(command, { abortSignal: AbortSignal.timeout(300) }));
    while ((await calls()).at(-1)?.['outcome'] === 'pending') await new Promise((go) => setTimeout(go, 20));
    expect((await calls()).at(-1)).toMatchObject({ outcome: 'client-gone', status: null, acted: true });
    expect(await existing()).toEqual(['alice']);
  });
});

describe('an answer of BatchCreateAttendee that is not what was asked for', () => {
  const errorCode = 'ServiceFailure';

  it.each([
    [{ externalUserIds: ['bob', 'absent'] }, ['bob']],
    [{ every: 2 }, ['bob', 'dave']],
    [{ externalUserIds: ['carol', 'dave'], every: 2 }, ['dave']],
    [{}, ['alice', 'bob', 'carol', 'dave']],
  ])('lists %j in Errors, and they do not exist', async (which, failing) => {
    const { fault, create, existing } = await withMeeting();
    await fault({ partialErrors: { ...which, errorCode, errorMessage: 'Sorry' } });
    const { Attendees, Errors, $metadata } = await create();
    expect($metadata.httpStatusCode).toBe(200);
    expect(Errors).toEqual(
      failing.map((ExternalUserId) => ({ ExternalUserId, ErrorCode: errorCode, ErrorMessage: 'Sorry' })),
    );
    const fine = ['alice', 'bob', 'carol', 'dave'].filter((name) => !failing.includes(name));
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(fine);
    expect(await existing()).toEqual(fine);
  });

  it('lists names in Errors that exist all the same, after acting', async () => {
    const { fault, create, existing } = await withMeeting();
    await fault({ when: 'after', partialErrors: { externalUserIds: ['bob'], errorCode } });
    const { Attendees, Errors } = await create();
    expect(Errors?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['bob']);
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'carol', 'dave']);
    expect(await existing()).toEqual(['alice', 'bob', 'carol', 'dave']);
  });

  it('has an attendee that was not requested', async () => {
    const { fault, create, existing } = await withMeeting(['alice']);
    await fault({ extraAttendee: { externalUserId: 'mallory' } });
    const { Attendees } = await create();
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'mallory']);
    expect(Attendees?.[1]?.JoinToken).toHaveLength(98);
    expect(await existing()).toEqual(['alice', 'mallory']);
  });

  it('has other capabilities for one or for all', async () => {
    const capabilities = { Audio: 'SendReceive', Video: 'Receive', Content: 'None' };
    const { fault, create, control, attendees } = await withMeeting(['alice', 'bob']);
    await fault({ alteredCapabilities: { externalUserIds: ['bob'], capabilities } });
    const first = (await create()).Attendees;
    expect(first?.[0]?.Capabilities).not.toEqual(capabilities);
    expect(first?.[1]?.Capabilities).toEqual(capabilities);
    await control('DELETE', 'faults');
    await fault({ alteredCapabilities: { capabilities } });
    expect((await create()).Attendees?.map(({ Capabilities }) => Capabilities)).toEqual([
      capabilities,
      capabilities,
    ]);
    expect((await attendees()).map(({ Capabilities }) => Capabilities)).toEqual([capabilities, capabilities]);
  });
});

describe('a wrong fault', () => {
  const error = { status: 500, errorType: 'ServiceFailureException' };
  it.each([
    [{}, 'or latencyMs, is required'],
    [{ status: 500 }, 'status needs errorType or garbage'],
    [{ errorType: 'ServiceFailureException' }, 'errorType needs a status'],
    [{ errorType: 'ServiceFailureException', status: 200 }, 'errorType needs a status'],
    [{ ...error, reset: true }, 'only one of'],
    [{ ...error, truncate: true, reset: true }, 'only one of'],
    [{ reset: false }, 'reset'],
    [{ ...error, operation: 'CreateAttendee' }, 'operation'],
    [{ ...error, times: 0 }, 'times'],
    [{ ...error, probability: 2 }, 'probability'],
    [{ ...error, seed: 2 }, 'seed needs probability'],
    [{ latencyMs: -1 }, 'latencyMs'],
    [{ reset: true, message: 'no' }, 'message and retryAfterSeconds need errorType'],
    [{ reset: true, wen: 'after' }, 'wen'],
    [{ truncate: true, when: 'before' }, 'need when: after'],
    [{ extraAttendee: { externalUserId: 'mallory' }, operation: 'GetMeeting' }, 'BatchCreateAttendee only'],
    [{ partialErrors: { every: 2 } }, 'partialErrors.errorCode'],
    [{ alteredCapabilities: { capabilities: { Audio: 'All' } } }, 'alteredCapabilities.capabilities.Audio'],
    [[], 'expected object'],
  ])('%j gets a message that says what is wrong', async (fault, message) => {
    const { control } = await startEmulator();
    const { status, body } = await control('POST', 'faults', fault);
    expect({ status, body }).toEqual({ status: 400, body: { error: expect.stringContaining(message) } });
    expect((await control('GET', 'faults')).body).toEqual({ faults: [] });
  });

  it('includes a body that is not JSON', async () => {
    const { url } = await startEmulator();
    const response = await fetch(`${url}/_emulator/faults`, { method: 'POST', body: '{' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'The body is not valid JSON' });
  });
});
