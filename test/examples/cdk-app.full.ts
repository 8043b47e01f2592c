import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

// Builds Usher into an app as its authors do: installs the packed package into the example, and nothing
// else of this repository.
const folder = mkdtempSync(join(tmpdir(), 'usher-example-'));
const app = join(folder, 'app');
const run = (cwd: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  // As `npm pack` would by itself, but without building the functions again under the tests that run beside this one.
  run('.', process.execPath, 'scripts/build-package.ts');
  run('.', 'npm', 'pack', '--ignore-scripts', `--pack-destination=${folder}`);
  const [packed] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  cpSync('examples/cdk-app', app, {
    recursive: true,
    filter: (source) => !/node_modules|cdk\.out|package-lock/.test(source),
  });
  run(app, 'npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, packed as string));
}, 180_000);

const synthesize = (output: string) => {
  run(app, 'npx', 'cdk', 'synth', '--quiet', `--output=${output}`);
  return readFileSync(join(app, output, 'Classroom.template.json'), 'utf8');
};

describe('an app that installs the package', () => {
  it('gets the construct, and neither a bundler, nor an SDK, nor another Node', () => {
    const installed = readdirSync(join(app, 'node_modules'));
    expect(installed).toContain('chime-usher');
    expect(installed.filter((name) => /^(esbuild|@aws-sdk|node-linux)/.test(name))).toEqual([]);
  });

  it('is type-checked against types that stand on their own', () => {
    expect(run(app, 'npx', 'tsc')).toBe('');
  }, 60_000);

  it('synthesizes, the same bytes every time, with the functions that were built here', () => {
    const template = synthesize('cdk.out');
    expect(template).toContain('"AWS::ApiGateway::RestApi"');
    expect(synthesize('again')).toBe(template);

    const bundles = readdirSync(join(app, 'cdk.out'))
      .map((name) => join(app, 'cdk.out', name))
      .filter((folder) => existsSync(join(folder, 'index.mjs')))
      .map(textsIn);
    const built = readdirSync('dist/lambda').map((name) => textsIn(join('dist/lambda', name)));
    expect(bundles.toSorted()).toEqual(built.toSorted());
  }, 60_000);

  it('gets it as CommonJS too, as jest would load it', () => {
    const program = [
      "const { App, Stack } = require('aws-cdk-lib');",
      "const { AttendeeFacade } = require('chime-usher');",
      "console.log(require.resolve('chime-usher').split('/').at(-1));",
      "console.log(new AttendeeFacade(new Stack(new App(), 'Stack'), 'Meetings').tables.audit.node.path);",
    ].join('\n');
    expect(run(app, process.execPath, '--input-type=commonjs', '--eval', program)).toBe(
      'index.js\nStack/Meetings/Tables/Audit\n',
    );
  });

  it('is type-checked as CommonJS too', () => {
    const program = [
      "import { App, Stack } from 'aws-cdk-lib';",
      "import { AttendeeFacade, type IssuerEntry } from 'chime-usher';",
      'const issuers: IssuerEntry[] = [];',
      "export const url: string = new AttendeeFacade(new Stack(new App(), 'Stack'), 'Meetings', { issuers }).url;",
    ].join('\n');
    writeFileSync(join(app, 'app.cts'), program);
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'node16', '--types', 'node'];
    expect(run(app, 'npx', 'tsc', ...options, 'app.cts')).toBe('');
  }, 60_000);

  it('learns of each problem what would be unsafe', () => {
    const program = [
      "import { App, Stack } from 'aws-cdk-lib';",
      "import { AttendeeFacade } from 'chime-usher';",
      "const props = { issuers: [{ issuer: 'https://login.example.com', accessTokenMark: { typ: 'at+jwt' }, scopes: { self: 'me' } }] };",
      "try { new AttendeeFacade(new Stack(new App(), 'Stack'), 'Meetings', props); } catch (error) { console.log(error.message); }",
    ].join('\n');
    expect(run(app, process.execPath, '--input-type=module', '--eval', program)).toMatch(
      /^Stack\/Meetings: issuers\[0\]\.audience: neither audience nor clientIds is given, so .*\nStack\/Meetings: issuers\[0\]\.scopes: .*\n$/,
    );
  });
});

/** What a bundle's files say, by their names. */
function textsIn(folder: string): string {
  const texts = readdirSync(folder)
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  return JSON.stringify(texts);
}
