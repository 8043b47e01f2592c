import { createServer, type IncomingHttpHeaders } from 'node:http';
import {
  BatchCreateAttendeeCommand,
  ChimeSDKMeetingsClient,
  GetMeetingCommand,
  ListAttendeesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createChimeClient, createDynamoDBClient, withCallLimit } from '../../../lambda/aws/clients.ts';
import { close, LOOPBACK, listen } from '../../../local/http-server.ts';

// Everything here is held against the SDK's own clients, which meet the same server.

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
let stock: { chime: ChimeSDKMeetingsClient; dynamodb: DynamoDBClient };
let ours: { chime: ChimeSDKMeetingsClient; dynamodb: DynamoDBClient };
const environment = { ...process.env };
beforeEach(async () => {
  Object.assign(process.env, CREDENTIALS);
  // What the stock clients would look at first is whoever's machine this is.
  delete process.env['AWS_PROFILE'];
  Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
  received = [];
  answers = [OK];
  service = { region: 'eu-central-1', endpoint: `http://${LOOPBACK}:${await listen(server, 0)}` };
  stock = {
    chime: new ChimeSDKMeetingsClient({ ...service, maxAttempts: 1 }),
    dynamodb: new DynamoDBClient({ ...service, maxAttempts: 1 }),
  };
  ours = { chime: createChimeClient(service), dynamodb: createDynamoDBClient(service) };
});
afterEach(async () => {
  process.env = { ...environment };
  for (const client of [...Object.values(stock), ...Object.values(ours)]) client.destroy();
  await close(server);
});

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const TableName = 'audit';
const Key = marshall({ meetingId: MEETING, recordId: 'a/intent' });
const Item = marshall({
  meetingId: MEETING,
  names: ['«é» "quoted" \\ \u0001 \u{1f600} \ud800', ''],
  nested: { count: 3, delivered: false, none: [] },
});

const DYNAMODB_CALLS = [
  [
    'ExecuteStatement',
    () =>
      new ExecuteStatementCommand({
        Statement: `INSERT INTO "audit" VALUE {'nested': ?}`,
        Parameters: Object.values(Item),
      }),
  ],
  ['PutItem', () => new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(a)' })],
  [
    'BatchWriteItem',
    () =>
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: [{ PutRequest: { Item } }, { DeleteRequest: { Key } }] },
      }),
  ],
  [
    'GetItem',
    () => new GetItemCommand({ TableName, Key, ConsistentRead: true, ProjectionExpression: undefined }),
  ],
  ['BatchGetItem', () => new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key] } } })],
  [
    'Query',
    () =>
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#a = :a',
        ExpressionAttributeNames: { '#a': 'meetingId' },
        ExpressionAttributeValues: { ':a': { S: MEETING } },
        Limit: 100,
      }),
  ],
  [
    'UpdateItem',
    () =>
      new UpdateItemCommand({
        TableName,
        Key,
        UpdateExpression: 'SET a = :a',
        ExpressionAttributeValues: Item,
      }),
  ],
  ['DeleteItem', () => new DeleteItemCommand({ TableName, Key })],
] as const;

const CHIME_CALLS = [
  [
    'BatchCreateAttendee',
    () =>
      new BatchCreateAttendeeCommand({
        MeetingId: MEETING,
        Attendees: [
          { ExternalUserId: 'alice' },
          {
            ExternalUserId: '«é»',
            Capabilities: { Audio: 'SendReceive', Video: 'None', Content: 'None' },
          },
        ],
      }),
  ],
  ['GetMeeting', () => new GetMeetingCommand({ MeetingId: MEETING })],
  [
    'ListAttendees',
    () => new ListAttendeesCommand({ MeetingId: MEETING, MaxResults: 100, NextToken: 'a b+c/ü' }),
  ],
] as const;

/** Of a request, what the services go by; the date, and with it the signature, is another one each time. */
function essence({ method, url, headers, body }: Received) {
  const {
    host,
    'content-type': contentType,
    'x-amz-target': target,
    'x-amz-security-token': token,
  } = headers;
  return {
    method,
    url,
    host,
    contentType,
    target,
    token,
    body: body && JSON.parse(body),
    length: headers['content-length'],
  };
}

/** The signature that the SDK's own signer gives the request as it arrived. */
async function rightSignature(client: ChimeSDKMeetingsClient | DynamoDBClient, request: Received) {
  const { method = '', headers, body } = request;
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  const signed = Object.fromEntries(names.split(';').map((name) => [name, String(headers[name])]));
  const url = new URL(request.url ?? '', service.endpoint);
  const date = signed['x-amz-date']?.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z') ?? '';
  const signer = await client.config.signer();
  const { headers: again } = (await (signer as Signer).sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      port: Number(url.port),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: signed,
      ...(body !== '' && { body }),
    },
    { signingDate: new Date(date) },
  )) as { headers: Record<string, string> };
  return again['authorization'];
}
interface Signer {
  sign(request: object, options: { signingDate: Date }): Promise<unknown>;
}

