import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { claimAt } from '../../../lambda/oidc/claim-path.ts';

const parse = (text: string): Record<string, unknown> => JSON.parse(text);

describe('a claim', () => {
  it.each<[string, object, string, unknown]>([
    ['by its name', { scope: 'a' }, 'scope', 'a'],
    ['in an object', { realm_access: { roles: ['a'] } }, 'realm_access.roles', ['a']],
    ['by a name with dots', { 'https://example.com/roles': ['a'] }, 'https://example.com/roles', ['a']],
    ['in an object whose name has dots', { 'https://x.com/': { a: { b: 1 } } }, 'https://x.com/.a.b', 1],
    [
      'by a name with dots in an object',
      { clients: { 'my.api': { roles: ['a'] } } },
      'clients.my.api.roles',
      ['a'],
    ],
    ['that is null', { scope: null }, 'scope', null],
    ['called as a member of every object', parse('{"a":{"__proto__":"own"}}'), 'a.__proto__', 'own'],
  ])('is found %s', (_where, claims, path, value) => {
    expect(claimAt(claims as Record<string, unknown>, path)).toEqual({ found: 'once', value });
  });

  it.each<[string, object, string]>([
    ['inherited', { a: {} }, 'a.constructor'],
    ['inherited by the claims', {}, '__proto__'],
    ['inherited by an inherited one', {}, 'constructor.prototype'],
    ['of a string', { a: 'text' }, 'a.length'],
    ['of a list', { a: ['text'] }, 'a.0'],
    ['of null', { a: null }, 'a.b'],
    ['with an empty part', { a: { b: 1 } }, 'a..b'],
    ['with an empty first part', { a: 1 }, '.a'],
  ])('is not found where it would be a member %s', (_what, claims, path) => {
    expect(claimAt(claims as Record<string, unknown>, path)).toEqual({ found: 'never' });
  });

  it.each<[string, object, string]>([
    ['by its name and by its path', { 'a.b': 1, a: { b: 1 } }, 'a.b'],
    ['by two paths', { 'a.b': { c: 1 }, a: { 'b.c': 1 } }, 'a.b.c'],
  ])('is ambiguous where a token has it %s', (_what, claims, path) => {
    expect(claimAt(claims as Record<string, unknown>, path)).toEqual({ found: 'ambiguous' });
  });

  it('is found if exactly one way to read its path leads to it, in any claims', () => {
    const name = fc.constantFrom('a', 'b', 'a.b', 'b.a', 'a.b.a');
    const tree = fc.letrec((tie) => ({
      object: fc.dictionary(name, fc.oneof({ depthSize: 'small' }, fc.integer(), tie('object')), {
        maxKeys: 3,
      }),
    })).object as fc.Arbitrary<Record<string, unknown>>;
    // An oracle that builds every path of a tree, instead of reading one.
    const pathsOf = (value: unknown, before: string): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, member]) => {
            const path = before === '' ? key : `${before}.${key}`;
            return [path, ...pathsOf(member, path)];
          })
        : [];
    fc.assert(
      fc.property(
        tree,
        fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 5 }),
        (claims, parts) => {
          const path = parts.join('.');
          const ways = pathsOf(claims, '').filter((one) => one === path).length;
          const expected = ways === 0 ? 'never' : ways === 1 ? 'once' : 'ambiguous';
          expect(claimAt(claims, path).found).toBe(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
