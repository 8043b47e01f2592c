import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Builds what other CDK apps install, into dist/package/: the construct as JavaScript with types, since Node does not
// strip types in node_modules, and beside it, where it finds them as the sources do, the contract and the functions.
const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));

rmSync(path('dist/package'), { recursive: true, force: true });
execFileSync(
  process.execPath,
  [path('node_modules/typescript/bin/tsc'), '--project', 'tsconfig.package.json'],
  {
    cwd: path('.'),
    stdio: 'inherit',
  },
);
// Only types are taken from there: what runs is in the bundles.
for (const file of globSync('dist/package/lambda/**/*.js', { cwd: path('.') })) rmSync(path(file));
cpSync(path('openapi.json'), path('dist/package/openapi.json'));
cpSync(path('dist/lambda'), path('dist/package/dist/lambda'), { recursive: true });
