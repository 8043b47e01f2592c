import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  CreateMeetingCommand,
  ListAttendeesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import {
  CognitoIdentityProviderClient,
  DescribeUserPoolClientCommand,
  DescribeUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { DeleteTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChimeEmulator, startChimeEmulator } from '../../local/chime-emulator/server.ts';
import { type IssuerAddresses, startIssuer } from '../../local/issuer/issuer.ts';
import type { AuditedBatch } from '../support/audited.ts';
import { type AwsEmulator, startAwsEmulator } from '../support/deploy/emulator.ts';
import { createToolkit, type Toolkit } from '../support/deploy/toolkit.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const REGION = 'us-east-1';
const ACCOUNT = '000000000000';
const ORIGIN = 'https://app.example.com';

/** The exit code of `npm run audit` for that. */
const NOTHING_FOUND = 3;

const readConfig = (env: string) => JSON.parse(readFileSync(`${PROJECT}/config/${env}.json`, 'utf8'));
/** As it is, but for the time that the reconciler waits. */
const DEV_CONFIG = { ...readConfig('dev'), reconciler: { marginSeconds: 1, secondLookSeconds: 1 } };

// Each test goes on from where the one before has left the account.
const directory = process.env['USHER_DEPLOY_DIR'];
let chime: ChimeEmulator;
let issuer: IssuerAddresses & { close(): Promise<void> };
let aws: AwsEmulator;
let toolkit: Toolkit;
/** The outputs of the stack that `config/dev.json` describes, and of the one with an issuer of its own. */
let dev: Record<string, string>;
let oidc: Record<string, string>;
let backendToken: string;
let meetingId: string;
let batchId: string;
let openBatchId: string;

beforeAll(async () => {
  if (directory === undefined)
    throw new Error('Run this with `npm run test:deploy`, which installs the emulator.');
  chime = await startChimeEmulator();
  issuer = await startIssuer();
  aws = await startAwsEmulator(directory, { AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS: chime.url });
  toolkit = createToolkit(directory, { AWS_REGION: REGION, ...aws.environment });
  toolkit.configure('dev', DEV_CONFIG);
}, 60_000);

afterAll(async () => {
  await aws?.close();
  await issuer?.close();
  await chime?.close();
});

/** Where the emulator serves what AWS serves at `url`: it has one address, so the API's id is part of the path. */
function served(url = ''): string {
  const { hostname, pathname } = new URL(url);
  const [name, service] = hostname.split('.');
  return service === 'execute-api' ? `${aws.url}/_aws/execute-api/${name}${pathname}` : aws.url + pathname;
}

const awsClientConfig = () => ({ region: REGION, endpoint: aws.url, credentials: aws.credentials });
const dynamodb = () => new DynamoDBClient(awsClientConfig());
const cognito = () => new CognitoIdentityProviderClient(awsClientConfig());

/** Chime, as the owner of a meeting asks it. */
const chimeItself = () => new ChimeSDKMeetingsClient({ ...awsClientConfig(), endpoint: chime.url });

/** Usher, as a stock client asks it that has a bearer token. */
function usher({ ApiUrl }: Record<string, string>, token: string | undefined): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: REGION,
    endpoint: served(ApiUrl),
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1,
    signer: {
      sign: async (request) => {
        if (token !== undefined) request.headers['authorization'] = `Bearer ${token}`;
        return request;
      },
    },
  });
}

const letIn = (
  stack: Record<string, string>,
  token: string | undefined,
  MeetingId: string,
  names: string[],
) =>
  usher(stack, token).send(
    new BatchCreateAttendeeCommand({
      MeetingId,
      Attendees: names.map((ExternalUserId) => ({ ExternalUserId })),
    }),
  );

async function createMeeting(tenant: string): Promise<string> {
  const { Meeting } = await chimeItself().send(
    new CreateMeetingCommand({
      ClientRequestToken: crypto.randomUUID(),
      ExternalMeetingId: 'test',
      MediaRegion: REGION,
      TenantIds: [tenant],
    }),
  );
  return Meeting?.MeetingId ?? '';
}

