import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { OutcomeRecord } from '../../../lambda/audit/records.ts';
import { type RunningSystem, startSystem } from '../../support/local.ts';

let system: RunningSystem;
let client: DynamoDB;

beforeAll(async () => {
  system = await startSystem({
    config: {
      ...JSON.parse(readFileSync('config/local.json', 'utf8')),
      reconciler: { marginSeconds: 1, secondLookSeconds: 1 },
      // Deadlines are half a second sooner.
      limits: { timeoutSeconds: 5 },
    },
  });
  const { region, dynamodbUrl } = system.environment;
  client = new DynamoDB({
    region,
    endpoint: dynamodbUrl,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
}, 60_000);

afterAll(async () => {
  client.destroy();
  await system.stop();
}, 30_000);

/** Asks for users while Chime has a fault. @returns the HTTP status */
async function ask(names: string[], effect: object): Promise<number> {
  const { apiUrl, chimeUrl, meetingId } = system.environment;
  await fetch(`${chimeUrl}/_emulator/faults`, {
    method: 'POST',
    body: JSON.stringify({ operation: 'BatchCreateAttendee', times: 1, ...effect }),
  });
  const response = await fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await system.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ Attendees: names.map((ExternalUserId) => ({ ExternalUserId })) }),
  });
  return response.status;
}

/** `npm run reconcile`. @returns the line it prints last, as numbers by name */
async function reconcile(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/reconcile.ts'], {
    env: { PATH: process.env['PATH'] ?? '', USHER_LOCAL_DIR: system.directory },
  });
  const line = stdout.trim().split('\n').at(-1) as string;
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=') as [string, string]));
}

async function items(TableName: string) {
  return ((await client.scan({ TableName })).Items ?? []).map((item) => unmarshall(item));
}

it('decides batches whose answer from Chime was lost, as deployed', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  expect(await ask(names, { reset: true, when: 'after' })).toBe(503);
  expect(await ask(['absent'], { reset: true, when: 'before' })).toBe(503);
  const runs: Record<string, string>[] = [];
  // Two looks, a second apart, once deadline and margin are over.
  for (let run = 0; run < 8 && runs.at(-1)?.['open'] !== '0'; run += 1) {
    await pause(2_500);
    runs.push(await reconcile());
  }
  const total = (name: string) => runs.reduce((sum, run) => sum + Number(run[name]), 0);
  expect(['recovered', 'notIssued', 'failures'].map(total)).toEqual([1, 1, 0]);
  expect(runs[0]).toMatchObject({ recovered: '0', notIssued: '0' });
  expect(total('lookAgain')).toBeGreaterThanOrEqual(2);

  const { tableName, admissionTableName, openIntentTableName, chimeUrl } = system.environment;
  const outcomes = (await items(tableName)).filter(({ kind }) => kind === 'outcome') as OutcomeRecord[];
  expect(outcomes.map(({ state }) => state).toSorted()).toEqual(['NOT_ISSUED', 'RECOVERED']);
  const { attendees } = (await (await fetch(`${chimeUrl}/_emulator/attendees`)).json()) as {
    attendees: { AttendeeId: string; JoinToken: string }[];
  };
  const existing = attendees.map(({ AttendeeId }) => AttendeeId).toSorted();
  const held = outcomes.flatMap(({ issued }) => issued.map(({ attendeeId }) => attendeeId));
  expect(existing).toHaveLength(100);
  expect(held.toSorted()).toEqual(existing);
  const admissions = await items(admissionTableName);
  expect(admissions.map(({ attendeeId }) => attendeeId).toSorted()).toEqual(existing);
  expect(new Set((await items(openIntentTableName)).map(({ list }) => list))).toEqual(new Set(['sweep']));

  const written = system.stdout() + JSON.stringify([outcomes, admissions]);
  for (const { JoinToken } of attendees) expect(written).not.toContain(JoinToken);
}, 60_000);

it('has nothing to do for a large batch, whose admissions are written before its answer', async () => {
  const { admissionTableName, tableName } = system.environment;
  const names = Array.from({ length: 60 }, (_, index) => `crowd-${index}`);
  expect(await ask(names, { latencyMs: 0 })).toBe(200);
  const crowd = (await items(admissionTableName)).filter(({ externalUserId }) =>
    externalUserId.startsWith('crowd-'),
  );
  expect(crowd).toHaveLength(60);
  const outcomes = (await items(tableName)).filter(({ batchId }) => batchId === crowd[0]?.['batchId']);
  expect(outcomes).toContainEqual(expect.objectContaining({ kind: 'outcome', admissions: 'written' }));
}, 30_000);
