import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAILED_LOOKUPS } from '../../lambda/create-attendees/meeting-access.ts';
import { KEY_FETCHING } from '../../lambda/oidc/issuer-keys.ts';
import { createSigningKey, type SigningKey, signToken, startKeyServer } from '../support/issuer.ts';
import { createIssuerEntry } from '../support/issuer-rules.ts';
import {
  type Answer,
  attendees,
  bearer,
  nowSeconds,
  startWorld,
  type World,
} from '../support/system-world.ts';

/**
 * What one attacker can spend of what belongs to all: the issuer's patience and Chime's quota. Measured against several
 * handler processes, as each has its own memory; the bounds are those of docs/authorization.md.
 */

const PROCESSES = 4;
const REQUESTS = 500;
const AT_ONCE = 16;

/** Chime's quota of GetMeeting for the whole account: a second, and at once. */
const QUOTA = { ratePerSecond: 10, burst: 20 };

const key = createSigningKey('key-1');
const nextKey = createSigningKey('key-2');
const partnerKey = createSigningKey('partner-key');
let ours: Awaited<ReturnType<typeof startKeyServer>>;
let partner: typeof ours;
let world: World;
let acmeMeeting: string;
let globexMeeting: string;
let processIds: number[];

beforeAll(async () => {
  ours = await startKeyServer([key]);
  partner = await startKeyServer([partnerKey]);
  // The processes that start now do not get its keys.
  partner.mode = 'fail';
  const rulesOf = ({ issuer, jwksUri }: typeof ours, tenant: string) =>
    createIssuerEntry({
      issuer,
      jwksUri,
      audience: ['usher'],
      externalUserIdPrefix: `${tenant}:`,
      tenantClaim: 'tenant',
      tenants: [tenant],
    });
  world = await startWorld([rulesOf(ours, 'acme'), rulesOf(partner, 'globex')], { processes: PROCESSES });
  acmeMeeting = await world.meetingOf('acme');
  globexMeeting = await world.meetingOf('globex');
  await world.mode(QUOTA);
}, 60_000);

afterAll(async () => {
  await world?.system.stop();
  await Promise.all([ours.close(), partner.close()]);
});

function tokenOf(sub: string, signingKey: SigningKey, header: Record<string, unknown> = {}): string {
  const isPartner = signingKey === partnerKey;
  return signToken(
    signingKey,
    {
      iss: isPartner ? partner.issuer : ours.issuer,
      sub,
      aud: 'usher',
      client_id: 'backend',
      scope: 'attendees.create',
      tenant: isPartner ? 'globex' : 'acme',
      exp: nowSeconds() + 300,
    },
    header,
  );
}

const admit = (signingKey: SigningKey, sub = 'honest'): Promise<Answer> => {
  const [name, meetingId] =
    signingKey === partnerKey ? ['globex:gus', globexMeeting] : ['acme:alice', acmeMeeting];
  return world.ask({ headers: bearer(tokenOf(sub, signingKey)), body: attendees(name), meetingId });
};

/** Retries like an AWS SDK: three attempts, with the wait that the answer names. */
async function admitPatiently(signingKey: SigningKey): Promise<Answer> {
  let answer = await admit(signingKey);
  for (let attempt = 2; attempt <= 3 && [429, 503].includes(answer.status); attempt += 1) {
    await pause(1_000 * Number(answer.headers['retry-after'] ?? 1));
    answer = await admit(signingKey);
  }
  return answer;
}

/** Asks `REQUESTS` times, several at once, while an honest caller asks every 200 ms. */
async function flood(attack: (n: number) => Promise<Answer>) {
  const startMs = performance.now();
  const attacks: Answer[] = [];
  const honest = [admitPatiently(key)];
  const timer = setInterval(() => honest.push(admitPatiently(key)), 200);
  let sent = 0;
  const attacker = async (): Promise<void> => {
    while (sent < REQUESTS) attacks.push(await attack(sent++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, attacker));
  clearInterval(timer);
  const seconds = (performance.now() - startMs) / 1_000;
  return { seconds, attacks, honest: await Promise.all(honest) };
}

const countBy = (answers: Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** Asks all processes: as many requests at once as there are processes keep each of them busy. */
const askAll = (make: () => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: 3 * PROCESSES }, make));

