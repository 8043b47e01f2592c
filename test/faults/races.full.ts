import { describe, expect, it } from '@jest/globals';
import { everyInterleaving, type Order, type Thread } from '../support/faults/interleavings.ts';
import {
  type Actor,
  type Answer,
  inLanes,
  type Lane,
  LOOK_SHIFTS_MS,
  namesFor,
  reconcileAll,
  reconcileWith,
  startLane,
} from '../support/faults/lane.ts';
import type { Step } from '../support/faults/wire.ts';

const NAMES = namesFor('guest', 1);
/** A race of fewer orders is not the one that is meant. */
const MIN_INTERLEAVINGS = 106_478;

interface Race {
  about: string;
  idempotent: boolean;
  threads(lane: Lane, world: World): Promise<[Thread, Thread]>;
}

interface World {
  handlers: Actor[];
  /** By the clock of each, a look's time later than the one before. */
  reconcilers: Actor[];
  report(problems: string[]): void;
}

const withHandler = (idempotent: boolean): Race[] => [
  {
    about: 'a handler, and a reconciler that takes it for dead',
    idempotent,
    threads: async (lane, world) => {
      const meetingId = await lane.createMeeting('handler');
      return [answering(lane, world, meetingId), looking(world, [0, 1])];
    },
  },
  {
    about: 'a client that tries again, and a reconciler at its first batch',
    idempotent,
    threads: async (lane, world) => {
      const meetingId = await lane.createMeeting('retry');
      await loseAnAnswer(lane, world, meetingId);
      return [answering(lane, world, meetingId), looking(world, [0, 1])];
    },
  },
];

/** Some 3,600 orders, which take longer than all others together: run where it is asked for (docs/fault-tests.md). */
const TWO_RECONCILERS: Race = {
  about: 'two reconcilers, which request no attendee, at one lost answer',
  idempotent: true,
  threads: async (lane, world) => {
    await loseAnAnswer(lane, world, await lane.createMeeting('twice'));
    return [looking(world, [0]), looking(world, [1])];
  },
};

const RACES: Race[] = [
  ...(process.env['EVERY_RACE'] === undefined ? [] : [TWO_RECONCILERS]),
  ...[true, false].flatMap(withHandler),
];

describe('processes that race', () => {
  it('lose nothing in any order', async () => {
    const problems: string[] = [];
    await inLanes(RACES, 4, async ({ about, idempotent, threads }) => {
      const lane = await startLane({ idempotent });
      try {
        const world = {
          handlers: [await lane.startActor('handler')],
          reconcilers: await Promise.all(
            LOOK_SHIFTS_MS.map((shiftMs) => lane.startActor('reconciler', shiftMs)),
          ),
          report: (found: string[]) => problems.push(...found),
        };
        // Caches are warm, and how far was swept is known.
        await world.handlers[0]?.invoke(lane.eventFor(await lane.createMeeting('first'), NAMES));
        for (const reconciler of world.reconcilers) await reconcileWith(lane, reconciler);
        await lane.clear();

        const { orders, interleavings } = await everyInterleaving(async () => ({
          threads: await threads(lane, world),
          async end(order) {
            let found = await lane.problems();
            for (const reconciler of world.reconcilers) {
              if (found.length === 0) break;
              await reconcileWith(lane, reconciler);
              found = await lane.problems();
            }
            problems.push(...found.map((problem) => `${about}: ${problem}, after ${inWords(order)}`));
            await lane.clear();
          },
        }));
        expect(interleavings).toBeGreaterThanOrEqual(MIN_INTERLEAVINGS);
        console.log(
          `${about}${idempotent ? '' : ', not idempotent'}: ${interleavings} interleavings, ${orders} run`,
        );
      } finally {
        await lane.close();
      }
    });
    expect(problems).toEqual([]);
  }, 900_000);

  it('requests no attendee from Chime if a handler is frozen past its deadline', async () => {
    const lane = await startLane({ timeoutSeconds: 6 });
    try {
      const handler = await lane.startActor('handler');
      const meetingId = await lane.createMeeting('asleep');
      handler.intercept(async ({ name }, act) => {
        const reply = await act();
        if (name.endsWith('intent')) {
          process.kill(handler.pid(), 'SIGSTOP');
          // 3 of its 6 seconds are for what comes after Chime.
          setTimeout(() => process.kill(handler.pid(), 'SIGCONT'), 2_750);
        }
        return reply;
      });
      const answer = (await handler.invoke(lane.eventFor(meetingId, NAMES))) as Answer;
      expect(answer.statusCode).toBe(503);
      const { calls } = await lane.control<{ calls: { operation: string }[] }>('calls');
      expect(calls.map(({ operation }) => operation)).toEqual(['CreateMeeting', 'GetMeeting']);
      await reconcileAll(lane);
      expect(await lane.problems()).toEqual([]);
    } finally {
      await lane.close();
    }
  }, 60_000);
});

function answering(lane: Lane, { handlers, report }: World, meetingId: string): Thread {
  const [handler] = handlers as [Actor];
  return {
    actors: [handler],
    async run() {
      const answer = (await handler.invoke(lane.eventFor(meetingId, NAMES))) as Answer;
      report(await lane.problemsOfAnswer(meetingId, answer));
    },
  };
}

/**
 * Margin and deadlines are there so that Chime has acted on whatever a handler sent before a second look. That much is
 * taken for granted; everything else may come in any order.
 */
function looking({ reconcilers }: World, which: number[]): Thread {
  const actors = which.map((index) => reconcilers[index] as Actor);
  return {
    actors,
    async run() {
      for (const actor of actors) await actor.invoke({});
    },
    mayTake: (step, taken) => !(isLook(step) && taken.some((one) => isLook(one.step))) || !isUnderWay(taken),
  };
}

const isLook = ({ name }: Step): boolean => name === 'ListAttendees';

/** Whether an intent was recorded and Chime not asked yet. */
function isUnderWay(taken: Order): boolean {
  const has = (name: RegExp) => taken.some(({ step }) => name.test(step.name));
  return has(/^ExecuteStatement .* intent$/) && !has(/^BatchCreateAttendee$/);
}

async function loseAnAnswer(lane: Lane, { handlers }: World, meetingId: string): Promise<void> {
  const [handler] = handlers as [Actor];
  handler.intercept(async ({ name }, act) => {
    const reply = await act();
    return name === 'BatchCreateAttendee' ? 'reset' : reply;
  });
  const answer = (await handler.invoke(lane.eventFor(meetingId, NAMES))) as Answer;
  expect(answer.statusCode).toBe(503);
}

function inWords(order: Order): string {
  return order.map(({ thread, step }) => `${thread} ${step.name}`).join(' > ');
}
