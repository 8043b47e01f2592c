import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { BatchCreateAttendeeCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { close, listen } from '../../local/http-server.ts';
import { chimeControl, clientOfUsher, createMeeting, mintToken } from '../support/contract/clients.ts';
import { type RunningSystem, startSystem, unthrottledConfig } from '../support/local.ts';

/** The function is killed after this; an answer of the gateway's would be a 500 without a batch id. */
const FUNCTION_MS = 8_000;
const STALLED_MS = 60_000;

/** Writes of a meeting that are held up: those whose body matches, for so long. */
const delays = new Map<string, { what: RegExp; ms: number }>();

let system: RunningSystem;
let token: string;
let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
const stopping = new AbortController();
const proxy = createServer((request, response) => {
  forward(request, response).catch(() => response.destroy());
});

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const target = String(request.headers['x-amz-target']);
  for (const [meetingId, { what, ms }] of delays) {
    const held = body.includes(meetingId) && what.test(target + body);
    if (held) await pause(ms, undefined, { signal: stopping.signal });
  }
  const forwarded = await fetch(dynamoDb.url, {
    method: 'POST',
    headers: request.headers as Record<string, string>,
    body,
  });
  response.writeHead(forwarded.status, { 'Content-Type': 'application/x-amz-json-1.0' });
  response.end(await forwarded.text());
}

beforeAll(async () => {
  dynamoDb = await startDynamoDb();
  const dynamoDbUrl = `http://127.0.0.1:${await listen(proxy, 0)}`;
  const config = unthrottledConfig();
  system = await startSystem({
    config: { ...config, limits: { ...config.limits, timeoutSeconds: FUNCTION_MS / 1_000 } },
    env: { AWS_ENDPOINT_URL_DYNAMODB: dynamoDbUrl },
  });
  token = await mintToken(system.environment);
}, 60_000);
afterAll(async () => {
  await system?.stop();
  stopping.abort();
  await close(proxy);
  await dynamoDb.close();
});
afterEach(() => system && chimeControl(system.environment).clearFaults());

async function create(meetingId: string) {
  const startedMs = performance.now();
  const client = clientOfUsher(system.environment.apiUrl, token, { maxAttempts: 1 });
  const command = new BatchCreateAttendeeCommand({
    MeetingId: meetingId,
    Attendees: [{ ExternalUserId: 'alice' }],
  });
  const answer = await client.send(command).then(
    ({ Attendees }) => ({ name: 'success', Attendees, batchId: 'some' }),
    (error) => ({
      name: error.name as string,
      message: error.message as string,
      retryAfter: error.RetryAfterSeconds as string,
      batchId: error.$response.headers['x-usher-batch-id'] as string | undefined,
    }),
  );
  return { ...answer, tookMs: performance.now() - startedMs };
}

const unavailable = (message: RegExp) => ({
  name: 'ServiceUnavailableException',
  message: expect.stringMatching(message),
  retryAfter: '1',
  // The handler's own answer, not the gateway's for it.
  batchId: expect.stringMatching(/^\d{8}T/),
});

describe('a request ends in time', () => {
  it.concurrent.each([
    ['an intent', /ExecuteStatement.*"intent"/, unavailable(/^Nothing was created/), 3_000],
    ['an outcome', /ExecuteStatement.*"outcome"/, unavailable(/^The outcome is not known yet/), 3_000],
    ['what is derived', /BatchWriteItem/, { name: 'success' }, 1_000],
  ])('if %s cannot be written', async (_what, what, expected, mostMs) => {
    const meetingId = await createMeeting(system.environment);
    delays.set(meetingId, { what, ms: STALLED_MS });
    const answer = await create(meetingId);
    expect(answer).toMatchObject(expected);
    expect(answer.tookMs).toBeLessThan(mostMs + 2_500);
  });

  it('if Chime does not answer the meeting look-up', async () => {
    await chimeControl(system.environment).fault({ operation: 'GetMeeting', latencyMs: STALLED_MS });
    const answer = await create(await createMeeting(system.environment));
    expect(answer).toMatchObject(unavailable(/could not be looked up/));
    expect(answer.tookMs).toBeLessThan(4_500);
  }, 15_000);

  it('if Chime does not answer, with the reserve for the record still left', async () => {
    const control = chimeControl(system.environment);
    // The start of a process is not what is timed.
    await create(await createMeeting(system.environment));
    await control.clearCalls();
    await control.fault({ operation: 'BatchCreateAttendee', latencyMs: STALLED_MS });
    const answer = await create(await createMeeting(system.environment));
    expect(answer).toMatchObject(unavailable(/not known yet/));
    expect(answer.tookMs).toBeLessThan(FUNCTION_MS - 2_500);
    expect(await control.calls('BatchCreateAttendee')).toHaveLength(1);
  }, 15_000);

  it('if everything is as slow as allowed, without calling Chime too late', async () => {
    const control = chimeControl(system.environment);
    await control.clearCalls();
    const meetingId = await createMeeting(system.environment);
    await control.fault({ operation: 'GetMeeting', latencyMs: 2_400 });
    delays.set(meetingId, { what: /ExecuteStatement/, ms: 2_000 });
    const answer = await create(meetingId);
    expect(answer).toMatchObject(unavailable(/took too long/));
    expect(answer.tookMs).toBeLessThan(FUNCTION_MS);
    expect(await control.calls('BatchCreateAttendee')).toEqual([]);
  }, 15_000);
});
