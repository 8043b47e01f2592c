import { describe, expect, it } from '@jest/globals';
import { type Check, expectSame, NotCheckable } from '../../../cli/verify/check.ts';
import { runChecks } from '../../../cli/verify/run.ts';
import type { World } from '../../../cli/verify/world.ts';

const WORLD = {
  kind: 'aws',
  token: 'SECRET-TOKEN',
  guest: undefined,
  answered: [{ attendees: [{ JoinToken: 'SECRET-JOIN-TOKEN' }] }],
} as unknown as World;

async function run(
  checks: Record<string, Check['run']>,
  world: Partial<World> = {},
  stop = new AbortController(),
) {
  const lines: string[] = [];
  const groups = [{ name: 'group', checks: Object.entries(checks).map(([name, run]) => ({ name, run })) }];
  const tally = await runChecks(
    groups,
    { ...WORLD, ...world },
    { print: (line) => lines.push(line), stop: stop.signal },
  );
  return { tally, lines };
}

const throws = (name: string, message: string) => async () => {
  throw Object.assign(new Error(message), { name });
};

describe('a run of checks', () => {
  it('prints a line for each check, whatever became of the one before', async () => {
    const { tally, lines } = await run({
      fails: async () => {
        expectSame('the status', 500, 404);
        return undefined;
      },
      'is skipped': async () => {
        throw new NotCheckable('no firewall');
      },
      passes: async () => '3 ms',
      'passes too': async () => undefined,
    });
    expect(lines).toEqual([
      'failed  group: fails (the status is 500, expected 404)',
      'skipped group: is skipped (not checkable here: no firewall)',
      'passed  group: passes (3 ms)',
      'passed  group: passes too',
    ]);
    expect(tally).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });

  it('does not report its own missing permissions as a fault of Usher', async () => {
    const denied = throws('AccessDenied', 'not authorized to perform iam:SimulatePrincipalPolicy');
    expect((await run({ denied })).tally).toMatchObject({ failed: 0, skipped: 1 });
    expect((await run({ denied }, { kind: 'local' })).tally).toMatchObject({ failed: 1 });
  });

  it('takes an operation that is missing for a fault on AWS, and for a gap on an emulator', async () => {
    const unknown = throws('UnknownOperationException', '');
    expect((await run({ unknown })).tally).toMatchObject({ failed: 1 });
    expect((await run({ unknown }, { kind: 'emulator' })).tally).toMatchObject({ failed: 0, skipped: 1 });
  });

  it('shows no token that an error quotes', async () => {
    const { lines } = await run({
      quotes: throws('SyntaxError', 'Unexpected SECRET-JOIN-TOKEN after SECRET-TOKEN'),
    });
    expect(lines).toEqual(['failed  group: quotes (SyntaxError: Unexpected … after …)']);
  });

  it('begins no check once it is stopped', async () => {
    const stop = new AbortController();
    const { tally } = await run(
      {
        first: async () => {
          stop.abort();
          return undefined;
        },
        second: async () => undefined,
      },
      {},
      stop,
    );
    expect(tally).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });
});
