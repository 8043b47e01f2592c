import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { startSchedules } from '../../local/schedule.ts';

it('runs a function again and again, whatever comes of it, until it is closed', async () => {
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
