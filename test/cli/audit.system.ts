import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { close, LOOPBACK, listen } from '../../local/http-server.ts';
import {
  batchIdAt,
  createTestTables,
  intentOf,
  issuedTo,
  MEETING,
  outcomeOf,
  putItem,
  REGION,
  type TestTables,
  writeBatch,
  writeDenial,
} from '../support/audit-command.ts';
import { startDatabase } from '../support/database.ts';

jest.setTimeout(30_000);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const BUSY_MEETING = '0b0b0b0b-0d4a-4c6b-9e8f-1a2b3c4d2706';

let database: Awaited<ReturnType<typeof startDatabase>>;
let tables: TestTables;
let directory: string;
let batchId: string;

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command as ops run it, in an environment of nothing but what is given. */
function launch(args: string[], env: Record<string, string>) {
  return spawn(process.execPath, ['cli/audit.ts', ...args], {
    cwd: PROJECT,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(
  args: string[],
  env: Record<string, string> = { USHER_LOCAL_DIR: directory },
): Promise<Run> {
  const child = launch(args, env);
  const output: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text;
  });
  await once(child, 'close');
  return { ...output, code: child.exitCode };
}

/** With the credentials and the endpoint that AWS's own variables give. */
const deployed = (endpoint: string) => ({
  USHER_LOCAL_DIR: join(directory, 'nowhere'),
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 's',
  AWS_REGION: REGION,
  AWS_ENDPOINT_URL_DYNAMODB: endpoint,
});

beforeAll(async () => {
  database = await startDatabase();
  tables = await createTestTables(database.url, 'system');
  directory = mkdtempSync(join(tmpdir(), 'usher-audit-'));
  writeFileSync(
    join(directory, 'environment.json'),
    JSON.stringify({
      apiUrl: 'http://127.0.0.1:1/local',
      dynamodbUrl: database.url,
      tableName: tables.auditTableName,
      admissionTableName: tables.admissionTableName,
      openIntentTableName: tables.openIntentTableName,
      region: REGION,
    }),
  );
  batchId = await writeBatch(tables, batchIdAt('2026-11-22T10:00:00Z'));
  await writeDenial(tables, batchIdAt('2026-11-22T10:00:01Z'));
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await database.close();
});

describe('npm run audit', () => {
  it('asks the local system, and keeps what it says of itself off stdout', async () => {
    const { code, stdout, stderr } = await run(['--meeting', MEETING, '--output', 'json']);
    expect([code, stderr]).toEqual([
      0,
      `Asking ${tables.auditTableName}, ${tables.admissionTableName}, ${tables.openIntentTableName} in ${REGION} at ${database.url}.\n`,
    ]);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        batchId,
        meetingId: MEETING,
        state: 'ISSUED',
        intent: intentOf(batchId),
        outcome: outcomeOf(batchId),
        attendees: [expect.objectContaining({ externalUserId: 'alice', result: 'issued' })],
      }),
      expect.objectContaining({
        state: 'DENIED',
        denial: expect.objectContaining({ rule: 'self-own-name' }),
      }),
    ]);
  });

  it('asks the tables that are named, with credentials and endpoint of AWS’s own variables', async () => {
    const named = ['--table', tables.auditTableName, '--admission-table', tables.admissionTableName];
    const { code, stdout } = await run(
      [...named, '--user', 'alice', '--output', 'ndjson'],
      deployed(database.url),
    );
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ batchId, state: 'ISSUED' })]);
  });

  it.each([
    ['--user', () => 'alice', 'attendee-alice'],
    ['--attendee', () => 'attendee-alice', 'alice'],
    ['--caller', () => 'https://login.example.com|backend|svc-1', 'ISSUED'],
    ['--batch', () => batchId, 'attendee-alice'],
    ['--day', () => '2026-11-22', 'self-own-name'],
    ['--meeting', () => MEETING, 'attendee-alice'],
  ])('answers %s as a table without colours for a pipe', async (option, value, expected) => {
    const { code, stdout } = await run([option, value()]);
    expect(code).toBe(0);
    expect(stdout).toContain(expected);
    expect(stdout).not.toContain('\u001b');
  });

  it('exits with 3 if nothing is found, and still prints a valid document', async () => {
    const { code, stdout, stderr } = await run(['--user', 'absent', '--output', 'json']);
    expect([code, stdout]).toEqual([3, '[]\n']);
    expect(stderr).toContain('Nothing found for --user absent, from the first record to 20');
    expect(stderr).toContain(`in ${tables.auditTableName}`);
  });

  it('says how far it looks back by default', async () => {
    const { code, stderr } = await run(['--denied']);
    expect([0, 3]).toContain(code);
    expect(stderr).toMatch(/Looking back to 20\d\d-\d\d-\d\dT.*Z\.\n/);
  });

  it('shows a batch the moment it has its outcome', async () => {
    const own = '0c0c0c0c-0d4a-4c6b-9e8f-1a2b3c4d2706';
    const id = await writeBatch(tables, batchIdAt('2026-11-22T11:00:00Z'), { intent: { meetingId: own } });
    const { stdout } = await run(['--meeting', own.toUpperCase(), '--output', 'ndjson']);
    expect(JSON.parse(stdout)).toMatchObject({ batchId: id, state: 'ISSUED' });
  });

  it('exits with 4 if admissions differ, rebuilds them, and then exits with 0', async () => {
    const own = '0d0d0d0d-0d4a-4c6b-9e8f-1a2b3c4d2706';
    const id = batchIdAt('2026-10-01T10:00:00Z');
    const issued = [issuedTo('zoe', 'attendee-zoe')];
    await putItem(tables, tables.auditTableName, intentOf(id, { meetingId: own }));
    await putItem(tables, tables.auditTableName, outcomeOf(id, { meetingId: own, issued }));
    const range = ['--since', '2026-10-01', '--until', '2026-10-01', '--output', 'csv'];
    const compared = await run(['--compare', ...range]);
    expect([compared.code, compared.stdout.split('\r\n')[1]]).toEqual([
      4,
      `missing,zoe,attendee-zoe,${own},${id}`,
    ]);
    expect(compared.stderr).toContain('missing 1, different 0, extra 0\n');
    const rebuilt = await run(['--rebuild', ...range]);
    expect([rebuilt.code, rebuilt.stderr.trimEnd().split('\n').at(-1)]).toEqual([0, 'Wrote 1.']);
    expect((await run(['--compare', ...range])).code).toBe(0);
    expect((await run(['--user', 'zoe'])).code).toBe(0);
  });

  it('ends quietly when its reader has gone', async () => {
    const requested = Array.from({ length: 100 }, (_, n) => ({ externalUserId: `${n}-`.padEnd(64, 'x') }));
    for (let n = 0; n < 400; n += 1) {
      const id = batchIdAt('2026-11-22T12:00:00Z');
      await putItem(tables, tables.auditTableName, intentOf(id, { meetingId: BUSY_MEETING, requested }));
    }
    const child = launch(['--meeting', BUSY_MEETING, '--output', 'ndjson'], { USHER_LOCAL_DIR: directory });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await once(child, 'close');
    expect([child.exitCode, stderr.split('\n').length]).toEqual([0, 2]);
  });
});

