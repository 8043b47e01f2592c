import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { itemOf } from '../../../lambda/aws/dynamodb-item.ts';

/** What records are made of, in any nesting. Names are this code's own; `unmarshall` takes this one for a prototype. */
const name = fc.string().filter((text) => text !== '__proto__');
const { record } = fc.letrec((tie) => ({
  record: fc.dictionary(name, tie('value'), { noNullPrototype: true }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
    fc.boolean(),
    fc.array(tie('value')),
    tie('record'),
  ),
}));

describe('a record as an item', () => {
  it('is what the library makes of it', () => {
    fc.assert(fc.property(record, (any) => expect(itemOf(any as object)).toEqual(marshall(any))));
  });

  it('is the record again when it is read', () => {
    fc.assert(
      fc.property(record, (any) =>
        expect(unmarshall(itemOf(any as object))).toEqual(withoutNegativeZero(any)),
      ),
    );
  });

  it.each([undefined, null, Number.NaN, Number.POSITIVE_INFINITY, 1n, Symbol('a'), () => 0])(
    'cannot hold %p',
    (value) => {
      expect(() => itemOf({ a: [value] })).toThrow(TypeError);
    },
  );
});

/** DynamoDB has no negative zero. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
