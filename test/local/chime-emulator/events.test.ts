import { setTimeout as pause } from 'node:timers/promises';
import { BatchCreateAttendeeCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { expect, it } from '@jest/globals';
import type { ChimeEvent } from '../../../local/chime-emulator/events.ts';
import { startEmulator } from '../../support/chime-emulator.ts';

async function startWithAttendee() {
  const delivered: ChimeEvent[] = [];
  const emulator = await startEmulator({ onEvent: (event) => void delivered.push(event) });
  const meetingId = await emulator.meeting();
  const create = () =>
    emulator.client.send(
      new BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees: [{ ExternalUserId: 'alice' }] }),
    );
  const { Attendees: [alice] = [] } = await create();
  const join = (body?: object, attendeeId = alice?.AttendeeId) =>
    emulator.control('POST', `meetings/${meetingId}/attendees/${attendeeId}/join`, body);
  return { ...emulator, delivered, meetingId, attendeeId: alice?.AttendeeId, create, join };
}

it('sends an event when an attendee is created, and none when it is asked for again', async () => {
  const { delivered, meetingId, attendeeId, create } = await startWithAttendee();
  await create();
  expect(delivered).toHaveLength(1);
  expect(delivered[0]).toMatchObject({
    source: 'aws.chime',
    'detail-type': 'Chime Meeting State Change',
    region: 'us-east-1',
    detail: {
      eventType: 'chime:AttendeeAdded',
      meetingId,
      attendeeId,
      externalUserId: 'alice',
      externalMeetingId: 'standup',
      mediaRegion: 'eu-central-1',
    },
  });
});

it('sends an event when one joins, which it can lose, double, delay and date back', async () => {
  const { delivered, join, control } = await startWithAttendee();
  delivered.splice(0);
  const late = await join({ delayMs: 1_500, timestamp: 1_700_000_000_000 });
  await join({ lose: true });
  await join({ copies: 2 });
  expect(delivered).toHaveLength(2);
  expect(delivered[0]).toEqual(delivered[1]);
  while (delivered.length < 3) await pause(20);
  expect(delivered[2]).toEqual(late.body);
  expect(late.body.detail).toMatchObject({
    eventType: 'chime:AttendeeJoined',
    timestamp: 1_700_000_000_000,
    networkType: 'Voip',
  });
  expect((await control('GET', 'events')).body.events).toHaveLength(4);
});

it('delivers as it was set up, and lets no one join who does not exist', async () => {
  const { delivered, join, control } = await startWithAttendee();
  delivered.splice(0);
  expect((await control('PUT', 'events', { lose: true })).body).toEqual({
    lose: true,
    copies: 1,
    delayMs: 0,
  });
  await join();
  expect(delivered).toEqual([]);
  expect((await join({}, 'absent')).status).toBe(404);
  expect((await control('PUT', 'events', { lost: true })).status).toBe(400);
});
