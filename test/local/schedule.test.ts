import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { startSchedules } from '../../local/schedule.ts';

it('runs a function repeatedly, whatever its result, until it is closed', async () => {
  const events: unknown[] = [];
  const invoke = async (event: unknown) => {
    events.push(event);
    throw new Error('The function failed.');
  };
  const schedules = startSchedules(
    [{ functionArn: 'arn', everyMs: 10, event: { a: 1 } }],
    new Map([['arn', { invoke }]]),
  );
  expect(events).toEqual([]);
  while (events.length < 2) await pause(5);
  await schedules.close();
  const before = events.length;
  await pause(50);
  expect(events).toHaveLength(before);
  expect(events[0]).toEqual({ a: 1 });
});

it('runs a function first at its minute', async () => {
  const invoked: number[] = [];
  const invoke = async () => void invoked.push(Date.now());
  const startMs = Date.now();
  const schedules = startSchedules(
    [{ functionArn: 'arn', everyMs: 200, offsetMs: 50, event: {} }],
    new Map([['arn', { invoke }]]),
    // 20 ms before the next one is due.
    () => 1_030,
  );
  while (invoked.length < 2) await pause(5);
  await schedules.close();
  const [first = 0, second = 0] = invoked;
  expect(first - startMs).toBeLessThan(150);
  expect(second - first).toBeGreaterThan(150);
});
