import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { type LocalEnvironment, readLocalEnvironment } from '../../local/environment.ts';
import { close, LOOPBACK, listen } from '../../local/http-server.ts';
import { mintToken } from '../support/contract/clients.ts';
import { admit, childrenOf, isAlive, startFailing, startSystem, until } from '../support/local.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG = JSON.parse(readFileSync(path.join(PROJECT, 'config/local.json'), 'utf8'));
const CREDENTIALS = { accessKeyId: 'a', secretAccessKey: 'b' };

describe('the end of a local system', () => {
  it('follows the end of npm, which signals only its shell', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
    const npm = spawn('npm', ['start', '--ignore-scripts'], {
      cwd: PROJECT,
      env: { ...process.env, USHER_LOCAL_DIR: directory, USHER_LOCAL_DATA: 'memory', PORT: '0' },
      stdio: 'ignore',
    });
    await until(() => readdirSync(directory).includes('environment.json'));
    const { pid } = readLocalEnvironment(directory);
    npm.kill('SIGTERM');
    await until(() => !isAlive(pid));
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  }, 40_000);

  it('ends its processes when it is killed, and does not delay the next start', async () => {
    const system = await startSystem();
    const children = childrenOf(system.environment.pid);
    process.kill(system.environment.pid, 'SIGKILL');
    await until(() => !children.some(isAlive));

    const holder = createServer();
    const port = await listen(holder, 0);
    const next = await startFailing(system.directory, { env: { PORT: String(port) } });
    await close(holder);
    expect(next).toEqual({
      code: 1,
      stdout: '',
      stderr: `usher: The port ${port} is in use: set PORT to another one, or leave it out.\n`,
    });
    expect(readdirSync(system.directory)).toEqual([]);
    rmSync(system.directory, { recursive: true });
  }, 60_000);
});

describe('the options of a start', () => {
  it('uses the port, the configuration and the DynamoDB it is given', async () => {
    const holder = createServer();
    const port = await listen(holder, 0);
    await close(holder);
    const elsewhere = await startDynamoDb();
    const client = new DynamoDB({
      region: 'eu-central-1',
      endpoint: elsewhere.url,
      credentials: CREDENTIALS,
    });
    const [meetingId, recordId] = ['meetingId', 'recordId'];
    await client.createTable({
      TableName: 'other-AuditTable',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: meetingId, KeyType: 'HASH' },
        { AttributeName: recordId, KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [meetingId, recordId].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
    });

    const system = await startSystem({
      config: { ...CONFIG, stackName: 'other', stageName: 'beta', region: 'eu-central-1' },
      env: { PORT: String(port), AWS_ENDPOINT_URL_DYNAMODB: elsewhere.url },
    });
    expect(system.environment).toMatchObject({
      apiUrl: `http://${LOOPBACK}:${port}/beta`,
      dynamodbUrl: elsewhere.url,
      region: 'eu-central-1',
      tableName: 'other-AuditTable',
    });
    expect((await admit(system, 'alice')).status).toBe(200);
    const { Items } = await client.scan({ TableName: 'other-AuditTable' });
    expect(JSON.stringify(Items)).toContain('alice');
    await system.stop();
    client.destroy();
    await elsewhere.close();
  }, 60_000);

  it('rejects a configuration that would create a Cognito pool', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
    const { issuers: _, ...config } = CONFIG;
    const refused = await startFailing(directory, { config });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^usher: .*Cognito user pool.*configure `issuers`\.\n$/);
    rmSync(directory, { recursive: true });
  }, 40_000);
});

describe('what is kept between starts', () => {
  const KEEPING = { USHER_LOCAL_DATA: '' };

  /** Starts in a folder of its own choice, and is ended with its data left there. */
  async function during<T>(
    directory: string,
    flags: string[],
    act: (environment: LocalEnvironment) => Promise<T>,
  ): Promise<T> {
    const child = spawn(process.execPath, ['local/start.ts', ...flags], {
      cwd: PROJECT,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: tmpdir(),
        USHER_LOCAL_DIR: directory,
        PORT: '0',
        ...KEEPING,
      },
      stdio: 'ignore',
    });
    const exited = once(child, 'exit');
    await until(() => existsSync(path.join(directory, 'environment.json')));
    try {
      return await act(readLocalEnvironment(directory));
    } finally {
      child.kill('SIGINT');
      await exited;
    }
  }

  const namesRecorded = async ({ dynamodbUrl, region, tableName }: LocalEnvironment) => {
    const client = new DynamoDB({ region, endpoint: dynamodbUrl, credentials: CREDENTIALS });
    const { Items } = await client.scan({ TableName: tableName });
    return JSON.stringify(Items);
  };
  const keysOf = async ({ issuer }: LocalEnvironment) => (await fetch(`${issuer}/jwks`)).text();

  it('is the audit and the keys of the issuer, for its owner only, unless a start is fresh', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-kept-'));
    const keys = await during(directory, [], async (environment) => {
      const directoryToken = await mintToken(environment, { sub: 'kept-caller' });
      const { apiUrl, meetingId } = environment;
      const answer = await fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${directoryToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ Attendees: [{ ExternalUserId: 'kept-attendee' }] }),
      });
      expect(answer.status).toBe(200);
      return keysOf(environment);
    });
    expect(statSync(path.join(directory, 'data')).mode & 0o777).toBe(0o700);

    await during(directory, [], async (environment) => {
      expect(await namesRecorded(environment)).toContain('kept-attendee');
      expect(await keysOf(environment)).toBe(keys);
    });
    await during(directory, ['--fresh'], async (environment) => {
      expect(await namesRecorded(environment)).not.toContain('kept-attendee');
      expect(await keysOf(environment)).not.toBe(keys);
    });
    rmSync(directory, { recursive: true });
  }, 120_000);
});

describe('the help of each command', () => {
  it.each([
    'local/start.ts',
    'cli/token.ts',
    'cli/meeting.ts',
    'cli/audit.ts',
    'cli/reconcile.ts',
    'cli/verify.ts',
    'cli/explain-token.ts',
  ])('survives a reader that takes one line: %s', (file) => {
    // The reader is gone before the command says anything.
    const { stderr, status } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; "$0" ${file} --help | true`, process.execPath],
      { cwd: PROJECT, encoding: 'utf8' },
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });
});
