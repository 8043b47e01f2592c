import { describe, expect, it } from '@jest/globals';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { bothSides, type KillPoint, recordSteps, runAndKill } from '../support/faults/kills.ts';
import {
  type Actor,
  type Answer,
  inWorlds,
  type Lane,
  LOOK_SHIFTS_MS,
  namesFor,
  reconcileWith,
} from '../support/faults/lane.ts';
import type { Intercept, Step } from '../support/faults/wire.ts';

/** What a reconciler may find, made with a handler whose answers get lost. */
const SITUATIONS: Record<
  string,
  {
    sizes: number[];
    /** Also where Chime is not idempotent; elsewhere that makes no difference, as no name is requested twice. */
    bothModes?: true;
    /** Every point where there is one attendee; elsewhere repeats are left out. */
    everyPoint?: true;
    make(lane: Lane, handler: Actor, size: number): Promise<void>;
  }
> = {
  'Chime acted, and its answer was lost': {
    sizes: [1, 26, 100],
    bothModes: true,
    everyPoint: true,
    make: async (lane, handler, size) => {
      await ask(lane, handler, size, await lane.createMeeting('lost'), loseChimesAnswer);
    },
  },
  'Chime never got the request': {
    sizes: [1],
    make: async (lane, handler, size) => {
      await ask(lane, handler, size, await lane.createMeeting('never sent'), loseRequestToChime);
    },
  },
  'the outcome is there and its admissions are not': {
    // Refused up to 25, and above left to the reconciler.
    sizes: [1, 25, 26, 100],
    make: async (lane, handler, size) => {
      await ask(lane, handler, size, await lane.createMeeting('no admissions'), loseAdmissions, 200);
    },
  },
  'the admissions are there and the outcome is not': {
    sizes: [1],
    make: async (lane, handler, size) => {
      await ask(lane, handler, size, await lane.createMeeting('no outcome'), loseOutcome);
    },
  },
  'a lost answer, and a retry that was answered': {
    sizes: [1],
    bothModes: true,
    make: async (lane, handler, size) => {
      const meetingId = await lane.createMeeting('retried');
      await ask(lane, handler, size, meetingId, loseChimesAnswer);
      await ask(lane, handler, size, meetingId, (_, act) => act(), 200);
    },
  },
  'two lost answers for the same names': {
    sizes: [1],
    bothModes: true,
    make: async (lane, handler, size) => {
      const meetingId = await lane.createMeeting('rivals');
      await ask(lane, handler, size, meetingId, loseChimesAnswer);
      await ask(lane, handler, size, meetingId, loseChimesAnswer);
    },
  },
  'a lost answer in a meeting that has ended': {
    sizes: [1],
    make: async (lane, handler, size) => {
      const meetingId = await lane.createMeeting('ended');
      await ask(lane, handler, size, meetingId, loseChimesAnswer);
      await lane.endMeeting(meetingId);
    },
  },
};

const WORLDS = Object.entries(SITUATIONS).flatMap(([about, { sizes, bothModes, everyPoint, make }]) =>
  sizes.flatMap((size) =>
    (bothModes ? [true, false] : [true]).map((idempotent) => ({
      about: `${about} (${size} attendees${idempotent ? '' : ', not idempotent'})`,
      size,
      make,
      idempotent,
      inFull: everyPoint === true && size === 1,
    })),
  ),
);

describe('a reconciler process killed before and after each of its steps', () => {
  it('loses nothing, whatever it finds, whether or not Chime is idempotent', async () => {
    const problems: string[] = [];
    let points = 0;
    let kills = 0;
    await inWorlds(WORLDS, 8, async (lane, { about, size, make, inFull }) => {
      const handler = await lane.startActor('handler');
      const reconcilers = LOOK_SHIFTS_MS.map((shiftMs) => keepReady(lane, shiftMs));
      const finish = async (from: number) => {
        for (const reconciler of reconcilers.slice(from)) if (await reconcileWith(lane, reconciler)) break;
      };
      await untilMade(lane, () => make(lane, handler, size));
      const looks = await stepsOfLooks(lane);
      problems.push(...(await lane.problems()));
      await lane.clear();

      for (const [look, steps] of looks.entries()) {
        const all = bothSides(steps);
        const run = inFull ? all : withoutRepeats(all, steps);
        points += all.length;
        kills += run.length;
        for (const point of run) {
          await untilMade(lane, () => make(lane, handler, size));
          for (const reconciler of reconcilers.slice(0, look)) await reconciler.invoke({});
          await runAndKill(() => lane.startActor('reconciler', LOOK_SHIFTS_MS[look]), {}, point);
          await finish(look);
          const found = await lane.problems();
          problems.push(
            ...found.map((problem) => `${about}, ${look} ${point.when} ${point.index}: ${problem}`),
          );
          await lane.clear();
        }
      }
    });
    expect(problems).toEqual([]);
    expect(points).toBeGreaterThanOrEqual(1_122);
    expect(kills).toBeGreaterThanOrEqual(582);
    console.log(`reconciler: ${points} kill points in ${WORLDS.length} situations, ${kills} runs`);
  }, 900_000);
});

/** On a machine with too much to do, a time limit of the handler's may change its answer: then everything is made anew. */
async function untilMade(lane: Lane, make: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await make();
      return;
    } catch (error) {
      if (tries === 3) throw error;
      await lane.clear();
    }
  }
}

/** The steps of one look after another until nothing is open. */
async function stepsOfLooks(lane: Lane): Promise<Step[][]> {
  const looks: Step[][] = [];
  for (const shiftMs of LOOK_SHIFTS_MS) {
    const reconciler = await lane.startActor('reconciler', shiftMs);
    looks.push(recordSteps(reconciler));
    const { open, incomplete } = (await reconciler.invoke({})) as ReconcileSummary;
    await reconciler.close();
    if (open + incomplete === 0) break;
  }
  return looks;
}

/**
 * A killed process leaves nothing but what it had the services do, so points with nothing but reads between them leave
 * the same: the one before the first write, and the one after each. Every fiftieth step is another sample.
 */
function withoutRepeats(points: KillPoint[], steps: Step[]): KillPoint[] {
  const first = steps.findIndex(({ writes }) => writes);
  return points.filter(({ index, when }) =>
    when === 'after' ? steps[index]?.writes : index === first || index % 50 === 0,
  );
}

/** A process that is started when it is first needed. */
function keepReady(lane: Lane, shiftMs: number): Pick<Actor, 'invoke'> {
  let actor: Promise<Actor> | undefined;
  return {
    async invoke(event) {
      actor ??= lane.startActor('reconciler', shiftMs);
      return (await actor).invoke(event);
    },
  };
}

async function ask(
  lane: Lane,
  handler: Actor,
  size: number,
  meetingId: string,
  how: Intercept,
  expected = 503,
): Promise<void> {
  handler.intercept(how);
  const answer = (await handler.invoke(lane.eventFor(meetingId, namesFor('guest', size)))) as Answer;
  expect([answer.statusCode, ...(await lane.problemsOfAnswer(meetingId, answer))]).toEqual([expected]);
}

const loseChimesAnswer: Intercept = async ({ name }, act) => {
  const reply = await act();
  return name === 'BatchCreateAttendee' ? 'reset' : reply;
};

const loseRequestToChime: Intercept = async ({ name }, act) =>
  name === 'BatchCreateAttendee' ? 'reset' : act();

const loseAdmissions: Intercept = async ({ name }, act) =>
  name.startsWith('BatchWriteItem') ? 'reset' : act();

const loseOutcome: Intercept = async ({ name }, act) => (name.endsWith('outcome') ? 'reset' : act());
