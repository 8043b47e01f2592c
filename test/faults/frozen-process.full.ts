import { setTimeout as pause } from 'node:timers/promises';
import { type ChimeSDKMeetingsClient, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createChimeClient, MAX_IDLE_MS } from '../../lambda/aws/clients.ts';
import { type Actor, type Answer, type Lane, namesFor, startLane } from '../support/faults/lane.ts';
import { startWire } from '../support/faults/wire.ts';

// Lambda freezes a process between two invocations, for minutes at times, and connections end meanwhile.

let lane: Lane;
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'LOCAL', AWS_SECRET_ACCESS_KEY: 'local' });
  lane = await startLane();
}, 60_000);
afterAll(() => lane.close());

async function ask(actor: Actor, meetingId: string): Promise<Answer> {
  return (await actor.invoke(lane.eventFor(meetingId, namesFor('frozen', 2)))) as Answer;
}

/** Answers once, is frozen, loses its connections, and is thawed by the next request, as Lambda does it. */
async function askAfterFreeze(
  how: Parameters<Actor['disconnect']>[0],
  { frozenMs, sameMeeting }: { frozenMs: number; sameMeeting: boolean },
) {
  const [first, second] = [await lane.createMeeting('first'), await lane.createMeeting('second')];
  const actor = await lane.startActor('handler');
  const before = await ask(actor, first);
  expect(before.statusCode).toBe(200);
  process.kill(actor.pid(), 'SIGSTOP');
  await pause(frozenMs);
  actor.disconnect(how);
  const asked = ask(actor, sameMeeting ? first : second);
  await pause(200);
  process.kill(actor.pid(), 'SIGCONT');
  const { statusCode, body } = await asked;
  const resets = actor.resets();
  await actor.close();
  return { statusCode, attendees: JSON.parse(body).Attendees?.length, resets };
}

/** Chime's client, in a process of its own timers: this one. */
async function withClient(
  work: (client: ChimeSDKMeetingsClient, wire: Awaited<ReturnType<typeof startWire>>) => Promise<void>,
): Promise<void> {
  const wire = await startWire('chime', lane.chimeUrl);
  const client = createChimeClient({ region: 'us-east-1', endpoint: wire.url });
  try {
    await work(client, wire);
  } finally {
    client.destroy();
    await wire.close();
  }
}

describe('a process that was frozen', () => {
  const created = { statusCode: 200, attendees: 2, resets: 0 };

  it.each([
    { what: 'a meeting that it knows', sameMeeting: true },
    { what: 'a meeting that it has to look up', sameMeeting: false },
  ])('uses no connection that was ended meanwhile, for $what', async ({ sameMeeting }) => {
    expect(await askAfterFreeze('hangUp', { frozenMs: 500, sameMeeting })).toEqual(created);
  });

  it.each([
    { what: 'a meeting that it knows', sameMeeting: true },
    { what: 'a meeting that it has to look up', sameMeeting: false },
  ])('uses no connection that is old enough to be lost, for $what', async ({ sameMeeting }) => {
    expect(await askAfterFreeze('forget', { frozenMs: 6_000, sameMeeting })).toEqual(created);
  });

  it('uses none of these either if a request comes before its timers run', () =>
    withClient(async (client, wire) => {
      const look = new GetMeetingCommand({ MeetingId: await lane.createMeeting('thawed') });
      await client.send(look);
      wire.forget();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MAX_IDLE_MS + 500);
      await expect(client.send(look)).resolves.toMatchObject({
        Meeting: { MeetingId: look.input.MeetingId },
      });
      expect(wire.resets()).toBe(0);
    }));
});

describe('a connection', () => {
  it('is used again after a short while', () =>
    withClient(async (client, wire) => {
      const look = new GetMeetingCommand({ MeetingId: await lane.createMeeting('again') });
      await client.send(look);
      wire.forget();
      await pause(MAX_IDLE_MS / 5);
      await expect(client.send(look)).rejects.toThrow('ECONNRESET');
      expect(wire.resets()).toBe(1);
    }));

  it('is not ended while it waits for an answer', () =>
    withClient(async (client, wire) => {
      const look = new GetMeetingCommand({ MeetingId: await lane.createMeeting('slow') });
      wire.intercept(async (_, act) => {
        await pause(MAX_IDLE_MS + 1_000);
        return act();
      });
      await expect(client.send(look)).resolves.toMatchObject({
        Meeting: { MeetingId: look.input.MeetingId },
      });
    }));
});
