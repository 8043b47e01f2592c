import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { NOTICES_FILE, thirdPartyNotices } from './third-party-notices.ts';

// Builds what other CDK apps install, into dist/package/: the construct as one CommonJS module, as aws-cdk-lib is, since Node
// does not strip types in node_modules; one set of declarations; and beside it the functions, where it finds them as the
// sources do. ES modules import it by its names.
const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const folder = path('dist/package');
const declarations = () => globSync('{lib,lambda}/**/*.d.ts', { cwd: folder });

/** A declaration file and all that it imports. */
function withReferences(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(folder, file), 'utf8');
  for (const [, module = ''] of text.matchAll(/(?:\bfrom |\bimport\()'(\.[^']*)\.js'/g)) {
    withReferences(`${join(dirname(file), module)}.d.ts`, found);
  }
  return found;
}

rmSync(folder, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [path('node_modules/typescript/bin/tsc'), '--project', 'tsconfig.package.json'],
  { cwd: path('.'), stdio: 'inherit' },
);
for (const file of declarations()) {
  const text = readFileSync(join(folder, file), 'utf8');
  writeFileSync(join(folder, file), text.replaceAll(/'(\.[^']*)\.ts'/g, "'$1.js'"));
}
// No exported type refers to the rest, which may name packages that apps lack.
const exported = withReferences('lib/index.d.ts');
for (const file of declarations()) {
  if (!exported.has(file)) rmSync(join(folder, file));
}
await build({
  entryPoints: [path('lib/index.ts')],
  outfile: join(folder, 'lib/index.js'),
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  define: { 'import.meta.dirname': '__dirname' },
});
// The command line, with its dependencies: `npx` runs it without the CDK and without this repository.
const { metafile } = await build({
  entryPoints: [path('cli/usher.ts')],
  outfile: join(folder, 'bin/usher.js'),
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  banner: { js: '#!/usr/bin/env node' },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
chmodSync(join(folder, 'bin/usher.js'), 0o755);
writeFileSync(join(folder, 'bin', NOTICES_FILE), thirdPartyNotices(metafile));
writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
cpSync(path('dist/lambda'), join(folder, 'dist/lambda'), { recursive: true });
