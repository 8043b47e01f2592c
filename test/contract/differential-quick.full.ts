import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  compareAll,
  constraintCases,
  fuzzedCases,
  report,
  unmeant,
} from '../support/contract/differential.ts';
import { compareMeetings, meetingCases, reportMeetings } from '../support/contract/differential-meetings.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ config: unthrottledConfig(), env: { USHER_LOCAL_CONCURRENCY: '2' } });
}, 60_000);
afterAll(() => system.stop());

it('answers what Chime answers, but for what is meant', async () => {
  const cases = [...constraintCases(), ...fuzzedCases(50, 1)];
  const differences = await compareAll(system.environment, cases, 4);
  console.log(report(cases.length, differences));
  expect(unmeant(differences)).toEqual([]);
}, 60_000);

it('answers GetMeeting as Chime does, but for what is meant', async () => {
  const cases = meetingCases(100, 20261128);
  const differences = await compareMeetings(system.environment, cases);
  console.log(reportMeetings(cases.length, differences));
  expect(differences.filter(({ why }) => why === undefined)).toEqual([]);
  expect(differences.length).toBeGreaterThan(0);
}, 60_000);
