import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type LocalEnvironment, readLocalEnvironment } from '../../local/environment.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

export interface StartOptions {
  /** A configuration in place of `config/local.json`. */
  config?: object;
  /** Added to an environment of nothing but PATH. */
  env?: Record<string, string>;
}

/** A local system in processes of its own, as `npm start` runs it (`npm run build` has to come first). */
export interface RunningSystem {
  environment: LocalEnvironment;
  /** Its `USHER_LOCAL_DIR`. */
  directory: string;
  stdout(): string;
  stderr(): string;
  /** Runs `npm run token` with these arguments. */
  token(...args: string[]): Promise<string>;
  /** Interrupts it. @throws where it does not exit with 0, in time, with nothing left in its directory */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** @throws where the system exits before it is ready, with what it said */
export async function startSystem(options: StartOptions = {}): Promise<RunningSystem> {
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
  const system = launch(directory, options);
  while (!existsSync(path.join(directory, 'environment.json'))) {
    if (system.child.exitCode !== null || performance.now() > system.deadlineMs) {
      system.child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      throw new Error(`The local system did not start:\n${system.stdout()}${system.stderr()}`);
    }
    await pause(25);
  }
  return {
    environment: readLocalEnvironment(directory),
    directory,
    stdout: system.stdout,
    stderr: system.stderr,
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
      const left = readdirSync(directory).filter((name) => name !== CONFIG_FILE);
      rmSync(directory, { recursive: true, force: true });
      if (!inTime || code !== 0 || left.length > 0) {
        throw new Error(`The local system ended with ${code}, left ${left}:\n${system.stderr()}`);
      }
    },
  };
}

/** Starts a system that is expected to refuse. @returns when it has exited */
export async function startRefused(
  directory: string,
  options: StartOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const system = launch(directory, options);
  const { code } = await system.exit(START_TIMEOUT_MS);
  return { code, stdout: system.stdout(), stderr: system.stderr() };
}

const CONFIG_FILE = 'config.json';

function launch(directory: string, { config, env = {} }: StartOptions) {
  const args = ['local/start.ts'];
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
    deadlineMs: performance.now() + START_TIMEOUT_MS,
    stdout: collect(child.stdout),
    stderr: collect(child.stderr),
    exit: (timeoutMs = STOP_TIMEOUT_MS) => waitForExit(child, timeoutMs),
  };
}

function childEnvironment(directory: string, env: Record<string, string>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', USHER_LOCAL_DIR: directory, ...env };
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
