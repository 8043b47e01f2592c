import { describe, expect, it } from '@jest/globals';
import { inGroups, mergeByBatchId } from '../../../cli/audit/streams.ts';
import { collect } from '../../support/audit-command.ts';

async function* each<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** Batches by their ids. */
const batches = (...ids: string[]) => each(...ids.map((batchId) => ({ batchId })));

describe('streams', () => {
  it('are grouped without loss', async () => {
    expect(await collect(inGroups(each(1, 2, 3, 4, 5), 2))).toEqual([[1, 2], [3, 4], [5]]);
    expect(await collect(inGroups(each(1, 2), 2))).toEqual([[1, 2]]);
    expect(await collect(inGroups(each(), 2))).toEqual([]);
  });

  it.each([
    [
      ['b', 'c'],
      ['a', 'c', 'd'],
      ['a', 'b', 'c', 'c', 'd'],
    ],
    [[], ['a'], ['a']],
    [['a'], [], ['a']],
  ])('are merged in order: %j and %j', async (ones, others, expected) => {
    const merged = await collect(mergeByBatchId(batches(...ones), batches(...others)));
    expect(merged.map(({ batchId }) => batchId)).toEqual(expected);
  });
});
