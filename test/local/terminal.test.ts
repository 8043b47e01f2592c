import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTerminal } from '../../local/terminal.ts';

let directory: string;
let logFile: string;
let printed: string[];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-terminal-'));
  logFile = path.join(directory, 'log.ndjson');
  printed = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const terminal = (json: boolean) => createTerminal({ json, logFile, print: (line) => printed.push(line) });

const ANSWERED = {
  requestId: 'r-1',
  method: 'POST',
  path: '/v1/meetings/m/attendees',
  status: 200,
  durationMs: 12.4,
  body: '{}',
  integrated: true,
};
const BATCH = JSON.stringify({ level: 'INFO', message: 'batch', requestId: 'r-1' });
const METRICS = JSON.stringify({ _aws: {}, Batches: 1 });

describe('the terminal', () => {
  it('shows one readable line a request, and no lines of functions and metrics', () => {
    const shown = terminal(false);
    shown.functionLine('handler', BATCH);
    shown.functionLine('handler', METRICS);
    shown.request(ANSWERED);
    expect(printed).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d {2}200 {4}12 ms {2}POST \/v1\/meetings\/m\/attendees$/),
    ]);
  });

  it('says why a request failed, without control characters that a caller chose', () => {
    const body = JSON.stringify({ Code: 'Forbidden', Message: 'Not \u001b[2J allowed.', RequestId: 'r-1' });
    terminal(false).request({ ...ANSWERED, status: 403, body, path: '/v1/\u009b31m' });
    expect(printed[0]).toMatch(/ 403 .*Forbidden: Not .*allowed\. {2}\(request r-1\)$/);
    expect(printed[0]).not.toMatch(/\p{Cc}/u);
  });

  it('shows what needs attention besides requests, such as a crash of the function', () => {
    const shown = terminal(false);
    shown.functionLine('handler', JSON.stringify({ level: 'WARN', message: 'request failed' }));
    shown.functionLine(
      'handler',
      JSON.stringify({ level: 'ERROR', message: 'Invoke Error', errorMessage: 'boom' }),
    );
    shown.functionLine('handler', 'no JSON');
    expect(printed).toEqual([expect.stringMatching(/ERROR {2}handler: Invoke Error: boom$/), 'no JSON']);
  });

  it('shows with --json what the functions log, and what never reached one, without metrics', () => {
    const shown = terminal(true);
    shown.functionLine('handler', BATCH);
    shown.functionLine('handler', METRICS);
    shown.request(ANSWERED);
    shown.request({ ...ANSWERED, integrated: false, status: 403, body: '{"message":"Forbidden"}' });
    expect(printed[0]).toBe(BATCH);
    expect(printed).toHaveLength(2);
    expect(JSON.parse(printed[1] as string)).toMatchObject({ status: 403, problem: 'Forbidden' });
  });

  it('keeps every line in a file of its owner', () => {
    const shown = terminal(false);
    shown.functionLine('handler', BATCH);
    shown.functionLine('handler', METRICS);
    expect(readFileSync(logFile, 'utf8')).toBe(`${BATCH}\n${METRICS}\n`);
    expect(statSync(logFile).mode & 0o777).toBe(0o600);
  });
});
