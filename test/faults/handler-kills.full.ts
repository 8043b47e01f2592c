import { describe, expect, it } from '@jest/globals';
import { bothSides, type KillPoint, recordSteps, runAndKill } from '../support/faults/kills.ts';
import {
  type Actor,
  type Answer,
  inWorlds,
  type Lane,
  namesFor,
  reconcileAll,
} from '../support/faults/lane.ts';

const SIZES = [1, 25, 26, 100];
const WORLDS = [true, false].flatMap((idempotent) =>
  [true, false].flatMap((retried) => SIZES.map((size) => ({ idempotent, retried, size }))),
);

describe('a handler process killed before and after each of its steps', () => {
  it('loses nothing, whether the client tries again or not, whether or not Chime is idempotent', async () => {
    const problems: string[] = [];
    let kills = 0;
    let points = 0;
    await inWorlds(WORLDS, 4, async (lane, { idempotent, retried, size }) => {
      const all = bothSides(await stepsOf(lane, size));
      const again = retried ? await lane.startActor('handler') : undefined;
      for (const point of all) problems.push(...(await killOnce(lane, size, point, again)));
      kills += all.length;
      if (idempotent && retried) points += all.length;
      await reconcileAll(lane);
      problems.push(...(await lane.problems()));
    });
    expect(problems).toEqual([]);
    expect(points).toBeGreaterThanOrEqual(44);
    expect(kills).toBe(4 * points);
    console.log(`handler: ${points} kill points (1, 25, 26 and 100 attendees), ${kills} runs`);
  }, 900_000);
});

async function stepsOf(lane: Lane, size: number) {
  const handler = await lane.startActor('handler');
  const steps = recordSteps(handler);
  const meetingId = await lane.createMeeting(`${size} attendees, not killed`);
  const answer = (await handler.invoke(lane.eventFor(meetingId, namesFor('guest', size)))) as Answer;
  expect(answer.statusCode).toBe(200);
  // The meeting, the intent, Chime, the admissions by 25, the outcome.
  expect(steps).toHaveLength(4 + Math.ceil(size / 25));
  await handler.close();
  return steps;
}

async function killOnce(lane: Lane, size: number, point: KillPoint, again?: Actor): Promise<string[]> {
  const meetingId = await lane.createMeeting(`${size} attendees, killed ${point.when} step ${point.index}`);
  const event = lane.eventFor(meetingId, namesFor('guest', size));
  await runAndKill(() => lane.startActor('handler'), event, point);
  if (again === undefined) return [];
  const problems: string[] = [];
  // As an SDK does, which makes three attempts.
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const answer = (await again.invoke(event)) as Answer;
    problems.push(...(await lane.problemsOfAnswer(meetingId, answer)));
    if (answer.statusCode === 200) break;
    if (attempt === 3) problems.push(`the last retry failed: ${answer.body}`);
  }
  return problems;
}
