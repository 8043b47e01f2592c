import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';

// The functions that the runbook defines, run by bash, with a command `aws` that answers what a test says.
const runbook = readFileSync('docs/runbook.md', 'utf8');
const blocks = [...runbook.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
const functions = [...(blocks[0]?.matchAll(/^\w+\(\) \{.*?^\}$|^\w+\(\) \{.*\}$/gms) ?? [])].join('\n');
const redrive = blocks.find((block) => block.includes('redrive()')) ?? '';
const lines = blocks.find((block) => block.includes('lines()')) ?? '';

const folder = mkdtempSync(join(tmpdir(), 'usher-runbook-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
});

/** @param answers what `aws` prints, call by call */
function run(script: string, ...answers: string[]) {
  rmSync(join(folder, 'calls'), { force: true });
  for (const [index, answer] of answers.entries()) writeFileSync(join(folder, `answer-${index}`), answer);
  const aws = join(folder, 'bin/aws');
  writeFileSync(
    aws,
    `#!/bin/bash\necho "$@" >> ${folder}/calls\nn=$(($(wc -l < ${folder}/calls) - 1))\nexec cat ${folder}/answer-$n\n`,
    { mode: 0o755 },
  );
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `sleep() { :; }\n${script}`], {
    cwd: folder,
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, STACK: 'S', DEAD_LETTERS: 'Q' },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const answer = (status: string, results: object[] = []) =>
  JSON.stringify({ status, results, statistics: { recordsScanned: 12, recordsMatched: results.length } });
const row = [
  { field: 'reason', value: 'path' },
  { field: '@ptr', value: 'x' },
];

describe('the commands of the runbook', () => {
  it('wait for a query to finish, and say how much it read', () => {
    const asked = run(
      `${functions}\ninsights group query 2026-11-23T14:00Z 2026-11-23T15:00Z`,
      ...['id-1\n', answer('Scheduled'), answer('Running'), answer('Complete', [row])],
    );
    expect(asked.stdout).toBe('{"reason":"path"}\n');
    expect(asked.stderr).toContain('1 rows, 2026-11-23T14:00:00Z to 2026-11-23T15:00:00Z, of 12 lines read');
    const [first = ''] = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
    expect(first).toContain('--start-time 1795442400 --end-time 1795446000');
  });

  it.each(['Failed', 'Cancelled', 'Timeout', 'Unknown'])(
    'do not take a query that is %s for an empty one',
    (state) => {
      const asked = run(`${functions}\ninsights group query`, 'id-1\n', answer(state));
      expect([asked.status, asked.stdout]).toEqual([1, '']);
      expect(asked.stderr).toContain(`ended as ${state}`);
    },
  );

  it('refuse a time that is none, and a resource that is not exactly one', () => {
    const time = run(`${functions}\ninsights group query yesterday`, 'id-1\n');
    expect([time.status, time.stderr]).toEqual([1, expect.stringContaining('yesterday is not a time')]);
    const none = run(`${functions}\nresource AWS::Lambda::Function Attendees`, '[]\n');
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('found: none')]);
    const two = run(`${functions}\nresource AWS::Lambda::Function Attendees`, '["one", "two"]\n');
    expect([two.status, two.stdout]).toEqual([1, '']);
    const one = run(`${functions}\nresource AWS::Lambda::Function Attendees`, '["one"]\n');
    expect([one.status, one.stdout]).toEqual([0, 'one\n']);
  });

  it('take every dead letter again, keep one that fails, and end with an empty queue', () => {
    const letter = (id: string, body: object) =>
      JSON.stringify({
        Messages: [{ MessageId: id, ReceiptHandle: `handle-${id}`, Body: JSON.stringify(body) }],
      });
    const failing = letter('a', { n: 1 });
    const passing = [letter('b', { requestPayload: { n: 2 } }), 'None\n', ''];
    const some = run(redrive, failing, 'Unhandled\n', ...passing, failing, '');
    expect([some.status, some.stderr]).toEqual([1, expect.stringContaining('1 recorded, 1 failed')]);
    const calls = readFileSync(join(folder, 'calls'), 'utf8');
    expect(calls.match(/--payload .*? --query|delete-message.*/g)).toEqual([
      '--payload {"n":1} --query',
      '--payload {"n":2} --query',
      'delete-message --queue-url Q --receipt-handle handle-b',
    ]);
    const none = run(redrive, '');
    expect([none.status, none.stderr]).toEqual([0, expect.stringContaining('0 recorded, 0 failed')]);
  });

  it('read the log of the local system, and say where there is none', () => {
    expect(run(`${lines}\nlines true`).stderr).toContain('no log in .local');
    mkdirSync(join(folder, '.local'));
    writeFileSync(
      join(folder, '.local/log.ndjson'),
      '{"message":"batch"}\n{"message":"request failed","code":"x"}\n',
    );
    expect(run(`${lines}\nlines 'it.message === "request failed"'`).stdout).toBe(
      '{"message":"request failed","code":"x"}\n',
    );
  });

  it('use no option that only GNU has', () => {
    expect(blocks.join('\n')).not.toMatch(/date [^|\n]*(-d|--date)\b|sed -i|grep -P|readlink -f/);
  });
});
