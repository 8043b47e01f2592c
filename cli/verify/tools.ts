import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const DIRECTORY = fileURLToPath(new URL('../../tools/verify', import.meta.url));
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The AWS clients that nothing else needs. They are installed on the first run, at the versions of their lock file, so
 * that `npm ci` stays small.
 *
 * @throws where npm cannot install them, with what npm said
 */
export function loadTools(): (name: string) => Record<string, unknown> {
  if (!isDeepStrictEqual(versionsIn('package-lock.json'), versionsIn('node_modules/.package-lock.json'))) {
    console.error('Installing the AWS clients that this command needs (once) …');
    const { status, stderr, error } = spawnSync(
      'npm',
      ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      {
        cwd: DIRECTORY,
        encoding: 'utf8',
        timeout: INSTALL_TIMEOUT_MS,
        shell: process.platform === 'win32',
      },
    );
    if (status !== 0) {
      throw new Error(`npm could not install the AWS clients in ${DIRECTORY}: ${error?.message ?? stderr}`);
    }
  }
  return createRequire(path.join(DIRECTORY, 'package.json'));
}

/** What a lock file names, without the folder itself. */
function versionsIn(lockFile: string): Record<string, string> | undefined {
  const file = path.join(DIRECTORY, lockFile);
  if (!existsSync(file)) return undefined;
  const packages: Record<string, { version: string }> = JSON.parse(readFileSync(file, 'utf8')).packages;
  return Object.fromEntries(
    Object.entries(packages)
      .filter(([folder]) => folder !== '')
      .map(([folder, { version }]) => [folder, version]),
  );
}
