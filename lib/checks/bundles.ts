import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ConfigurationError } from './configuration-error.ts';

/** @throws ConfigurationError if a function's bundle, its entry `index.mjs`, does not exist */
export function assertBuilt(bundleDirectory: string): void {
  const entry = join(bundleDirectory, 'index.mjs');
  if (existsSync(entry)) return;
  throw new ConfigurationError(
    `${relative(process.cwd(), entry)}: the function is not built; run \`npm run build\``,
  );
}
