import { describe, expect, it } from '@jest/globals';
import { batchIdBounds, daysIn, parseDay, parseTime } from '../../../cli/audit/times.ts';

const NOW = '2026-11-23T14:00:00.000Z';
const read = (text: string, end = false) => new Date(parseTime(text, Date.parse(NOW), end)).toISOString();

describe('a time', () => {
  it.each([
    ['30m', '2026-11-23T13:30:00.000Z'],
    ['2h', '2026-11-23T12:00:00.000Z'],
    ['1d12h', '2026-11-22T02:00:00.000Z'],
    ['7d', '2026-11-16T14:00:00.000Z'],
    ['2w', '2026-11-09T14:00:00.000Z'],
    ['45s', '2026-11-23T13:59:15.000Z'],
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2026-11-20T13:45', '2026-11-20T13:45:00.000Z'],
    ['2026-11-20T13:45:58.123Z', '2026-11-20T13:45:58.123Z'],
    ['2026-11-20T13:45:58+01:00', '2026-11-20T12:45:58.000Z'],
    ['2026-11-20T13:45+0530', '2026-11-20T08:15:00.000Z'],
    ['2026-11-20T13:45-08', '2026-11-20T21:45:00.000Z'],
    ['2026-11-20T13:45−08:00', '2026-11-20T21:45:00.000Z'],
    ['2026-11-20t13:45z', '2026-11-20T13:45:00.000Z'],
    ['2026-11-20 13:45:58', '2026-11-20T13:45:58.000Z'],
    ['2026-11-20T13:45:58.123456789Z', '2026-11-20T13:45:58.123Z'],
    ['2026-11-20T13:45:58,5Z', '2026-11-20T13:45:58.500Z'],
    ['2026-11-20T23:30-02:00', '2026-11-21T01:30:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('that is a day, as the end of a range, includes that day', () => {
    expect(read('2026-11-20', true)).toBe('2026-11-21T00:00:00.000Z');
    expect(read('2026-11-20T13:45', true)).toBe('2026-11-20T13:45:00.000Z');
  });

  it('that is the last day there is ends nothing that could be recorded, and sorts after it', () => {
    expect(read('9999-12-31', true)).toBe('9999-12-31T00:00:00.000Z');
    const { to: end } = batchIdBounds({ untilMs: Date.parse(read('9999-12-31T23:59:59Z', true)) });
    expect('99991230T235959999Z-f' < end).toBe(true);
  });

  it.each([
    ...['', 'yesterday', '5', '2', '2 hours', '2x', '2h3x', '-2h', '1M', '99999w'],
    ...['2026-02-30', '2026-13-01', '2026-11-23T25:00', '2026-02-30T10:00', '23.11.2026', '20261123'],
    ...[
      '2026-11-20T24:00',
      '2026-11-20T10:00+15:00',
      '2026-11-20T10:00+01:60',
      '2026-11-20T10:00+1',
      '2026-11-20 +01',
    ],
  ])('is not "%s"', (text) => {
    expect(() => read(text)).toThrow('Give 30m, 2h, 7d, a day like 2026-11-23');
  });
});

describe('a day', () => {
  it('is a day of the calendar', () => {
    expect(parseDay('2028-02-29')).toBe('2028-02-29');
    expect(() => parseDay('2026-02-29')).toThrow('Give a day like 2026-11-23.');
    expect(() => parseDay('2026-11-23T10:00:00Z')).toThrow('Give a day like 2026-11-23.');
  });

  it('is every day that a range touches, and none after its end', () => {
    const days = (since: string, until: string) => [...daysIn(Date.parse(since), Date.parse(until))];
    expect(days('2026-12-30T23:59:59.999Z', '2027-01-01T00:00:00.001Z')).toEqual([
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
    ]);
    expect(days('2026-12-30T00:00:00Z', '2026-12-31T00:00:00Z')).toEqual(['2026-12-30']);
  });
});

describe('the bounds of a range', () => {
  const bounds = batchIdBounds({
    sinceMs: Date.parse('2026-11-23T10:00:00Z'),
    untilMs: Date.parse('2026-11-23T11:00:00Z'),
  });
  const within = (key: string) => bounds.from <= key && key <= bounds.to;

  it('hold its first millisecond and not its end, for batch ids and for keys that begin with one', () => {
    for (const tail of ['', '/intent']) {
      expect(within(`20261123T095959999Z-ffffffffffffffff${tail}`)).toBe(false);
      expect(within(`20261123T100000000Z-0000000000000000${tail}`)).toBe(true);
      expect(within(`20261123T105959999Z-ffffffffffffffff${tail}`)).toBe(true);
      expect(within(`20261123T110000000Z-0000000000000000${tail}`)).toBe(false);
    }
  });

  it('are open if the range is', () => {
    const open = batchIdBounds({});
    expect(open.from < '20261123T100000000Z-0' && '20991231T235959999Z-f' < open.to).toBe(true);
  });
});
