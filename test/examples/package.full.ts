import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BuildOptions, build } from 'esbuild';
import { minVersion } from 'semver';
import { createApp, createFolder, manifest, packPackage, run } from '../support/packed-package.ts';
import { fullProduction } from '../support/synthesize.ts';

const folder = createFolder();
const app = join(folder, 'app');
let tarball: string;

/** An app that synthesizes two environments, and prints the templates. */
const APP = `
import { App } from 'aws-cdk-lib';
import { UsherStack } from '${manifest.name}';

// What CDK checks by itself takes longer than all the rest.
const app = new App({ builtinCloudFormationValidation: false });
new UsherStack(app, 'least', { config: { stackName: 'least' } });
new UsherStack(app, 'most', { config: { stackName: 'most', ...${JSON.stringify(fullProduction)} } });
const assembly = app.synth();
console.log(JSON.stringify(['least', 'most'].map((name) => assembly.getStackByName(name).template)));
`;

beforeAll(() => {
  tarball = packPackage(folder);
  mkdirSync(app);
  createApp(app, tarball, 'aws-cdk-lib', 'constructs', 'zod');
  writeFileSync(join(app, 'app.ts'), APP);
  writeFileSync(join(app, 'app.js'), APP);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program of an app, as the CDK command line does. */
function start(cwd: string, file: string, node = process.execPath) {
  const { status, stdout, stderr } = spawnSync(node, [file], {
    cwd,
    env: { HOME: folder, PATH: process.env['PATH'], CDK_OUTDIR: join(folder, 'cdk.out') },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Templates as printed, without the part of a deployment's id that depends on the version of aws-cdk-lib. */
const parse = (stdout: string) => JSON.parse(stdout.replaceAll(/(Deployment[0-9A-F]{8})[0-9a-f]{32}/g, '$1'));
const templates = () => parse(start(app, 'app.js').stdout);

describe('the packed package', () => {
  it('has its names for ES modules and for CommonJS, the same ones', () => {
    const names = ['AttendeeFacade', 'AuditTables', 'ConfigurationError', 'UsherStack', 'loadConfig'];
    writeFileSync(
      join(app, 'names.js'),
      `import { ${names.join(', ')} } from '${manifest.name}';
       import { createRequire } from 'node:module';
       const common = createRequire(import.meta.url)('${manifest.name}');
       console.log(JSON.stringify([${names.join(', ')}].map((it, at) => it === common[${JSON.stringify(names)}[at]])));`,
    );
    expect(start(app, 'names.js')).toEqual({ status: 0, stderr: '', stdout: '[true,true,true,true,true]\n' });
  });

  it('has the contract', () => {
    writeFileSync(
      join(app, 'contract.js'),
      `import contract from '${manifest.name}/openapi.json' with { type: 'json' }; console.log(JSON.stringify(contract));`,
    );
    expect(JSON.parse(start(app, 'contract.js').stdout)).toEqual(
      JSON.parse(readFileSync('openapi.json', 'utf8')),
    );
  });

  it('reads no file while its modules load', () => {
    writeFileSync(
      join(app, 'load.cjs'),
      `const fs = require('node:fs');
       for (const name of ['aws-cdk-lib', 'constructs', 'zod']) require(name);
       const read = [];
       for (const name of ['readFileSync', 'existsSync', 'statSync', 'readdirSync', 'openSync']) {
         const original = fs[name];
         fs[name] = (...args) => {
           if (!/\\.c?js$|package\\.json$/.test(String(args[0]))) read.push(name + ' ' + args[0]);
           return original(...args);
         };
       }
       const { AttendeeFacade } = require('${manifest.name}');
       const whileLoading = read.length;
       const { App, Stack } = require('aws-cdk-lib');
       new AttendeeFacade(new Stack(new App(), 'Stack'), 'Facade');
       console.log(whileLoading, read.length > whileLoading);`,
    );
    expect(start(app, 'load.cjs')).toEqual({ status: 0, stderr: '', stdout: '0 true\n' });
  });
});

describe('an app that esbuild bundles into one file', () => {
  async function bundle(name: string, options: BuildOptions): Promise<string> {
    const outfile = join(app, name);
    await build({
      entryPoints: [join(app, 'app.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      ...options,
    });
    return outfile;
  }

  it.each<[string, string, BuildOptions]>([
    // aws-cdk-lib cannot be bundled: it reads files of its own from beside its modules.
    ['this package too', 'all.cjs', { format: 'cjs', external: ['aws-cdk-lib', 'constructs'] }],
    ['all but its packages', 'own.cjs', { format: 'cjs', packages: 'external' }],
    ['all but its packages, as an ES module', 'own.mjs', { format: 'esm', packages: 'external' }],
    [
      'all but this package and those of CDK',
      'ours.cjs',
      { format: 'cjs', external: [manifest.name, 'aws-cdk-lib', 'constructs'] },
    ],
  ])(
    'synthesizes the same templates, %s',
    async (_what, name, options) => {
      const file = await bundle(name, options);
      const { status, stdout, stderr } = start(app, file);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(parse(stdout)).toEqual(templates());
    },
    120_000,
  );

  it('learns what to mark as external where the package is not installed', async () => {
    const file = await bundle('lonely.cjs', { format: 'cjs', external: ['aws-cdk-lib', 'constructs'] });
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    createApp(elsewhere, tarball, 'aws-cdk-lib', 'constructs');
    rmSync(join(elsewhere, 'node_modules', manifest.name), { recursive: true });
    cpSync(file, join(elsewhere, 'app.cjs'));
    const { status, stderr } = start(elsewhere, 'app.cjs');
    expect(status).toBe(1);
    expect(stderr).toContain(`esbuild --external:${manifest.name}`);
    expect(stderr).toContain('bundlesDirectory');
  }, 120_000);
});

describe('the lowest versions that the manifest names', () => {
  it('make the same templates, of aws-cdk-lib and constructs', () => {
    const lowest = join(folder, 'lowest');
    mkdirSync(lowest);
    createApp(lowest, tarball, 'zod');
    const { peerDependencies } = manifest;
    const versions = Object.keys(peerDependencies).map(
      (name) => `${name}@${minVersion(peerDependencies[name])}`,
    );
    const kept = join(lowest, 'node_modules', manifest.name);
    run(lowest, 'npm', 'install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', ...versions);
    mkdirSync(kept, { recursive: true });
    run(lowest, 'tar', '-xzf', tarball, '-C', kept, '--strip-components=1');
    cpSync('node_modules/zod', join(lowest, 'node_modules/zod'), { recursive: true });
    cpSync(join(app, 'app.js'), join(lowest, 'app.js'));
    const { stdout, stderr } = start(lowest, 'app.js');
    expect(stderr).toBe('');
    const installed = readFileSync(join(lowest, 'node_modules/aws-cdk-lib/package.json'), 'utf8');
    expect(JSON.parse(installed).version).toBe(`${minVersion(peerDependencies['aws-cdk-lib'])}`);
    expect(parse(stdout)).toEqual(templates());
  }, 300_000);

  it('make the same templates, of Node', () => {
    const version = `${minVersion(manifest.engines.node)}`;
    const node = join(folder, 'node');
    mkdirSync(node);
    writeFileSync(join(node, 'package.json'), '{ "private": true }\n');
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    run(
      node,
      'npm',
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${version}`,
    );
    const binary = join(node, 'node_modules', name, 'bin/node');
    expect(run(node, binary, '--version')).toBe(`v${version}\n`);
    const { stdout, stderr } = start(app, 'app.js', binary);
    expect(stderr.replaceAll(/^.*(end-of-life|deprecat|node@).*$/gim, '')).not.toMatch(/Error/);
    expect(parse(stdout)).toEqual(templates());
  }, 300_000);
});
