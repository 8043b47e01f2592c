import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

// cfn-lint is a Python program: it is installed where the emulator of AWS is.
const directory = process.env['USHER_DEPLOY_DIR'] ?? '';
const folder = mkdtempSync(path.join(directory, 'lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

function synthesize(env: string): string {
  const outdir = path.join(folder, env);
  const { status, stderr } = spawnSync(process.execPath, ['bin/usher.ts'], {
    env: { PATH: process.env['PATH'], CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify({ env }) },
    encoding: 'utf8',
  });
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

describe('cfn-lint', () => {
  it.each(['dev', 'example-oidc', 'example-production'])(
    'has nothing to say about the template of config/%s.json',
    (env) => {
      expect(lint(synthesize(env))).toEqual({ status: 0, printed: '' });
    },
    60_000,
  );

  it('would have, if there were anything', () => {
    const template = synthesize('dev');
    writeFileSync(template, readFileSync(template, 'utf8').replace('"PAY_PER_REQUEST"', '"PAY_PER_WISH"'));
    expect(lint(template).printed).toContain('PAY_PER_WISH');
  }, 60_000);
});
