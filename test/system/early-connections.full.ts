import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LinkMode } from '../../bench/link.ts';
import { type BundleProcess, startBundle } from '../../bench/processes.ts';
import { createSetting, HANDLER_DIRECTORY, type Setting } from '../../bench/setting.ts';
import { SERVICES, type Service } from '../../bench/stand-in.ts';

// The deployed bundle in a process of its own, over TLS: what it begins while it loads never harms the first request.

let setting: Setting;
let event: unknown;
beforeAll(async () => {
  setting = await createSetting();
  event = await setting.eventFor(1);
}, 60_000);
afterAll(() => setting.close());

const processes: BundleProcess[] = [];
beforeEach(async () => {
  await setting.standIn.take();
});
afterEach(async () => {
  await setting.standIn.setLatency({});
  for (const service of SERVICES) await setting.standIn.links[service].setMode('up');
  await Promise.all(processes.splice(0).map((one) => one.close()));
});

async function start(change: Record<string, string> = {}): Promise<BundleProcess> {
  const started = await startBundle(HANDLER_DIRECTORY, { env: { ...setting.env, ...change } });
  processes.push(started);
  return started;
}

async function ask(bundle: BundleProcess): Promise<{ status: number | undefined; wallMs: number }> {
  const { answers, wallMs } = await bundle.run({ event, requests: 1 });
  return { status: answers[0]?.statusCode, wallMs: wallMs[0] ?? Number.NaN };
}

async function operations(): Promise<string[]> {
  return (await setting.standIn.take()).calls.map(({ operation }) => operation);
}

async function connections(): Promise<Record<Service, number>> {
  const { links } = setting.standIn;
  return {
    chime: await links.chime.connections(),
    dynamodb: await links.dynamodb.connections(),
    issuer: await links.issuer.connections(),
  };
}

async function connectionsSince(before: Record<Service, number>): Promise<Record<Service, number>> {
  const after = await connections();
  return {
    chime: after.chime - before.chime,
    dynamodb: after.dynamodb - before.dynamodb,
    issuer: after.issuer - before.issuer,
  };
}

/** Time for what is under way to get somewhere, or to fail. */
const settle = () => pause(400);

/** The issuer's entry, changed. */
function issuersWith(...changes: Record<string, unknown>[]): { ISSUERS: string } {
  const [rules] = JSON.parse(setting.env['ISSUERS'] ?? '');
  return { ISSUERS: JSON.stringify(changes.map((change) => ({ ...rules, ...change }))) };
}

const WITHOUT_TENANTS = { tenantClaim: undefined, allowAnyMeeting: true };

const COMPLETE = [
  'GetMeeting',
  'ExecuteStatement intent',
  'BatchCreateAttendee',
  'BatchWriteItem',
  'ExecuteStatement outcome',
];

describe('while it loads, the function', () => {
  it('opens one connection to each service, and sends AWS nothing', async () => {
    const before = await connections();
    await start();
    await settle();
    expect(await operations()).toEqual([]);
    expect(await connectionsSince(before)).toEqual({ chime: 1, dynamodb: 1, issuer: 1 });
  });

  it('has ready what the first request needs', async () => {
    const before = await connections();
    const bundle = await start();
    await settle();
    expect(await ask(bundle)).toMatchObject({ status: 200 });
    expect(await operations()).toEqual(COMPLETE);
    expect(await connectionsSince(before)).toEqual({ chime: 1, dynamodb: 1, issuer: 1 });
  });

  it('lets the first request join what is under way', async () => {
    await setting.standIn.setLatency({
      chime: { serviceMs: 0, roundTripMs: 100 },
      dynamodb: { serviceMs: 0, roundTripMs: 100 },
      issuer: { serviceMs: 100, roundTripMs: 100 },
    });
    const before = await connections();
    expect(await ask(await start())).toMatchObject({ status: 200 });
    expect(await connectionsSince(before)).toEqual({ chime: 1, dynamodb: 1, issuer: 1 });
  });

  it('fetches the keys of three issuers at most', async () => {
    const before = await connections();
    const others = ['b', 'c', 'd'].map((issuer) => ({ issuer }));
    await start(
      issuersWith(
        {},
        ...others.map((one, index) => ({ ...one, jwksUris: [`${setting.standIn.urls.issuer}?${index}`] })),
      ),
    );
    await settle();
    expect((await connectionsSince(before)).issuer).toBe(3);
  });
});

