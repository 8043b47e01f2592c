import {
  BatchCreateAttendeeCommand,
  ConflictException,
  CreateAttendeeCommand,
  CreateMeetingCommand,
  CreateMeetingWithAttendeesCommand,
  DeleteAttendeeCommand,
  DeleteMeetingCommand,
  GetAttendeeCommand,
  GetMeetingCommand,
  ListAttendeesCommand,
  NotFoundException,
  paginateListAttendees,
} from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { rejectionOf, startEmulator } from '../../support/chime-emulator.ts';

const UNKNOWN = '00000000-0000-0000-0000-000000000000';
const GUID = /^[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}$/;
const people = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ExternalUserId: `user-${index}` }));

describe('CreateMeeting and GetMeeting', () => {
  it('answer what was asked for, with what a browser needs to join', async () => {
    const { client } = await startEmulator();
    const asked = {
      ExternalMeetingId: 'Ärzte-Runde 7',
      MediaRegion: 'eu-central-1',
      MeetingHostId: 'host',
      TenantIds: ['acme', 'umbrella'],
      MeetingFeatures: {
        Audio: { EchoReduction: 'AVAILABLE' as const },
        Video: { MaxResolution: 'HD' as const },
      },
    };
    const created = await client.send(
      new CreateMeetingCommand({ ...asked, Tags: [{ Key: 'team', Value: 'blue 7' }] }),
    );
    expect(created.$metadata.httpStatusCode).toBe(200);
    expect(created.Meeting).toMatchObject(asked);
    expect(created.Meeting?.MeetingId).toMatch(GUID);
    expect(created.Meeting?.MeetingArn).toBe(
      `arn:aws:chime:us-east-1:111122223333:meeting/${created.Meeting?.MeetingId}`,
    );
    expect(created.Meeting?.MediaPlacement).toMatchObject({
      AudioHostUrl: expect.any(String),
      SignalingUrl: expect.stringMatching(/^wss:/),
      TurnControlUrl: expect.stringMatching(/^https:/),
    });
    const got = await client.send(new GetMeetingCommand({ MeetingId: created.Meeting?.MeetingId }));
    expect(got.Meeting).toEqual(created.Meeting);
  });

  it('give one meeting for one ClientRequestToken, and refuse it for another', async () => {
    const { client, meeting } = await startEmulator();
    const first = await meeting({ ClientRequestToken: 'token-1' });
    expect(await meeting({ ClientRequestToken: 'token-1' })).toBe(first);
    expect(await meeting({ ClientRequestToken: 'token-2' })).not.toBe(first);
    const conflict = await rejectionOf(
      meeting({ ClientRequestToken: 'token-1', ExternalMeetingId: 'another' }),
    );
    expect(conflict).toBeInstanceOf(ConflictException);
    await client.send(new DeleteMeetingCommand({ MeetingId: first }));
    expect(await meeting({ ClientRequestToken: 'token-1' })).not.toBe(first);
  });
});

describe('BatchCreateAttendee', () => {
  it('answers one attendee for each name, in order, with a token of the public shape', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    const Capabilities = { Audio: 'Receive', Video: 'Receive', Content: 'None' } as const;
    const { Attendees, Errors, $metadata } = await client.send(
      new BatchCreateAttendeeCommand({
        MeetingId,
        Attendees: [{ ExternalUserId: 'alice' }, { ExternalUserId: 'bob', Capabilities }],
      }),
    );
    expect($metadata).toMatchObject({ httpStatusCode: 200, requestId: expect.stringMatching(GUID) });
    expect(Errors).toEqual([]);
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'bob']);
    expect(Attendees?.[0]?.Capabilities).toEqual({
      Audio: 'SendReceive',
      Video: 'SendReceive',
      Content: 'SendReceive',
    });
    expect(Attendees?.[1]?.Capabilities).toEqual(Capabilities);
    for (const { AttendeeId, JoinToken } of Attendees ?? []) {
      expect(AttendeeId).toMatch(GUID);
      expect(JoinToken).toMatch(/^[A-Za-z0-9+]{98}$/);
    }
    expect(Attendees?.[0]?.JoinToken).not.toBe(Attendees?.[1]?.JoinToken);
  });

  it('answers an existing name with the attendee that exists, its capabilities unchanged', async () => {
    const { client, meeting, attendees } = await startEmulator();
    const MeetingId = await meeting();
    const create = async (Capabilities?: { Audio: 'None'; Video: 'None'; Content: 'None' }) =>
      (
        await client.send(
          new BatchCreateAttendeeCommand({
            MeetingId,
            Attendees: [{ ExternalUserId: 'alice', ...(Capabilities && { Capabilities }) }],
          }),
        )
      ).Attendees;
    const first = await create();
    expect(await create({ Audio: 'None', Video: 'None', Content: 'None' })).toEqual(first);
    expect(await attendees()).toHaveLength(1);
  });

  it('knows no names across meetings, and forgets a name with its attendee', async () => {
    const { client, meeting } = await startEmulator();
    const create = async (MeetingId: string) => {
      const { Attendees } = await client.send(
        new BatchCreateAttendeeCommand({ MeetingId, Attendees: [{ ExternalUserId: 'alice' }] }),
      );
      return Attendees?.[0]?.AttendeeId ?? '';
    };
    const MeetingId = await meeting();
    const AttendeeId = await create(MeetingId);
    expect(await create(await meeting())).not.toBe(AttendeeId);
    await client.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
    expect(await create(MeetingId)).not.toBe(AttendeeId);
  });

  it('answers a name twice in one batch with the same attendee twice', async () => {
    const { client, meeting } = await startEmulator();
    const { Attendees } = await client.send(
      new BatchCreateAttendeeCommand({
        MeetingId: await meeting(),
        Attendees: [{ ExternalUserId: 'alice' }, { ExternalUserId: 'alice' }],
      }),
    );
    expect(Attendees).toHaveLength(2);
    expect(Attendees?.[0]).toEqual(Attendees?.[1]);
  });
});

