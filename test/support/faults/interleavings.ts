import type { Actor } from './lane.ts';
import type { Reply, Step } from './wire.ts';

/** Something that takes one step after another: a process, or several that take turns. */
export interface Thread {
  actors: readonly Actor[];
  run(): Promise<void>;
  /** Whether a step may be taken now; it waits until it may. */
  mayTake?(step: Step, taken: Order): boolean;
}

export type Order = { thread: number; step: Step }[];

/** What there was to choose from at one point of an order. */
interface Point {
  /** The next step of each thread that may go on, by thread. */
  enabled: Map<number, Step>;
  /** Threads whose turn here would only repeat, in effect, an order that was run before. */
  asleep: Set<number>;
  tried: Set<number>;
  chosen: number;
}

export interface Explored {
  /** Orders that were run; no two of them have the same effect. */
  orders: number;
  /** All orders: those that were run, and those that differ from one of them in nothing a service can see. */
  interleavings: number;
}

/**
 * Runs two threads in every order of their steps, each time in a situation made anew. Orders that differ only in
 * neighbouring steps that cannot disturb each other (other tables, or both reading) have the same effect: one of them is
 * run for all. This is the depth-first search with sleep sets of Godefroid, Partial-Order Methods for the Verification of
 * Concurrent Systems (1996), chapter 5.
 *
 * @param situation gives the two threads, and what to do and check when both have ended
 */
export async function everyInterleaving(
  situation: () => Promise<{ threads: [Thread, Thread]; end(order: Order): Promise<void> }>,
): Promise<Explored> {
  const points: Point[] = [];
  const explored = { orders: 0, interleavings: 0 };
  let strays = 0;
  for (;;) {
    const { threads, end } = await situation();
    const { order, repeats, strayed } = await runOnce(threads, points);
    await end(order);
    // On a machine with too much to do, a time limit of a process may change what it does next: once more, then.
    strays = strayed ? strays + 1 : 0;
    if (strays === 5) throw new Error('The same order does not lead to the same steps.');
    if (strayed) continue;
    if (!repeats) {
      explored.orders += 1;
      explored.interleavings += countOrdersLike(order);
    }
    if (!goBack(points)) return explored;
  }
}

/** Follows `points` as far as they go, and adds the rest of the order to them. */
async function runOnce(
  threads: [Thread, Thread],
  points: Point[],
): Promise<{ order: Order; repeats: boolean; strayed: boolean }> {
  const order: Order = [];
  let repeats = false;
  let strayed = false;
  await schedule(threads, order, (enabled) => {
    const known = points[order.length];
    strayed ||= known !== undefined && namesOf(known.enabled) !== namesOf(enabled);
    if (strayed) return [...enabled.keys()][0] as number;
    if (known !== undefined) return known.chosen;
    const asleep = asleepAfter(points.at(-1));
    const awake = [...enabled.keys()].find((thread) => !asleep.has(thread));
    if (awake === undefined || repeats) {
      repeats = true;
      return [...enabled.keys()][0] as number;
    }
    points.push({ enabled, asleep, tried: new Set(), chosen: awake });
    return awake;
  });
  return { order, repeats, strayed };
}

/** Who has had its turn in the same place stays asleep until a step comes that its own could disturb. */
function asleepAfter(last: Point | undefined): Set<number> {
  if (last === undefined) return new Set();
  const taken = last.enabled.get(last.chosen) as Step;
  return new Set(
    [...last.asleep, ...last.tried].filter((thread) => {
      const step = last.enabled.get(thread);
      return step !== undefined && !disturb(step, taken);
    }),
  );
}

/** To the last point where another thread could have gone. @returns whether there is one */
function goBack(points: Point[]): boolean {
  for (let point = points.at(-1); point !== undefined; point = points.at(-1)) {
    point.tried.add(point.chosen);
    const { enabled, asleep, tried } = point;
    const next = [...enabled.keys()].find((thread) => !asleep.has(thread) && !tried.has(thread));
    if (next !== undefined) {
      point.chosen = next;
      return true;
    }
    points.pop();
  }
  return false;
}

/** Lets one step happen at a time, once every thread has come to its next one. */
async function schedule(
  threads: [Thread, Thread],
  order: Order,
  choose: (enabled: Map<number, Step>) => number,
): Promise<void> {
  let wake = () => {};
  const waiting = threads.map((): { step: Step; take(): Promise<void> }[] => []);
  const ended = threads.map(() => false);
  for (const [thread, { actors }] of threads.entries()) {
    for (const actor of actors) {
      actor.intercept(
        (step, act) =>
          new Promise<Reply>((resolve, reject) => {
            waiting[thread]?.push({ step, take: () => act().then(resolve, reject) });
            wake();
          }),
      );
    }
  }
  const runs = Promise.all(
    threads.map(async ({ run }, thread) => {
      await run();
      ended[thread] = true;
      wake();
    }),
  );
  const enabledSteps = () =>
    new Map(
      threads.flatMap(({ mayTake }, thread): [number, Step][] => {
        const step = waiting[thread]?.[0]?.step;
        return step !== undefined && (mayTake?.(step, order) ?? true) ? [[thread, step]] : [];
      }),
    );
  const scheduled = (async () => {
    while (!ended.every(Boolean)) {
      if (!threads.every((_, thread) => ended[thread] || waiting[thread]?.[0] !== undefined)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const thread = choose(enabledSteps());
      const next = waiting[thread]?.shift();
      if (next === undefined) throw new Error('Each thread waits for another one.');
      order.push({ thread, step: next.step });
      await next.take();
    }
  })();
  await Promise.all([runs, scheduled]);
  for (const actor of threads.flatMap(({ actors }) => actors)) actor.intercept((_, act) => act());
}

function disturb(a: Step, b: Step): boolean {
  return a.resource === b.resource && (a.writes || b.writes);
}

function namesOf(enabled: Map<number, Step>): string {
  return [...enabled].map(([thread, { name }]) => `${thread} ${name}`).join(', ');
}

/** How many orders of the two threads' steps keep every two steps that disturb each other in this order. */
function countOrdersLike(order: Order): number {
  const [a, b] = [0, 1].map((thread) => order.filter((taken) => taken.thread === thread)) as [Order, Order];
  const place = new Map(order.map((taken, index) => [taken, index]));
  /** For each step, how many of the other thread's steps have to come before it. */
  const needs = (mine: Order, theirs: Order) =>
    mine.map(
      (taken) =>
        theirs.findLastIndex(
          (other) =>
            disturb(other.step, taken.step) && (place.get(other) as number) < (place.get(taken) as number),
        ) + 1,
    );
  const [needsOfA, needsOfB] = [needs(a, b), needs(b, a)];
  const ways = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 0; i <= a.length; i += 1) {
    for (let j = 0; j <= b.length; j += 1) {
      const byA = i > 0 && j >= (needsOfA[i - 1] as number) ? (ways[i - 1]?.[j] as number) : 0;
      const byB = j > 0 && i >= (needsOfB[j - 1] as number) ? (ways[i]?.[j - 1] as number) : 0;
      (ways[i] as number[])[j] = i + j === 0 ? 1 : byA + byB;
    }
  }
  return ways[a.length]?.[b.length] as number;
}
