import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { readLocalEnvironment } from '../../local/environment.ts';
import { close, LOOPBACK, listen } from '../../local/http-server.ts';
import { isAlive, type RunningSystem, startRefused, startSystem, until } from './support.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG = JSON.parse(readFileSync(path.join(PROJECT, 'config/local.json'), 'utf8'));
const CREDENTIALS = { accessKeyId: 'a', secretAccessKey: 'b' };

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid,ppid'], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}

async function isRefused(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

async function admit(system: RunningSystem, name: string): Promise<Response> {
  const { apiUrl, meetingId } = system.environment;
  return fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await system.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ Attendees: [{ ExternalUserId: name }] }),
  });
}

describe('a running local system', () => {
  let system: RunningSystem;

  beforeAll(async () => {
    system = await startSystem();
  }, 40_000);

  afterAll(async () => {
    await system.stop('SIGTERM');
  });

  it('prints a curl that works when pasted', async () => {
    const curl = /^ {2}(curl .*)$/m.exec(system.stdout())?.[1] as string;
    const { stdout } = await promisify(execFile)('bash', ['-c', `${curl} -w '%{http_code}'`], {
      cwd: PROJECT,
    });
    expect(stdout).toContain('"ExternalUserId":"alice"');
    expect(stdout.slice(-3)).toBe('200');
  });

  it('says where everything is, to its owner only', async () => {
    const file = path.join(system.directory, 'environment.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(system.environment)).toEqual(
      expect.arrayContaining([
        'apiUrl',
        'chimeUrl',
        'dynamodbUrl',
        'tableName',
        'issuer',
        'audience',
        'region',
        'meetingId',
      ]),
    );
    const { apiUrl, dynamodbUrl, region, tableName, admissionTableName } = system.environment;
    expect(apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const client = new DynamoDB({ region, endpoint: dynamodbUrl, credentials: CREDENTIALS });
    expect((await client.listTables()).TableNames).toEqual(
      expect.arrayContaining([admissionTableName, tableName]),
    );
  });

  it('records in the table it names what it let in', async () => {
    expect((await admit(system, 'recorded')).status).toBe(200);
    const { dynamodbUrl, region, tableName, meetingId } = system.environment;
    const client = new DynamoDB({ region, endpoint: dynamodbUrl, credentials: CREDENTIALS });
    const { Items } = await client.query({
      TableName: tableName,
      KeyConditionExpression: 'meetingId = :m',
      ExpressionAttributeValues: { ':m': { S: meetingId as string } },
    });
    expect(JSON.stringify(Items)).toContain('recorded');
  });

  it('passes on what the function logs, one JSON line each', async () => {
    await fetch(`${system.environment.apiUrl}/nowhere`);
    const logged = () =>
      system
        .stdout()
        .split('\n')
        .filter((line) => line.includes('"refused"'));
    await until(() => logged().length > 0);
    expect(JSON.parse(logged()[0] as string)).toMatchObject({ service: 'usher', message: 'refused' });
  });

  it('answers a modelled 500 when a handler process is killed, and the next request works', async () => {
    const [handler] = system.handlerProcessIds() as [number];
    const { chimeUrl } = system.environment;
    await fetch(`${chimeUrl}/_emulator/faults`, {
      method: 'POST',
      body: JSON.stringify({ operation: 'BatchCreateAttendee', latencyMs: 3000, times: 1 }),
    });
    const answer = admit(system, 'crashed');
    await until(async () => {
      const calls = await fetch(`${chimeUrl}/_emulator/calls`);
      return (await calls.text()).includes('crashed');
    });
    process.kill(handler, 'SIGKILL');

    const response = await answer;
    expect(response.status).toBe(500);
    expect(response.headers.get('x-amzn-errortype')).toBe('ServiceFailureException');
    expect(await response.json()).toMatchObject({
      Code: 'ServiceFailure',
      RequestId: response.headers.get('x-amzn-requestid'),
    });
    expect((await admit(system, 'after-the-crash')).status).toBe(200);
  });

  it('refuses a second start in the same directory', async () => {
    const second = await startRefused(system.directory);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^usher: A local system runs in .* already .*\.\n$/);
    expect((await admit(system, 'undisturbed')).status).toBe(200);
  });
});

describe('the end of a local system', () => {
  it('leaves nothing behind', async () => {
    const system = await startSystem();
    const { pid, apiUrl, chimeUrl, dynamodbUrl, issuer } = system.environment;
    const children = childrenOf(pid);
    expect(children).toHaveLength(2);

    await system.stop('SIGINT');
    expect(children.filter(isAlive)).toEqual([]);
    for (const url of [apiUrl, chimeUrl, dynamodbUrl, issuer]) expect(await isRefused(url)).toBe(true);
  }, 40_000);

  it('comes with the end of npm, which tells only its shell', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
    const npm = spawn('npm', ['start', '--ignore-scripts'], {
      cwd: PROJECT,
      env: { ...process.env, USHER_LOCAL_DIR: directory },
      stdio: 'ignore',
    });
    await until(() => readdirSync(directory).includes('environment.json'));
    const { pid } = readLocalEnvironment(directory);
    npm.kill('SIGTERM');
    await until(() => !isAlive(pid));
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  }, 40_000);

  it('takes its processes along when it is killed, and does not hold up the next start', async () => {
    const system = await startSystem();
    const children = childrenOf(system.environment.pid);
    process.kill(system.environment.pid, 'SIGKILL');
    await until(() => !children.some(isAlive));

    const holder = createServer();
    const port = await listen(holder, 0);
    const next = await startRefused(system.directory, { env: { PORT: String(port) } });
    await close(holder);
    expect(next).toEqual({
      code: 1,
      stdout: '',
      stderr: `usher: The port ${port} is in use: set PORT to another one, or leave it out for a free one.\n`,
    });
    expect(readdirSync(system.directory)).toEqual([]);
    rmSync(system.directory, { recursive: true });
  }, 60_000);
});

describe('what a start is told', () => {
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

  it('refuses a configuration that would create a Cognito pool', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
    const { issuers: _, ...config } = CONFIG;
    const refused = await startRefused(directory, { config });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^usher: .*Cognito user pool.*configure `issuers`\.\n$/);
    rmSync(directory, { recursive: true });
  }, 40_000);
});
