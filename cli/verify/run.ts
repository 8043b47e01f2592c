import { printable } from '../audit/output/printable.ts';
import { type Check, type CheckGroup, NotCheckable } from './check.ts';
import type { World } from './world.ts';

/** The counts of one run. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** AWS's errors for missing permissions of this command, by name. */
const REFUSED_BY_IAM = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'];
/** The errors of an emulator that lacks an operation. */
const UNKNOWN_OPERATION = [
  'UnknownOperationException',
  'UnknownOperation',
  'InvalidAction',
  'NotImplemented',
];

/**
 * Runs the checks in order, and prints a line for each. Once `stop` is aborted, none begins.
 *
 * @returns the counts
 */
export async function runChecks(
  groups: CheckGroup[],
  world: World,
  { print, stop }: { print(line: string): void; stop: AbortSignal },
): Promise<Tally> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, checks } of groups) {
    for (const check of checks) {
      if (stop.aborted) return tally;
      const [result, remark] = await outcomeOf(check, world);
      tally[result] += 1;
      print(
        `${result.padEnd(8)}${name}: ${check.name}${remark ? ` (${withoutSecrets(remark, world)})` : ''}`,
      );
    }
  }
  return tally;
}

async function outcomeOf(check: Check, world: World): Promise<[keyof Tally, string | undefined]> {
  try {
    return ['passed', await check.run(world)];
  } catch (thrown) {
    const error = thrown as Error & { $service?: string };
    if (error instanceof NotCheckable) return ['skipped', error.message];
    if (REFUSED_BY_IAM.includes(error.name) && world.kind !== 'local') {
      return ['skipped', `not checkable with these credentials: ${error.message}`];
    }
    if (UNKNOWN_OPERATION.includes(error.name) && world.kind !== 'aws') {
      return ['skipped', new NotCheckable(`${error.name} of ${world.kind}`).message];
    }
    return ['failed', error.name === 'Error' ? error.message : `${error.name}: ${error.message}`];
  }
}

/** Messages of foreign errors may quote their input. */
function withoutSecrets(remark: string, { token, guest, answered }: World): string {
  const joinTokens = answered.flatMap(({ attendees }) => attendees.map(({ JoinToken }) => JoinToken));
  let text = remark;
  for (const secret of [token, guest, ...joinTokens]) if (secret) text = text.replaceAll(secret, '…');
  return printable(text);
}
