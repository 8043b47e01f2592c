import {
  BadRequestException,
  BatchCreateAttendeeCommand,
  type CreateAttendeeRequestItem,
  type CreateMeetingCommandInput,
  LimitExceededException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { describe, expect, it } from '@jest/globals';
import { rejectionOf, startEmulator } from '../../support/chime-emulator.ts';

const people = (count: number, prefix = 'user') =>
  Array.from({ length: count }, (_, index) => ({ ExternalUserId: `${prefix}-${index}` }));

/** Sends the list to a fresh meeting; the names are as unchecked as on the wire. */
async function batch(Attendees: unknown, features?: CreateMeetingCommandInput['MeetingFeatures']) {
  const { client, meeting } = await startEmulator();
  const MeetingId = await meeting(features && { MeetingFeatures: features });
  return client.send(
    new BatchCreateAttendeeCommand({ MeetingId, Attendees: Attendees as CreateAttendeeRequestItem[] }),
  );
}

describe('the list of attendees', () => {
  it.each([1, 100])('may have %i', async (count) => {
    expect((await batch(people(count))).Attendees).toHaveLength(count);
  });

  it.each([
    [[], 'Member must have length greater than or equal to 1'],
    [people(101), 'Member must have length less than or equal to 100'],
    [undefined, 'Member must not be null'],
  ])('is refused in the words of AWS (case %#)', async (attendees, constraint) => {
    const refused = await rejectionOf(batch(attendees));
    expect(refused).toBeInstanceOf(BadRequestException);
    expect(refused.message).toBe(
      `1 validation error detected: Value at 'attendees' failed to satisfy constraint: ${constraint}`,
    );
    expect(refused).toMatchObject({ Code: 'BadRequest', $metadata: { httpStatusCode: 400 } });
  });

  it('gets every violation, but none of the names', async () => {
    const refused = await rejectionOf(
      batch([{ ExternalUserId: 'aws:secret-name' }, { ExternalUserId: 'secret\u00a0name' }]),
    );
    expect(refused.message).toMatch(
      /^2 validation errors detected: .*'attendees\.1\.member\.externalUserId'.*; .*'attendees\.2\.member\.externalUserId'/,
    );
    expect(refused.message).not.toContain('secret');
  });
});

describe('ExternalUserId', () => {
  it.each(['al', 'x'.repeat(64), `-_&@+=,(){}[]/«».:|'"#aZ9Àÿ`, 'a \t\n\v\f\rb', '  ', 'a aws:', 'aws'])(
    'may be %j',
    async (ExternalUserId) => {
      expect((await batch([{ ExternalUserId }])).Attendees?.[0]?.ExternalUserId).toBe(ExternalUserId);
    },
  );

  it.each([
    'a',
    '',
    'x'.repeat(65),
    'a!b',
    'a*b',
    'a\\b',
    'a\u00a0b',
    'a\u2028b',
    'a\ufeffb',
    'aĀb',
    'a\ud83d\ude00b',
    'aws:alice',
    'AwS:alice',
    7,
    ['alice'],
  ])('may not be %j', async (ExternalUserId) => {
    expect(await rejectionOf(batch([{ ExternalUserId }]))).toBeInstanceOf(BadRequestException);
  });

  it('is required of each item', async () => {
    const refused = await rejectionOf(batch([{ ExternalUserId: 'alice' }, {}]));
    expect(refused.message).toContain(
      "'attendees.2.member.externalUserId' failed to satisfy constraint: Member must not",
    );
  });
});

describe('Capabilities', () => {
  const all = (value: string) => ({ Audio: value, Video: value, Content: value });
  const ask = (Capabilities: unknown, features?: CreateMeetingCommandInput['MeetingFeatures']) =>
    batch([{ ExternalUserId: 'alice', Capabilities }], features);

  it.each(['SendReceive', 'Send', 'Receive', 'None'])('may be %s on all three', async (value) => {
    expect((await ask(all(value))).Attendees?.[0]?.Capabilities).toEqual(all(value));
  });

  it.each([
    [{ Audio: 'None', Video: 'None' }],
    [{ Audio: 'None', Content: 'None' }],
    [{ Video: 'None', Content: 'None' }],
    [{}],
    [{ ...all('None'), Audio: null }],
    [{ ...all('None'), Audio: 'sendreceive' }],
    ['SendReceive'],
  ])('may not be %j', async (capabilities) => {
    expect(await rejectionOf(ask(capabilities))).toBeInstanceOf(BadRequestException);
  });

  it.each([
    ['Receive', 'Receive', true],
    ['SendReceive', 'SendReceive', true],
    ['Receive', 'SendReceive', true],
    ['None', 'Send', true],
    ['Send', 'None', true],
    ['Send', 'Receive', false],
    ['None', 'SendReceive', false],
  ])('with video %s and content %s are allowed: %s', async (Video, Content, allowed) => {
    const asking = ask({ Audio: 'None', Video, Content });
    if (allowed) expect((await asking).Attendees).toHaveLength(1);
    else expect(await rejectionOf(asking)).toBeInstanceOf(BadRequestException);
  });

  it('must be None for video in a meeting without video', async () => {
    const features = { Video: { MaxResolution: 'None' } } as const;
    const given = { Audio: 'SendReceive', Video: 'None', Content: 'Send' };
    expect((await ask(given, features)).Attendees).toHaveLength(1);
    for (const Video of ['SendReceive', 'Send', 'Receive']) {
      expect(await rejectionOf(ask({ ...given, Video }, features))).toBeInstanceOf(BadRequestException);
    }
    expect(await rejectionOf(batch([{ ExternalUserId: 'alice' }], features))).toBeInstanceOf(
      BadRequestException,
    );
  });

  it('must be None for content in a meeting without content', async () => {
    const features = { Content: { MaxResolution: 'None' } } as const;
    expect((await ask({ ...all('SendReceive'), Content: 'None' }, features)).Attendees).toHaveLength(1);
    for (const Content of ['SendReceive', 'Send', 'Receive']) {
      expect(await rejectionOf(ask({ ...all('SendReceive'), Content }, features))).toBeInstanceOf(
        BadRequestException,
      );
    }
  });
});

describe('the limit of a meeting', () => {
  it.each([
    [undefined, 250],
    [{ Attendee: { MaxCount: 3 } }, 3],
    [{ Video: { MaxResolution: 'FHD' as const } }, 25],
    [{ Content: { MaxResolution: 'UHD' as const }, Attendee: { MaxCount: 100 } }, 25],
  ])('%j is %i attendees, and a batch beyond it creates none', async (MeetingFeatures, limit) => {
    const { client, meeting, attendees } = await startEmulator();
    const MeetingId = await meeting(MeetingFeatures && { MeetingFeatures });
    const create = (Attendees: CreateAttendeeRequestItem[]) =>
      client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }));
    const everybody = people(limit);
    for (let from = 0; from < limit; from += 100) await create(everybody.slice(from, from + 100));

    const refused = await rejectionOf(create([...everybody.slice(0, 1), { ExternalUserId: 'one-too-many' }]));
    expect(refused).toBeInstanceOf(LimitExceededException);
    expect(refused).toMatchObject({ Code: 'LimitExceeded', $metadata: { httpStatusCode: 400 } });
    expect(await attendees()).toHaveLength(limit);
    expect((await create(everybody.slice(0, 3))).Attendees).toHaveLength(3);
  });
});