describe.each([1, 3, 6])('frozen right after loading for %d s, the function', (seconds) => {
  it('answers the first request as if it had not been', async () => {
    await setting.standIn.setLatency({
      chime: { serviceMs: 0, roundTripMs: 200 },
      dynamodb: { serviceMs: 0, roundTripMs: 200 },
      issuer: { serviceMs: 500, roundTripMs: 100 },
    });
    const bundle = await start();
    process.kill(bundle.pid, 'SIGSTOP');
    await pause(seconds * 1_000);
    process.kill(bundle.pid, 'SIGCONT');
    expect(await ask(bundle)).toMatchObject({ status: 200 });
    expect(await operations()).toEqual(COMPLETE);
  });

  it('does so if all its connections were closed meanwhile', async () => {
    const bundle = await start();
    await settle();
    process.kill(bundle.pid, 'SIGSTOP');
    await pause(seconds * 1_000);
    for (const service of SERVICES) await setting.standIn.links[service].closeOpenOnes();
    await settle();
    process.kill(bundle.pid, 'SIGCONT');
    expect(await ask(bundle)).toMatchObject({ status: 200 });
    expect(await operations()).toEqual(COMPLETE);
  });
});

it('loads without waiting for the network', async () => {
  for (const service of SERVICES) await setting.standIn.links[service].setMode('silent');
  // The shortest limit of what it begins is 2 s.
  expect((await start()).started.wallMs).toBeLessThan(1_500);
});

it('loads without credentials, and says so by the first request', async () => {
  const bundle = await start({ AWS_ACCESS_KEY_ID: '' });
  expect(await ask(bundle)).toMatchObject({ status: 503 });
  expect(await operations()).toEqual([]);
});

describe('long after loading, the first request', () => {
  it('gets new connections', async () => {
    const bundle = await start();
    await settle();
    const before = await connections();
    await pause(5_500);
    for (const service of SERVICES) await setting.standIn.links[service].cutOpenOnes();
    expect(await ask(bundle)).toMatchObject({ status: 200 });
    expect(await connectionsSince(before)).toEqual({ chime: 1, dynamodb: 1, issuer: 0 });
  });
});

describe.each(SERVICES)('with %s', (service) => {
  it.each<LinkMode>(['reset', 'untrusted'])(
    '%s while the function loads, the first request is answered once it is up',
    async (mode) => {
      const link = setting.standIn.links[service];
      await link.setMode(mode);
      const bundle = await start();
      await settle();
      await link.setMode('up');
      expect(await ask(bundle)).toMatchObject({ status: 200 });
      expect(await operations()).toEqual(COMPLETE);
    },
  );

  it('silent for good, the first request waits no longer than without an early start, and the second is answered once it is up', async () => {
    const link = setting.standIn.links[service];
    await link.setMode('silent');
    const bundle = await start();
    await pause(1_000);
    const { status, wallMs } = await ask(bundle);
    expect(status).toBe(503);
    // 2 s for keys, 3 s for a meeting or a record.
    expect(wallMs).toBeLessThan(service === 'issuer' ? 2_400 : 3_400);
    await link.setMode('up');
    await pause(2_000);
    expect(await ask(bundle)).toMatchObject({ status: 200 });
  });
});

describe('an early connection that is half-open', () => {
  it('to Chime makes no batch ambiguous: the look-up of the meeting fails, before anything is recorded', async () => {
    const bundle = await start();
    await settle();
    await setting.standIn.links.chime.cutOpenOnes();
    expect(await ask(bundle)).toMatchObject({ status: 503 });
    expect(await operations()).toEqual([]);
    expect(await ask(bundle)).toMatchObject({ status: 200 });
  });

  it('to DynamoDB fails the intent, before Chime is asked for attendees', async () => {
    const bundle = await start();
    await settle();
    await setting.standIn.links.dynamodb.cutOpenOnes();
    expect(await ask(bundle)).toMatchObject({ status: 503 });
    expect(await operations()).toEqual(['GetMeeting']);
    expect(await ask(bundle)).toMatchObject({ status: 200 });
  });

  it('to Chime is not opened if no meeting is looked up', async () => {
    const before = await connections();
    await start(issuersWith(WITHOUT_TENANTS));
    await settle();
    expect(await connectionsSince(before)).toEqual({ chime: 0, dynamodb: 1, issuer: 1 });
  });

  it('to Chime is not used by a batch whose issuer needs no look-up, beside one that does', async () => {
    const other = { issuer: 'other', jwksUris: [`${setting.standIn.urls.issuer}?other`] };
    const bundle = await start(issuersWith(WITHOUT_TENANTS, other));
    await settle();
    await setting.standIn.links.chime.cutOpenOnes();
    expect(await ask(bundle)).toMatchObject({ status: 200 });
    expect(await operations()).toEqual(COMPLETE.slice(1));
  });
});
