import { describe, expect, it } from '@jest/globals';
import { itemBytes, writeUnits } from '../../bench/request-units.ts';

describe('the size of an item', () => {
  it.each([
    ['a string, with its name', { ab: { S: 'xyz' } }, 5],
    ['a string beyond ASCII, in UTF-8', { a: { S: 'é' } }, 3],
    ['a number, two digits a byte', { a: { N: '1795440000' } }, 7],
    ['a number of odd length', { a: { N: '-123' } }, 4],
    ['a truth', { a: { BOOL: true } }, 2],
    ['a list, with 3 and 1 for each member', { a: { L: [{ S: 'x' }, { S: 'yz' }] } }, 9],
    ['a map, with 3 and 1 for each member', { a: { M: { bc: { S: 'x' } } } }, 8],
  ])('counts %s', (_what, item, bytes) => {
    expect(itemBytes(item)).toBe(bytes);
  });
});

describe('the units of a write', () => {
  const admission = (length: number) => ({
    externalUserId: { S: 'x'.repeat(length) },
    admissionId: { S: 'a' },
    attendeeId: { S: 'b' },
  });

  it('are one for each kilobyte begun, in the table and again in the index', () => {
    const rest = 'externalUserId'.length + 'admissionId'.length + 'attendeeId'.length + 2;
    expect(writeUnits({ records: [], admissions: [admission(1024 - rest)] }).admissions).toBe(2);
    expect(writeUnits({ records: [], admissions: [admission(1025 - rest)] }).admissions).toBe(4);
  });

  it('are counted again for each index that holds the item', () => {
    const intent = { meetingId: { S: 'm' }, recordId: { S: 'r' }, kind: { S: 'intent' } };
    const keys = { callerId: { S: 'c' }, day: { S: '2026-11-23' }, batchId: { S: 'b' } };
    const units = (record: Record<string, { S: string }>) =>
      writeUnits({ records: [record], admissions: [] }).intents;
    expect([units(intent), units({ ...intent, ...keys })]).toEqual([1, 3]);
    expect(units({ ...intent, ...keys, userAgent: { S: 'x'.repeat(1024) } })).toBe(4);
  });
});