describe('ids', () => {
  it.each(['short', '00000000-0000-0000-0000-00000000000g', `${'0'.repeat(200)}`, ' '])(
    '%j is refused',
    async (MeetingId) => {
      const { client } = await startEmulator();
      const refused = await rejectionOf(
        client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: people(1) })),
      );
      expect(refused).toBeInstanceOf(BadRequestException);
      expect(refused.message).toContain("Value at 'meetingId' failed to satisfy constraint");
    },
  );
});

describe('the body', () => {
  it.each([
    '',
    '{',
    '[]',
    'null',
    '"text"',
    '{"Attendees":"alice"}',
    '{"Attendees":[null]}',
    '{"Attendees":null}',
  ])('%j is refused', async (body) => {
    const { raw, meeting } = await startEmulator();
    const response = await raw('POST', `/meetings/${await meeting()}/attendees?operation=batch-create`, body);
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('BadRequestException');
  });

  it('takes a null member for one left out, and ignores members it does not know', async () => {
    const { raw, meeting } = await startEmulator();
    const body = '{"Attendees":[{"ExternalUserId":"alice","Capabilities":null,"Nickname":7}],"More":true}';
    const response = await raw('POST', `/meetings/${await meeting()}/attendees?operation=batch-create`, body);
    expect(await response.json()).toMatchObject({ Attendees: [{ Capabilities: { Audio: 'SendReceive' } }] });
  });
});

