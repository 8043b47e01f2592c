import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { KnownAttendee } from '../../local/chime-emulator/meetings.ts';
import { audited } from '../support/audited.ts';
import { admit, type RunningSystem, startSystem, until } from '../support/local.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 30_000);

interface Shown {
  state: string;
  attendees: { externalUserId: string; result: string; presence?: string; firstJoinAt?: string }[];
}

it('shows who joined, who did not, and who came in by another door, from the emulator to the audit', async () => {
  const { chimeUrl, region, meetingId = '' } = system.environment;
  await admit(system, 'alice');
  await admit(system, 'bob');
  const client = new ChimeSDKMeetings({
    region,
    endpoint: chimeUrl,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  await client.batchCreateAttendee({ MeetingId: meetingId, Attendees: [{ ExternalUserId: 'mallory' }] });
  client.destroy();
  const emulated = await fetch(`${chimeUrl}/_emulator/attendees?meetingId=${meetingId}`);
  const { attendees } = (await emulated.json()) as { attendees: KnownAttendee[] };
  const join = async (name: string, how: object) => {
    const attendee = attendees.find(({ ExternalUserId }) => ExternalUserId === name);
    const path = `meetings/${meetingId}/attendees/${attendee?.AttendeeId}/join`;
    const answer = await fetch(`${chimeUrl}/_emulator/${path}`, {
      method: 'POST',
      body: JSON.stringify(how),
    });
    return (await answer.json()) as { detail: { timestamp: number } };
  };
  const first = Date.now() - 60_000;
  await join('alice', { copies: 3 });
  await join('alice', { timestamp: first, delayMs: 200 });
  await join('bob', { lose: true });
  await join('mallory', {});
  const shown = async () => (await audited(system, '--meeting', meetingId)) as Shown[];
  const lineOf = async (name: string) =>
    (await shown()).flatMap((batch) => batch.attendees).find(({ externalUserId }) => externalUserId === name);
  await until(async () => (await lineOf('alice'))?.firstJoinAt === new Date(first).toISOString());
  await until(async () => (await lineOf('mallory'))?.presence === 'joined');
  expect(await lineOf('bob')).toMatchObject({ result: 'issued', presence: 'too early to say' });
  expect(await lineOf('mallory')).toMatchObject({
    result: 'unknown',
    reason: 'too early to say whether a record explains it',
  });
  expect((await shown()).at(-1)).toMatchObject({ state: 'NO_RECORD', attendees: [{}] });
  const { stderr } = await promisify(execFile)(process.execPath, ['cli/audit.ts', '--user', 'alice'], {
    env: { PATH: process.env['PATH'], HOME: system.directory, USHER_LOCAL_DIR: system.directory },
  });
  expect(stderr).toContain('They are best effort: a missing one proves nothing.');
}, 60_000);
