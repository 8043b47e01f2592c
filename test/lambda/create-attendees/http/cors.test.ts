import { beforeEach, describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { createCors, type OriginRefusal } from '../../../../lambda/create-attendees/http/cors.ts';

const APP = 'https://app.example.com';
const EXTENSION = 'chrome-extension://abcdefghijklmnopabcdefghijklmnop';
const ALLOWED = [APP, 'http://localhost:*', 'capacitor://localhost', 'ionic://localhost', EXTENSION];

let refusals: OriginRefusal[];
beforeEach(() => {
  refusals = [];
});

async function preflight(
  headers: Record<string, string>,
  allowedHeaders: string[] = [],
): Promise<Record<string, unknown>> {
  const cors = createCors({
    allowedOrigins: ALLOWED,
    allowedHeaders,
    onRefusal: (refusal) => refusals.push(refusal),
  });
  const request = { event: { httpMethod: 'OPTIONS', headers }, context: {}, internal: {} };
  const answer = (await cors.before(request as never)) as APIGatewayProxyResult;
  expect(answer.statusCode).toBe(204);
  return answer.headers ?? {};
}

const originFor = async (Origin: string) => (await preflight({ Origin }))['Access-Control-Allow-Origin'];
const listed = (headers: Record<string, unknown>) =>
  String(headers['Access-Control-Allow-Headers']).split(',');

describe('an origin', () => {
  it.each([APP, 'http://localhost:5173', 'http://localhost:80', ...ALLOWED.slice(2)])(
    'is allowed: %s',
    async (origin) => {
      expect(await originFor(origin)).toBe(origin);
      expect(refusals).toEqual([]);
    },
  );

  const refused: [string, Omit<OriginRefusal, 'setting'>][] = [
    ['https://evil.example', { problem: 'not listed' }],
    ['http://app.example.com', { problem: 'not listed', listed: APP }],
    ['https://app.example.com:8443', { problem: 'not listed', listed: APP }],
    ['https://app.example.com.evil.example', { problem: 'not listed' }],
    ['https://evil.example/https://app.example.com', { problem: 'not listed' }],
    ['http://localhost', { problem: 'not listed', listed: 'http://localhost:*' }],
    ['http://localhost:5173/page', { problem: 'not listed', listed: 'http://localhost:*' }],
    ['http://localhost:5173@evil', { problem: 'not listed' }],
    ['http://localhost:', { problem: 'not listed', listed: 'http://localhost:*' }],
    ['capacitor://other', { problem: 'not listed' }],
    ['chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba', { problem: 'not listed' }],
    ['null', { problem: 'null origin' }],
    ['file://', { problem: 'file origin' }],
    ['constructor', { problem: 'not listed' }],
    ['__proto__', { problem: 'not listed' }],
    ['', { problem: 'not listed' }],
    ['alice s3cret', { problem: 'not listed' }],
  ];
  it.each(refused)('is refused, once, with the setting to change: %s', async (origin, refusal) => {
    expect(await originFor(origin)).toBeUndefined();
    expect(refusals).toEqual([{ setting: 'allowedOrigins', ...refusal }]);
    expect(JSON.stringify(refusals)).not.toMatch(/evil|alice|s3cret/);
  });

  it('is not refused if it is not sent', async () => {
    expect(await preflight({})).not.toHaveProperty('Access-Control-Allow-Origin');
    expect(refusals).toEqual([]);
  });

  it('is named in Vary', async () => {
    expect((await preflight({ Origin: APP }))['Vary']).toBe('Origin');
  });
});

describe('a request header', () => {
  it('is allowed if SDKs and tracing tools send it', async () => {
    expect(listed(await preflight({ Origin: APP }))).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'amz-sdk-request',
        'traceparent',
        'tracestate',
        'baggage',
        'x-amzn-trace-id',
        'x-datadog-trace-id',
        'sentry-trace',
        'x-amzn-requestid',
      ]),
    );
  });

  it.each(['access-control-request-headers', 'Access-Control-Request-Headers'])(
    'is allowed by any name that Datadog uses, requested by %s',
    async (name) => {
      const headers = await preflight({
        Origin: APP,
        [name]: 'authorization, X-Datadog-New-Thing,x-datadog-trace-id,x-evil',
      });
      expect(listed(headers).filter((one) => one === 'x-datadog-trace-id')).toHaveLength(1);
      expect(listed(headers)).toContain('x-datadog-new-thing');
      expect(listed(headers)).not.toContain('x-evil');
    },
  );

  it('is allowed if configured, in lower case and once', async () => {
    const allowed = listed(await preflight({ Origin: APP }, ['X-Correlation-ID', 'Traceparent']));
    expect(allowed).toContain('x-correlation-id');
    expect(allowed.filter((name) => name === 'traceparent')).toHaveLength(1);
  });

  it.each(['x-evil', 'x-datadog-', 'x-datadog-a\r\nSet-Cookie: a', '*'])(
    'is not listed if it is not allowed, and does not hide the origin: %j',
    async (name) => {
      const headers = await preflight({ Origin: APP, 'Access-Control-Request-Headers': name });
      expect(headers['Access-Control-Allow-Origin']).toBe(APP);
      expect(headers['Access-Control-Allow-Methods']).toBe('GET,POST');
      expect(listed(headers)).not.toContain(name);
      expect(refusals).toEqual([]);
    },
  );
});
