import { randomBytes } from 'node:crypto';
import { CommanderError } from 'commander';
import { survivePipedHelp } from '../local/output.ts';
import { printable } from './audit/output/printable.ts';
import type { CheckGroup } from './verify/check.ts';
import { audit } from './verify/checks/audit.ts';
import { batches } from './verify/checks/batches.ts';
import { browsers } from './verify/checks/browsers.ts';
import { chime } from './verify/checks/chime.ts';
import { events } from './verify/checks/events.ts';
import { gateway } from './verify/checks/gateway.ts';
import { overwrites } from './verify/checks/overwrites.ts';
import { reconciler } from './verify/checks/reconciler.ts';
import { rejections } from './verify/checks/rejections.ts';
import { seals } from './verify/checks/seals.ts';
import { settings } from './verify/checks/settings.ts';
import { tls } from './verify/checks/tls.ts';
import { findDeployment } from './verify/deployment.ts';
import { findLocalSystem, LOCAL_TENANT } from './verify/local-system.ts';
import { createMeetings, type Meetings } from './verify/meetings.ts';
import { parseOptions, type VerifyOptions } from './verify/options.ts';
import { runChecks, type Tally } from './verify/run.ts';
import type { Target, World } from './verify/world.ts';

const EXIT = { passed: 0, failed: 1 };

/** In this order: what the audit says is about the batches before it. */
const GROUPS: CheckGroup[] = [
  { name: 'batches', checks: batches },
  { name: 'chime', checks: chime },
  { name: 'rejections', checks: rejections },
  { name: 'browsers', checks: browsers },
  { name: 'tls', checks: tls },
  { name: 'audit', checks: audit },
  { name: 'reconciler', checks: reconciler },
  { name: 'events', checks: events },
  { name: 'seals', checks: seals },
  { name: 'overwrites', checks: overwrites },
  { name: 'gateway', checks: gateway },
  { name: 'settings', checks: settings },
];

/** Prints a line for each check, and the counts last. @returns the exit code */
async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const stop = new AbortController();
  // A second one ends the process at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let target: Target | undefined;
  let meetings: Meetings | undefined;
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  try {
    const options = parseOptions(args);
    target = await findTarget(options, env);
    meetings = createMeetings(target.chime, {
      mediaRegion: target.meetingsRegion,
      tenants: options.local && options.tenant.length === 0 ? [LOCAL_TENANT] : options.tenant,
    });
    console.error(`Checking ${target.place}.`);
    const world = await enter(target, meetings, options);
    Object.assign(tally, await runChecks(GROUPS, world, { print: console.log, stop: stop.signal }));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const { name, message } = error as Error;
    console.error(`verify: ${printable(name === 'Error' ? message : `${name}: ${message}`)}`);
    tally.failed += 1;
  } finally {
    const left = (await meetings?.deleteAll()) ?? [];
    if (left.length > 0) console.error(`verify: Delete these meetings yourself: ${left.join(', ')}`);
    await target?.close();
  }
  if (stop.signal.aborted) console.error('verify: Interrupted: not everything was checked.');
  console.log(`${tally.skipped} skipped`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed > 0 || stop.signal.aborted ? EXIT.failed : EXIT.passed;
}

function findTarget(options: VerifyOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const { stack } = options;
  return stack === undefined ? findLocalSystem(options, env) : findDeployment({ ...options, stack }, env);
}

/** Everything that each check needs: a meeting of its own, and tokens. */
async function enter(target: Target, meetings: Meetings, { namePrefix }: VerifyOptions): Promise<World> {
  const run = randomBytes(4).toString('hex');
  const { MeetingId: meetingId } = await meetings.create();
  return {
    ...target,
    meetings,
    meetingId,
    token: await target.callerToken(meetingId),
    guest: await target.guestToken?.(meetingId),
    answered: [],
    nameOf: (suffix) => `${namePrefix}verify-${run}-${suffix}`,
  };
}

survivePipedHelp();
process.exitCode = await main(process.argv.slice(2), process.env);