describe.each([
  ...DYNAMODB_CALLS.map(([name, command]) => [name, 'dynamodb', command] as const),
  ...CHIME_CALLS.map(([name, command]) => [name, 'chime', command] as const),
])('%s', (_name, which, command) => {
  const send = (clients: typeof ours): Promise<{ $metadata: Record<string, unknown> }> =>
    (clients[which] as DynamoDBClient).send(command() as never);

  it('is the request that the SDK makes of it, in one attempt', async () => {
    await send(stock);
    await send(ours);
    const [theirs, own] = received as [Received, Received];
    expect(received).toHaveLength(2);
    expect(essence(own)).toEqual(essence(theirs));
  });

  it('is signed, host and content included', async () => {
    await send(ours);
    const [request] = received as [Received];
    expect(request.headers.authorization).toMatch(
      /SignedHeaders=[^,]*\bhost\b[^,]*, Signature=[0-9a-f]{64}$/,
    );
    expect(request.headers.authorization).toBe(await rightSignature(stock[which], request));
  });

  it('has the answer that the SDK reads', async () => {
    answers = [
      {
        body: JSON.stringify({
          Item,
          Meeting: { MeetingId: MEETING, TenantIds: ['acme'] },
          Attendees: [{ ExternalUserId: 'é', AttendeeId: 'a', JoinToken: 'j' }],
          Errors: [],
          Unknown: 1,
        }),
      },
    ];
    const [theirs, own] = [await send(stock), await send(ours)];
    const { attempts: _, totalRetryDelay: __, ...metadata } = theirs.$metadata;
    expect(own).toEqual({ ...theirs, $metadata: metadata });
  });

  it.each([
    [
      'an error of its own',
      { status: 400, headers: { 'x-amzn-errortype': 'ThrottlingException' }, body: '{"Message":"m"}' },
    ],
    ['an unknown error', { status: 418, headers: { 'x-amzn-errortype': 'Teapot' }, body: '{"message":"m"}' }],
    ['an outage', { status: 503, headers: { 'retry-after': '0' }, body: '{"__type":"ServiceUnavailable"}' }],
    ['what is no JSON', { status: 500, body: '<html>' }],
    ['what is no JSON in the form of success', { body: '<html>' }],
  ])('fails as the SDK does after %s', async (_what, answer) => {
    answers = [answer];
    const failureOf = (clients: typeof ours) =>
      send(clients).then(
        () => undefined,
        (error) => ({
          name: error.name,
          class: error.constructor.name,
          fault: error.$fault,
          status: error.$metadata?.httpStatusCode,
          requestId: error.$metadata?.requestId,
          retryAfter: error.$response?.headers?.['retry-after'],
        }),
      );
    const theirs = await failureOf(stock);
    expect(theirs).toBeDefined();
    expect(await failureOf(ours)).toEqual(theirs);
  });
});

describe('the number of attempts', () => {
  const put = () => ours.dynamodb.send(new PutItemCommand({ TableName, Item }));
  const create = () =>
    ours.chime.send(
      new BatchCreateAttendeeCommand({ MeetingId: MEETING, Attendees: [{ ExternalUserId: 'a' }] }),
    );
  const OUTAGES: [string, Answer][] = [
    ['500', { status: 500, body: '{"__type":"InternalServerError"}' }],
    ['429', { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' }, body: '{}' }],
    ['a reset', { reset: true }],
    ['garbage', { status: 502, body: '<html>' }],
  ];

  it.each(OUTAGES)('of DynamoDB is three at most, after %s', async (_what, answer) => {
    answers = [answer];
    await expect(put()).rejects.toThrow();
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it.each(OUTAGES)('of DynamoDB is as many as it takes, after %s', async (_what, answer) => {
    answers = [answer, answer, OK];
    await put();
    expect(received).toHaveLength(3);
  });

  it('of DynamoDB is one where a condition fails', async () => {
    answers = [
      { status: 400, body: '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}' },
    ];
    await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    expect(received).toHaveLength(1);
  });

  it.each(OUTAGES)('of Chime is one, after %s', async (_what, answer) => {
    answers = [answer];
    await expect(create()).rejects.toThrow();
    expect(received).toHaveLength(1);
  });

  it.each(['dynamodb', 'chime'] as const)('of %s is one where the caller aborts', async (which) => {
    answers = [{ latencyMs: 400 }];
    const client = ours[which] as DynamoDBClient;
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
  ])('is bounded in time where there is a limit, for an answer %s', async (_what, answer) => {
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

  it("ends by the caller's word too", async () => {
    answers = [{ latencyMs: 400 }];
    const client = withCallLimit(createChimeClient(service), { timeoutMs: 5_000 });
    const abort = new AbortController();
    server.once('request', () => abort.abort());
    const call = client.send(new GetMeetingCommand({ MeetingId: MEETING }), { abortSignal: abort.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    client.destroy();
  });

  it('has the answer where there is time', async () => {
    answers = [{ body: '{"Item":{"id":{"S":"1"}}}' }];
    const client = withCallLimit(createDynamoDBClient(service), { timeoutMs: 5_000 });
    const { Item } = await client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }));
    expect(Item).toEqual({ id: { S: '1' } });
    client.destroy();
  });
});

it('learns from an answer how far its clock is off', async () => {
  const serverTime = new Date(Date.now() + 3_600_000);
  answers = [
    {
      status: 403,
      headers: { date: serverTime.toUTCString(), 'x-amzn-errortype': 'RequestTimeTooSkewed' },
      body: '{}',
    },
    OK,
  ];
  const ask = () => ours.chime.send(new GetMeetingCommand({ MeetingId: MEETING }));
  await expect(ask()).rejects.toThrow();
  await ask();
  const date = String(received[1]?.headers['x-amz-date']).replace(
    /(....)(..)(..)T(..)(..)(..)Z/,
    '$1-$2-$3T$4:$5:$6Z',
  );
  expect(Math.abs(Date.parse(date) - serverTime.getTime())).toBeLessThan(60_000);
});
