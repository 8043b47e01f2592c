import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  BatchCreateAttendeeCommand,
  ServiceFailureException,
  ServiceUnavailableException,
  ThrottlingException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startGateway } from '../../local/gateway/server.ts';
import { createFunctionPool } from '../../local/lambda/pool.ts';
import { ABSENT_MEETING, clientOfUsher } from '../support/contract/clients.ts';
import { deployedApi } from '../support/deployed-api.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:failing';

/** Ways in which a function can fail that the handler cannot shape, since it is the handler that is gone. */
const FAILURES = {
  throws: 'throw new Error("secret detail")',
  exits: 'process.exit(1)',
  dies: 'process.kill(process.pid, "SIGKILL")',
  'runs out of memory': 'const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length))',
  'takes too long': 'await new Promise((resolve) => setTimeout(resolve, 60_000))',
  'never yields': 'for (;;);',
  'answers nothing': 'return undefined',
  'answers what is no proxy response': 'return { status: 200 }',
  'answers more than Lambda takes': 'return { statusCode: 200, body: "x".repeat(7_000_000) }',
};
type Failure = keyof typeof FAILURES;

let directory: string;
const closing: (() => Promise<void>)[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-failing-'));
  jest.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
  jest.restoreAllMocks();
});

/** The API as it is deployed, before a function that fails. @returns its address */
async function start(
  failure: Failure,
  {
    timeoutMs = 1_000,
    integrationTimeoutMs = 10_000,
    throttle = { requestsPerSecond: 100, burst: 100 },
  } = {},
): Promise<string> {
  const folder = path.join(directory, 'function');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{"type":"commonjs"}');
  writeFileSync(path.join(folder, 'index.js'), `exports.handler = async () => { ${FAILURES[failure]} };`);
  const pool = createFunctionPool(
    {
      name: 'failing',
      arn: ARN,
      handler: 'index.handler',
      directory: folder,
      environment: {},
      timeoutMs,
      memoryMb: 64,
      runtime: 'nodejs24.x',
      logging: { group: 'none' },
    },
    { environment: { PATH: process.env['PATH'] ?? '' }, maxProcesses: 1 },
  );
  closing.push(() => pool.close());
  const api = deployedApi();
  const methods = api.methods.map((method) => ({
    ...method,
    functionArn: ARN,
    timeoutMs: integrationTimeoutMs,
  }));
  const gateway = await startGateway(
    { ...api, methods, throttle, methodThrottles: {} },
    { port: 0, functions: new Map([[ARN, pool]]) },
  );
  closing.push(() => gateway.close());
  return gateway.url;
}

const create = (apiUrl: string) =>
  clientOfUsher(apiUrl, 'any', { maxAttempts: 1 })
    .send(
      new BatchCreateAttendeeCommand({
        MeetingId: ABSENT_MEETING,
        Attendees: [{ ExternalUserId: 'alice' }],
      }),
    )
    .catch((e) => e);

describe('a function that fails beyond its own shaping', () => {
  it.each(Object.keys(FAILURES) as Failure[])('is a ServiceFailureException if it %s', async (failure) => {
    const error = await create(await start(failure));
    expect(error).toBeInstanceOf(ServiceFailureException);
    expect(error).toMatchObject({
      Code: 'ServiceFailure',
      message: 'The service failed. Repeating the same request is safe.',
      RequestId: error.$metadata.requestId,
      $metadata: { httpStatusCode: 500 },
    });
    expect(error.RequestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is a ServiceUnavailableException if the gateway times out before Lambda', async () => {
    const error = await create(
      await start('takes too long', { timeoutMs: 5_000, integrationTimeoutMs: 100 }),
    );
    expect(error).toBeInstanceOf(ServiceUnavailableException);
    expect(error).toMatchObject({ RetryAfterSeconds: '1', $metadata: { httpStatusCode: 503 } });
  });

  it('can be read by a page', async () => {
    const apiUrl = await start('throws');
    const response = await fetch(`${apiUrl}/meetings/${ABSENT_MEETING}/attendees?operation=batch-create`, {
      method: 'POST',
      headers: { Origin: 'https://app.example.com' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
    expect(response.headers.get('access-control-expose-headers')).toContain('x-amzn-RequestId');
  });
});

describe('the gateway', () => {
  it('throttles as Chime does', async () => {
    const apiUrl = await start('throws', { throttle: { requestsPerSecond: 0.001, burst: 1 } });
    await create(apiUrl);
    const error = await create(apiUrl);
    expect(error).toBeInstanceOf(ThrottlingException);
    expect(error).toMatchObject({ Code: 'Throttling', $metadata: { httpStatusCode: 429 } });
    expect(error.$response.headers['retry-after']).toBe('1');
  });

  it('has a modelled answer to a method that no resource has', async () => {
    const apiUrl = await start('throws');
    const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
    httpRequest(`${apiUrl}/meetings`, { method: 'TRACE' }, resolve).on('error', reject).end();
    const response = await promise;
    response.resume();
    expect([response.statusCode, response.headers['x-amzn-errortype']]).toEqual([404, 'NotFoundException']);
  });
});
