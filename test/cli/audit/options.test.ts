import { describe, expect, it } from '@jest/globals';
import type { CommanderError } from 'commander';
import { parseCommand } from '../../../cli/audit/options.ts';

const MEETING = '5b1e3f2c-0d4a-4c6b-9e8f-1a2b3c4d2706';
const BATCH = '20261123T134558123Z-6f1c2a9b4d3e5f70';
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
    [['--meeting', MEETING.toUpperCase()], { about: 'meeting', meetingId: MEETING.toUpperCase() }],
    [['--user', '-alice'], { about: 'user', externalUserId: '-alice' }],
    [['--caller', 'https://i|c|s'], { about: 'caller', callerId: 'https://i|c|s' }],
    [['--caller', 'http://127.0.0.1:1||a|b'], { about: 'caller', callerId: 'http://127.0.0.1:1||a|b' }],
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
    [['--since', '1h'], { about: 'time' }],
    [['--state', 'open'], { about: 'time' }],
    [
      ['--compare-cloudtrail', 'a.json', 'b.json.gz'],
      { about: 'cloudtrail', files: ['a.json', 'b.json.gz'] },
    ],
  ])('%j asks %j', (args, question) => {
    expect(parse(...args)).toMatchObject({ question });
  });

  it.each(
    [
      ['--meeting', MEETING],
      ['--user', 'alice'],
      ['--caller', 'https://i|c|s'],
      ['--batch', BATCH],
    ]
      .concat([['--attendee', 'A'], ['--day', '2026-11-23'], ['--denied'], ['--open'], []])
      .map((question) => [question]),
  )('%j accepts a time and every filter', (question) => {
    const { range, filter } = parse(
      ...[
        ...question,
        '--since',
        '2h',
        '--until',
        '1h',
        '--state',
        'unresolved,not-issued',
        '--rule',
        'scope',
      ],
      ...['--client', 'web', '--subject', 'alice', '--source-ip', '192.0.2.0/24'],
      ...['--external-meeting-id', 'board', '--name', 'bob', '--person', 'carol'],
    );
    expect(range).toEqual({ sinceMs: NOW_MS - 7_200_000, untilMs: NOW_MS - 3_600_000 });
    expect(filter).toMatchObject({
      states: new Set(['UNRESOLVED', 'NOT_ISSUED']),
      rules: new Set(['scope']),
      ...{ clientId: 'web', subject: 'alice', externalMeetingId: 'board', name: 'bob', person: 'carol' },
    });
    expect(filter.sources?.check('192.0.2.77')).toBe(true);
    expect(filter.sources?.check('192.0.3.77')).toBe(false);
  });

  it('says what was asked, in words that a shell takes', () => {
    expect(parse('--open').asked).toBe('--open');
    expect(parse('--caller', "https://i|c|o'hara", '--since', '1h', '--output', 'csv').asked).toBe(
      "--caller 'https://i|c|o'\\''hara' --since 1h",
    );
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

  it('takes the place of the seals, and a verification as a part of a report', () => {
    const place = ['--table', 'T', '--seal-bucket', 'B', '--seal-prefix', 'usher/'];
    expect(parse('--verify', '--scan', ...place)).toMatchObject({
      question: { about: 'verify', scan: true },
      named: { table: 'T', sealBucket: 'B', sealPrefix: 'usher/' },
    });
    expect(parse('--verify', '--report', 'f.html', '--seals', 'copy').question.about).toBe('verify');
    expect(parse('--denied', '--verify', '--report', 'f.html', '--seals', 'copy')).toMatchObject({
      question: { about: 'denied' },
      verifies: true,
    });
  });

  it.each([
    ['no question', []],
    ['two questions', ['--denied', '--open']],
    ['what cannot be a meeting id', ['--meeting', 'standup']],
    ['half a meeting id', ['--meeting', MEETING.slice(0, 18)]],
    ['what cannot be a caller', ['--caller', 'alice']],
    ['a caller without its issuer', ['--caller', 'backend|svc-1']],
    ['a client id that is not percent-encoded', ['--caller', 'https://i|a b|s']],
    ['what cannot be a user', ['--user', 'x'.repeat(65)]],
    ['a record id for a batch id', ['--batch', `${BATCH}/intent`]],
    ['a batch of no day', ['--batch', BATCH.replace('1123', '0230')]],
    ['a filter that is none', ['--denied', '--state', 'done']],
    ['a rule that is none', ['--denied', '--rule', 'scopes']],
    ['an address that is none', ['--denied', '--source-ip', '192.0.2']],
    ['a network that is none', ['--denied', '--source-ip', '192.0.2.0/33']],
    ['a filter for a check', ['--compare', '--state', 'OPEN']],
    ['a filter for the seals', ['--verify', '--state', 'OPEN']],
    ['a verification of an answer without a report', ['--denied', '--verify']],
    ['a scan without a verification', ['--denied', '--scan']],
    ['seals without a verification', ['--denied', '--seals', 'copy']],
    ['a table without its seals', ['--verify', '--table', 'T']],
    ['a bucket beside a copy', ['--verify', '--seals', 'copy', '--seal-bucket', 'B', '--table', 'T']],
    ['a bucket without a table', ['--verify', '--seal-bucket', 'B']],
    ['a prefix without a bucket', ['--verify', '--seal-prefix', 'p']],
    ['a report of a comparison', ['--compare', '--report', 'f.html']],
    ['a stack and a table', ['--denied', '--stack', 'S', '--table', 'T']],
    ['a question asked twice', ['--meeting', MEETING, '--meeting', MEETING]],
    ['a stray word', ['--meeting', MEETING, 'N']],
    ['a value left out', ['--meeting']],
    ['an empty value', ['--user', '']],
    ['an unknown option', ['--meetings', MEETING]],
    ['an unknown form', ['--denied', '--output', 'xml']],
    ['a malformed batch id', ['--batch', '6f1c2a9b4d3e5f70']],
    ['a malformed day', ['--day', '23.11.2026']],
    ['a malformed time', ['--denied', '--since', 'yesterday']],
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
