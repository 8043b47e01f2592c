import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

/** A folder outside of this repository, so that nothing is found here by chance; the caller removes it. */
export function createFolder(): string {
  return mkdtempSync(join(tmpdir(), 'usher-package-'));
}

/** Packs what apps install. @returns the tarball in the folder */
export function packPackage(folder: string): string {
  // As `npm pack` does by itself, but without building the functions again under the tests that run beside this one.
  run('.', process.execPath, 'scripts/build-package.ts');
  run('.', 'npm', 'pack', '--ignore-scripts', `--pack-destination=${folder}`);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  return join(folder, tarball as string);
}

/** An app with the package in it, and with packages that are linked from this repository. */
export function createApp(folder: string, tarball: string, ...linked: string[]): string {
  const installed = join(folder, 'node_modules', manifest.name);
  mkdirSync(installed, { recursive: true });
  run(folder, 'tar', '-xzf', tarball, '-C', installed, '--strip-components=1');
  for (const name of linked) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return folder;
}

export function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
