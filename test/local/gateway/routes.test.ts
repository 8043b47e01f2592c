import { describe, expect, it } from '@jest/globals';
import { createRoutes } from '../../../local/gateway/routes.ts';

function route(method: string, resource: string, functionArn: string) {
  return { method, resource, functionArn, timeoutMs: 5000 };
}

const findRoute = createRoutes([
  route('ANY', '/', 'root'),
  route('POST', '/rooms/{roomId}/doors', 'create'),
  route('GET', '/rooms/lobby/doors', 'lobby'),
  route('GET', '/rooms/{roomId}', 'room'),
  route('ANY', '/halls', 'any'),
  route('GET', '/halls', 'halls'),
  route('ANY', '/{proxy+}', 'rest'),
]);

function find(method: string, path: string) {
  const match = findRoute(method, path);
  return match && [match.route.functionArn, match.pathParameters];
}

describe('createRoutes', () => {
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

  it.each([
    ['POST', '/rooms/7/doors/', 'create', { roomId: '7' }],
    ['POST', '//rooms//7/doors', 'create', { roomId: '7' }],
    ['GET', '/else//where/', 'rest', { proxy: 'else/where' }],
  ])('passes over needless slashes: %s %s', (method, path, functionArn, parameters) => {
    expect(find(method, path)).toEqual([functionArn, parameters]);
  });

  it('prefers a specific method over ANY', () => {
    expect(find('GET', '/halls')).toEqual(['halls', {}]);
    expect(find('PUT', '/halls')).toEqual(['any', {}]);
  });

  it('finds no route without such a resource', () => {
    const findOne = createRoutes([route('GET', '/only', 'only')]);
    expect(findOne('GET', '/only')).toBeDefined();
    expect(findOne('GET', '/other')).toBeUndefined();
    expect(findOne('POST', '/only')).toBeUndefined();
    expect(findOne('PROPFIND', '/only')).toBeUndefined();
  });
});
