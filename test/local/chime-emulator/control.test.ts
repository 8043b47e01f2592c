import {
  BatchCreateAttendeeCommand,
  DeleteAttendeeCommand,
  DeleteMeetingCommand,
  GetMeetingCommand,
  ThrottlingException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { rejectionOf, startEmulator } from '../../support/chime-emulator.ts';

const alice = { ExternalUserId: 'alice' };
const bob = {
  ExternalUserId: 'bob',
  Capabilities: { Audio: 'None', Video: 'None', Content: 'None' },
} as const;

describe('the log of calls', () => {
  it('lists every call in order, with the requested names', async () => {
    const { client, meeting, calls } = await startEmulator();
    const MeetingId = await meeting();
    const created = await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: [alice, bob] }));
    await rejectionOf(client.send(new GetMeetingCommand({ MeetingId: 'not-an-id' })));
    expect(await calls()).toEqual([
      expect.objectContaining({
        seq: 1,
        operation: 'CreateMeeting',
        meetingId: null,
        status: 200,
        acted: true,
      }),
      {
        seq: 2,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        operation: 'BatchCreateAttendee',
        method: 'POST',
        path: `/meetings/${MeetingId}/attendees`,
        query: 'operation=batch-create',
        meetingId: MeetingId,
        requestId: created.$metadata.requestId,
        status: 200,
        outcome: 'answered',
        acted: true,
        attendeeNames: ['alice', 'bob'],
        attendees: [alice, bob],
      },
      expect.objectContaining({
        seq: 3,
        operation: 'GetMeeting',
        status: 400,
        outcome: 'answered',
        acted: false,
      }),
    ]);
  });

  it('lists refused names too, and only those that are text', async () => {
    const { raw, calls } = await startEmulator();
    const path = '/meetings/not-an-id/attendees?operation=batch-create';
    await raw('POST', path, '{"Attendees":[{"ExternalUserId":"aws:x"},{"ExternalUserId":7},null]}');
    await raw('POST', path, '{');
    const [first, second] = await calls();
    expect(first).toMatchObject({ attendeeNames: ['aws:x'], attendees: [{}, {}, null], status: 400 });
    expect(second).toMatchObject({ attendeeNames: [], attendees: [], status: 400 });
  });

  it('is cleared on demand, and counts on', async () => {
    const { client, meeting, calls, control } = await startEmulator();
    const MeetingId = await meeting();
    expect((await control('DELETE', 'calls')).status).toBe(204);
    expect(await calls()).toEqual([]);
    await client.send(new GetMeetingCommand({ MeetingId }));
    expect(await calls()).toMatchObject([{ seq: 2 }]);
  });
});

describe('the attendees that exist', () => {
  it('are listed for one meeting or all, with the call that created them', async () => {
    const { client, meeting, attendees } = await startEmulator();
    const [one, other] = [await meeting(), await meeting()];
    const created = await client.send(new BatchCreateAttendeeCommand({ MeetingId: one, Attendees: [alice] }));
    await client.send(new BatchCreateAttendeeCommand({ MeetingId: other, Attendees: [bob] }));
    expect(await attendees(`?meetingId=${one}`)).toEqual([
      {
        MeetingId: one,
        ...created.Attendees?.[0],
        createdBy: created.$metadata.requestId,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    ]);
    expect(await attendees()).toHaveLength(2);
    expect(await attendees('?meetingId=unknown')).toEqual([]);
  });

  it('are no longer listed once deleted, and can still be requested', async () => {
    const { client, meeting, attendees } = await startEmulator();
    const MeetingId = await meeting();
    const created = await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: [alice, bob] }));
    const AttendeeId = created.Attendees?.[0]?.AttendeeId;
    await client.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
    expect(await attendees()).toMatchObject([{ ExternalUserId: 'bob' }]);
    await client.send(new DeleteMeetingCommand({ MeetingId }));
    expect(await attendees()).toEqual([]);
    expect(await attendees('?gone=true')).toMatchObject([
      { ExternalUserId: 'alice', goneAt: expect.any(String) },
      { ExternalUserId: 'bob', goneAt: expect.any(String) },
    ]);
  });
});

const ALL = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };

