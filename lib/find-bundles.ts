import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { assertBuilt } from './checks/bundles.ts';
import { ConfigurationError } from './checks/configuration-error.ts';

const PACKAGE = 'chime-usher';

/** The package's files, relative to its manifest. */
const PACKED = 'dist/package/dist/lambda';

const ENTRY = 'create-attendees/index.mjs';

/**
 * Finds the functions of this package: beside this module, or in the installed package if the app is bundled with this
 * module. Searches when a facade is created, never at import.
 *
 * @throws ConfigurationError if they are in neither place
 */
export function findBundles(): string {
  const besideModule = join(moduleDirectory(), '../dist/lambda');
  if (existsSync(join(besideModule, ENTRY))) return besideModule;
  if (isSourceFolder()) assertBuilt(join(besideModule, 'create-attendees'));
  const installed = installedBundles();
  if (installed !== undefined) return installed;
  throw new ConfigurationError(
    `The functions of ${PACKAGE} are not in ${besideModule}, and neither ${process.cwd()} nor the app has the package installed: the app was bundled without the functions. Mark the package as external (esbuild --external:${PACKAGE}) and install it where the app runs, or copy its folder ${PACKED} and set bundlesDirectory to the copy`,
  );
}

/** The folder of this module; that of the app's bundle if it is in one; the working directory if the bundle is an ES module. */
function moduleDirectory(): string {
  // The package's build sets `__dirname` here, which an ES module lacks.
  return typeof import.meta.dirname === 'undefined' ? join(process.cwd(), 'lib') : import.meta.dirname;
}

function isSourceFolder(): boolean {
  const manifest = join(moduleDirectory(), '../package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === PACKAGE;
}

function installedBundles(): string | undefined {
  for (const folder of [moduleDirectory(), process.cwd()]) {
    try {
      const manifest = createRequire(join(folder, 'app.js')).resolve(`${PACKAGE}/package.json`);
      return join(dirname(manifest), PACKED);
    } catch {
      // The package is not installed there.
    }
  }
  return undefined;
}
