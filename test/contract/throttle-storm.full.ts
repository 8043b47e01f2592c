import { setTimeout as pause } from 'node:timers/promises';
import { BatchCreateAttendeeCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startChimeEmulator } from '../../local/chime-emulator/server.ts';
import {
  chimeControl,
  clientOfChime,
  clientOfUsher,
  createMeeting,
  mintToken,
} from '../support/contract/clients.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

/** Chime's documented quota of each operation, for an account in a Region. */
const QUOTA = { ratePerSecond: 10, burst: 20 };
const REQUESTS = 120;
/** Four times the quota. */
const REQUESTS_PER_SECOND = 40;
/** Of the stock SDK. */
const CLIENT_ATTEMPTS = 3;

let system: RunningSystem;
let token: string;
beforeAll(async () => {
  system = await startSystem({ config: unthrottledConfig(), env: { USHER_LOCAL_CONCURRENCY: '8' } });
  token = await mintToken(system.environment);
}, 60_000);
afterAll(() => system.stop());

/** Requests from stock clients at four times the quota; the requested name shows which request a call belongs to. */
async function storm(meetingOf: (request: number) => string) {
  const control = chimeControl(system.environment);
  await control.mode(QUOTA);
  await control.clearCalls();
  const client = clientOfUsher(system.environment.apiUrl, token);
  const startedMs = performance.now();
  const results = await Promise.all(
    Array.from({ length: REQUESTS }, async (_, request) => {
      await pause((request / REQUESTS_PER_SECOND) * 1_000);
      const command = new BatchCreateAttendeeCommand({
        MeetingId: meetingOf(request),
        Attendees: [{ ExternalUserId: `guest-${request}` }],
      });
      return client.send(command).then(
        ({ $metadata }) => ({ outcome: 'success', attempts: $metadata.attempts ?? 0 }),
        (error) => ({ outcome: error.name as string, attempts: error.$metadata?.attempts ?? 0 }),
      );
    }),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  await control.mode({ ratePerSecond: null, burst: null });
  const batches = await control.calls('BatchCreateAttendee');
  const lookUps = await control.calls('GetMeeting');
  const perRequest = Map.groupBy(batches, ({ attendeeNames }) => String(attendeeNames));
  return {
    outcomes: Object.fromEntries(
      [...Map.groupBy(results, ({ outcome }) => outcome)].map(([name, list]) => [name, list.length]),
    ),
    attempts: results.reduce((sum, { attempts }) => sum + attempts, 0),
    batches: batches.length,
    lookUps: lookUps.length,
    mostBatchesOfOne: Math.max(...[...perRequest.values()].map((list) => list.length)),
    seconds: Number(seconds.toFixed(1)),
  };
}

describe('a storm of four times the quota', () => {
  it('on one meeting sends Chime no more calls than the clients make, and they end well or as throttled', async () => {
    const meetingId = await createMeeting(system.environment);
    const seen = await storm(() => meetingId);
    console.log(`${REQUESTS} requests for one meeting:`, seen);
    expect(new Set(Object.keys(seen.outcomes))).toEqual(new Set(['success', 'ThrottlingException']));
    expect(seen.batches).toBeLessThanOrEqual(seen.attempts);
    expect(seen.mostBatchesOfOne).toBeLessThanOrEqual(CLIENT_ATTEMPTS);
    // Each of the eight processes may look once, and the look-ups of the first moment are throttled like everything.
    expect(seen.lookUps).toBeLessThan(REQUESTS / 2);
  }, 60_000);

  it('on as many meetings doubles that at most, for the look-ups', async () => {
    const meetings: string[] = [];
    for (let i = 0; i < REQUESTS; i += 1) meetings.push(await createMeeting(system.environment));
    const seen = await storm((request) => meetings[request] ?? '');
    console.log(`${REQUESTS} requests for as many meetings:`, seen);
    expect(new Set(Object.keys(seen.outcomes))).toEqual(new Set(['success', 'ThrottlingException']));
    expect(seen.batches + seen.lookUps).toBeLessThanOrEqual(2 * seen.attempts);
    expect(seen.mostBatchesOfOne).toBeLessThanOrEqual(CLIENT_ATTEMPTS);
    expect(seen.lookUps).toBeLessThanOrEqual(CLIENT_ATTEMPTS * REQUESTS);
  }, 60_000);
});

/**
 * What a retry within the facade would do, without a queue in between, as Lambda has none: clients that try `outer`
 * times, each of their tries `inner` tries at Chime.
 */
async function nestedStorm(outer: number, inner: number) {
  const emulator = await startChimeEmulator();
  const environment = { chimeUrl: emulator.url };
  const MeetingId = await createMeeting(environment);
  const control = chimeControl(environment);
  await control.mode(QUOTA);
  const facade = clientOfChime(emulator.url, { maxAttempts: inner });
  let successes = 0;
  let facadeBusyMs = 0;
  await Promise.all(
    Array.from({ length: REQUESTS }, async (_, request) => {
      await pause((request / REQUESTS_PER_SECOND) * 1_000);
      for (let attempt = 0; attempt < outer; attempt += 1) {
        const startedMs = performance.now();
        const succeeded = await facade
          .send(
            new BatchCreateAttendeeCommand({
              MeetingId,
              Attendees: [{ ExternalUserId: `guest-${request}` }],
            }),
          )
          .then(
            () => true,
            () => false,
          );
        facadeBusyMs += performance.now() - startedMs;
        if (succeeded) {
          successes += 1;
          return;
        }
        // The stock SDK's backoff after throttling: full jitter, doubling from a second.
        await pause(Math.random() * 1_000 * 2 ** attempt);
      }
    }),
  );
  const calls = (await control.calls('BatchCreateAttendee')).length;
  await emulator.close();
  return { outer, inner, successes, calls, facadeBusySeconds: Math.round(facadeBusyMs / 1_000) };
}

describe('a retry within the facade', () => {
  it('costs more calls and time than it saves, and patient clients do better without', async () => {
    const [plain, nested, patient] = await Promise.all([
      nestedStorm(CLIENT_ATTEMPTS, 1),
      nestedStorm(CLIENT_ATTEMPTS, 2),
      nestedStorm(2 * CLIENT_ATTEMPTS, 1),
    ]);
    console.log(`${REQUESTS} requests, tries of the client times tries of the facade:`, [
      plain,
      nested,
      patient,
    ]);
    expect(nested.calls).toBeGreaterThan(1.15 * plain.calls);
    // What a slow machine adds, it adds to both.
    expect(nested.facadeBusySeconds - plain.facadeBusySeconds).toBeGreaterThan(20);
    expect(patient.successes).toBeGreaterThan(nested.successes);
  }, 60_000);
});
