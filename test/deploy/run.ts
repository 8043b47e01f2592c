import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTool } from '../../scripts/install-tool.ts';

// `npm run test:deploy`: installs the emulator of AWS and cfn-lint into a directory that is gone afterwards, cdk-preflight
// into tools/preflight, and runs the suite.

/** The exit code that says that nothing was tested, because the emulator or a linter is not available here. */
const NOT_RUN = 3;

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

const INSTALL_TIMEOUT_MS = 300_000;

/** What pip and Python say when it is not the requirements that are wrong but what this machine has or reaches. */
const OUT_OF_REACH =
  /Retrying \(|No module named (venv|ensurepip)|ensurepip is not available|different python version/;

// Ctrl-C reaches the child that is waited for; the directory is to go all the same.
process.on('SIGINT', () => {});

const directory = mkdtempSync(path.join(tmpdir(), 'usher-deploy-'));
try {
  const obstacle = installPythonTools(path.join(directory, 'venv')) ?? installPreflight();
  if (obstacle === undefined) process.exitCode = runSuite(process.argv.slice(2));
  else {
    console.error(
      `\n*** NOT RUN: npm run test:deploy. The emulator of AWS or a linter is not available here: ${obstacle}\n`,
    );
    process.exitCode = NOT_RUN;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function installPythonTools(venv: string): string | undefined {
  const pip = path.join(venv, 'bin', 'pip');
  return (
    obstacleTo('python3', '-m', 'venv', venv) ??
    obstacleTo(
      pip,
      'install',
      '--quiet',
      '--retries=1',
      '--only-binary=:all:',
      `--requirement=${REQUIREMENTS}`,
    )
  );
}

/** @returns why it is not available, which npm has said itself */
function installPreflight(): string | undefined {
  try {
    installTool('preflight');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * @returns why the command cannot be run here, if it is not for what it installs
 * @throws where that cannot be installed although the index is reached
 */
function obstacleTo(command: string, ...args: string[]): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INSTALL_TIMEOUT_MS,
  });
  if (error !== undefined) return error.message;
  if (status === 0) return undefined;
  // Debian's Python says on stdout what it lacks.
  const printed = `${stdout}${stderr}`.trim();
  if (OUT_OF_REACH.test(printed)) return printed.split('\n', 1)[0];
  throw new Error(`${command} ${args.join(' ')}:\n${printed}`);
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