describe('a flood', () => {
  it('costs the issuer a bounded number of fetches, and others nothing, with unknown key ids', async () => {
    const { seconds, attacks, honest } = await flood(() =>
      world.ask({
        headers: bearer(tokenOf('mallory', key, { kid: crypto.randomUUID() })),
        body: attendees('acme:victim'),
        meetingId: acmeMeeting,
      }),
    );
    processIds = world.system.handlerProcessIds();
    const bound = PROCESSES * (1 + Math.floor((1_000 * seconds) / KEY_FETCHING.unknownKeyCooldownMs));
    console.log(
      `${REQUESTS} unknown key ids in ${seconds.toFixed(1)} s, ${processIds.length} processes: ${ours.fetches} key fetches, bound ${bound}; honest caller: ${JSON.stringify(countBy(honest))}`,
    );
    expect(processIds).toHaveLength(PROCESSES);
    expect(countBy(attacks)).toEqual({ 401: REQUESTS });
    expect(ours.fetches).toBeLessThanOrEqual(bound);
    expect(honest.length).toBeGreaterThan(0);
    expect(countBy(honest)).toEqual({ 200: honest.length });
  }, 60_000);

  it('leaves most of Chime’s quota to others, with random meeting ids', async () => {
    await world.forgetCalls();
    const { seconds, attacks, honest } = await flood(() =>
      world.ask({
        headers: bearer(tokenOf('mallory', key)),
        body: attendees('acme:victim'),
        meetingId: crypto.randomUUID(),
      }),
    );
    const calls = await world.calls('GetMeeting');
    const failed = calls.filter(({ meetingId }) => meetingId !== acmeMeeting).length;
    const bound = Math.floor(PROCESSES * (FAILED_LOOKUPS.capacity + FAILED_LOOKUPS.perSecond * seconds));
    console.log(
      `${REQUESTS} random meeting ids in ${seconds.toFixed(1)} s, ${PROCESSES} processes: ${failed} failed look-ups, bound ${bound}; attacker: ${JSON.stringify(countBy(attacks))}; honest caller: ${JSON.stringify(countBy(honest))}`,
    );
    expect(failed).toBeLessThanOrEqual(bound);
    expect(bound).toBeLessThanOrEqual(QUOTA.burst + QUOTA.ratePerSecond * seconds);
    expect(Object.keys(countBy(attacks)).sort()).toEqual(['404', '429']);
    expect(
      attacks
        .filter(({ status }) => status === 429)
        .every(({ headers }) => Number(headers['retry-after']) > 0),
    ).toBe(true);
    expect(honest.length).toBeGreaterThan(0);
    expect(countBy(honest)).toEqual({ 200: honest.length });
    const names = (await world.calls('BatchCreateAttendee')).flatMap((call) => call.attendeeNames);
    expect(names).not.toContain('acme:victim');
  }, 60_000);
});

describe('an issuer', () => {
  it('is 503 with Retry-After if it hangs before its first answer; tokens of the other one are valid', async () => {
    await world.mode({ ratePerSecond: null });
    partner.mode = 'hang';
    const startMs = performance.now();
    const [stuck, others] = await Promise.all([admit(partnerKey), askAll(() => admit(key))]);
    expect(performance.now() - startMs).toBeLessThan(KEY_FETCHING.timeoutMs + 2_000);
    expect(stuck.status).toBe(503);
    expect(stuck.headers['x-amzn-errortype']).toBe('ServiceUnavailableException');
    expect(Number(stuck.headers['retry-after'])).toBeGreaterThan(0);
    expect(countBy(others)).toEqual({ 200: others.length });
  }, 30_000);

  it('is 503 until it is back if it is down before its first answer', async () => {
    partner.mode = 'fail';
    const down = await askAll(() => admit(partnerKey));
    expect(countBy(down)).toEqual({ 503: down.length });
    expect(await world.calls('BatchCreateAttendee')).not.toContainEqual(
      expect.objectContaining({ attendeeNames: ['globex:gus'] }),
    );
    partner.mode = 'serve';
    await pause(KEY_FETCHING.failureCooldownMs);
    const back = await askAll(() => admit(partnerKey));
    expect(countBy(back)).toEqual({ 200: back.length });
  }, 30_000);

  it('leaves new keys undecided and known ones working while it hangs', async () => {
    await pause(KEY_FETCHING.unknownKeyCooldownMs);
    ours.mode = 'hang';
    const unknown = admit(nextKey);
    const known = await askAll(() => admit(key));
    expect((await unknown).status).toBe(503);
    expect(Number((await unknown).headers['retry-after'])).toBeGreaterThan(0);
    expect(countBy(known)).toEqual({ 200: known.length });
  }, 30_000);

  it('may rotate its keys: the new one works in every process, the old one in none, and none was restarted', async () => {
    ours.mode = 'serve';
    ours.keys = [nextKey];
    await pause(KEY_FETCHING.failureCooldownMs);
    const renewed = await askAll(() => admit(nextKey));
    expect(countBy(renewed)).toEqual({ 200: renewed.length });
    const old = await askAll(() => admit(key));
    expect(countBy(old)).toEqual({ 401: old.length });
    expect(world.system.handlerProcessIds().toSorted()).toEqual(processIds.toSorted());
  }, 30_000);
});
