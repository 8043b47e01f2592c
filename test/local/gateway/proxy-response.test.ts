import { describe, expect, it } from '@jest/globals';
import { readProxyResponse } from '../../../local/gateway/proxy-response.ts';

describe('readProxyResponse', () => {
  it('passes on status, headers and body', () => {
    expect(readProxyResponse({ statusCode: 201, headers: { 'X-A': 'a', 'X-B': true }, body: 'b' })).toEqual({
      statusCode: 201,
      headers: { 'Content-Type': 'application/json', 'X-A': 'a', 'X-B': 'true' },
      body: 'b',
    });
  });

  it('lets multiValueHeaders win, and the content type be said once', () => {
    const { headers } = readProxyResponse({
      headers: { 'set-cookie': 'a', 'content-type': 'text/plain' },
      multiValueHeaders: { 'Set-Cookie': ['b', 'c'] },
    });
    expect(headers).toEqual({ 'Content-Type': 'text/plain', 'Set-Cookie': ['b', 'c'] });
  });

  it.each([
    'Authorization',
    'Connection',
    'Content-MD5',
    'Date',
    'Max-Forwards',
    'Server',
    'User-Agent',
    'WWW-Authenticate',
    'x-amzn-RequestId',
  ])('remaps %s', (name) => {
    const { headers } = readProxyResponse({ headers: { [name]: 'v' } });
    expect(headers).toEqual({ 'Content-Type': 'application/json', [`x-amzn-Remapped-${name}`]: 'v' });
  });

  it.each([
    'Content-Length',
    'Expect',
    'Host',
    'Proxy-Authenticate',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Via',
  ])('drops %s', (name) => {
    expect(readProxyResponse({ headers: { [name]: '9' } }).headers).toEqual({
      'Content-Type': 'application/json',
    });
  });

  it.each([
    ['nothing', null],
    ['a text', 'hello'],
    ['a list', []],
    ['an unknown member', { statusCode: 200, message: 'hello' }],
    ['a body that is an object', { statusCode: 200, body: {} }],
    ['a status that is no number', { statusCode: 'OK' }],
    ['a status below 200', { statusCode: 100 }],
    ['headers that are a list', { headers: [] }],
    ['a header that is a number', { headers: { 'Retry-After': 1 } }],
    ['a header that HTTP does not allow', { headers: { 'X-A': 'a\nb' } }],
  ])('rejects %s', (_, returned) => {
    expect(() => readProxyResponse(returned)).toThrow();
  });
});
