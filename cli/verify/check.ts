import type { World } from './world.ts';

/** One thing to find out. */
export interface Check {
  /** What holds where it passes, e.g. `admits one attendee`. */
  name: string;
  /**
   * @returns what people want to know of it beside that it passed
   * @throws NotCheckable where it cannot be found out here; anything else where it does not hold
   */
  run(world: World): Promise<string | undefined>;
}

/** Checks of one subject, in the order in which they build on each other. */
export interface CheckGroup {
  name: string;
  checks: Check[];
}

/** It is not known whether it holds: neither passed nor failed. */
export class NotCheckable extends Error {
  override readonly name = 'NotCheckable';

  constructor(reason: string) {
    super(`not checkable here: ${reason}`);
  }
}

/** @throws with both values, where they differ */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`${what} is ${found}, expected ${wanted}`);
}

/** @throws with the problem, where it does not hold */
export function expectThat(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem);
}

/** @throws NotCheckable for the local system */
export function deploymentOf({ deployment }: World): NonNullable<World['deployment']> {
  if (deployment === undefined) throw new NotCheckable('the local system has no AWS account');
  return deployment;
}