async function namesIn(MeetingId: string): Promise<(string | undefined)[]> {
  const { Attendees } = await chimeItself().send(new ListAttendeesCommand({ MeetingId }));
  return (Attendees ?? []).map(({ ExternalUserId }) => ExternalUserId).sort();
}

/** What `npm run audit` tells, asked as the README says for a deployment. */
async function audit(stack: Record<string, string>, ...question: string[]): Promise<AuditedBatch[]> {
  const tables = [`--table=${stack['AuditTableName']}`, `--admission-table=${stack['AdmissionTableName']}`];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['cli/audit.ts', ...question, ...tables, `--region=${REGION}`, '--output=json'],
    { cwd: PROJECT, env: { PATH: process.env['PATH'], ...aws.environment } },
  );
  return JSON.parse(stdout);
}

/** The client-credentials grant (RFC 6749 section 4.4), with the secret that the pool's owner can look up. */
async function requestToken(): Promise<Response> {
  const { UserPoolClient } = await cognito().send(
    new DescribeUserPoolClientCommand({ UserPoolId: poolId(), ClientId: dev['ClientId'] }),
  );
  const credentials = `${UserPoolClient?.ClientId}:${UserPoolClient?.ClientSecret}`;
  return fetch(served(dev['TokenEndpoint']), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
}

const poolId = (): string | undefined => dev['Issuer']?.split('/').at(-1);

async function signToken(claims: object): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const payload = {
    iss: issuer.issuer,
    aud: 'usher-local',
    client_id: 'app',
    exp: nowSeconds + 600,
    ...claims,
  };
  const response = await fetch(issuer.signUrl, {
    method: 'POST',
    body: JSON.stringify({ header: { typ: 'at+jwt' }, payload }),
  });
  return response.text();
}

const preflight = (origin: string) =>
  fetch(`${served(dev['ApiUrl'])}/meetings/${meetingId}/attendees?operation=batch-create`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  });

const describeTable = async (TableName: string | undefined) =>
  (await dynamodb().send(new DescribeTableCommand({ TableName }))).Table;

