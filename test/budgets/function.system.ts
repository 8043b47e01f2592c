import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BundleProcess, startBundle } from '../../bench/processes.ts';
import { buildReferences } from '../../bench/references.ts';
import { writeUnits } from '../../bench/request-units.ts';
import { createSetting, HANDLER_DIRECTORY, type Setting } from '../../bench/setting.ts';
import type { Call } from '../../bench/stand-in.ts';

// What the deployed bundle costs, as far as it is the same on every machine. Times are in `npm run bench`.
let setting: Setting;
beforeAll(async () => {
  setting = await createSetting();
}, 30_000);
afterAll(() => setting.close());

describe('the round trips of a request', () => {
  let warm: BundleProcess;
  beforeAll(async () => {
    warm = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
    // Long enough for round trips that overlap to be seen as such, on a busy machine too.
    await setting.standIn.setLatency({
      chime: { serviceMs: 100, roundTripMs: 0 },
      dynamodb: { serviceMs: 100, roundTripMs: 0 },
    });
    // A first connection takes a handshake: those for requests at the same time are opened here.
    await warm.run({ event: await setting.eventFor(100), requests: 1 });
    await setting.standIn.take();
  });
  afterAll(async () => {
    await setting.standIn.setLatency({});
    await warm.close();
  });

  it.each([
    [1, ['BatchWriteItem']],
    [25, ['BatchWriteItem']],
    [26, ['BatchWriteItem', 'BatchWriteItem']],
    [100, Array.from({ length: 4 }, () => 'BatchWriteItem')],
  ])('of %d attendees are intent, Chime, %j at once, outcome', async (attendees, admissions) => {
    await warm.run({ event: await setting.eventFor(attendees), requests: 1 });
    const { calls } = await setting.standIn.take();
    expect(sequence(calls)).toEqual([
      ['ExecuteStatement intent'],
      ['BatchCreateAttendee'],
      admissions,
      ['ExecuteStatement outcome'],
    ]);
  });
});

it('asks Chime once for a batch, and once in five minutes for its meeting', async () => {
  const process = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
  await setting.standIn.take();
  await process.run({ event: await setting.eventFor(1), requests: 3 });
  await process.close();
  const { calls } = await setting.standIn.take();
  expect(
    calls.map(({ operation }) => operation).filter((operation) => !/Item|Statement/.test(operation)),
  ).toEqual(['GetMeeting', ...Array.from({ length: 3 }, () => 'BatchCreateAttendee')]);
});

it.each([
  [1, 6],
  [10, 27],
  [100, 231],
])('writes a batch of %d attendees with %d units', async (attendees, atMost) => {
  const process = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
  await setting.standIn.take();
  await process.run({ event: await setting.eventFor(attendees), requests: 1 });
  await process.close();
  const { intents, outcomes, admissions } = writeUnits(await setting.standIn.take());
  expect(admissions).toBe(2 * attendees);
  expect(intents + outcomes + admissions).toBeLessThanOrEqual(atMost);
});

describe('the credentials of the function', () => {
  it('are those of its environment, with the session token', async () => {
    const { AWS_SESSION_TOKEN } = setting.env;
    const process = await startBundle(HANDLER_DIRECTORY, { env: setting.env });
    await process.run({ event: await setting.eventFor(1), requests: 1 });
    await process.close();
    const { calls } = await setting.standIn.take();
    expect(calls.length).toBeGreaterThan(3);
    expect(new Set(calls.map(({ sessionToken }) => sessionToken))).toEqual(new Set([AWS_SESSION_TOKEN]));
  });

  it('are looked for nowhere else', () => {
    const { AWS_SECRET_ACCESS_KEY: _, ...env } = setting.env;
    const program = `
      const { clients: [client] } = await import('./index.mjs');
      client.config.credentials().catch((error) => console.log(error.message));
    `;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: references.twoClients,
      env,
      encoding: 'utf8',
    });
    // The first provider after the environment's is not in the bundle.
    expect(said).toContain("Cannot find package '@aws-sdk/credential-provider-ini'");
  });
});

let references: Awaited<ReturnType<typeof buildReferences>>;
beforeAll(async () => {
  references = await buildReferences(join(setting.directory, 'references'));
}, 30_000);

it('loads no more of Node at its start than the two SDK clients do, but for its console, its pauses, web streams, WebCrypto and lists of addresses', () => {
  const loadedBy = (cwd: string): string[] =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const before = new Set(process.moduleLoadList);
           await import('./index.mjs');
           console.log(JSON.stringify(process.moduleLoadList.filter((name) => !before.has(name))));`,
        ],
        { cwd, env: setting.env, encoding: 'utf8' },
      ),
    );
  const floor = new Set(loadedBy(references.twoClients));
  // The line of middy that supports Node 20 loads web streams, whether or not an answer is one.
  const isOfWebStreams = (name: string) => /webstreams|stream\/web|internal\/worker\/io/.test(name);
  // What the first token needs, begun before it comes.
  const isOfWebCrypto = (name: string) => name.includes('internal/crypto/');
  // An import of `node:net` from an ES module loads all that it exports.
  const isOfAddresses = (name: string) => /block_?list|socketaddress/.test(name);
  const more = loadedBy(HANDLER_DIRECTORY).filter(
    (name) => !floor.has(name) && !isOfWebStreams(name) && !isOfWebCrypto(name) && !isOfAddresses(name),
  );
  expect(more.toSorted()).toEqual(['NativeModule console', 'NativeModule timers/promises']);
});

/** What ran at the same time is in one list: a call begins a new one if it came after all before it were answered. */
function sequence(calls: readonly Call[]): string[][] {
  const steps: string[][] = [];
  let answeredMs = Number.NEGATIVE_INFINITY;
  for (const call of calls.toSorted((a, b) => a.arrivedMs - b.arrivedMs)) {
    if (call.arrivedMs >= answeredMs) steps.push([]);
    steps.at(-1)?.push(call.operation);
    answeredMs = Math.max(answeredMs, call.answeredMs);
  }
  return steps;
}
