import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CallerBudget, createCallerBudget } from '../../../lambda/create-attendees/caller-budget.ts';

let nowMs: number;
let budget: CallerBudget;
beforeEach(() => {
  nowMs = 5_000;
  budget = createCallerBudget({ now: () => nowMs }, { capacity: 3, perSecond: 0.5 });
});
const takes = (callerId: string, times: number): boolean[] =>
  Array.from({ length: times }, () => budget.take(callerId));

describe('a budget', () => {
  it('can be spent at once, or over time', () => {
    expect(takes('alice', 5)).toEqual([true, true, true, false, false]);
    nowMs += 1_999;
    expect(takes('alice', 1)).toEqual([false]);
    nowMs += 1;
    expect(takes('alice', 2)).toEqual([true, false]);
  });

  it('never grows beyond its capacity', () => {
    budget.giveBack('alice');
    nowMs += 3_600_000;
    budget.giveBack('alice');
    expect(takes('alice', 4)).toEqual([true, true, true, false]);
  });

  it('is separate for each caller', () => {
    takes('alice', 3);
    expect(takes('bob', 3)).toEqual([true, true, true]);
  });

  it('gets back what it is given', () => {
    takes('alice', 3);
    budget.giveBack('alice');
    expect(takes('alice', 2)).toEqual([true, false]);
  });

  it('is not refilled by a clock that goes back', () => {
    takes('alice', 3);
    nowMs -= 1_000;
    expect(takes('alice', 1)).toEqual([false]);
  });

  it('is dropped for the longest unseen callers, so that memory is bounded', () => {
    takes('alice', 3);
    for (let i = 0; i < 999; i += 1) budget.take(`other-${i}`);
    expect(takes('alice', 1)).toEqual([false]);
    for (let i = 0; i < 1_000; i += 1) budget.take(`another-${i}`);
    expect(takes('alice', 1)).toEqual([true]);
  });
});
