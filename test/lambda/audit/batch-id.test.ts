import { describe, expect, it } from '@jest/globals';
import { beginningOfBatch, dayOfBatch, mintBatchId } from '../../../lambda/audit/batch-id.ts';

describe('a batch id', () => {
  it('holds the time in readable form and the given randomness', () => {
    const id = mintBatchId(Date.UTC(2026, 10, 23, 13, 45, 58, 123), '6f1c2a9b4d3e5f70');
    expect(id).toBe('20261123T134558123Z-6f1c2a9b4d3e5f70');
  });

  it('sorts by time', () => {
    const times = [0, 999, 1_000, 86_399_999, 86_400_000, Date.UTC(2026, 10, 23), Date.UTC(2099, 0, 1)];
    const ids = times.map((ms, index) => mintBatchId(ms, String(9 - index).repeat(16)));
    expect(ids.toSorted()).toEqual(ids);
  });

  it('gives its day in UTC', () => {
    expect(dayOfBatch(mintBatchId(Date.UTC(2026, 10, 23, 23, 59, 59, 999), '0'.repeat(16)))).toBe(
      '2026-11-23',
    );
    expect(dayOfBatch(mintBatchId(Date.UTC(2026, 10, 24), '0'.repeat(16)))).toBe('2026-11-24');
  });

  it('gives its beginning to the millisecond', () => {
    for (const ms of [
      0,
      1,
      Date.UTC(2026, 10, 23, 13, 45, 58, 123),
      Date.UTC(2099, 11, 31, 23, 59, 59, 999),
    ]) {
      expect(beginningOfBatch(mintBatchId(ms, '0'.repeat(16)))).toBe(ms);
    }
  });
});
