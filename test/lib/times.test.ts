import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { REQUEST_TIMES } from '../../lambda/create-attendees/time-budget.ts';
import { KEY_FETCHING } from '../../lambda/oidc/token-verifier.ts';
import { completeSettings } from '../../lib/settings/complete.ts';
import { resourcesOf, synthesize, theResource } from '../support/synthesize.ts';

/** A time that a file keeps for itself, in milliseconds, read from its one line there. */
function msIn(file: string, name: string): number {
  const source = readFileSync(file, 'utf8');
  const [[, value] = [], ...others] = source.matchAll(new RegExp(`\\b${name}(?: =|:) ([\\d_]+)\\b`, 'g'));
  if (value === undefined || others.length > 0) throw new Error(`There is no one ${name} in ${file}.`);
  return Number(value.replaceAll('_', ''));
}

const { budgetMs, answerReserveMs, recordReserveMs, outcomeReserveMs } = REQUEST_TIMES;
const { findMeetingMs, recordMs, admissionsMs, minCreateMs } = REQUEST_TIMES;
const defaults = completeSettings({}, 'facade');

const template = synthesize();
const timeoutOf = (name: string) =>
  theResource(template, 'AWS::Lambda::Function', name).Properties['Timeout'] as number;
/** The longest that API Gateway waits for a function (its quotas, integration timeout). */
const GATEWAY_MS = 29_000;

describe('the times of a request, each within the next', () => {
  it('leave it its whole budget, and time to answer, before the function is stopped', () => {
    expect(timeoutOf('Attendees') * 1000).toBeGreaterThan(budgetMs + answerReserveMs);
  });

  it('leave time to ask Chime where everything before takes its longest', () => {
    const beforeChimeMs = KEY_FETCHING.timeoutMs + findMeetingMs + recordMs;
    expect(budgetMs - recordReserveMs - beforeChimeMs).toBeGreaterThan(minCreateMs);
  });

  it('leave the outcome the larger part of what is kept for it, where entries before it take their longest', () => {
    expect(admissionsMs).toBeLessThanOrEqual(recordReserveMs - outcomeReserveMs);
    expect(outcomeReserveMs).toBeGreaterThan(admissionsMs);
  });

  it('leave time to ask Chime even where the function has the least that can be configured', () => {
    const atLeast = (timeoutSeconds: number) => () =>
      completeSettings({ limits: { timeoutSeconds } }, 'facade');
    expect(atLeast(5)).not.toThrow();
    expect(atLeast(4)).toThrow('limits.timeoutSeconds');
    expect(5_000).toBeGreaterThan(recordReserveMs + answerReserveMs + minCreateMs);
  });

  it('have the reconciler wait until the last function that worked on an intent has ended', () => {
    const mostMs = 28_000;
    expect(() => completeSettings({ limits: { timeoutSeconds: 29 } }, 'facade')).toThrow(
      'limits.timeoutSeconds',
    );
    expect(defaults.reconciler.marginSeconds * 1000).toBeGreaterThan(mostMs - budgetMs);
  });

  it('are those of docs/wire-contract.md', () => {
    const [, section = ''] = readFileSync('docs/wire-contract.md', 'utf8').split(
      '\n## How long it takes, at most\n',
    );
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (.+?) \| (.+?) \|.*\|$/gm)].slice(2);
    const s = (ms: number) => `${ms / 1000} s`;
    const functionMs = timeoutOf('Attendees') * 1000;
    expect(answerReserveMs).toBe(500);
    expect(recordMs).toBe(findMeetingMs);
    expect(rows.map(([, who, howLong]) => [who, howLong])).toEqual([
      ['the client', `${s(GATEWAY_MS + 1000)} or more; the SDKs' default is to wait for ever`],
      [
        'API Gateway',
        `${s(GATEWAY_MS)}, which is its limit; here a second more than the function: ${s(functionMs + 1000)}`,
      ],
      ['the function', s(functionMs)],
      ['a request', `${s(budgetMs)}, or half a second less than the function has`],
      ['Chime', `what is left of the request but for ${s(recordReserveMs)}, kept for recording the outcome`],
      ['finding the meeting, each record', `${s(findMeetingMs)} each, derived entries ${s(admissionsMs)}`],
      ["the issuer's keys", s(KEY_FETCHING.timeoutMs)],
    ]);
  });
});

describe('the times of a run of the reconciler', () => {
  it('end before the next one begins', () => {
    const [rule] = resourcesOf(template, 'AWS::Events::Rule', 'Reconciler');
    expect(rule?.Properties['ScheduleExpression']).toBe('rate(1 minute)');
    expect(timeoutOf('Reconciler')).toBeLessThan(60);
  });

  it('let a call that begins at the last moment end before the function is stopped', () => {
    const run = (name: string) => msIn('lambda/reconciler/reconcile.ts', name);
    const longestMs = Math.max(
      msIn('lambda/reconciler/handler.ts', 'timeoutMs'),
      run('RECORD_TIMEOUT_MS'),
      run('ADMISSIONS_TIMEOUT_MS'),
    );
    expect(run('STOP_RESERVE_MS')).toBeGreaterThan(longestMs);
  });

  it('are those of the pages', () => {
    const run = (name: string) => msIn('lambda/reconciler/reconcile.ts', name);
    const works = `${timeoutOf('Reconciler') - run('STOP_RESERVE_MS') / 1000} s`;
    const page = (file: string) => readFileSync(file, 'utf8').replaceAll(/\s+/g, ' ');
    expect(page('docs/audit-protocol.md')).toContain(`A run works for ${works} at most`);
  });
});
