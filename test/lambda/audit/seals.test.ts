import { describe, expect, it } from '@jest/globals';
import {
  digestOfItem,
  hourAfter,
  hourOfBatch,
  hourOfKey,
  rowOfItem,
  type Seal,
  sealDueMs,
  sealKey,
  sealOfText,
  textOfSeal,
} from '../../../lambda/audit/seals.ts';

const item = {
  recordId: { S: '20261123T134558123Z-6f1c2a9b4d3e5f70/intent' },
  meetingId: { S: '6d0a1f6e-9c2b-4e87-b1d3-0f6a7c8e9d21' },
  expiresAt: { N: '1798000000' },
  requested: { L: [{ M: { externalUserId: { S: 'älice' } } }] },
};

const seal: Seal = {
  version: 1,
  table: 'facts',
  hour: '2026-11-23T13Z',
  sealedAt: '2026-11-23T16:00:01.000Z',
  previous: { hour: '2026-11-23T12Z', sha256: 'a'.repeat(64) },
  records: [rowOfItem(item)],
  open: [['m', '20261123T134558123Z-6f1c2a9b4d3e5f70']],
  late: [],
};

describe('a seal', () => {
  it('has the digest that sha256sum prints for the item as RFC 8785 writes it', () => {
    // Written by hand: keys sorted, no white space, characters beyond ASCII as they are.
    expect(digestOfItem(item)).toBe('01d8d6541d22f6cf5a7d7370354bb8e6d14f17cff4f207b5aebd9f67a0c8ab22');
  });

  it.each([
    ['a number that differs in its 20th digit', { n: { N: '1.0000000000000000001' } }, { n: { N: '1' } }],
    ['a text in place of a number', { n: { S: '1' } }, { n: { N: '1' } }],
    ['a list in place of a set', { n: { L: [{ S: 'a' }] } }, { n: { SS: ['a'] } }],
    ['other bytes', { n: { B: new Uint8Array([1]) } }, { n: { B: new Uint8Array([2]) } }],
    ['a missing attribute', {}, { n: { NULL: true as const } }],
  ])('has another digest for %s', (_what, one, other) => {
    expect(digestOfItem(one)).not.toBe(digestOfItem(other));
  });

  it('has the same digest for a set in any order', () => {
    expect(digestOfItem({ s: { SS: ['b', 'a'] } })).toBe(digestOfItem({ s: { SS: ['a', 'b'] } }));
  });

  it('is read as it was written, a line for each row', () => {
    expect(sealOfText(textOfSeal(seal))).toEqual(seal);
    expect(textOfSeal(seal).split('\n')).toHaveLength(7);
    expect(sealOfText(textOfSeal({ ...seal, previous: null, records: [], open: [] }))?.records).toEqual([]);
  });

  it.each(['', '{}', 'null', '[]', JSON.stringify({ ...seal, hour: '2026-13-01T00Z' })])(
    'is not read from %p',
    (text) => {
      expect(sealOfText(text)).toBeUndefined();
    },
  );

  it('belongs to the hour of the batch id and is due two hours after it ends', () => {
    expect(hourOfBatch('20261123T235959999Z-6f1c2a9b4d3e5f70')).toBe('2026-11-23T23Z');
    expect(hourAfter('2026-12-31T23Z')).toBe('2027-01-01T00Z');
    expect(new Date(sealDueMs('2026-11-23T13Z')).toISOString()).toBe('2026-11-23T16:00:00.000Z');
  });

  it('is found by its key, and by no other', () => {
    expect(sealKey('usher/', '2026-11-23T13Z')).toBe('usher/2026-11-23T13Z.json');
    expect(hourOfKey('usher/', 'usher/2026-11-23T13Z.json')).toBe('2026-11-23T13Z');
    expect(hourOfKey('usher/', 'usher/2026-11-23T25Z.json')).toBeUndefined();
    expect(hourOfKey('usher/', 'other/2026-11-23T13Z.json')).toBeUndefined();
  });
});
