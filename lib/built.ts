import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Refusal } from './refusal.ts';

/** @throws Refusal where a function's bundle, its entry `index.js`, is not there */
export function assertBuilt(bundleDirectory: string): void {
  const entry = join(bundleDirectory, 'index.js');
  if (existsSync(entry)) return;
  throw new Refusal(
    `${relative(process.cwd(), entry)}: the function is not built; run \`npm run build\` first`,
  );
}
