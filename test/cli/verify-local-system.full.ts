import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Call } from '../../local/chime-emulator/calls.ts';
import { failures, startVerifiedSystem } from '../support/verify-command.ts';

let world: Awaited<ReturnType<typeof startVerifiedSystem>>;

beforeAll(async () => {
  world = await startVerifiedSystem();
}, 60_000);

afterAll(() => world.system.stop());

async function meetingsLeft(): Promise<number> {
  const { calls } = (await (await world.emulator('calls', 'GET')).json()) as { calls: Call[] };
  const succeeded = (operation: string) =>
    calls.filter((call) => call.operation === operation && call.acted).length;
  return succeeded('CreateMeeting') - succeeded('DeleteMeeting');
}

describe('verify:aws, on the local system', () => {
  it('passes everything that can be checked there, and leaves neither meetings nor tokens behind', async () => {
    await world.emulator('calls', 'DELETE');
    const run = await world.verify();
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

  it('fails, and leaves no meeting, if a token command fails', async () => {
    await world.emulator('calls', 'DELETE');
    const run = await world.verify(world.launch(['--token-command=exit 7']));
    expect(run.stderr).toContain('verify: The token command ended with 7.');
    expect(run.lines).toEqual(['0 skipped', '0 passed, 1 failed']);
    expect(run.code).toBe(1);
    expect(await meetingsLeft()).toBe(0);
  });

  it('leaves no meeting if it is interrupted', async () => {
    await world.emulator('calls', 'DELETE');
    const child = world.launch();
    child.stdout.once('data', () => child.kill('SIGINT'));
    const run = await world.verify(child);
    expect(run.stderr).toContain('Interrupted');
    expect(run.code).toBe(1);
    expect(await meetingsLeft()).toBe(0);
  });

  it('says what to do if no local system runs', async () => {
    const run = await world.verify(world.launch([], path.join(tmpdir(), 'usher-nowhere')));
    expect(run.stderr).toContain('start one with `npm start`');
    expect(run.code).toBe(1);
  });
});