describe('ListAttendees', () => {
  it('pages in order of creation to the end', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(7) }));
    const pages: (string | undefined)[][] = [];
    for await (const page of paginateListAttendees({ client, pageSize: 3 }, { MeetingId })) {
      pages.push((page.Attendees ?? []).map(({ ExternalUserId }) => ExternalUserId));
    }
    expect(pages).toEqual([['user-0', 'user-1', 'user-2'], ['user-3', 'user-4', 'user-5'], ['user-6']]);
  });

  it('ends without a token when the last page is full, and misses no attendee when one is deleted meanwhile', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(4) }));
    const first = await client.send(new ListAttendeesCommand({ MeetingId, MaxResults: 2 }));
    const AttendeeId = first.Attendees?.[0]?.AttendeeId;
    await client.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
    const { NextToken } = first;
    const second = await client.send(new ListAttendeesCommand({ MeetingId, MaxResults: 2, NextToken }));
    expect(second.Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['user-2', 'user-3']);
    expect(second.NextToken).toBeUndefined();
  });

  it('answers a page of the default size, and an empty meeting with an empty list', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    expect((await client.send(new ListAttendeesCommand({ MeetingId }))).Attendees).toEqual([]);
    await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(60) }));
    const page = await client.send(new ListAttendeesCommand({ MeetingId }));
    expect(page.Attendees).toHaveLength(50);
    expect(page.NextToken).toBeDefined();
  });

  it.each([
    [{ MaxResults: 0 }, 'greater than or equal to 1'],
    [{ MaxResults: 101 }, 'less than or equal to 100'],
    [{ MaxResults: 1.5 }, 'an integer'],
    [{ NextToken: 'rubbish' }, 'nextToken'],
  ])('refuses %j', async (paging, message) => {
    const { client, meeting } = await startEmulator();
    const refused = await rejectionOf(
      client.send(new ListAttendeesCommand({ MeetingId: await meeting(), ...paging })),
    );
    expect(refused).toMatchObject({ name: 'BadRequestException', message: expect.stringContaining(message) });
  });

  it("refuses another meeting's page token", async () => {
    const { client, meeting } = await startEmulator();
    const [one, other] = [await meeting(), await meeting()];
    await client.send(new BatchCreateAttendeeCommand({ MeetingId: one, Attendees: people(2) }));
    const { NextToken } = await client.send(new ListAttendeesCommand({ MeetingId: one, MaxResults: 1 }));
    expect(NextToken).toBeDefined();
    const refused = await rejectionOf(client.send(new ListAttendeesCommand({ MeetingId: other, NextToken })));
    expect(refused.name).toBe('BadRequestException');
  });
});

