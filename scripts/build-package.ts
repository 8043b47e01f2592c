import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

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
// The same as CommonJS, for apps and tests that still are: jest, which `cdk init` sets up, loads nothing else.
const { metafile } = await build({
  entryPoints: [path('lib/index.ts')],
  outfile: path('dist/package/lib/index.cjs'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  absWorkingDir: path('.'),
  metafile: true,
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename);" },
});
// Of the functions the construct needs little more than types: what runs on Lambda is in their bundles.
const needed = Object.keys(metafile.inputs).map((source) => `dist/package/${source.replace(/\.ts$/, '.js')}`);
for (const file of globSync('dist/package/lambda/**/*.js', { cwd: path('.') })) {
  if (!needed.includes(file)) rmSync(path(file));
}
// The same types as those of CommonJS, which they are where the nearest package.json says so.
for (const file of globSync('dist/package/{lib,lambda}/**/*.d.ts', { cwd: path('.') })) {
  cpSync(path(file), path(file.replace('dist/package/', 'dist/package/commonjs/')));
}
writeFileSync(path('dist/package/commonjs/package.json'), '{ "type": "commonjs" }\n');
cpSync(path('openapi.json'), path('dist/package/openapi.json'));
cpSync(path('dist/lambda'), path('dist/package/dist/lambda'), { recursive: true });
