import { createServer, type IncomingHttpHeaders } from 'node:http';
import {
  BatchCreateAttendeeCommand,
  type ChimeSDKMeetingsClient,
  GetMeetingCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createChimeClient, createDynamoDBClient, withCallLimit } from '../../../lambda/aws/clients.ts';
import { close, LOOPBACK, listen } from '../../../local/http-server.ts';

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}
interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  reset?: boolean;
  latencyMs?: number;
  /** The body begins and never ends. */
  stalls?: boolean;
}

const OK: Answer = { body: '{}' };
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'session',
};

let received: Received[] = [];
/** What is answered, the last one again and again. */
let answers: Answer[] = [OK];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method, url, headers } = request;
  received.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
  const { status = 200, headers: answerHeaders, body, reset, latencyMs = 0, stalls } = next();
  await new Promise((resolve) => setTimeout(resolve, latencyMs));
  if (reset) {
    request.socket.resetAndDestroy();
    return;
  }
  response.writeHead(status, { 'x-amzn-RequestId': 'request-1', ...answerHeaders });
  if (stalls) response.write('{');
  else response.end(body);
});
function next(): Answer {
  const [answer = OK] = answers;
  if (answers.length > 1) answers.shift();
  return answer;
}

let service: { region: string; endpoint: string };
let clients: { chime: ChimeSDKMeetingsClient; dynamodb: DynamoDBClient };
const environment = { ...process.env };
beforeEach(async () => {
  Object.assign(process.env, CREDENTIALS);
  delete process.env['AWS_PROFILE'];
  Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
  received = [];
  answers = [OK];
  service = { region: 'eu-central-1', endpoint: `http://${LOOPBACK}:${await listen(server, 0)}` };
  clients = { chime: createChimeClient(service), dynamodb: createDynamoDBClient(service) };
});
afterEach(async () => {
  process.env = { ...environment };
  for (const client of Object.values(clients)) client.destroy();
  await close(server);
});

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const TableName = 'audit';
const Key = { meetingId: { S: MEETING } };
const Item = { ...Key, recordId: { S: 'a/intent' } };

