import { describe, expect, it } from '@jest/globals';
import { createBoundedMap } from '../../../lambda/create-attendees/bounded-map.ts';

describe('a bounded map', () => {
  it('holds as many entries as its limit', () => {
    const map = createBoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, 2, undefined]);
  });

  it('drops the least recently used entry', () => {
    const map = createBoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });

  it('counts setting as use, and a repeated key as one entry', () => {
    const map = createBoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4]);
  });

  it('removes entries by their keys', () => {
    const map = createBoundedMap<string, number>(3);
    for (const [index, key] of ['a1', 'b', 'a2'].entries()) map.set(key, index);
    map.deleteWhere((key) => key.startsWith('a'));
    expect([map.get('a1'), map.get('b'), map.get('a2')]).toEqual([undefined, 1, undefined]);
  });

  it('takes no room for keys that were only read', () => {
    const map = createBoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.get('absent');
    map.set('a', 3);
    expect([map.get('a'), map.get('b')]).toEqual([3, 2]);
  });
});