describe('a failure', () => {
  /** One line about the question, where it got that far, and one about the failure. */
  const failure = ({ stdout, stderr }: Run): string => {
    expect(stdout).toBe('');
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(2);
    return lines.at(-1) ?? '';
  };

  it('is wrong use without a question, or without tables', async () => {
    const noQuestion = await run([]);
    expect([noQuestion.code, failure(noQuestion)]).toEqual([
      2,
      expect.stringContaining('exactly one question'),
    ]);
    const noTable = await run(['--open'], { USHER_LOCAL_DIR: join(directory, 'nowhere') });
    expect([noTable.code, failure(noTable)]).toEqual([2, expect.stringContaining('--table')]);
  });

  it('is a table that does not exist', async () => {
    const result = await run(['--table', 'no-such', '--meeting', MEETING], deployed(database.url));
    expect([result.code, failure(result)]).toEqual([1, expect.stringContaining('does not exist')]);
  });

  it('is an unreachable DynamoDB', async () => {
    const stopped = createServer();
    const port = await listen(stopped, 0);
    await close(stopped);
    const result = await run(['--table', 'T', '--meeting', MEETING], deployed(`http://${LOOPBACK}:${port}`));
    expect([result.code, failure(result)]).toEqual([
      1,
      expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    ]);
  });

  it('is a rejected query, missing credentials, or a missing Region', async () => {
    const refusing = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ __type: 'com.amazon#AccessDeniedException', Message: 'No.\u001b[2J\nNo.' }),
      );
    });
    const url = `http://${LOOPBACK}:${await listen(refusing, 0)}`;
    const args = ['--table', 'T', '--meeting', MEETING];
    const { AWS_REGION, ...noRegion } = deployed(url);
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...noCredentials } = deployed(url);
    const [refused, withoutCredentials, withoutRegion] = await Promise.all([
      run(args, deployed(url)),
      run(args, noCredentials),
      run(args, noRegion),
    ]);
    await close(refusing);
    expect([refused.code, failure(refused)]).toEqual([
      1,
      'usher: These credentials have no permission to read this table: No.\\u{1b}[2J\\nNo.',
    ]);
    expect([withoutCredentials.code, failure(withoutCredentials)]).toEqual([
      1,
      expect.stringContaining('No usable AWS credentials'),
    ]);
    expect([withoutRegion.code, failure(withoutRegion)]).toEqual([1, expect.stringContaining('No Region')]);
  });
});