describe('a request', () => {
  it("names its SDK, and is signed with the function's credentials", async () => {
    await clients.dynamodb.send(new PutItemCommand({ TableName, Item }));
    const [{ headers }] = received as [Received];
    expect(headers['user-agent']).toMatch(/aws-sdk-js\/3\./);
    expect(headers['x-amz-security-token']).toBe('session');
    expect(headers.authorization).toMatch(/Credential=AKID\/\d{8}\/eu-central-1\/dynamodb\//);
  });

  it.each([
    ['AWS_ENDPOINT_URL_CHIME_SDK_MEETINGS', 'AWS_ENDPOINT_URL_DYNAMODB'],
    ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL'],
  ])('goes to the endpoint in %s and %s', async (ofChime, ofDynamodb) => {
    Object.assign(process.env, {
      AWS_REGION: 'eu-west-1',
      [ofChime]: service.endpoint,
      [ofDynamodb]: service.endpoint,
    });
    const chime = createChimeClient({ region: 'eu-central-1' });
    const dynamodb = createDynamoDBClient();
    await chime.send(new GetMeetingCommand({ MeetingId: MEETING }));
    await dynamodb.send(new GetItemCommand({ TableName, Key }));
    expect(received.map(({ headers }) => headers.authorization?.split('/').slice(2, 4))).toEqual([
      ['eu-central-1', 'chime'],
      ['eu-west-1', 'dynamodb'],
    ]);
    for (const client of [chime, dynamodb]) client.destroy();
  });
});

/** Host of the address that a client's own rules find, without a request. */
async function hostOf(client: ChimeSDKMeetingsClient | DynamoDBClient): Promise<string> {
  const { config } = client as DynamoDBClient;
  const { url } = config.endpointProvider({
    Region: await config.region(),
    UseFIPS: await config.useFipsEndpoint(),
    UseDualStack: await config.useDualstackEndpoint(),
  });
  client.destroy();
  return url.hostname;
}

describe('an address', () => {
  it.each([
    ['eu-central-1', {}, 'meetings-chime.eu-central-1.amazonaws.com', 'dynamodb.eu-central-1.amazonaws.com'],
    [
      'us-gov-west-1',
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      'meetings-chime-fips.us-gov-west-1.amazonaws.com',
      'dynamodb.us-gov-west-1.amazonaws.com',
    ],
    [
      'eu-central-1',
      { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      'meetings-chime.eu-central-1.api.aws',
      'dynamodb.eu-central-1.api.aws',
    ],
  ])("in %s with %j is that of the SDK's rules", async (region, environment, ofChime, ofDynamodb) => {
    Object.assign(process.env, { AWS_REGION: region, ...environment });
    expect(await hostOf(createChimeClient({ region }))).toBe(ofChime);
    expect(await hostOf(createDynamoDBClient())).toBe(ofDynamodb);
  });
});

describe('the number of attempts', () => {
  const put = () => clients.dynamodb.send(new PutItemCommand({ TableName, Item }));
  const create = () =>
    clients.chime.send(
      new BatchCreateAttendeeCommand({ MeetingId: MEETING, Attendees: [{ ExternalUserId: 'a' }] }),
    );
  const OUTAGES: [string, Answer][] = [
    ['500', { status: 500, body: '{"__type":"InternalServerError"}' }],
    ['429', { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' }, body: '{}' }],
    ['a reset', { reset: true }],
    ['garbage', { status: 502, body: '<html>' }],
  ];

  it.each(OUTAGES)('is at most three for DynamoDB, after %s', async (_what, answer) => {
    answers = [answer];
    await expect(put()).rejects.toThrow();
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it.each(OUTAGES)('is as many as needed for DynamoDB, after %s', async (_what, answer) => {
    answers = [answer, answer, OK];
    await put();
    expect(received).toHaveLength(3);
  });

  it('falls to one for DynamoDB when its retry quota is spent', async () => {
    answers = [{ status: 500, body: '{"__type":"InternalServerError"}' }];
    await Promise.allSettled(Array.from({ length: 100 }, put));
    const before = received.length;
    await Promise.allSettled(Array.from({ length: 10 }, put));
    expect(before).toBeLessThan(300);
    expect(received.length - before).toBe(10);
  });

  it('is one for DynamoDB when a condition fails', async () => {
    answers = [
      { status: 400, body: '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}' },
    ];
    await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    expect(received).toHaveLength(1);
  });

  it.each(OUTAGES)('is one for Chime, after %s', async (_what, answer) => {
    answers = [answer];
    await expect(create()).rejects.toThrow();
    expect(received).toHaveLength(1);
  });

  it.each(['dynamodb', 'chime'] as const)('is one for %s when the caller aborts', async (which) => {
    answers = [{ latencyMs: 400 }];
    const client = clients[which] as DynamoDBClient;
    const command =
      which === 'chime'
        ? new GetMeetingCommand({ MeetingId: MEETING })
        : new GetItemCommand({ TableName, Key });
    const abort = new AbortController();
    server.once('request', () => abort.abort());
    await expect(client.send(command as never, { abortSignal: abort.signal })).rejects.toMatchObject({
      name: expect.stringMatching(/Abort|Timeout/),
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(received).toHaveLength(1);
  });

  it.each([
    ['that does not begin', { latencyMs: 400 }],
    ['that begins and does not end', { stalls: true }],
  ])('is bounded in time by the call limit, for an answer %s', async (_what, answer) => {
    answers = [answer];
    const client = withCallLimit(createChimeClient(service), { timeoutMs: 100 });
    await expect(client.send(new GetMeetingCommand({ MeetingId: MEETING }))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    client.destroy();
  });
});

describe('a call with a limit', () => {
  it('has it for all its attempts', async () => {
    answers = [{ status: 500, body: '{}', latencyMs: 60 }];
    const client = withCallLimit(createDynamoDBClient(service), { timeoutMs: 100 });
    const call = client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }));
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(received.length).toBeLessThan(3);
    client.destroy();
  });

  it("ends by the caller's signal too", async () => {
    answers = [{ latencyMs: 400 }];
    const client = withCallLimit(createChimeClient(service), { timeoutMs: 5_000 });
    const abort = new AbortController();
    server.once('request', () => abort.abort());
    const call = client.send(new GetMeetingCommand({ MeetingId: MEETING }), { abortSignal: abort.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    client.destroy();
  });

  it('returns the answer within the limit', async () => {
    answers = [{ body: '{"Item":{"id":{"S":"1"}}}' }];
    const client = withCallLimit(createDynamoDBClient(service), { timeoutMs: 5_000 });
    const { Item } = await client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }));
    expect(Item).toEqual({ id: { S: '1' } });
    client.destroy();
  });
});
