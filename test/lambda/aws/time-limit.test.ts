import { describe, expect, it } from '@jest/globals';
import { withinTime } from '../../../lambda/aws/time-limit.ts';

describe('a call within a time', () => {
  it('returns the answer, and passes a signal for the end of its time', async () => {
    expect(await withinTime(1_000, async (signal) => signal.aborted)).toBe(false);
  });

  it('leaves no timer behind, which would keep a process from ending', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    await withinTime(60_000, async () => undefined);
    await withinTime(60_000, () => Promise.reject(new Error('refused'))).catch(() => undefined);
    expect(timers()).toBe(before);
  });

  it('ends even if the call never settles', async () => {
    let signal: AbortSignal | undefined;
    const never = withinTime(20, (given) => {
      signal = given;
      return new Promise(() => undefined);
    });
    await expect(never).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(signal?.aborted).toBe(true);
  });
});
