import type { World } from './world.ts';

/** One property to check. */
export interface Check {
  /** The property, such as `admits one attendee`. */
  name: string;
  /**
   * @returns a remark for the line of a passed check
   * @throws NotCheckable if it cannot be checked here; any other error if it fails
   */
  run(world: World): Promise<string | undefined>;
}

/** Checks of one subject, in the order in which they build on each other. */
export interface CheckGroup {
  name: string;
  checks: Check[];
}

/** The check neither passed nor failed. */
export class NotCheckable extends Error {
  override readonly name = 'NotCheckable';

  constructor(reason: string) {
    super(`not checkable here: ${reason}`);
  }
}

/** @throws with both values, if they differ */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`${what} is ${found}, expected ${wanted}`);
}

/** @throws with the problem, if the condition is false */
export function expectThat(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem);
}

/** @throws NotCheckable for the local system */
export function deploymentOf({ deployment }: World): NonNullable<World['deployment']> {
  if (deployment === undefined) throw new NotCheckable('the local system has no AWS account');
  return deployment;
}