describe('GetAttendee and DeleteAttendee', () => {
  it('answer the attendee until it is deleted', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    const created = await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(1) }));
    const AttendeeId = created.Attendees?.[0]?.AttendeeId;
    const got = await client.send(new GetAttendeeCommand({ MeetingId, AttendeeId }));
    expect(got.Attendee).toEqual(created.Attendees?.[0]);
    const list = async () => (await client.send(new ListAttendeesCommand({ MeetingId }))).Attendees;
    expect(await list()).toEqual(created.Attendees);
    const deleted = await client.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
    expect(deleted.$metadata).toMatchObject({ httpStatusCode: 204, requestId: expect.stringMatching(GUID) });
    expect(await list()).toEqual([]);
    for (const command of [
      new GetAttendeeCommand({ MeetingId, AttendeeId }),
      new DeleteAttendeeCommand({ MeetingId, AttendeeId }),
    ]) {
      // The two commands' types differ, the answer does not.
      expect(await rejectionOf(client.send(command as GetAttendeeCommand))).toBeInstanceOf(NotFoundException);
    }
  });
});

describe('a meeting that is not there', () => {
  const commands = (MeetingId: string) => ({
    GetMeeting: new GetMeetingCommand({ MeetingId }),
    BatchCreateAttendee: new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(1) }),
    ListAttendees: new ListAttendeesCommand({ MeetingId }),
    GetAttendee: new GetAttendeeCommand({ MeetingId, AttendeeId: UNKNOWN }),
    DeleteAttendee: new DeleteAttendeeCommand({ MeetingId, AttendeeId: UNKNOWN }),
    DeleteMeeting: new DeleteMeetingCommand({ MeetingId }),
  });

  it.each(Object.entries(commands(UNKNOWN)))('is NotFoundException to %s', async (_, command) => {
    const { client } = await startEmulator();
    const refused = await rejectionOf(client.send(command as GetMeetingCommand));
    expect(refused).toBeInstanceOf(NotFoundException);
    expect(refused).toMatchObject({
      Code: 'NotFound',
      message: `Meeting ${UNKNOWN} not found`,
      $metadata: { httpStatusCode: 404, requestId: refused['RequestId'] },
    });
  });

  it('is so after DeleteMeeting', async () => {
    const { client, meeting } = await startEmulator();
    const MeetingId = await meeting();
    const deleted = await client.send(new DeleteMeetingCommand({ MeetingId }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    for (const command of Object.values(commands(MeetingId))) {
      expect(await rejectionOf(client.send(command as GetMeetingCommand))).toBeInstanceOf(NotFoundException);
    }
  });

  it('is so after 24 hours, but not a moment before', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    const { client, meeting, attendees } = await startEmulator({ now: () => nowMs });
    const MeetingId = await meeting();
    await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(1) }));
    nowMs = Date.parse('2026-01-01T23:59:59.999Z');
    expect((await client.send(new GetMeetingCommand({ MeetingId }))).Meeting?.MeetingId).toBe(MeetingId);
    expect(await attendees()).toHaveLength(1);
    nowMs = Date.parse('2026-01-02T00:00:00Z');
    expect(await attendees()).toEqual([]);
    expect(await rejectionOf(client.send(new GetMeetingCommand({ MeetingId })))).toBeInstanceOf(
      NotFoundException,
    );
    expect(await attendees('?gone=true')).toMatchObject([{ goneAt: '2026-01-02T00:00:00.000Z' }]);
  });
});

describe('what is not emulated', () => {
  it('is NotFoundException, also for other operations on the same paths', async () => {
    const { client, meeting, calls } = await startEmulator();
    const MeetingId = await meeting();
    for (const command of [
      new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'alice' }),
      new CreateMeetingWithAttendeesCommand({
        MediaRegion: 'us-east-1',
        ExternalMeetingId: 'standup',
        Attendees: people(1),
      }),
    ]) {
      expect(await rejectionOf(client.send(command as CreateAttendeeCommand))).toBeInstanceOf(
        NotFoundException,
      );
    }
    expect((await calls()).map(({ operation }) => operation)).toEqual([
      'CreateMeeting',
      'Unknown',
      'Unknown',
    ]);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/meetings'],
    ['PUT', `/meetings/${UNKNOWN}`],
    ['POST', `/meetings/${UNKNOWN}/attendees?operation=batch-update-capabilities-except`],
    ['POST', `//meetings/${UNKNOWN}/attendees?operation=batch-create`],
    ['GET', `/meetings/${UNKNOWN}/`],
    ['GET', '/meetings/%E0%A4%A'],
  ])('%s %s is too', async (method, path) => {
    const { raw } = await startEmulator();
    const response = await raw(method, path);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-amzn-errortype')).toBe('NotFoundException');
    expect(await response.json()).toMatchObject({ Code: 'NotFound', Message: 'No such operation' });
  });
});
