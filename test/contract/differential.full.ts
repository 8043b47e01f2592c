import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { compareAll, fuzzedCases, report, unmeant } from '../support/contract/differential.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ config: unthrottledConfig() });
}, 60_000);
afterAll(() => system.stop());

it('answers 5,000 fuzzed requests as Chime does, but for what is meant', async () => {
  const cases = fuzzedCases(5_000, 20261123);
  const differences = await compareAll(system.environment, cases, 6);
  console.log(report(cases.length, differences));
  expect(unmeant(differences)).toEqual([]);
}, 180_000);
