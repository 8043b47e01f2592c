import { readdirSync, readFileSync } from 'node:fs';

/** How often a quota is renewed. Lambda does not document its own period. */
const PERIOD_MS = 20;
const POLL_MS = 1;

/**
 * Holds a process to a share of one core, as a quota of the kernel does: once its threads have used their share of a period,
 * it is stopped until the next one. What it uses too much, before that is seen, is taken from the next. Linux only.
 *
 * @param share of one core, from 0 to 1
 * @returns ends the limit
 */
export function limitCpu(pid: number, share: number): () => void {
  let limitMs = cpuMsOf(pid) ?? 0;
  let renewedMs = performance.now() - PERIOD_MS;
  let isStopped = false;
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    isStopped = name === 'SIGSTOP';
    process.kill(pid, name);
  };
  const timer = setInterval(() => {
    const usedMs = cpuMsOf(pid);
    if (usedMs === undefined) return clearInterval(timer);
    const periods = Math.floor((performance.now() - renewedMs) / PERIOD_MS);
    if (periods > 0) {
      renewedMs += periods * PERIOD_MS;
      // What is left of a quota lapses.
      limitMs = Math.min(limitMs, usedMs) + periods * share * PERIOD_MS;
    }
    if (usedMs >= limitMs && !isStopped) signal('SIGSTOP');
    if (usedMs < limitMs && isStopped) signal('SIGCONT');
  }, POLL_MS);
  return () => {
    clearInterval(timer);
    if (isStopped && cpuMsOf(pid) !== undefined) signal('SIGCONT');
  };
}

/** Of all threads (proc(5), `schedstat`); undefined if the process has ended. */
function cpuMsOf(pid: number): number | undefined {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const ofTask = (task: string) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    return tasks.reduce((sum, task) => sum + ofTask(task), 0) / 1e6;
  } catch {
    return undefined;
  }
}
