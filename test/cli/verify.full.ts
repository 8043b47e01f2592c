import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestTables } from '../support/audit-command.ts';
import { failures, startVerifiedSystem } from '../support/verify-command.ts';

let world: Awaited<ReturnType<typeof startVerifiedSystem>>;

beforeAll(async () => {
  world = await startVerifiedSystem();
}, 60_000);

afterAll(() => world.system.stop());

describe('verify:aws, on a local system with something wrong', () => {
  it('fails if the audit has no record of an answer', async () => {
    const { dynamodbUrl } = world.system.environment;
    const { auditTableName } = await createTestTables(dynamodbUrl, 'empty');
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-verify-'));
    try {
      writeFileSync(
        path.join(directory, 'environment.json'),
        JSON.stringify({ ...world.system.environment, tableName: auditTableName }),
      );
      const run = await world.verify(world.launch([], directory));
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

  it('fails if Chime creates a second attendee for a repeated name', async () => {
    await world.emulator('mode', 'PUT', { existing: 'duplicate' });
    try {
      const run = await world.verify();
      expect(failures(run).join('\n')).toMatch(
        /^failed {2}chime: answers an existing ExternalUserId .* \(the second AttendeeId is /,
      );
      expect(run.code).toBe(1);
    } finally {
      await world.emulator('mode', 'PUT', { existing: 'keep' });
    }
  });

  it('fails if an allowed origin may not call', async () => {
    const run = await world.verify(world.launch(['--origin=https://app.example.com']));
    expect(failures(run)).toHaveLength(2);
    expect(failures(run)[0]).toContain('browsers: answers a preflight of an allowed origin');
    expect(run.code).toBe(1);
  });
});
