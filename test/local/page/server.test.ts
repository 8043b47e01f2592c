import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startChimeEmulator } from '../../../local/chime-emulator/server.ts';
import { DUMMY_CREDENTIALS } from '../../../local/lambda/environment.ts';
import { createLocalMeetings, type LocalMeetings } from '../../../local/meetings.ts';
import { startPageServer } from '../../../local/page/server.ts';

const SETTINGS = {
  apiUrl: 'http://127.0.0.1:1/v1',
  issuer: 'http://127.0.0.1:2',
  clientId: 'page',
  scope: 'openid',
  local: true,
  reports: true,
};

let chime: Awaited<ReturnType<typeof startChimeEmulator>>;
let own: Awaited<ReturnType<typeof startPageServer>>;
let foreign: typeof own;

function start(meetings?: LocalMeetings) {
  const report = async (meetingId: string) => `<p>${meetingId}</p>`;
  return startPageServer({ port: 0, settings: SETTINGS, report, ...(meetings && { meetings }) });
}

beforeAll(async () => {
  chime = await startChimeEmulator();
  own = await start(
    createLocalMeetings({
      region: 'us-east-1',
      chimeUrl: chime.url,
      dynamodbUrl: '',
      s3Url: '',
      credentials: DUMMY_CREDENTIALS,
    }),
  );
  foreign = await start();
});
afterAll(async () => {
  await Promise.all([own.close(), foreign.close()]);
  await chime.close();
});

const create = (url: string, body: unknown) =>
  fetch(`${url}/local/meetings`, { method: 'POST', body: JSON.stringify(body) });

describe('the server of the page', () => {
  it('creates a meeting at Chime, and lists it', async () => {
    const created = await create(own.url, { name: 'board', tenants: ['acme', 'globex'] });
    expect(created.status).toBe(201);
    const meeting = (await created.json()) as { meetingId: string };
    const listed = await (await fetch(`${own.url}/local/meetings`)).json();
    expect(listed).toEqual({ meetings: [{ ...meeting, name: 'board', tenants: ['acme', 'globex'] }] });
  });

  it('has the emulator say that an attendee joined, and only one that exists', async () => {
    const created = await create(own.url, { name: 'joined', tenants: [] });
    const { meetingId } = (await created.json()) as { meetingId: string };
    const client = new ChimeSDKMeetings({
      region: 'us-east-1',
      endpoint: chime.url,
      credentials: DUMMY_CREDENTIALS,
    });
    const { Attendees: [attendee] = [] } = await client.batchCreateAttendee({
      MeetingId: meetingId,
      Attendees: [{ ExternalUserId: 'alice' }],
    });
    client.destroy();
    const joinAt = (url: string, body: unknown) =>
      fetch(`${url}/local/joins`, { method: 'POST', body: JSON.stringify(body) });
    const alice = { meetingId, attendeeId: attendee?.AttendeeId };
    expect((await joinAt(own.url, alice)).status).toBe(201);
    expect((await joinAt(own.url, { meetingId, attendeeId: 'no-one' })).status).toBe(404);
    expect((await joinAt(own.url, { meetingId })).status).toBe(400);
    expect((await joinAt(foreign.url, alice)).status).toBe(409);
    expect((await fetch(`${own.url}/local/joins`)).status).toBe(405);
    const { events } = (await (await fetch(`${chime.url}/_emulator/events`)).json()) as {
      events: { detail: { eventType: string } }[];
    };
    expect(events.map(({ detail }) => detail.eventType)).toEqual([
      'chime:AttendeeAdded',
      'chime:AttendeeJoined',
    ]);
  });

  it.each([
    ['no JSON', undefined],
    ['a name of one character', { name: 'b', tenants: [] }],
    ['six tenants', { name: 'board', tenants: ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'] }],
    ['a tenant that Chime refuses', { name: 'board', tenants: ['a'] }],
  ])('refuses %s, and says so', async (_, body) => {
    const answer = await create(own.url, body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).not.toBe('');
  });

  it('creates no meeting at a Chime that is not the emulator', async () => {
    expect((await create(foreign.url, { name: 'board', tenants: [] })).status).toBe(409);
  });

  it('serves the settings, the contract and a report, for no other site to embed', async () => {
    const settings = await fetch(`${own.url}/settings.json`);
    expect(await settings.json()).toEqual(SETTINGS);
    expect(settings.headers.get('x-frame-options')).toBe('DENY');
    const contract = await fetch(`${own.url}/contract/openapi.json`);
    expect(await contract.json()).toHaveProperty('openapi');
    const meetingId = '2585237d-7ef2-4a5c-8f7b-8f6b5a0e5d11';
    expect(await (await fetch(`${own.url}/report/${meetingId}`)).text()).toContain(meetingId);
  });

  it.each([
    '/package.json',
    '/../package.json',
    '/contract/../package.json',
    '/contract/index.js',
    '/report/x',
  ])('has no page %s', async (path) => {
    expect((await fetch(own.url + path)).status).toBe(404);
  });
});
