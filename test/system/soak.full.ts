import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningSystem, startSystem } from '../local/support.ts';
import { auditedMeeting } from './audited.ts';

const BATCHES = 1_000;
/** Caches are warm and the heap has found its size by then. */
const SETTLED = 300;

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ env: { USHER_LOCAL_CONCURRENCY: '1' } });
}, 60_000);
afterAll(() => system.stop());

/** The one handler process: the system's child that is not the issuer. */
function handlerPid(): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([pid, parent]) => parent === system.environment.pid && pid !== system.environment.issuerPid);
  expect(children).toHaveLength(1);
  return children[0]?.[0] ?? 0;
}

const residentKb = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));

describe('one handler process', () => {
  it(`serves ${BATCHES} batches in a row without an error, and without growing`, async () => {
    const { apiUrl, meetingId } = system.environment;
    const token = await system.token('--sub', 'backend', '--scope', 'attendees.create');
    const pid = handlerPid();
    const sizesKb: number[] = [];
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const response = await fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        // A meeting takes 250 attendees: names come again, as they do when people reload a page.
        body: JSON.stringify({ Attendees: [{ ExternalUserId: `guest-${batch % 200}` }] }),
      });
      const { Attendees } = (await response.json()) as { Attendees?: unknown };
      expect(response.status).toBe(200);
      expect(Attendees).toMatchObject([{ ExternalUserId: `guest-${batch % 200}` }]);
      if (batch >= SETTLED) sizesKb.push(residentKb(pid));
    }
    expect(handlerPid()).toBe(pid);

    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [early, late] = [mean(sizesKb.slice(0, 100)), mean(sizesKb.slice(-100))];
    console.log(
      `resident: ${Math.round(early)} KB after ${SETTLED} batches, ${Math.round(late)} KB at the end`,
    );
    // A leak of 64 KB a batch would double it; a heap that breathes does not.
    expect(late).toBeLessThan(early * 1.3);

    const audited = await auditedMeeting(system, meetingId ?? '');
    expect(audited).toHaveLength(BATCHES);
    expect(new Set(audited.map(({ state }) => state))).toEqual(new Set(['ISSUED']));
  }, 120_000);
});
