import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issuer } from '../support/synthesize.ts';

// cfn-lint is a Python program: it is installed where the emulator of AWS is.
const directory = process.env['USHER_DEPLOY_DIR'] ?? '';
const folder = mkdtempSync(path.join(directory, 'lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIGS = readdirSync('config').filter((file) => file.endsWith('.json'));
const EXAMPLE = 'examples/cdk-app/app.ts';
const APPS = [...CONFIGS.map((file) => `config/${file}`), EXAMPLE];

beforeAll(() => {
  mkdirSync(path.join(folder, 'config'));
  for (const file of CONFIGS) {
    const config = JSON.parse(readFileSync(path.join('config', file), 'utf8'));
    // The issuer that runs on one machine has no address before it is started.
    const isLocal = config.issuers?.some((entry: { issuer: string }) => entry.issuer === 'local');
    const deployable = isLocal ? { ...config, issuers: [issuer] } : config;
    writeFileSync(path.join(folder, 'config', file), JSON.stringify(deployable));
  }
});

/** Runs a program that synthesizes, with cdk-preflight in it. */
function synthesize(program: string, output: string, context: object = {}) {
  const outdir = path.join(folder, output);
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', pathToFileURL('test/support/deploy/preflight-hook.ts').href, path.resolve(program)],
    {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        CDK_OUTDIR: outdir,
        CDK_CONTEXT_JSON: JSON.stringify(context),
      },
      encoding: 'utf8',
    },
  );
  return { status, stderr, outdir };
}

/** @returns the template of a shipped configuration or of the example app, which cdk-preflight has checked */
function templateOf(app: string): string {
  const env = path.basename(app, '.json');
  const { status, stderr, outdir } =
    app === EXAMPLE ? synthesize(EXAMPLE, 'example') : synthesize('bin/usher.ts', env, { env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const [template] = readdirSync(outdir).filter((name) => name.endsWith('.template.json'));
  return path.join(outdir, template as string);
}

function lint(template: string) {
  const { status, stdout, stderr } = spawnSync(path.join(directory, 'venv', 'bin', 'cfn-lint'), [template], {
    encoding: 'utf8',
  });
  return { status, printed: stdout + stderr };
}

describe('cdk-preflight and cfn-lint', () => {
  it.each(APPS)(
    'find nothing in %s',
    (app) => {
      expect(lint(templateOf(app))).toEqual({ status: 0, printed: '' });
    },
    180_000,
  );
});

describe('cfn-lint', () => {
  it('reports a value that CloudFormation does not take', () => {
    const template = templateOf('config/dev.json');
    writeFileSync(template, readFileSync(template, 'utf8').replace('"PAY_PER_REQUEST"', '"PAY_PER_WISH"'));
    expect(lint(template).printed).toContain('PAY_PER_WISH');
  }, 180_000);
});

describe('cdk-preflight', () => {
  it('fails a synthesis of what AWS would refuse at deployment', () => {
    const { status, stderr } = synthesize('test/support/deploy/refused-app.ts', 'refused');
    expect(status).toBe(1);
    expect(stderr).toContain('cdk-preflight::pf-logs-filter-pattern-bracket');
  }, 180_000);
});
