import { createHash, createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { Sha256 } from '../../../lambda/aws/sha256.ts';

const DATA = Buffer.from('what is signed');
const digestOf = async (hash: Sha256) => {
  hash.update(DATA.subarray(0, 4));
  hash.update(DATA.subarray(4));
  return Buffer.from(await hash.digest()).toString('hex');
};

it('hashes', async () => {
  expect(await digestOf(new Sha256())).toBe(createHash('sha256').update(DATA).digest('hex'));
});

it.each([
  ['a text', 'AWS4secret'],
  ['bytes', new Uint8Array([1, 2, 3])],
  ['bytes that are a part of others', new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
])('hashes with %s as key, each time alike', async (_what, key) => {
  const expected = createHmac('sha256', key).update(DATA).digest('hex');
  expect(await digestOf(new Sha256(key))).toBe(expected);
  expect(await digestOf(new Sha256(key))).toBe(expected);
});