describe('a deployment, on an emulator of AWS', () => {
  it('begins with the real bootstrap, in an account that enforces IAM', async () => {
    const printed = await toolkit.cdk('dev', 'bootstrap', `aws://${ACCOUNT}/${REGION}`);
    expect(printed).toContain(`Environment aws://${ACCOUNT}/${REGION} bootstrapped`);

    const stranger = new DynamoDBClient({
      ...awsClientConfig(),
      credentials: { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'unknown' },
    });
    await expect(stranger.send(new DescribeTableCommand({ TableName: 'any' }))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  }, 100_000);

  it('deploys the default configuration', async () => {
    const { outputs, printed } = await toolkit.deploy('dev');
    dev = outputs;
    expect(printed).not.toContain('(no changes)');
    expect(dev['ApiUrl']).toMatch(/^https:\/\/[0-9a-f]+\.execute-api\.us-east-1\.amazonaws\.com\/v1$/);
    expect(dev['TokenEndpoint']).toBe(
      `https://usher-dev-${ACCOUNT}.auth.us-east-1.amazoncognito.com/oauth2/token`,
    );
    expect(dev['Issuer']).toBe(`https://cognito-idp.us-east-1.amazonaws.com/${poolId()}`);
  }, 100_000);

  it('gives the backend a token of the deployed pool', async () => {
    const response = await requestToken();
    expect(response.status).toBe(200);
    backendToken = ((await response.json()) as { access_token: string }).access_token;
    const claims = JSON.parse(Buffer.from(backendToken.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      iss: dev['Issuer'],
      scope: 'usher/attendees.create',
      token_use: 'access',
    });
  });

  it('lets a batch in through the deployed API, and the audit says whom', async () => {
    meetingId = await createMeeting('acme');
    const { Attendees, Errors } = await letIn(dev, backendToken, meetingId, ['alice', 'bob']);
    expect(Errors).toEqual([]);
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'bob']);
    expect(Attendees?.every(({ JoinToken }) => typeof JoinToken === 'string')).toBe(true);
    expect(await namesIn(meetingId)).toEqual(['alice', 'bob']);

    const [batch, ...more] = await audit(dev, '--meeting', meetingId);
    expect(more).toEqual([]);
    expect(batch).toMatchObject({
      state: 'ISSUED',
      intent: { caller: { issuer: dev['Issuer'], clientId: dev['ClientId'] } },
    });
    expect(batch?.outcome?.issued.map(({ attendeeId }) => attendeeId)).toEqual(
      Attendees?.map(({ AttendeeId }) => AttendeeId),
    );
    batchId = batch?.batchId ?? '';
    expect(await audit(dev, '--user', 'bob')).toMatchObject([{ meetingId, batchId }]);
  }, 30_000);

  it('admits no one without a token of the pool', async () => {
    const forged = await signToken({
      iss: dev['Issuer'],
      client_id: dev['ClientId'],
      sub: dev['ClientId'],
      token_use: 'access',
      scope: 'usher/attendees.create',
    });
    for (const token of [undefined, forged]) {
      await expect(letIn(dev, token, meetingId, ['mallory'])).rejects.toMatchObject({
        name: 'UnauthorizedException',
      });
    }
    expect(await namesIn(meetingId)).toEqual(['alice', 'bob']);
  });

  it('answers other paths and methods itself, with errors that a client can read', async () => {
    const answers = [
      ['GET', '/', 404, 'NotFoundException'],
      ['DELETE', '/some/where', 404, 'NotFoundException'],
      ['GET', `/meetings/${meetingId}/attendees`, 400, 'BadRequestException'],
      // The emulator looks for the resource without these slashes, as API Gateway was seen to.
      ['POST', `/meetings/${meetingId}/attendees/?operation=batch-create`, 404, 'NotFoundException'],
      ['POST', `/meetings//${meetingId}/attendees?operation=batch-create`, 404, 'NotFoundException'],
    ] as const;
    for (const [method, path, status, errorType] of answers) {
      const response = await fetch(served(dev['ApiUrl']) + path, { method });
      expect(response.headers.get('x-amzn-errortype')).toBe(errorType);
      expect(response.status).toBe(status);
    }
  });

  it('leaves a batch open of which Chime said nothing', async () => {
    await fetch(`${chime.url}/_emulator/faults`, {
      method: 'POST',
      body: JSON.stringify({ operation: 'BatchCreateAttendee', reset: true, when: 'after', times: 1 }),
    });
    await expect(letIn(dev, backendToken, meetingId, ['carol'])).rejects.toMatchObject({
      name: 'ServiceUnavailableException',
    });
    const batches = await audit(dev, '--meeting', meetingId);
    const open = batches.filter(({ state }) => state === 'OPEN');
    expect(open).toHaveLength(1);
    openBatchId = open[0]?.batchId ?? '';
  }, 30_000);

  it('has nothing to deploy where nothing has changed', async () => {
    const { outputs, printed } = await toolkit.deploy('dev');
    expect(printed).toContain('usher-dev (no changes)');
    expect(outputs).toEqual(dev);
  }, 100_000);

  it('deploys a change, and keeps the tables and what is in them', async () => {
    const tables = [dev['AuditTableName'], dev['AdmissionTableName'], dev['OpenIntentTableName']];
    const ids = () => Promise.all(tables.map(async (name) => (await describeTable(name))?.TableId));
    const idsBefore = await ids();
    const batchBefore = await audit(dev, '--batch', batchId);
    expect((await preflight(ORIGIN)).headers.get('access-control-allow-origin')).toBeNull();

    toolkit.configure('dev', {
      ...DEV_CONFIG,
      allowedOrigins: [ORIGIN],
      // Whatever takes tags is updated, the tables too.
      tags: { service: 'usher' },
    });
    const { outputs, printed } = await toolkit.deploy('dev');

    expect(printed).not.toContain('(no changes)');
    expect((await preflight(ORIGIN)).headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(outputs).toEqual(dev);
    expect(await ids()).toEqual(idsBefore);
    expect(await audit(dev, '--batch', batchId)).toEqual(batchBefore);
    const again = await letIn(dev, backendToken, meetingId, ['alice']);
    expect(again.Attendees).toHaveLength(1);
  }, 100_000);

  it('deploys another configuration beside it, with an issuer of its own', async () => {
    const { issuers, ...local } = readConfig('local');
    toolkit.configure('oidc', {
      ...local,
      stackName: 'usher-oidc',
      production: true,
      limits: { reservedConcurrency: 5, provisionedConcurrency: 1 },
      issuers: [{ ...issuers[0], issuer: issuer.issuer, jwksUri: issuer.jwksUri }],
    });
    oidc = (await toolkit.deploy('oidc')).outputs;
    expect(oidc).not.toHaveProperty('TokenEndpoint');

    const guest = await signToken({ sub: 'gail', scope: 'attendees.create.self', tenant: 'acme' });
    const meetings = [await createMeeting('acme'), await createMeeting('other')] as const;
    const watch = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } as const;
    const ask = (MeetingId: string) =>
      usher(oidc, guest).send(
        new BatchCreateAttendeeCommand({
          MeetingId,
          Attendees: [{ ExternalUserId: 'gail', Capabilities: watch }],
        }),
      );
    expect((await ask(meetings[0])).Attendees).toMatchObject([{ ExternalUserId: 'gail' }]);
    await expect(ask(meetings[1])).rejects.toMatchObject({ name: 'NotFoundException' });
    expect(await namesIn(meetings[1])).toEqual([]);
    expect(await audit(oidc, '--denied')).toMatchObject([{ state: 'DENIED', meetingId: meetings[1] }]);
    await expect(audit(oidc, '--meeting', meetingId)).rejects.toMatchObject({ code: NOTHING_FOUND });
    await expect(letIn(dev, guest, meetingId, ['gail'])).rejects.toMatchObject({
      name: 'UnauthorizedException',
    });
  }, 100_000);

  it('finds out what became of the open batch, by the deployed schedule', async () => {
    const deadlineMs = performance.now() + 150_000;
    let [batch] = await audit(dev, '--batch', openBatchId);
    while (batch?.state === 'OPEN' && performance.now() < deadlineMs) {
      await pause(2_000);
      [batch] = await audit(dev, '--batch', openBatchId);
    }
    expect(batch).toMatchObject({ state: 'RECOVERED', outcome: { issued: [{ externalUserId: 'carol' }] } });
  }, 180_000);

  it('is destroyed, but for what has been recorded and whom it names', async () => {
    const batches = await audit(dev, '--meeting', meetingId);
    await toolkit.cdk('dev', 'destroy', '--force');

    expect((await preflight(ORIGIN)).headers.get('access-control-allow-origin')).not.toBe(ORIGIN);
    await expect(letIn(dev, backendToken, meetingId, ['dave'])).rejects.toThrow();
    expect(await namesIn(meetingId)).toEqual(['alice', 'bob', 'carol']);
    await expect(describeTable(dev['OpenIntentTableName'])).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });

    expect(await audit(dev, '--meeting', meetingId)).toEqual(batches);
    for (const TableName of [dev['AuditTableName'], dev['AdmissionTableName']]) {
      await expect(dynamodb().send(new DeleteTableCommand({ TableName }))).rejects.toThrow(/protect/);
    }
    const pool = await cognito().send(new DescribeUserPoolCommand({ UserPoolId: poolId() }));
    expect(pool.UserPool?.Id).toBe(poolId());

    const guest = await signToken({ sub: 'gail', scope: 'attendees.create', tenant: 'acme' });
    expect((await letIn(oidc, guest, meetingId, ['erin'])).Attendees).toHaveLength(1);
    await toolkit.cdk('oidc', 'destroy', '--force');
  }, 200_000);
});
