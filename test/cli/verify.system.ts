import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Call } from '../../local/chime-emulator/calls.ts';
import { createTestTables } from '../support/audit-command.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

let system: RunningSystem;

beforeAll(async () => {
  system = await startSystem();
}, 60_000);

afterAll(async () => {
  await system?.stop();
});

interface Run {
  code: number | null;
  stdout: string;
  lines: string[];
  stderr: string;
}

function launch(args: string[] = [], directory = system.directory) {
  return spawn(process.execPath, ['cli/verify.ts', '--local', ...args], {
    cwd: PROJECT,
    env: { PATH: process.env['PATH'], HOME: tmpdir(), USHER_LOCAL_DIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function verify(child = launch()): Promise<Run> {
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, lines: stdout.trimEnd().split('\n'), stderr };
}

const failures = ({ lines }: Run) => lines.filter((line) => line.startsWith('failed'));

const emulator = (path: string, method: string, body?: object) =>
  fetch(`${system.environment.chimeUrl}/_emulator/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });

async function meetingsLeft(): Promise<number> {
  const { calls } = (await (await emulator('calls', 'GET')).json()) as { calls: Call[] };
  const succeeded = (operation: string) =>
    calls.filter((call) => call.operation === operation && call.acted).length;
  return succeeded('CreateMeeting') - succeeded('DeleteMeeting');
}

describe('verify:aws, on the local system', () => {
  it('passes everything that can be checked there, and leaves neither meetings nor tokens behind', async () => {
    await emulator('calls', 'DELETE');
    const run = await verify();
    expect(failures(run)).toEqual([]);
    expect(run.lines.slice(-2)).toEqual([
      expect.stringMatching(/^\d+ skipped$/),
      expect.stringMatching(/^\d\d passed, 0 failed$/),
    ]);
    expect(run.code).toBe(0);
    for (const line of run.lines.filter((line) => line.startsWith('skipped'))) {
      expect(line).toContain('not checkable here: ');
    }
    expect(await meetingsLeft()).toBe(0);
    expect(run.stdout + run.stderr).not.toMatch(/eyJ|[A-Za-z0-9+]{60}/);
  });

  it('says so where the audit has no record of what was answered', async () => {
    const { dynamodbUrl } = system.environment;
    const { auditTableName } = await createTestTables(dynamodbUrl, 'empty');
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-verify-'));
    try {
      writeFileSync(
        path.join(directory, 'environment.json'),
        JSON.stringify({ ...system.environment, tableName: auditTableName }),
      );
      const run = await verify(launch([], directory));
      expect(failures(run)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(
            /^failed {2}audit: has every batch as it was answered \(batch \S+ is not there\)$/,
          ),
        ]),
      );
      expect(run.lines.at(-1)).toMatch(/^\d+ passed, [1-9]\d* failed$/);
      expect(run.code).toBe(1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('says so where Chime makes a second attendee of a repeated name', async () => {
    await emulator('mode', 'PUT', { existing: 'duplicate' });
    try {
      const run = await verify();
      expect(failures(run).join('\n')).toMatch(
        /^failed {2}chime: answers an existing ExternalUserId .* \(the second AttendeeId is /,
      );
      expect(run.code).toBe(1);
    } finally {
      await emulator('mode', 'PUT', { existing: 'keep' });
    }
  });

  it('says so where an origin may not call, which ought to', async () => {
    const run = await verify(launch(['--origin=https://app.example.com']));
    expect(failures(run)).toHaveLength(2);
    expect(failures(run)[0]).toContain('browsers: answers a preflight of an allowed origin');
    expect(run.code).toBe(1);
  });

  it('fails, and leaves no meeting, where a token command fails', async () => {
    await emulator('calls', 'DELETE');
    const run = await verify(launch(['--token-command=exit 7']));
    expect(run.stderr).toContain('verify: The token command ended with 7.');
    expect(run.lines).toEqual(['0 skipped', '0 passed, 1 failed']);
    expect(run.code).toBe(1);
    expect(await meetingsLeft()).toBe(0);
  });

  it('leaves no meeting where it is interrupted', async () => {
    await emulator('calls', 'DELETE');
    const child = launch();
    child.stdout.once('data', () => child.kill('SIGINT'));
    const run = await verify(child);
    expect(run.stderr).toContain('Interrupted');
    expect(run.code).toBe(1);
    expect(await meetingsLeft()).toBe(0);
  });

  it('says what to do where no local system runs', async () => {
    const run = await verify(launch([], path.join(tmpdir(), 'usher-nowhere')));
    expect(run.stderr).toContain('start one with `npm start`');
    expect(run.code).toBe(1);
  });
});
