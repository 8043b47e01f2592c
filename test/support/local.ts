import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalEnvironment, readLocalEnvironment } from '../../local/environment.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** Compiling CDK and the SDK is a third of what a start takes. */
export const COMPILE_CACHE = path.join(tmpdir(), 'usher-test-compile-cache');
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export interface StartOptions {
  /** A configuration in place of `config/local.json`. */
  config?: object;
  /** Added to an environment of nothing but PATH and HOME. */
  env?: Record<string, string>;
  /** Of `npm start`, beside `--json`. */
  flags?: string[];
}

/** A local system in processes of its own, as `npm start` runs it (`npm run build` has to come first). */
export interface RunningSystem {
  environment: LocalEnvironment;
  /** Its `USHER_LOCAL_DIR`. */
  directory: string;
  stdout(): string;
  stderr(): string;
  /** The processes that run the function at the moment: one after the start, more when it has been busy. */
  handlerProcessIds(): number[];
  /** Runs `npm run token` with these arguments. */
  token(...args: string[]): Promise<string>;
  /** Interrupts it. @throws where it does not exit with 0, in time, with nothing left in its directory */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * The local configuration with a throttle of the gateway's that no test runs into: for tests of many requests, which a
 * fast machine sends faster than `config/local.json` allows.
 */
export function unthrottledConfig(): { limits: object } {
  const config = JSON.parse(readFileSync(path.join(PROJECT, 'config/local.json'), 'utf8'));
  return { ...config, limits: { ...config.limits, requestsPerSecond: 5_000, burst: 5_000 } };
}

/** @throws where the system exits before it is ready, with what it said */
export async function startSystem(options: StartOptions = {}): Promise<RunningSystem> {
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
  const system = launch(directory, options);
  const ready = () => existsSync(path.join(directory, 'environment.json'));
  await until(() => ready() || system.child.exitCode !== null);
  if (!ready()) {
    system.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    throw new Error(`The local system did not start:\n${system.stdout()}${system.stderr()}`);
  }
  return {
    environment: readLocalEnvironment(directory),
    directory,
    stdout: system.stdout,
    stderr: system.stderr,
    handlerProcessIds: () => handlerProcessIds(system.child.pid as number),
    async token(...args) {
      const { stdout } = await promisify(execFile)(process.execPath, ['cli/token.ts', ...args], {
        cwd: PROJECT,
        env: childEnvironment(directory, {}),
      });
      return stdout.trim();
    },
    async stop(signal = 'SIGINT') {
      system.child.kill(signal);
      const { code, inTime } = await system.exit();
      const left = readdirSync(directory).filter((name) => !KEPT.includes(name));
      rmSync(directory, { recursive: true, force: true });
      if (!inTime || code !== 0 || left.length > 0) {
        throw new Error(`The local system ended with ${code}, left ${left}:\n${system.stderr()}`);
      }
    },
  };
}

/** Starts a system that is expected to refuse. @returns when it has exited */
export async function startFailing(
  directory: string,
  options: StartOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const system = launch(directory, options);
  const { code } = await system.exit(START_TIMEOUT_MS);
  return { code, stdout: system.stdout(), stderr: system.stderr() };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until something is so. @throws where it never is */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Waited too long for ${condition}.`);
    await pause(25);
  }
}

const CONFIG_FILE = 'config.json';

/** What a system leaves for people to read, beside the configuration of a test. */
const KEPT = [CONFIG_FILE, 'data', 'log.ndjson'];

function launch(directory: string, { config, env = {}, flags = [] }: StartOptions) {
  const args = ['local/start.ts', '--json', ...flags];
  if (config !== undefined) {
    const file = path.join(directory, CONFIG_FILE);
    writeFileSync(file, JSON.stringify(config));
    args.push('--config', file);
  }
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    env: childEnvironment(directory, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    child,
    stdout: collect(child.stdout),
    stderr: collect(child.stderr),
    exit: (timeoutMs = STOP_TIMEOUT_MS) => waitForExit(child, timeoutMs),
  };
}

function childEnvironment(directory: string, env: Record<string, string>): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    // CDK and SDK look for one, and an unknown user has none.
    HOME: tmpdir(),
    USHER_LOCAL_DIR: directory,
    USHER_LOCAL_SCHEDULE: 'off',
    // Many systems run at a time, and none of them finds what another one kept.
    USHER_LOCAL_DATA: 'memory',
    PORT: '0',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...env,
  };
}

function handlerProcessIds(systemPid: number): number[] {
  const processes = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return processes
    .filter((line) => line.includes('lambda/worker.ts') && line.includes('Attendees'))
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, parent]) => (parent === systemPid && pid !== undefined ? [pid] : []));
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return () => text;
}

async function waitForExit(child: ChildProcess, timeoutMs: number) {
  let inTime = true;
  const timer = setTimeout(() => {
    inTime = false;
    child.kill('SIGKILL');
  }, timeoutMs);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, inTime };
}

/** The processes that a process started. */
export function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid'], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}

/** Admits a user to the system's first meeting. */
export async function admit(system: RunningSystem, name: string): Promise<Response> {
  const { apiUrl, meetingId } = system.environment;
  return fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await system.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ Attendees: [{ ExternalUserId: name }] }),
  });
}
