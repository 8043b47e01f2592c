import { describe, expect, it } from '@jest/globals';
import type { CommanderError } from 'commander';
import { parseCommand } from '../../../cli/audit/options.ts';

const NOW_MS = Date.parse('2026-11-23T14:00:00Z');

function parse(...args: string[]) {
  return parseCommand(args, NOW_MS);
}

/** @returns what is printed, and the exit code */
function usageError(...args: string[]): { printed: string; exitCode: number } {
  let printed = '';
  const write = (text: string) => {
    printed += text;
  };
  try {
    parseCommand(args, NOW_MS, { writeOut: write, writeErr: write });
  } catch (error) {
    return { printed, exitCode: (error as CommanderError).exitCode };
  }
  throw new Error('The command line was accepted.');
}

describe('the command line', () => {
  it.each([
    [['--meeting', 'M'], { about: 'meeting', meetingId: 'M' }],
    [['--user', '-alice'], { about: 'user', externalUserId: '-alice' }],
    [['--caller', 'https://i|c|s'], { about: 'caller', callerId: 'https://i|c|s' }],
    [
      ['--batch', '20261123T134558123Z-6f1c2a9b4d3e5f70'],
      { about: 'batch', batchId: '20261123T134558123Z-6f1c2a9b4d3e5f70' },
    ],
    [['--attendee', 'A'], { about: 'attendee', attendeeId: 'A' }],
    [['--day', '2026-11-23'], { about: 'day', day: '2026-11-23' }],
    [['--denied'], { about: 'denied' }],
    [['--open'], { about: 'open' }],
    [['--compare'], { about: 'compare' }],
    [['--rebuild'], { about: 'rebuild' }],
  ])('%j asks %j', (args, question) => {
    expect(parse(...args)).toMatchObject({ question, range: {}, output: 'table' });
  });

  it('takes a range, a form and the names of tables', () => {
    expect(
      parse(
        ...['--user', 'alice', '--since', '1h', '--until', '2026-11-23', '--output', 'ndjson'],
        ...['--table', 'T', '--admission-table', 'A', '--open-intent-table', 'O', '--region', 'eu-west-2'],
      ),
    ).toMatchObject({
      range: { sinceMs: NOW_MS - 3_600_000, untilMs: Date.parse('2026-11-24T00:00:00Z') },
      output: 'ndjson',
      named: { table: 'T', admissionTable: 'A', openIntentTable: 'O', region: 'eu-west-2' },
    });
  });

  it.each([
    ['no question', []],
    ['two questions', ['--denied', '--open']],
    ['a question asked twice', ['--meeting', 'M', '--meeting', 'N']],
    ['a stray word', ['--meeting', 'M', 'N']],
    ['a value left out', ['--meeting']],
    ['an empty value', ['--user', '']],
    ['an unknown option', ['--meetings', 'M']],
    ['an unknown form', ['--denied', '--output', 'xml']],
    ['a malformed batch id', ['--batch', '6f1c2a9b4d3e5f70']],
    ['a malformed day', ['--day', '23.11.2026']],
    ['a malformed time', ['--denied', '--since', 'yesterday']],
    ['a range for a day', ['--day', '2026-11-23', '--since', '1h']],
    ['a range for a batch', ['--batch', '20261123T134558123Z-6f1c2a9b4d3e5f70', '--until', '1h']],
    ['a range that ends before it begins', ['--denied', '--since', '1h', '--until', '2h']],
    ['a Region without a table', ['--denied', '--region', 'eu-west-2']],
    ['a question about users without their table', ['--user', 'alice', '--table', 'T']],
  ])('rejects %s in one line', (_, args) => {
    const { printed, exitCode } = usageError(...args);
    expect(exitCode).toBe(2);
    expect(printed).toMatch(/^error: .+\n$/);
  });

  it('explains itself', () => {
    const { printed, exitCode } = usageError('--help');
    expect(exitCode).toBe(0);
    for (const option of ['--meeting', '--user', '--caller', '--open', '--rebuild', 'docs/audit-guide.md']) {
      expect(printed).toContain(option);
    }
  });
});
