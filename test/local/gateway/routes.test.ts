import { describe, expect, it } from '@jest/globals';
import { readRoutes } from '../../../local/gateway/routes.ts';

function operation(name: string, extra: object = {}) {
  return {
    'x-amazon-apigateway-integration': {
      type: 'aws_proxy',
      uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${name}/invocations`,
      ...extra,
    },
  };
}

const ANY = 'x-amazon-apigateway-any-method';

const { findRoute, functionArns } = readRoutes({
  paths: {
    '/': { [ANY]: operation('root') },
    '/rooms/{roomId}/doors': {
      post: operation('create', { timeoutInMillis: 5000 }),
      parameters: [{ name: 'roomId', in: 'path' }],
    },
    '/rooms/lobby/doors': { get: operation('lobby') },
    '/rooms/{roomId}': { get: operation('room') },
    '/{proxy+}': { [ANY]: operation('rest') },
  },
});

function find(method: string, path: string) {
  const match = findRoute(method, path);
  return match && [match.route.functionArn, match.pathParameters];
}

describe('readRoutes', () => {
  it.each([
    ['POST', '/rooms/7/doors', 'create', { roomId: '7' }],
    ['GET', '/rooms/7', 'room', { roomId: '7' }],
    ['GET', '/rooms/lobby/doors', 'lobby', {}],
    ['DELETE', '/', 'root', {}],
    ['PUT', '/rooms/7/doors/2', 'rest', { proxy: 'rooms/7/doors/2' }],
    ['OPTIONS', '/anything', 'rest', { proxy: 'anything' }],
  ])('leads %s %s to the most specific resource', (method, path, functionArn, parameters) => {
    expect(find(method, path)).toEqual([functionArn, parameters]);
  });

  it.each([
    ['DELETE', '/rooms/7/doors', 'rest', { proxy: 'rooms/7/doors' }],
    ['POST', '/rooms/lobby/doors', 'create', { roomId: 'lobby' }],
    ['GET', '/rooms', 'rest', { proxy: 'rooms' }],
  ])('passes over a resource without the method: %s %s', (method, path, functionArn, parameters) => {
    expect(find(method, path)).toEqual([functionArn, parameters]);
  });

  it('decodes path parameters, an encoded slash included', () => {
    expect(find('POST', '/rooms/a%2Fb%20%C3%A9/doors')).toEqual(['create', { roomId: 'a/b é' }]);
  });

  it('takes path parameters of any length that a request can have', () => {
    const roomId = 'x'.repeat(9000);
    expect(find('GET', `/rooms/${roomId}`)).toEqual(['room', { roomId }]);
  });

  it('leads nowhere where the document has no such resource', () => {
    const routes = readRoutes({ paths: { '/only': { get: operation('only') } } });
    expect(routes.findRoute('GET', '/only')).toBeDefined();
    expect(routes.findRoute('GET', '/other')).toBeUndefined();
    expect(routes.findRoute('POST', '/only')).toBeUndefined();
    expect(routes.findRoute('PROPFIND', '/only')).toBeUndefined();
  });

  it('names the functions and the time they have', () => {
    expect([...functionArns].sort()).toEqual(['create', 'lobby', 'rest', 'room', 'root']);
    expect(findRoute('POST', '/rooms/7/doors')?.route.timeoutMs).toBe(5000);
    expect(findRoute('GET', '/rooms/7')?.route.timeoutMs).toBe(29_000);
  });

  it.each([
    ['no integration', {}, /aws_proxy only/],
    ['another integration', operation('x', { type: 'http' }), /aws_proxy only/],
    ['no function', operation('x', { uri: 'http://example.com' }), /no Lambda function/],
    [
      'a request validator',
      { ...operation('x'), 'x-amazon-apigateway-request-validator': 'all' },
      /request-validator/,
    ],
  ])('rejects an operation with %s', (_, get, message) => {
    expect(() => readRoutes({ paths: { '/x': { get } } })).toThrow(message);
  });
});
