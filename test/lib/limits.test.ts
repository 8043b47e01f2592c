import { describe, expect, it } from '@jest/globals';
import { WRITTEN_WITHIN_MS } from '../../cli/audit/questions.ts';
import { AuditTables } from '../../lib/audit-tables.ts';
import { completeSettings } from '../../lib/settings/complete.ts';
import type { FacadeSettings } from '../../lib/settings/props.ts';
import { problemOf } from '../support/configuration-error.ts';
import { createForeignStack } from '../support/synthesize.ts';

const problemWith = (settings: FacadeSettings) => problemOf(() => completeSettings(settings, 'name'));

describe('the time until the second look', () => {
  it.each<[FacadeSettings]>([
    [{}],
    [{ reconciler: { marginSeconds: 1, secondLookSeconds: 1 } }],
    [{ reconciler: { marginSeconds: 65, secondLookSeconds: 100 } }],
    [{ reconciler: { marginSeconds: 105 }, limits: { timeoutSeconds: 28 } }],
  ])('ends before a meeting that no one joined: %j', (settings) => {
    expect(problemWith(settings)).toBeUndefined();
  });

  it.each<[FacadeSettings, number, number]>([
    [{ reconciler: { marginSeconds: 66, secondLookSeconds: 100 } }, 166, 165],
    [{ reconciler: { secondLookSeconds: 121 } }, 166, 165],
    [{ reconciler: { marginSeconds: 106 }, limits: { timeoutSeconds: 28 } }, 166, 165],
    [{ reconciler: { marginSeconds: 111 }, limits: { timeoutSeconds: 10 } }, 171, 170],
  ])('is rejected if it is too long: %j', (settings, seconds, mostSeconds) => {
    const problem = problemWith(settings);
    expect(problem).toMatch(/^name: reconciler: marginSeconds and secondLookSeconds /);
    expect(problem).toContain(` ${seconds},`);
    expect(problem).toContain(` ${mostSeconds} `);
  });

  it('leaves the reconciler to write pending admissions by when the audit command misses them', () => {
    const timeoutSeconds = 5;
    const longest = (marginSeconds: number) =>
      problemWith({ reconciler: { marginSeconds, secondLookSeconds: 1 }, limits: { timeoutSeconds } });
    expect(longest(174)).toBeUndefined();
    expect(longest(175)).toContain('name: reconciler: ');
    // The margin, up to a minute until the next run, and the run.
    expect((174 + 60 + 55) * 1000).toBeLessThan(WRITTEN_WITHIN_MS);
  });
});

describe('the guard of the tables', () => {
  const sentence =
    'is below 100, the units that a batch of 100 attendees takes in the admission table at once, so the admissions of large batches would be written late or never; raise it to that number or more';

  it('admits the writes of a batch of 100 attendees', () => {
    expect(
      problemWith({ limits: { tableWriteUnitsPerSecond: 100, tableReadUnitsPerSecond: 1 } }),
    ).toBeUndefined();
    expect(problemWith({ limits: { tableWriteUnitsPerSecond: 99 } })).toBe(
      `name: limits.tableWriteUnitsPerSecond: ${sentence}`,
    );
  });

  it('admits them in separate tables too', () => {
    const made = (writeUnitsPerSecond: number) =>
      problemOf(
        () => new AuditTables(createForeignStack(), 'Tables', { writeUnitsPerSecond, readUnitsPerSecond: 1 }),
      );
    expect(made(100)).toBeUndefined();
    expect(made(99)).toBe(`Theirs/Tables: writeUnitsPerSecond: ${sentence}`);
  });
});
