import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createFunctionPool, type FunctionPool } from '../../../local/lambda/pool.ts';
import { isAlive, until } from '../../support/local.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:fixture';

/** What it does is in the event, so that a test reads in one place. */
const FIXTURE = `
  let running = 0;
  let served = 0;
  exports.handler = async (event, context) => {
    running += 1;
    served += 1;
    try {
      if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs));
      if (event.exit) process.exit(event.exit);
      if (event.crash) setTimeout(() => { throw new Error('out of turn'); });
      if (event.hang) await new Promise(() => {});
      if (event.spin) for (;;);
      if (event.fail) throw new TypeError(event.fail);
      if (event.bytes) return 'x'.repeat(event.bytes);
      if (event.nothing) return undefined;
      const { getRemainingTimeInMillis, awsRequestId, ...rest } = context;
      return {
        pid: process.pid, running, served, event, env: process.env,
        heapLimitMb: require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20,
        context: { ...rest, awsRequestId, remainingMs: getRemainingTimeInMillis() },
      };
    } finally {
      running -= 1;
    }
  };
  exports.broken = 'not a function';
`;

let directory: string;
let pool: FunctionPool;

function start({
  maxProcesses = 2,
  timeoutMs = 5000,
  memoryMb = 128,
  handler = 'index.handler',
  environment = {},
  source = FIXTURE,
} = {}): FunctionPool {
  directory = mkdtempSync(path.join(tmpdir(), 'usher-pool-'));
  writeFileSync(path.join(directory, 'package.json'), '{"type":"commonjs"}');
  writeFileSync(path.join(directory, 'index.js'), source);
  const description = {
    name: 'fixture',
    arn: ARN,
    handler,
    directory,
    environment: {},
    timeoutMs,
    memoryMb,
    runtime: 'nodejs24.x',
    logging: { group: '/aws/lambda/fixture' },
  };
  pool = createFunctionPool(description, { environment, maxProcesses });
  return pool;
}

interface Report {
  pid: number;
  running: number;
  served: number;
  event: unknown;
  env: Record<string, string>;
  heapLimitMb: number;
  context: Record<string, unknown>;
}

async function invoke(event: object): Promise<Report> {
  return (await pool.invoke(event)) as Report;
}

afterEach(async () => {
  await pool.close();
  rmSync(directory, { recursive: true });
});

describe('an invocation', () => {
  it('gets its event, a context and nothing of our environment', async () => {
    start({ environment: { AWS_LAMBDA_FUNCTION_NAME: 'fixture', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128' } });
    const { event, env, context } = await invoke({ hello: ['é'] });
    expect(event).toEqual({ hello: ['é'] });
    expect(env).toEqual({ AWS_LAMBDA_FUNCTION_NAME: 'fixture', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128' });
    expect(context).toMatchObject({
      functionName: 'fixture',
      memoryLimitInMB: '128',
      invokedFunctionArn: ARN,
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(context['remainingMs']).toBeGreaterThan(4000);
    expect(context['remainingMs']).toBeLessThanOrEqual(5000);
  });

  it('answers null if the handler returns nothing', async () => {
    expect(await start().invoke({ nothing: true })).toBeNull();
  });

  it('fails with the error of the handler, and keeps the process', async () => {
    start();
    const before = await invoke({});
    await expect(invoke({ fail: 'no good' })).rejects.toMatchObject({
      name: 'TypeError',
      message: 'no good',
    });
    expect(await invoke({})).toMatchObject({ pid: before.pid, served: 3 });
  });

  it('fails if the answer is larger than Lambda allows', async () => {
    start();
    expect(await pool.invoke({ bytes: 6_291_554 })).toHaveLength(6_291_554);
    await expect(invoke({ bytes: 6_291_555 })).rejects.toThrow(/payload size exceeded/);
  });
});

describe('the processes', () => {
  it('run one invocation at a time, and several side by side', async () => {
    start({ maxProcesses: 2 });
    const reports = await Promise.all([1, 2, 3, 4, 5, 6].map(() => invoke({ waitMs: 50 })));
    expect(reports.map(({ running }) => running)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(new Set(reports.map(({ pid }) => pid)).size).toBe(2);
    expect(pool.processIds()).toHaveLength(2);
  });

  it('are not more than are needed', async () => {
    start({ maxProcesses: 4 });
    await pool.warm();
    for (const served of [1, 2, 3]) expect(await invoke({})).toMatchObject({ served });
    expect(pool.processIds()).toHaveLength(1);
  });

  it.each<[string, object, RegExp]>([
    ['exits', { exit: 3 }, /exited with code 3/],
    ['throws outside of its invocation', { crash: true, hang: true }, /exited with code 1/],
  ])('are replaced when one %s; its invocation fails', async (_, event, message) => {
    start({ maxProcesses: 1 });
    await pool.warm();
    const [before] = pool.processIds();
    const failing = invoke(event);
    const waiting = invoke({});
    await expect(failing).rejects.toThrow(message);
    expect(await waiting).toMatchObject({ served: 1 });
    expect(pool.processIds()).not.toContain(before);
  });

  it('are replaced when one is killed while nothing runs in it', async () => {
    start({ maxProcesses: 1 });
    const { pid } = await invoke({});
    process.kill(pid, 'SIGKILL');
    await until(() => !pool.processIds().includes(pid));
    expect(await invoke({})).toMatchObject({ served: 1 });
  });

  it.each([['waits'], ['spins']])('are killed when one %s beyond its time', async (kind) => {
    start({ maxProcesses: 1, timeoutMs: 1_000 });
    const { pid } = await invoke({});
    await expect(invoke(kind === 'waits' ? { hang: true } : { spin: true })).rejects.toThrow(
      'Task timed out after 1.00 seconds',
    );
    expect(await invoke({})).toMatchObject({ served: 1 });
    // A process without CPU time takes a while to die.
    await until(() => !isAlive(pid));
  });

  it('have the memory of the function', async () => {
    start({ memoryMb: 512 });
    const { heapLimitMb } = await invoke({});
    // V8 adds its young generation.
    expect(heapLimitMb).toBeGreaterThanOrEqual(512);
    expect(heapLimitMb).toBeLessThan(512 + 256);
  });

  it('end with the pool, busy or not, and what runs or waits fails', async () => {
    start({ maxProcesses: 1 });
    await pool.warm();
    const [pid] = pool.processIds() as [number];
    const outcomes = Promise.allSettled([invoke({ hang: true }), invoke({})]);
    await pool.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(() => process.kill(pid, 0)).toThrow();
    await expect(invoke({})).rejects.toThrow('stopped');
  });
});

describe('warming', () => {
  it.each<[string, Parameters<typeof start>[0], RegExp]>([
    [
      'throws on load',
      { source: 'throw new Error("no table name")' },
      /^fixture cannot be loaded: no table name$/,
    ],
    ['is not there', { handler: 'index.missing' }, /exports no function missing/],
    ['is no function', { handler: 'index.broken' }, /exports no function broken/],
    ['has no module', { handler: 'main.handler' }, /no module main/],
    ['exits on load', { source: 'process.exit(7)' }, /exited with code 7/],
  ])('fails if the handler %s', async (_, options, message) => {
    await expect(start(options).warm()).rejects.toThrow(message);
    expect(pool.processIds()).toEqual([]);
  });
});