describe('the mode', () => {
  it('makes new attendees each time in the mode for duplicates', async () => {
    const { client, meeting, control, attendees } = await startEmulator();
    const MeetingId = await meeting();
    const create = async () =>
      (await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: [alice, alice] }))).Attendees;
    expect(await control('PUT', 'mode', { existing: 'duplicate' })).toEqual({
      status: 200,
      body: { existing: 'duplicate', ratePerSecond: null, burst: null },
    });
    const all = [...((await create()) ?? []), ...((await create()) ?? [])];
    expect(new Set(all.map(({ AttendeeId }) => AttendeeId)).size).toBe(4);
    expect(new Set(all.map(({ JoinToken }) => JoinToken)).size).toBe(4);
    expect(await attendees()).toHaveLength(4);

    await control('PUT', 'mode', { existing: 'keep' });
    expect((await create())?.[0]).toEqual(all[0]);
  });

  const MUTE = { Audio: 'None', Video: 'None', Content: 'None' } as const;
  it.each([
    ['keep', ALL, ALL],
    ['overwrite', MUTE, MUTE],
    ['ignore', MUTE, ALL],
  ])('%s answers an existing attendee with %j, and leaves it with %j', async (existing, answered, kept) => {
    const { client, meeting, control, attendees } = await startEmulator();
    const MeetingId = await meeting();
    const create = async (Capabilities?: typeof MUTE) => {
      const Attendees = [{ ...alice, ...(Capabilities && { Capabilities }) }];
      return (await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }))).Attendees?.[0];
    };
    const first = await create();
    await control('PUT', 'mode', { existing });
    expect(await create(MUTE)).toEqual({ ...first, Capabilities: answered });
    expect(await attendees()).toMatchObject([{ AttendeeId: first?.AttendeeId, Capabilities: kept }]);
  });

  it('answers an error for an existing attendee in the mode reject, and creates the others', async () => {
    const { client, meeting, control, attendees } = await startEmulator();
    const MeetingId = await meeting();
    const create = (...Attendees: { ExternalUserId: string }[]) =>
      client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }));
    await create(alice);
    await control('PUT', 'mode', { existing: 'reject' });
    expect(await create(alice, { ExternalUserId: 'bob' })).toMatchObject({
      Attendees: [{ ExternalUserId: 'bob' }],
      Errors: [{ ExternalUserId: 'alice', ErrorCode: expect.any(String) }],
    });
    expect(await attendees()).toHaveLength(2);
  });

  it('throttles each operation separately, and passes what the rate allows', async () => {
    let nowMs = 1_000_000;
    const { client, meeting, control, calls } = await startEmulator({ now: () => nowMs });
    const MeetingId = await meeting();
    const get = () => client.send(new GetMeetingCommand({ MeetingId }));
    await control('PUT', 'mode', { ratePerSecond: 2, burst: 3 });
    for (let n = 0; n < 3; n += 1) await get();
    const refused = await rejectionOf(get());
    expect(refused).toBeInstanceOf(ThrottlingException);
    expect(refused).toMatchObject({ Code: 'Throttling', $metadata: { httpStatusCode: 429 } });
    expect((await calls()).at(-1)).toMatchObject({ status: 429, outcome: 'answered', acted: false });
    await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: [alice] }));

    nowMs += 499;
    await rejectionOf(get());
    nowMs += 1;
    await get();
    await rejectionOf(get());

    nowMs += 60_000;
    for (let n = 0; n < 3; n += 1) await get();
    await rejectionOf(get());

    await control('PUT', 'mode', { burst: 1 });
    await get();
    await rejectionOf(get());
    await control('PUT', 'mode', { ratePerSecond: null });
    await get();
    await get();
  });

  it('without a burst lets one second of calls through at once', async () => {
    const { client, meeting, control } = await startEmulator({ now: () => 0 });
    const MeetingId = await meeting();
    const get = () => client.send(new GetMeetingCommand({ MeetingId }));
    await control('PUT', 'mode', { ratePerSecond: 2 });
    await get();
    await get();
    expect(await rejectionOf(get())).toBeInstanceOf(ThrottlingException);
  });

  it('does not use up a fault on a throttled call', async () => {
    const { client, meeting, control, fault } = await startEmulator({ now: () => 0 });
    const MeetingId = await meeting();
    const get = () => client.send(new GetMeetingCommand({ MeetingId }));
    await control('PUT', 'mode', { ratePerSecond: 1 });
    await get();
    await fault({ status: 500, errorType: 'ServiceFailureException', times: 1 });
    expect(await rejectionOf(get())).toBeInstanceOf(ThrottlingException);
    expect((await control('GET', 'faults')).body.faults).toMatchObject([{ applied: 0, remaining: 1 }]);
  });

  it.each([[{ existing: 'no' }], [{ ratePerSecond: 0 }], [{ burst: 1.5 }], [{ rate: 2 }]])(
    '%j gets a message that says what is wrong',
    async (change) => {
      const { control } = await startEmulator();
      const { status, body } = await control('PUT', 'mode', change);
      expect(status).toBe(400);
      expect(body.error).toContain(Object.keys(change)[0]);
      expect((await control('GET', 'mode')).body).toEqual({
        existing: 'keep',
        ratePerSecond: null,
        burst: null,
      });
    },
  );
});

it('answers 404 at an unknown path', async () => {
  const { control, calls } = await startEmulator();
  expect(await control('GET', 'nothing')).toEqual({
    status: 404,
    body: { error: 'No such control endpoint' },
  });
  expect(await calls()).toEqual([]);
});
