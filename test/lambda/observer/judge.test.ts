import { beforeEach, describe, expect, it } from '@jest/globals';
import { quarterToJudge } from '../../../lambda/audit/attendee-events.ts';
import type { OutcomeRecord } from '../../../lambda/audit/records.ts';
import { judge } from '../../../lambda/observer/judge.ts';
import { observe } from '../../../lambda/observer/observe.ts';
import { attendeeId, chimeEvent, createObserverWorld, MEETING } from '../../support/observer-world.ts';

const QUARTER = '2026-11-23T13:45Z';
const ALICE = { externalUserId: 'alice', attendeeId: attendeeId(1) };
const requested = [{ externalUserId: 'alice' }];
const intent = { requested } as never;
const outcome = (changes: Partial<OutcomeRecord>) =>
  ({ state: 'ISSUED', issued: [], withheld: [], errors: [], ...changes }) as OutcomeRecord;

let world: ReturnType<typeof createObserverWorld>;
beforeEach(async () => {
  world = createObserverWorld();
  await observe(chimeEvent(), world.dependencies);
  world.reports.length = 0;
});
const judged = async () => (await judge(QUARTER, world.dependencies)).withoutRecord;

describe('an attendee of an event', () => {
  it('is without a record where nothing explains it, which is counted and said without a name', async () => {
    await observe(chimeEvent({ timestamp: 1 }), world.dependencies);
    world.reports.length = 0;
    expect(await judge(QUARTER, world.dependencies)).toEqual({
      quarter: QUARTER,
      attendees: 1,
      withoutRecord: 1,
      notJudged: 0,
    });
    expect(world.metrics['AttendeesWithoutRecord']).toBe(1);
    expect(world.reports).toEqual([
      { event: 'present without a record', meeting: MEETING, attendees: 1, quarter: QUARTER },
      { event: 'judged', quarter: QUARTER, attendees: 1, withoutRecord: 1, notJudged: 0 },
    ]);
    expect(JSON.stringify(world.reports)).not.toMatch(/alice|5d0a1f6e/);
  });

  it.each<[string, object]>([
    ['issued', { outcome: outcome({ issued: [ALICE] as never }) }],
    ['withheld', { outcome: outcome({ withheld: [ALICE] as never }) }],
    ['held by another batch', { outcome: outcome({ heldElsewhere: [{ ...ALICE, batchId: 'b' }] }) }],
    ['asked for by a batch without an outcome', { intent }],
    ['asked for by an unresolved batch', { intent, outcome: outcome({ state: 'UNRESOLVED' }) }],
  ])('is explained where it is %s', async (_what, batch) => {
    world.batches.set(MEETING, [batch]);
    expect(await judged()).toBe(0);
  });

  it('is explained where it is admitted', async () => {
    world.admitted.add(attendeeId(1));
    expect(await judged()).toBe(0);
  });

  it.each<[string, object]>([
    ['only its name was issued', { outcome: outcome({ issued: [{ ...ALICE, attendeeId: 'x' }] as never }) }],
    ['it was asked for and not issued', { intent, outcome: outcome({ state: 'NOT_ISSUED' }) }],
    ['Chime refused the batch that asked for it', { intent, outcome: outcome({ state: 'FAILED' }) }],
  ])('is without a record where %s', async (_what, batch) => {
    world.batches.set(MEETING, [batch]);
    expect(await judged()).toBe(1);
  });

  it('is not judged where a record of its meeting cannot be read', async () => {
    world.batches.set(MEETING, undefined);
    expect(await judge(QUARTER, world.dependencies)).toMatchObject({ withoutRecord: 0, notJudged: 1 });
  });

  it('is not counted where it is of AWS itself', async () => {
    world.table.clear();
    await observe(chimeEvent({ externalUserId: 'aws:MediaPipeline-1' }), world.dependencies);
    expect(await judged()).toBe(0);
  });
});

describe('the quarter that is due', () => {
  it.each([
    ['2026-11-23T14:20:00Z', '2026-11-23T13:45Z'],
    ['2026-11-23T14:28:59Z', '2026-11-23T13:45Z'],
    ['2026-11-23T00:05:00Z', '2026-11-22T23:30Z'],
  ])('at %s is %s, which ended a quarter of an hour ago at least', (now, quarter) => {
    const nowMs = Date.parse(now);
    expect(quarterToJudge(nowMs)).toBe(quarter);
    expect(nowMs - Date.parse(quarter)).toBeGreaterThanOrEqual(30 * 60_000);
  });
});
