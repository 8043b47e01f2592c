import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { fullProduction } from '../support/synthesize.ts';

const APP = fileURLToPath(new URL('../../bin/usher.ts', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'usher-bin-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'config'));

function writeConfig(env: string, text: string): void {
  writeFileSync(join(folder, 'config', `${env}.json`), text);
}

/** Runs the app as the CDK command line does, in a folder with configurations, which is its home, without credentials. */
function run(context: object, outdir = 'cdk.out', variables: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [APP], {
    cwd: folder,
    env: {
      HOME: folder,
      CDK_OUTDIR: join(folder, outdir),
      CDK_CONTEXT_JSON: JSON.stringify(context),
      ...variables,
    },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Every file below a folder, as its digest. */
function contentsOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [relative(directory, file), createHash('sha256').update(readFileSync(file)).digest('hex')];
    }),
  );
}

describe('bin/usher.ts', () => {
  it.each<[string, object]>([
    ['usher-minimal', {}],
    ['usher-full', fullProduction],
  ])(
    'synthesizes %s to the same template and assets, byte for byte, offline and without credentials',
    (stackName, config) => {
      writeConfig('good', JSON.stringify({ stackName, ...config }));
      const [once, again] = ['once', 'again'].map((outdir) => {
        const out = join(stackName, outdir);
        expect(run({ env: 'good' }, out)).toEqual({ status: 0, stdout: '', stderr: '' });
        return contentsOf(join(folder, out));
      });
      const files = Object.keys(once ?? {});
      expect(files).toContain(`${stackName}.template.json`);
      // The function, the reconciler, the observer and, in production, the sealer.
      expect(files.filter((file) => /^asset\.[0-9a-f]{64}\/index\.mjs$/.test(file))).toHaveLength(4);
      expect(again).toEqual(once);
    },
  );

  it.each<[string, object, string | undefined, string]>([
    ['no environment', {}, undefined, 'Which environment? Give the name of a file in config/'],
    ['a path', { env: '../good' }, undefined, 'Which environment? Give the name of a file in config/'],
    ['an unknown environment', { env: 'nope' }, undefined, 'config/nope.json: the file does not exist'],
    ['no JSON', { env: 'bad' }, '{,}', 'config/bad.json: is not JSON: '],
    [
      'an unsafe configuration',
      { env: 'bad' },
      '{"stackName":"u","issuers":[{"issuer":"https://login.example.com","accessTokenMark":{"typ":"at+jwt"},"scopes":{"self":"me"}}]}',
      'config/bad.json: issuers[0].audience: neither audience nor clientIds is given, so ',
    ],
  ])('rejects %s, in one line for each problem', (_what, context, text, message) => {
    if (text !== undefined) writeConfig('bad', text);
    const { status, stdout, stderr } = run(context);
    expect(stderr.slice(0, message.length)).toBe(message);
    const source = message.split(':')[0] ?? '';
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith(source))).toEqual([]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  it('rejects the Region that the command line would deploy to, if Chime has no meetings there', () => {
    writeConfig('anywhere', '{"stackName":"usher-anywhere"}');
    const { status, stderr } = run({ env: 'anywhere' }, 'cdk.out', { CDK_DEFAULT_REGION: 'eu-west-1' });
    expect(stderr).toMatch(
      /^config\/anywhere\.json: meetingsRegion: eu-west-1 has no Chime SDK meetings endpoint.*\n$/,
    );
    expect(status).toBe(1);
  });
});
