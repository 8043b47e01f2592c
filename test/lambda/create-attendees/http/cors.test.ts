import { describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { createCors } from '../../../../lambda/create-attendees/http/cors.ts';

const cors = createCors({
  origins: ['https://app.example.com', 'http://localhost:*'],
  methods: ['POST'],
  requestHeaders: ['authorization'],
  exposedHeaders: ['x-amzn-RequestId'],
  maxAgeSeconds: 600,
});
const event = (httpMethod: string, headers: Record<string, string>) =>
  ({ httpMethod, headers }) as unknown as APIGatewayProxyEvent;
const preflight = (headers: Record<string, string>) => cors.preflight(event('OPTIONS', headers))?.headers;

describe('a preflight', () => {
  it('allows origin, methods and headers', () => {
    expect(preflight({ Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'POST' })).toEqual(
      {
        'Access-Control-Allow-Origin': 'https://app.example.com',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'authorization',
        'Access-Control-Max-Age': '600',
        Vary: 'Origin',
      },
    );
  });

  it.each(['http://localhost:3000', 'http://localhost:80'])(
    'allows any port of a host with a wildcard, %s',
    (origin) => {
      expect(preflight({ origin })?.['Access-Control-Allow-Origin']).toBe(origin);
    },
  );

  it.each([
    'https://app.example.com:8443',
    'https://APP.example.com',
    'https://app.example.com.evil.example',
    'http://localhost',
    'http://localhost:',
    'http://localhost:80.evil.example',
    'http://localhost:80@evil.example',
    'http://localhost:*',
    'http://127.0.0.1:3000',
    'null',
    '',
  ])('does not allow the origin "%s"', (origin) => {
    expect(preflight({ origin })?.['Access-Control-Allow-Origin']).toBeUndefined();
    expect(preflight({ origin })?.['Vary']).toBe('Origin');
  });

  it.each([
    { 'access-control-request-method': 'DELETE' },
    { 'access-control-request-headers': 'authorization, x-evil' },
  ])('allows nothing to a page that asks for %j', (headers) => {
    expect(preflight({ origin: 'https://app.example.com', ...headers })).toEqual({});
  });

  it('lets safelisted headers pass, in any case', () => {
    const headers = { 'Access-Control-Request-Headers': 'Content-Type, AUTHORIZATION' };
    expect(preflight({ origin: 'https://app.example.com', ...headers })).not.toEqual({});
  });
});

describe('an answer', () => {
  it('can be read by the page of an allowed origin only', () => {
    const answer = { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const exposed = { 'Access-Control-Expose-Headers': 'x-amzn-RequestId', Vary: 'Origin' };
    const allowed = cors.expose(event('POST', { Origin: 'http://localhost:3000' }), answer);
    expect(allowed).toEqual({
      ...answer,
      headers: { ...answer.headers, ...exposed, 'Access-Control-Allow-Origin': 'http://localhost:3000' },
    });
    const stranger = cors.expose(event('POST', { Origin: 'https://evil.example.com' }), answer);
    expect(stranger).toEqual({ ...answer, headers: { ...answer.headers, ...exposed } });
  });

  it('is no preflight', () => {
    expect(cors.preflight(event('POST', {}))).toBeUndefined();
  });
});
