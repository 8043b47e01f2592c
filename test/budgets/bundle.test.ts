import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { filesOfBundle, leanBundle } from '../../scripts/lean-bundle.ts';

const directory = mkdtempSync(join(tmpdir(), 'usher-budgets-'));
const reference = join(directory, 'two-clients');
beforeAll(async () => {
  await leanBundle('bench/references/two-clients.ts', reference);
});
afterAll(() => rmSync(directory, { recursive: true }));

const deployed = 'dist/lambda/create-attendees';

it('is at most 1.55 times as large as the two SDK clients by themselves, as it is and compressed', () => {
  const { bytes, compressed } = sizeOf(deployed);
  const least = sizeOf(reference);
  expect(bytes / least.bytes).toBeLessThanOrEqual(1.55);
  expect(compressed / least.compressed).toBeLessThanOrEqual(1.55);
});

it.each(['lambda/create-attendees/handler.ts', 'lambda/reconciler/handler.ts', 'lambda/observer/handler.ts'])(
  'holds nothing of %s that looks for credentials anywhere but in the environment',
  async (entryPoint) => {
    const { outputs } = await leanBundle(entryPoint, join(directory, 'function'));
    const bundled = Object.values(outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
    expect(bundled.length).toBeGreaterThan(100);
    const unwanted = /credential-provider-(?!env\/|node\/)|token-providers|nested-clients/;
    expect(bundled.filter((file) => unwanted.test(file))).toEqual([]);
  },
);

function sizeOf(bundle: string): { bytes: number; compressed: number } {
  const files = filesOfBundle(bundle).map((file) => readFileSync(file));
  const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    bytes: sum(files.map(({ length }) => length)),
    compressed: sum(files.map((file) => gzipSync(file).length)),
  };
}
