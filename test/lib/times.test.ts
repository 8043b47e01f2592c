import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { REQUEST_TIMES } from '../../lambda/create-attendees/time-budget.ts';
import { KEY_FETCHING } from '../../lambda/oidc/issuer-keys.ts';
import { RUN_TIMES } from '../../lambda/reconciler/run-times.ts';
import { completeSettings } from '../../lib/settings/complete.ts';
import { resourcesOf, synthesize, theResource } from '../support/synthesize.ts';

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

  it('leave time for Chime if everything before takes its longest', () => {
    const beforeChimeMs = KEY_FETCHING.timeoutMs + findMeetingMs + recordMs;
    expect(budgetMs - recordReserveMs - beforeChimeMs).toBeGreaterThan(minCreateMs);
  });

  it('leave the outcome the larger part of its reserve if admissions take their longest', () => {
    expect(admissionsMs).toBeLessThanOrEqual(recordReserveMs - outcomeReserveMs);
    expect(outcomeReserveMs).toBeGreaterThan(admissionsMs);
  });

  it('leave time for Chime even with the shortest configurable time-out', () => {
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
    expect(answerReserveMs).toBe(500);
    expect(recordMs).toBe(findMeetingMs);
    const secondsOf = rows.map(([, what, howLong = '']) => [
      what,
      howLong.match(/\d+(?= s\b)/g)?.map(Number),
    ]);
    expect(Object.fromEntries(secondsOf)).toMatchObject({
      'API Gateway': [GATEWAY_MS / 1000, timeoutOf('Attendees') + 1],
      'the function': [timeoutOf('Attendees')],
      'a request': [budgetMs / 1000],
      Chime: [recordReserveMs / 1000],
      'finding the meeting, each record': [findMeetingMs / 1000, admissionsMs / 1000],
      "the issuer's keys": [KEY_FETCHING.timeoutMs / 1000],
    });
  });
});

describe('the times of a run of the reconciler', () => {
  it('end before the next one begins', () => {
    const [rule] = resourcesOf(template, 'AWS::Events::Rule', 'Reconciler');
    expect(rule?.Properties['ScheduleExpression']).toBe('rate(1 minute)');
    expect(timeoutOf('Reconciler')).toBeLessThan(60);
  });

  it('let a call that begins at the last moment end before the function is stopped', () => {
    const { stopReserveMs, ...calls } = RUN_TIMES;
    expect(stopReserveMs).toBeGreaterThan(Math.max(...Object.values(calls)));
  });

  it('are those of the pages', () => {
    const works = `${timeoutOf('Reconciler') - RUN_TIMES.stopReserveMs / 1000} s`;
    const page = readFileSync('docs/audit-protocol.md', 'utf8').replaceAll(/\s+/g, ' ');
    expect(page).toContain(`A run works for ${works} at most`);
  });
});
