import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, openAccount } from '../../cli/verify/aws.ts';
import { tls } from '../../cli/verify/checks/tls.ts';
import { runChecks, type Tally } from '../../cli/verify/run.ts';
import { type DeployedStack, ofType, readStack } from '../../cli/verify/stack.ts';
import type { World } from '../../cli/verify/world.ts';
import { type ChimeEmulator, startChimeEmulator } from '../../local/chime-emulator/server.ts';
import { LOOPBACK } from '../../local/http-server.ts';
import { type AwsEmulator, startAwsEmulator } from '../support/deploy/emulator.ts';
import { createToolkit } from '../support/deploy/toolkit.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const REGION = 'us-east-1';
const STACK = 'usher-dev';

const deployDirectory = process.env['USHER_DEPLOY_DIR'];
let chime: ChimeEmulator;
let aws: AwsEmulator;
let outputs: Record<string, string>;
let environment: Record<string, string>;
let account: Account;
let stack: DeployedStack;

beforeAll(async () => {
  if (deployDirectory === undefined)
    throw new Error('Run this with `npm run test:deploy`, which installs the emulator.');
  // An emulator of its own, beside the other suite's.
  const directory = path.join(deployDirectory, 'verify');
  mkdirSync(directory);
  symlinkSync(path.join(deployDirectory, 'venv'), path.join(directory, 'venv'));
  chime = await startChimeEmulator();
  const atChime = { AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: chime.url };
  aws = await startAwsEmulator(directory, atChime);
  environment = { ...aws.environment, ...atChime, AWS_REGION: REGION };
  const toolkit = createToolkit(directory, environment);
  toolkit.configure('dev', JSON.parse(readFileSync(path.join(PROJECT, 'config/dev.json'), 'utf8')));
  await toolkit.cdk('dev', 'bootstrap', `aws://000000000000/${REGION}`);
  outputs = (await toolkit.deploy('dev')).outputs;
  Object.assign(process.env, environment);
  account = await openAccount({ region: REGION });
  stack = await readStack(account.call, STACK);
}, 240_000);

afterAll(async () => {
  account?.close();
  await aws?.close();
  await chime?.close();
});

interface Run {
  code: number | null;
  lines: string[];
  stderr: string;
}

/** The emulator has one address: the API's id is part of the path, and tokens are there too. */
function addresses(): string[] {
  const { hostname, pathname } = new URL(outputs['ApiUrl'] as string);
  return [
    `--api-url=${aws.url}/_aws/execute-api/${hostname.split('.')[0]}${pathname}`,
    `--token-endpoint=${aws.url}${new URL(outputs['TokenEndpoint'] as string).pathname}`,
  ];
}

async function verify(...args: string[]): Promise<Run> {
  const child = spawn(process.execPath, ['cli/verify.ts', ...addresses(), ...args], {
    cwd: PROJECT,
    env: { PATH: process.env['PATH'], HOME: deployDirectory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, lines: stdout.trimEnd().split('\n'), stderr };
}

const linesOf = ({ lines }: Run, result: string) => lines.filter((line) => line.startsWith(result));

/** What becomes of the checks of TLS, where this server is the API. */
async function tlsOf(options: TlsOptions): Promise<Tally> {
  const server = createServer(options).on('tlsClientError', () => {});
  await once(server.listen(0, LOOPBACK), 'listening');
  const apiUrl = `https://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  const world = { kind: 'aws', apiUrl, answered: [] } as unknown as World;
  try {
    return await runChecks([{ name: 'tls', checks: tls }], world, {
      print: () => {},
      stop: new AbortController().signal,
    });
  } finally {
    server.close();
  }
}

describe('verify:aws, on an emulator of AWS', () => {
  it('passes what the emulator has, and says of the rest that it is not checkable', async () => {
    const run = await verify(`--stack=${STACK}`);
    expect(linesOf(run, 'failed')).toEqual([]);
    expect(run.lines.at(-1)).toMatch(/^\d+ passed, 0 failed$/);
    expect(run.code).toBe(0);
    expect(linesOf(run, 'passed').length).toBeGreaterThan(40);
    for (const line of linesOf(run, 'skipped')) expect(line).toContain('not checkable here');
  }, 120_000);

  it('names a role that could overwrite a fact', async () => {
    const RoleName = stack.handler.Role.split('/').at(-1);
    const policy = { RoleName, PolicyName: 'too-much' };
    await account.call('iam', 'PutRolePolicy', {
      ...policy,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: '*' }],
      }),
    });
    try {
      const run = await verify(`--stack=${STACK}`);
      expect(linesOf(run, 'failed')).toEqual([
        expect.stringMatching(
          new RegExp(`^failed  overwrites: has no role .* \\(${RoleName}: dynamodb:PutItem\\)$`),
        ),
      ]);
      expect(run.code).toBe(1);
    } finally {
      await account.call('iam', 'DeleteRolePolicy', policy);
    }
  }, 120_000);

  it('names a gateway response that is missing', async () => {
    const [api] = ofType(stack.resources, 'AWS::ApiGateway::RestApi');
    await account.call('api-gateway', 'DeleteGatewayResponse', {
      restApiId: api?.PhysicalResourceId,
      responseType: 'THROTTLED',
    });
    const run = await verify(`--stack=${STACK}`);
    expect(linesOf(run, 'failed').join('\n')).toMatch(
      /^failed {2}gateway: shapes every error .*THROTTLED is /m,
    );
    expect(run.code).toBe(1);
  }, 120_000);

  it('distinguishes a server that speaks old TLS', async () => {
    const certificate = aws.environment['NODE_EXTRA_CA_CERTS'] as string;
    const keyPair = {
      cert: readFileSync(certificate),
      key: readFileSync(certificate.replace(/crt$/, 'key')),
    };
    expect(await tlsOf({ ...keyPair, minVersion: 'TLSv1.2' })).toEqual({ passed: 4, failed: 0, skipped: 0 });
    const lax = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await tlsOf({ ...keyPair, ...lax })).toEqual({ passed: 2, failed: 2, skipped: 0 });
  });

  it('says what is wrong with the name of a stack', async () => {
    const run = await verify('--stack=usher-nowhere');
    expect(run.stderr).toContain('usher-nowhere');
    expect(run.lines.at(-1)).toBe('0 passed, 1 failed');
  }, 60_000);
});
