import { BatchCreateAttendeeCommand, DeleteMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { expect, it } from '@jest/globals';
import { createChimeAttendeeList } from '../../../lambda/aws/chime-attendee-list.ts';
import { startEmulator } from '../../support/chime-emulator.ts';

async function meetingWith(names: string[]) {
  const chime = await startEmulator();
  const meetingId = await chime.meeting();
  for (let start = 0; start < names.length; start += 100) {
    const Attendees = names.slice(start, start + 100).map((ExternalUserId) => ({ ExternalUserId }));
    await chime.client.send(new BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees }));
  }
  await chime.control('DELETE', 'calls');
  return {
    ...chime,
    meetingId,
    list: createChimeAttendeeList(chime.client, (token) => `fingerprint-${token.length}`),
  };
}

it('lists attendees page by page, without their tokens', async () => {
  const names = Array.from({ length: 120 }, (_, index) => `user-${index}`);
  const { list, meetingId, attendees } = await meetingWith(names);
  const first = await list.page(meetingId, undefined);
  if (first === 'gone') throw new Error('The meeting is there.');
  expect(first.attendees).toHaveLength(100);
  const second = await list.page(meetingId, first.nextToken);
  if (second === 'gone') throw new Error('The meeting is there.');
  expect(second.nextToken).toBeUndefined();
  const known = await attendees();
  expect([...first.attendees, ...second.attendees]).toEqual(
    known.map(({ ExternalUserId, AttendeeId, Capabilities }) => ({
      externalUserId: ExternalUserId,
      attendeeId: AttendeeId,
      capabilities: Capabilities,
      tokenFingerprint: 'fingerprint-98',
    })),
  );
});

it('distinguishes an empty meeting from one that has ended', async () => {
  const { list, meetingId, client } = await meetingWith([]);
  expect(await list.page(meetingId, undefined)).toEqual({ attendees: [], nextToken: undefined });
  await client.send(new DeleteMeetingCommand({ MeetingId: meetingId }));
  expect(await list.page(meetingId, undefined)).toBe('gone');
});

it.each([
  ['a throttled one', { status: 429, errorType: 'ThrottlingException' }],
  ['one that is not allowed', { status: 403, errorType: 'ForbiddenException' }],
  ['a broken one', { status: 503, errorType: 'ServiceUnavailableException' }],
  ['a reset', { reset: true }],
  ['garbage', { garbage: true, status: 200 }],
  ['half an answer', { truncate: true }],
])('never takes %s for an empty or ended meeting, and asks once', async (_what, effect) => {
  const { list, meetingId, fault, calls } = await meetingWith(['alice']);
  await fault({ operation: 'ListAttendees', ...effect });
  await expect(list.page(meetingId, undefined)).rejects.toThrow();
  expect(await calls()).toHaveLength(1);
});
