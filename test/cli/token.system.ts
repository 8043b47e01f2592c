import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { claimStateDirectory, type LocalEnvironment, type StateDirectory } from '../../local/environment.ts';
import { startIssuer } from '../../local/issuer/issuer.ts';

const CLI = fileURLToPath(new URL('../../cli/token.ts', import.meta.url));

let directory: string;
let issuer: Awaited<ReturnType<typeof startIssuer>>;
let state: StateDirectory;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-token-'));
  issuer = await startIssuer();
  state = claimStateDirectory(directory);
});

afterAll(async () => {
  await issuer.close();
  rmSync(directory, { recursive: true });
});

function publish(signUrl: string | undefined): void {
  // All that the command reads.
  const read = { issuer: issuer.issuer, audience: 'usher-local', ...(signUrl && { signUrl }) };
  state.publish(read as LocalEnvironment);
}

function token(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], USHER_LOCAL_DIR: directory };
  return promisify(execFile)(process.execPath, [CLI, ...args], { env });
}

it('prints a token and nothing else', async () => {
  publish(issuer.signUrl);
  const { stdout, stderr } = await token(
    '--sub',
    'bob',
    '--expires-in',
    '-60',
    '--claim',
    'a=1',
    '--claim',
    'a=2',
  );
  expect(stderr).toBe('');
  const [, claims] = /^[\w-]+\.([\w-]+)\.[\w-]+\n$/.exec(stdout) as unknown as [string, string];
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    iss: issuer.issuer,
    aud: 'usher-local',
    sub: 'bob',
    a: ['1', '2'],
  });
});

it.each([
  ['the issuer is not ours', undefined, 'The running system uses an external issuer: get a token from it.'],
  [
    'the issuer is gone',
    'http://127.0.0.1:9/',
    'The local issuer does not answer: check that `npm start` is still running.',
  ],
])('says in a line that %s', async (_, signUrl, message) => {
  publish(signUrl);
  await expect(token()).rejects.toMatchObject({ code: 1, stdout: '', stderr: `usher: ${message}\n` });
});

it('says in a line that nothing runs', async () => {
  state.release();
  await expect(token()).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `usher: No local system runs in ${directory}: start one with \`npm start\`.\n`,
  });
});
