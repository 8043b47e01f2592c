import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Installs the packages of a folder in tools/ into that folder, unless its lock file has not changed since.
 *
 * @returns the folder
 */
export function installTool(name: string): string {
  const folder = fileURLToPath(new URL(`../tools/${name}`, import.meta.url));
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules/.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return folder;
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // Output goes to the error stream, so that the tool's own can be redirected.
  execFileSync('npm', options, { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  writeFileSync(stamp, lock);
  return folder;
}
