import type { Actor } from './lane.ts';
import type { Intercept, Reply, Step } from './wire.ts';

/** A moment in the life of a process, given by its steps; `index` counts from 0. */
export interface KillPoint {
  index: number;
  when: 'before' | 'after';
}

/** Keys are fetched while a process starts, so before, during or after what is recorded or killed here. */
const isOfStart = ({ service }: Step) => service === 'issuer';

/** Before and after each step. */
export function bothSides(steps: readonly Step[]): KillPoint[] {
  return steps.flatMap((_, index) => [
    { index, when: 'before' as const },
    { index, when: 'after' as const },
  ]);
}

/** A process's steps one at a time, in the order in which they arrive: nothing else happens between two of them. */
export function oneAtATime(intercept: Intercept): Intercept {
  let last: Promise<unknown> = Promise.resolve();
  return (step, act) => {
    const mine = last.then(() => intercept(step, act));
    last = mine.catch(() => {});
    return mine;
  };
}

/** Writes down the steps of a process from now on, but for its keys. */
export function recordSteps(actor: Actor): Step[] {
  const steps: Step[] = [];
  actor.intercept(
    oneAtATime((step, act) => {
      if (!isOfStart(step)) steps.push(step);
      return act();
    }),
  );
  return steps;
}

/**
 * Runs a fresh process that is killed at one point. What it has under way then is neither done nor answered.
 *
 * @throws where it does not get there; on a machine with too much to do a time limit of its own may end it before, so it
 * has three tries
 */
export async function runAndKill(
  start: () => Promise<Actor>,
  event: unknown,
  { index, when }: KillPoint,
): Promise<void> {
  const never = new Promise<Reply>(() => {});
  const ends: unknown[] = [];
  while (ends.length < 3) {
    const actor = await start();
    let count = 0;
    actor.intercept(
      oneAtATime(async (step, act) => {
        if (isOfStart(step)) return act();
        const here = count === index;
        count += 1;
        if (!here) return act();
        if (when === 'after') await act();
        actor.kill();
        return never;
      }),
    );
    const end = await actor.invoke(event).catch((error: Error) => error.message);
    await actor.close();
    if (String(end).includes('SIGKILL')) return;
    ends.push(end);
  }
  throw new Error(`Not killed ${when} step ${index}: ${JSON.stringify(ends)}`);
}
