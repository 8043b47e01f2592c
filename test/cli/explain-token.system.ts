import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { claimStateDirectory, type LocalEnvironment, type StateDirectory } from '../../local/environment.ts';
import { startIssuer } from '../../local/issuer/issuer.ts';

let directory: string;
let issuer: Awaited<ReturnType<typeof startIssuer>>;
let state: StateDirectory;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-explain-'));
  issuer = await startIssuer();
});

afterAll(async () => {
  await issuer.close();
  rmSync(directory, { recursive: true });
});

function run(command: string, args: string[], input = ''): Promise<{ status: number; output: string }> {
  const env = { PATH: process.env['PATH'], USHER_LOCAL_DIR: directory };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), output: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}

const explain = (token: string) => run('cli/explain-token.ts', ['--config', 'config/local.json'], token);

it('says what to do where the configuration names a local system and none runs', async () => {
  const { status, output } = await explain('');
  expect(status).toBe(2);
  expect(output).toBe(
    `config/local.json: issuers: "local" is the issuer of a running local system. No local system runs in ${directory}: start one with \`npm start\`.\n`,
  );
});

it('explains a token of the running local system', async () => {
  state = claimStateDirectory(directory);
  const { issuer: name, jwksUri, signUrl } = issuer;
  // All that the commands read.
  state.publish({ issuer: name, jwksUri, signUrl, audience: 'usher-local' } as LocalEnvironment);
  const token = await run('cli/token.ts', ['--scope', 'attendees.create.self']);
  const { status, output } = await explain(token.output);
  expect(output).toContain(`issuer:  ${name} (issuers[0])`);
  expect(output).toContain('accepted: self by the scope attendees.create.self in scope');
  expect(status).toBe(0);
});

it('says what to do where the running local system has another issuer', async () => {
  state.publish({ issuer: 'https://login.example.com', audience: 'usher' } as LocalEnvironment);
  const { status, output } = await explain('');
  expect(status).toBe(2);
  expect(output).toContain('the one that runs has another issuer; name the configuration that it runs with');
});
