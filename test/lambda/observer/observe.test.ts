import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_EARLIER_EVENTS, MAX_EVENTS, observe } from '../../../lambda/observer/observe.ts';
import {
  attendeeId,
  chimeEvent,
  createObserverWorld,
  MEETING,
  START_MS,
} from '../../support/observer-world.ts';

let world: ReturnType<typeof createObserverWorld>;
beforeEach(() => {
  world = createObserverWorld();
});
const had = (detail: object = {}, event: object = {}) =>
  observe(chimeEvent(detail, event), world.dependencies);
const kept = () => [...world.table.values()];

describe('an event of Chime', () => {
  it('is kept by what it says, and when it arrived', async () => {
    world.nowMs = START_MS + 3 * 3_600_000;
    expect(await had({ meetingId: MEETING.toUpperCase() })).toBe('recorded');
    expect(kept()).toEqual([
      {
        attendeeId: attendeeId(1),
        eventId: '2026-11-23T13:45:00.000Z/chime:AttendeeJoined',
        eventType: 'chime:AttendeeJoined',
        meetingId: MEETING,
        externalUserId: 'alice',
        at: '2026-11-23T13:45:00.000Z',
        arrivedAt: '2026-11-23T16:45:00.000Z',
        arrivedIn: '2026-11-23T16:45Z',
        expiresAt: START_MS / 1000 + 30 * 86_400,
      },
    ]);
    expect(world.metrics).toEqual({ EventsRecorded: 1 });
  });

  it('is kept once, however often it is delivered', async () => {
    await had();
    world.nowMs += 7_200_000;
    expect(await had()).toBe('duplicate');
    expect(kept()).toHaveLength(1);
    expect(kept()[0]?.arrivedIn).toBe('2026-11-23T13:45Z');
  });

  it('is dropped where Usher has no record of its meeting', async () => {
    expect(await had({ meetingId: attendeeId(7) })).toBe('unknown meeting');
    expect(kept()).toEqual([]);
  });

  it.each<[string, object, object]>([
    ['of another service', {}, { source: 'mine.chime' }],
    ['of another kind', {}, { 'detail-type': 'Chime Voice Connector Streaming Status' }],
    ['of another type', { eventType: 'chime:AttendeeLeft' }, {}],
    ['without an attendee', { attendeeId: undefined }, {}],
    ['of a meeting that is none', { meetingId: 'standup' }, {}],
    ['without a time', { timestamp: undefined }, {}],
    ['of a time that is none', { timestamp: 1e18 }, {}],
    ['of a time with a fraction', { timestamp: 1.5 }, {}],
    ['without a name', { externalUserId: '' }, {}],
    ['with a name that is too long', { externalUserId: 'a'.repeat(257) }, {}],
    ['without detail', {}, { detail: null }],
  ])('%s is counted and dropped', async (_what, detail, event) => {
    expect(await had(detail, event)).toBe('malformed');
    expect(world.metrics).toEqual({ EventsMalformed: 1 });
    expect(world.reports).toEqual([{ event: 'event dropped', why: 'malformed' }]);
  });

  it('leaves no name and no id in a log line', async () => {
    await had();
    await had();
    await had({ meetingId: attendeeId(7) });
    await had({ timestamp: 'alice' });
    expect(JSON.stringify(world.reports)).not.toMatch(/alice|[0-9a-f]{8}-/);
  });

  it('does not decide its own expiry by a clock that is off', async () => {
    const days = async (atMs: number) => {
      world = createObserverWorld();
      await had({ timestamp: atMs });
      return ((kept()[0]?.expiresAt ?? 0) - START_MS / 1000) / 86_400;
    };
    expect(await days(0)).toBe(29);
    expect(await days(START_MS + 9 * 86_400_000)).toBe(30);
  });

  it.each(['knowsMeeting', 'keptOf', 'insert'])('is delivered again where %s fails', async (port) => {
    world.failing = port;
    await expect(had()).rejects.toThrow();
    world.failing = undefined;
    expect(await had()).toBe('recorded');
  });
});

describe('one attendee', () => {
  it('does not fill the table by joining in a loop', async () => {
    for (let second = 0; second < 200; second += 1) await had({ timestamp: START_MS + second * 1000 });
    expect(kept()).toHaveLength(MAX_EVENTS);
    expect(world.reports.at(-1)).toEqual({ event: 'event dropped', why: 'enough' });
    await had({ eventType: 'chime:AttendeeAdded' });
    expect(kept()).toHaveLength(MAX_EVENTS + 1);
  });

  it('has its first join on record, whatever came before it, up to a limit', async () => {
    const joins = MAX_EARLIER_EVENTS + 10;
    for (let second = joins; second > 0; second -= 1) await had({ timestamp: START_MS + second * 1000 });
    expect(kept()).toHaveLength(MAX_EARLIER_EVENTS);
  });

  it('has the first join right, and nothing twice, of events doubled, late and in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 120 }),
        fc.infiniteStream(fc.integer({ min: -3_600_000, max: 5 * 3_600_000 })),
        async (seconds, delays) => {
          world = createObserverWorld();
          for (const second of seconds) {
            // The observer's clock jumps too.
            world.nowMs = START_MS + (delays.next().value ?? 0);
            await had({ timestamp: START_MS + second * 1000 });
          }
          const [first] = kept()
            .map(({ at }) => at)
            .sort();
          expect(first).toBe(new Date(START_MS + Math.min(...seconds) * 1000).toISOString());
          expect(kept().length).toBeLessThanOrEqual(MAX_EARLIER_EVENTS);
        },
      ),
      { seed: 20261123, numRuns: 300 },
    );
  });
});
