import { expect, it } from '@jest/globals';
import { createThrottle } from '../../../local/gateway/throttle.ts';

it('passes a burst, then its rate, and never saves more than the burst', () => {
  let nowMs = 0;
  const admit = createThrottle({ requestsPerSecond: 2, burst: 3 }, () => nowMs);
  const admitted = (attempts: number) => Array.from({ length: attempts }, admit).filter(Boolean).length;
  expect(admitted(5)).toBe(3);
  nowMs = 499;
  expect(admitted(1)).toBe(0);
  nowMs = 500;
  expect(admitted(2)).toBe(1);
  nowMs = 60_000;
  expect(admitted(9)).toBe(3);
});
