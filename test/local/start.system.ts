import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  admit,
  childrenOf,
  isAlive,
  type RunningSystem,
  startFailing,
  startSystem,
  until,
} from '../support/local.ts';
import { backendToken, signIn } from '../support/sign-in.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const CREDENTIALS = { accessKeyId: 'a', secretAccessKey: 'b' };

async function isClosed(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

/** As a page that points its own name at this machine sends it. */
function statusAtForeignHost(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject).end();
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
    const printed = () => /^ {2}(curl .*)$/m.exec(system.stdout())?.[1];
    await until(() => printed() !== undefined);
    const curl = printed() as string;
    const { stdout } = await promisify(execFile)('bash', ['-c', `${curl} -w '%{http_code}'`], {
      cwd: PROJECT,
    });
    expect(stdout).toContain('"ExternalUserId":"alice"');
    expect(stdout.slice(-3)).toBe('200');
  });

  it('publishes its addresses, to its owner only', async () => {
    const file = path.join(system.directory, 'environment.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(system.environment)).toEqual(
      expect.arrayContaining([
        'pageUrl',
        'apiUrl',
        'chimeUrl',
        'dynamodbUrl',
        's3Url',
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

  it('records admissions in the table that it names', async () => {
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

  it('shows what the audit knows of any meeting as a page', async () => {
    expect((await admit(system, 'reported')).status).toBe(200);
    const { pageUrl, meetingId } = system.environment;
    const page = await fetch(`${pageUrl}/report/${meetingId}`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('reported');
    const none = await fetch(`${pageUrl}/report/00000000-0000-4000-8000-000000000000`);
    expect(await none.text()).toContain('Let in: 0');
  });

  it('passes on what the function logs, one JSON line each', async () => {
    await fetch(`${system.environment.apiUrl}/nowhere`);
    const logged = () =>
      system
        .stdout()
        .split('\n')
        .filter((line) => line.includes('"request failed"'));
    await until(() => logged().length > 0);
    expect(JSON.parse(logged()[0] as string)).toMatchObject({ service: 'usher', message: 'request failed' });
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

  it('accepts a token of every person and grant of its issuer, as far as their rights go', async () => {
    const { apiUrl, meetingId, issuer, pageUrl } = system.environment;
    const statusOf = async (token: string, name: string) => {
      const response = await fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ Attendees: [{ ExternalUserId: name }] }),
      });
      return response.status;
    };
    const signedIn = async (role: string, name: string) => {
      const tokens = await signIn(issuer, { role, name, redirectUri: `${pageUrl}/` });
      return tokens.access_token;
    };
    expect(await statusOf(await signedIn('host', 'hanna'), 'anyone')).toBe(200);
    const guest = await signedIn('guest', 'gerd');
    expect([await statusOf(guest, 'gerd'), await statusOf(guest, 'hanna')]).toEqual([200, 403]);
    expect(await statusOf(await signedIn('stranger', 'otto'), 'otto')).toBe(404);
    expect(await statusOf(await signedIn('visitor', 'vera'), 'vera')).toBe(403);
    expect(await statusOf(await backendToken(system.environment), 'by-the-backend')).toBe(200);
  });

  it('creates a meeting by a command, which its tenants can then join', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['cli/meeting.ts', '--name', 'board', '--tenant', 'globex'],
      { cwd: PROJECT, env: { PATH: process.env['PATH'], USHER_LOCAL_DIR: system.directory } },
    );
    const [meetingId, link] = stdout.trim().split('\n');
    const { pageUrl, apiUrl } = system.environment;
    expect(link).toBe(`${pageUrl}/?meeting=${meetingId}`);
    const token = await system.token('--claim', 'tenant=globex');
    const response = await fetch(`${apiUrl}/meetings/${meetingId}/attendees?operation=batch-create`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ Attendees: [{ ExternalUserId: 'gus' }] }),
    });
    expect(response.status).toBe(200);
  });

  it('answers no request of a foreign page, at any of its servers', async () => {
    const { apiUrl, chimeUrl, dynamodbUrl, s3Url, issuer, pageUrl, signUrl } = system.environment;
    const foreign = { origin: 'https://pages.example', 'content-type': 'text/plain' };
    const statuses = async (urls: string[], ask: (url: string) => Promise<number>) =>
      Promise.all(urls.map((url) => ask(url)));
    const withOrigin = (url: string) =>
      fetch(url, { method: 'POST', headers: foreign, body: '{}' }).then((response) => response.status);
    const urls = [
      chimeUrl,
      `${chimeUrl}/_emulator/faults`,
      dynamodbUrl,
      s3Url,
      `${issuer}/token`,
      signUrl as string,
    ];
    expect(await statuses([...urls, `${pageUrl}/local/meetings`], withOrigin)).toEqual(Array(7).fill(403));

    const everywhere = [apiUrl, ...urls, pageUrl, `${pageUrl}/settings.json`];
    expect(await statuses(everywhere, (url) => statusAtForeignHost(url))).toEqual(Array(9).fill(403));
  });

  it('rejects a second start in the same directory', async () => {
    const second = await startFailing(system.directory);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^usher: A local system runs in .* already: .*USHER_LOCAL_DIR.*\.\n$/);
    expect((await admit(system, 'undisturbed')).status).toBe(200);
  });
});

describe('the end of a local system', () => {
  it('leaves nothing behind', async () => {
    const system = await startSystem();
    const { pid, apiUrl, chimeUrl, dynamodbUrl, s3Url, issuer, pageUrl } = system.environment;
    const children = childrenOf(pid);
    expect(children).toHaveLength(2);

    await system.stop('SIGINT');
    expect(children.filter(isAlive)).toEqual([]);
    for (const url of [apiUrl, chimeUrl, dynamodbUrl, s3Url, issuer, pageUrl])
      expect(await isClosed(url)).toBe(true);
  }, 40_000);
});
