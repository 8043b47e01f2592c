import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE, type RunningSystem, startSystem } from './local.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export interface Run {
  code: number | null;
  stdout: string;
  lines: string[];
  stderr: string;
}

/** A local system, and `npm run verify:aws` on it. */
export async function startVerifiedSystem() {
  const system: RunningSystem = await startSystem();
  const launch = (args: string[] = [], directory = system.directory) =>
    spawn(process.execPath, ['cli/verify.ts', '--local', ...args], {
      cwd: PROJECT,
      env: {
        PATH: process.env['PATH'],
        HOME: tmpdir(),
        USHER_LOCAL_DIR: directory,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return {
    system,
    launch,
    async verify(child = launch()): Promise<Run> {
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text;
      });
      await once(child, 'close');
      return { code: child.exitCode, stdout, lines: stdout.trimEnd().split('\n'), stderr };
    },
    emulator: (at: string, method: string, body?: object) =>
      fetch(`${system.environment.chimeUrl}/_emulator/${at}`, {
        method,
        ...(body && { body: JSON.stringify(body) }),
      }),
  };
}

export const failures = ({ lines }: Run): string[] => lines.filter((line) => line.startsWith('failed'));
