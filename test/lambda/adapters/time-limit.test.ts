import { getEventListeners } from 'node:events';
import { expect, it } from '@jest/globals';
import { withinTime } from '../../../lambda/adapters/time-limit.ts';

it('answers what the call answers', async () => {
  expect(await withinTime(1_000, async () => 'answer')).toBe('answer');
});

it('aborts a call that takes longer, and says why', async () => {
  const call = withinTime(
    20,
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
});

it.each(['answered', 'failed'])('leaves no timer behind once the call has %s', async (how) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  let seen: AbortSignal | undefined;
  await withinTime(60_000, async (signal) => {
    seen = signal;
    expect(timers()).toBe(before + 1);
    if (how === 'failed') throw new Error('failed');
  }).catch(() => undefined);
  expect(timers()).toBe(before);
  expect(seen?.aborted).toBe(false);
  expect(getEventListeners(seen as AbortSignal, 'abort')).toEqual([]);
});