describe('CreateMeeting', () => {
  it.each([
    [{ ExternalMeetingId: undefined }, 'externalMeetingId'],
    [{ ExternalMeetingId: 'x' }, 'externalMeetingId'],
    [{ ExternalMeetingId: 'AWS:standup' }, 'externalMeetingId'],
    [{ MediaRegion: undefined }, 'mediaRegion'],
    [{ MediaRegion: 'mars-north-1' }, 'mediaRegion'],
    [{ MeetingHostId: 'a!b' }, 'meetingHostId'],
    [{ ClientRequestToken: 'a b' }, 'clientRequestToken'],
    [{ ClientRequestToken: 'a' }, 'clientRequestToken'],
    [{ PrimaryMeetingId: 'a' }, 'primaryMeetingId'],
    // One character, though two units of UTF-16.
    [{ PrimaryMeetingId: '\u{1f600}' }, 'primaryMeetingId'],
    [{ TenantIds: [] }, 'tenantIds'],
    [{ TenantIds: ['t1', 't2', 't3', 't4', 't5', 't6'] }, 'tenantIds'],
    [{ TenantIds: ['t'] }, 'tenantIds.1.member'],
    [{ TenantIds: ['good', 'x'.repeat(257)] }, 'tenantIds.2.member'],
    [{ TenantIds: ['with space'] }, 'tenantIds.1.member'],
    [{ TenantIds: ['aaaa'] }, 'tenantIds.1.member'],
    [{ MeetingFeatures: { Attendee: { MaxCount: 251 } } }, 'meetingFeatures.attendee.maxCount'],
    [{ MeetingFeatures: { Attendee: { MaxCount: 0 } } }, 'meetingFeatures.attendee.maxCount'],
    [{ MeetingFeatures: { Video: { MaxResolution: 'UHD' } } }, 'meetingFeatures.video.maxResolution'],
    [{ MeetingFeatures: { Content: { MaxResolution: 'HD' } } }, 'meetingFeatures.content.maxResolution'],
    [{ MeetingFeatures: { Audio: { EchoReduction: 'ON' } } }, 'meetingFeatures.audio.echoReduction'],
    [{ NotificationsConfiguration: { SqsQueueArn: 'queue' } }, 'notificationsConfiguration.sqsQueueArn'],
    [{ Tags: [{ Key: '', Value: '' }] }, 'tags.1.member.key'],
    [{ Tags: [{ Key: 'team', Value: undefined }] }, 'tags.1.member.value'],
  ])('refuses %j', async (input, where) => {
    const { meeting } = await startEmulator();
    const refused = await rejectionOf(meeting(input as Partial<CreateMeetingCommandInput>));
    expect(refused).toBeInstanceOf(BadRequestException);
    expect(refused.message).toContain(`Value at '${where}' failed`);
  });

  it('takes what is just within the limits', async () => {
    const { meeting } = await startEmulator();
    await meeting({
      ExternalMeetingId: 'ab',
      ClientRequestToken: '-_',
      TenantIds: ['aaa', 'x-_!@#$9', 'ab'.repeat(128), 't4', 't5'],
      MeetingFeatures: { Attendee: { MaxCount: 250 } },
      NotificationsConfiguration: { SnsTopicArn: 'arn:aws:sns:us-east-1:111122223333:topic' },
      Tags: [{ Key: 'team-1', Value: '' }],
    });
  });
});
