import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditedMeeting } from '../support/audited.ts';
import { heldBytes } from '../support/heap.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

const BATCHES = 1_000;
/** Caches are warm and the heap has found its size by then. */
const SETTLED = 300;

let system: RunningSystem;
beforeAll(async () => {
  system = await startSystem({ config: unthrottledConfig(), env: { USHER_LOCAL_CONCURRENCY: '1' } });
}, 60_000);
afterAll(() => system.stop());

/** The one handler process, which has its function's name among its arguments. */
function handlerPid(): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const handlers = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, parent, ...args]) => Number(parent) === system.environment.pid && /Attendees/.test(args.join(' ')),
    );
  expect(handlers).toHaveLength(1);
  return Number(handlers[0]?.[0]);
}

describe('one handler process', () => {
  it(`serves ${BATCHES} batches in a row without an error, and without growing`, async () => {
    const { apiUrl, meetingId } = system.environment;
    const token = await system.token('--sub', 'backend', '--scope', 'attendees.create');
    const pid = handlerPid();
    let settledBytes = 0;
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
      if (batch === SETTLED) settledBytes = await heldBytes(pid);
    }
    expect(handlerPid()).toBe(pid);

    const heldAtEnd = await heldBytes(pid);
    const megabytes = (bytes: number) => (bytes / 1_048_576).toFixed(1);
    console.log(
      `heap: ${megabytes(settledBytes)} MB after ${SETTLED} batches, ${megabytes(heldAtEnd)} MB at the end`,
    );
    // Ten kilobytes kept of each batch would be 7 MB.
    expect(heldAtEnd - settledBytes).toBeLessThan(4 * 1_048_576);

    const audited = await auditedMeeting(system, meetingId ?? '');
    expect(audited).toHaveLength(BATCHES);
    expect(new Set(audited.map(({ state }) => state))).toEqual(new Set(['ISSUED']));
  }, 120_000);
});
