import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hourAt } from '../../../../lambda/audit/seals.ts';
import {
  batchIdAt,
  CREDENTIALS,
  denialOf,
  intentOf,
  MEETING,
  outcomeOf,
  REGION,
} from '../../../support/audit-command.ts';
import { startDatabase } from '../../../support/database.ts';
import { createSealedTable, type SealedTable } from '../../../support/sealed-table.ts';

const HOUR_MS = 3_600_000;
/** The command goes by the clock of the machine: the last seal is the one that is due now. */
const LAST = hourAt(Date.now() - 3 * HOUR_MS);
const FIRST = hourAt(Date.parse(LAST.replace('Z', ':00Z')) - 4 * HOUR_MS);

let database: Awaited<ReturnType<typeof startDatabase>>;
let world: SealedTable;
let directory: string;
let batchId: string;
let deniedId: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-seals-'));
  database = await startDatabase();
  world = await createSealedTable(database.url, FIRST);
  const time = FIRST.replace('Z', ':20:00Z');
  batchId = batchIdAt(time);
  deniedId = batchIdAt(time);
  for (const record of [intentOf(batchId), outcomeOf(batchId), denialOf(deniedId)]) {
    await world.put(marshall(record));
  }
  await world.sealThrough(LAST);
});

afterAll(async () => {
  await world.close();
  await database.close();
  rmSync(directory, { recursive: true });
});

interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

function audit(...args: string[]): Promise<Answer> {
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: world.tables.url,
    AWS_ENDPOINT_URL_S3: world.s3Url,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['cli/audit.ts', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

const verify = (...args: string[]) =>
  audit(
    ...['--verify', '--table', world.tables.auditTableName],
    ...['--seal-bucket', world.bucket, '--seal-prefix', world.prefix, ...args],
  );

it('says nothing on stdout where nothing differs, and on stderr what that is worth', async () => {
  const { code, stdout, stderr } = await verify('--output', 'ndjson');
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^Asking /),
    `Reading the seals in s3://${world.bucket}/${world.prefix}.`,
    expect.stringMatching(
      `^Verified 3 records since sealing began to \\S+ by 5 seals, ${FIRST} to ${LAST}\\.$`,
    ),
    'changed 0, removed 0, added 0, late 0, dropped 0',
    expect.stringMatching(/^seal missing 0, seal unreadable 0, seal replaced 0, .*sealed late 0$/),
    'expired 0, not sealed yet 0, without a seal 0, seal expired 0, before sealing began 0',
    expect.stringMatching(`^The chain begins with ${FIRST}, sealed \\S+, its object is of \\S+\\. `),
    'Records that neither a seal nor an index names were not looked for: --scan does.',
    '',
  ]);
}, 60_000);

it('names what differs in every form and ends with 4', async () => {
  const [outcome] = (await world.items()).filter(({ recordId }) => recordId?.S === `${batchId}/outcome`);
  if (outcome === undefined) throw new Error('The outcome is not there.');
  await world.put({ ...outcome, state: { S: 'FAILED' } });
  const changed = { finding: 'changed', hour: FIRST, meetingId: MEETING, recordId: `${batchId}/outcome` };
  try {
    const [ndjson, csv, table] = await Promise.all([
      verify('--output', 'ndjson'),
      verify('--output', 'csv'),
      verify('--scan'),
    ]);
    expect([ndjson, csv, table].map(({ code }) => code)).toEqual([4, 4, 4]);
    expect(JSON.parse(ndjson.stdout)).toMatchObject(changed);
    expect(csv.stdout).toContain(`\r\nchanged,${FIRST},${MEETING},${batchId}/outcome,"sealed as `);
    expect(table.stdout).toContain('changed: The record is not as it was sealed.');

    const page = path.join(directory, 'page.html');
    expect((await verify('--report', page)).code).toBe(4);
    expect(readFileSync(page, 'utf8')).toContain(`<code>${batchId}/outcome</code>`);

    const part = path.join(directory, 'part.html');
    const answer = await verify('--meeting', MEETING, '--report', part);
    expect(answer.code).toBe(4);
    expect(answer.stderr).toContain('changed 1,');
    expect(readFileSync(part, 'utf8')).toMatch(/Not as it was sealed: 1<.*Let in: /s);
  } finally {
    await world.put(outcome);
  }
}, 60_000);

it('says in a report with no seals that nothing is verified, and ends with 3', async () => {
  const page = path.join(directory, 'unsealed.html');
  const none = mkdtempSync(path.join(directory, 'none-'));
  const place = ['--table', world.tables.auditTableName, '--seals', none];
  expect((await audit('--meeting', MEETING, '--verify', '--report', page, ...place)).code).toBe(3);
  expect(readFileSync(page, 'utf8')).toContain('<h2>Not verified: there are no seals</h2>');
}, 60_000);

it('verifies by a copy of the bucket, and says what a copy does not show', async () => {
  const copy = mkdtempSync(path.join(directory, 'copy-'));
  for await (const { hour, versions } of world.seals.list()) {
    writeFileSync(path.join(copy, `${hour}.json`), (await versions[0]?.read())?.bytes ?? '');
  }
  const { code, stderr } = await audit('--verify', '--table', world.tables.auditTableName, '--seals', copy);
  expect(code).toBe(0);
  expect(stderr).toContain(
    "A copy does not have the objects' own dates and versions: they were not checked.",
  );
  writeFileSync(path.join(copy, `${LAST}.json`), '{}');
  const damaged = await audit('--verify', '--table', world.tables.auditTableName, '--seals', copy);
  expect([damaged.code, damaged.stdout]).toEqual([4, expect.stringContaining('seal unreadable')]);
}, 60_000);

it('ends with 3 where there are no seals, and with 1 where there is no bucket', async () => {
  const [none, missing] = await Promise.all([
    audit(
      ...['--verify', '--table', world.tables.auditTableName],
      ...['--seal-bucket', world.bucket, '--seal-prefix', 'other/'],
    ),
    audit('--verify', '--table', world.tables.auditTableName, '--seal-bucket', 'missing'),
  ]);
  expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('There are no seals in')]);
  expect([missing.code, missing.stderr]).toEqual([
    1,
    expect.stringMatching(/^usher: The bucket of the seals/m),
  ]);
}, 60_000);
