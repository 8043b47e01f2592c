import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm run test:deploy`: installs the emulator of AWS into a directory that is gone afterwards, and runs the suite.

/** The exit code that says that nothing was tested, because the emulator cannot be had here. */
const NOT_RUN = 3;

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** What pip and Python say when it is not the requirements that are wrong but what this machine has or reaches. */
const OUT_OF_REACH =
  /Retrying \(|No module named (venv|ensurepip)|ensurepip is not available|different python version/;

// Ctrl-C reaches the child that is waited for; the directory is to go all the same.
process.on('SIGINT', () => {});

const directory = mkdtempSync(path.join(tmpdir(), 'usher-deploy-'));
try {
  const obstacle = installEmulator(path.join(directory, 'venv'));
  if (obstacle === undefined) process.exitCode = runSuite(process.argv.slice(2));
  else {
    console.error(
      `\n*** NOT RUN: npm run test:deploy. The emulator of AWS cannot be had here: ${obstacle}\n`,
    );
    process.exitCode = NOT_RUN;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/**
 * @returns why it cannot be had, if it is not for the requirements
 * @throws where the requirements cannot be met although pip reaches its index
 */
function installEmulator(venv: string): string | undefined {
  const pip = path.join(venv, 'bin', 'pip');
  const steps = [
    ['python3', '-m', 'venv', venv],
    [pip, 'install', '--quiet', '--retries=1', '--only-binary=:all:', `--requirement=${REQUIREMENTS}`],
  ];
  for (const [command = '', ...args] of steps) {
    const { error, status, stdout, stderr } = spawnSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    if (error !== undefined) return error.message;
    if (status === 0) continue;
    // Debian's Python says on stdout what it lacks.
    const printed = `${stdout}${stderr}`.trim();
    if (OUT_OF_REACH.test(printed)) return printed.split('\n', 1)[0];
    throw new Error(`${command} ${args.join(' ')}:\n${printed}`);
  }
  return undefined;
}

function runSuite(args: string[]): number {
  const { status } = spawnSync(
    'npm',
    ['run', '--silent', 'jest', '--', '--selectProjects', 'deploy', ...args],
    {
      cwd: PROJECT,
      stdio: 'inherit',
      env: { ...process.env, USHER_DEPLOY_DIR: directory },
    },
  );
  return status ?? 1;
}
