import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { leanBundle } from '../../scripts/lean-bundle.ts';

const directory = mkdtempSync(join(tmpdir(), 'usher-budgets-'));
const reference = join(directory, 'two-clients.js');
beforeAll(async () => {
  await leanBundle('bench/references/two-clients.ts', reference);
});
afterAll(() => rmSync(directory, { recursive: true }));

const deployed = 'dist/lambda/create-attendees/index.js';

it('is at most 1.55 times as large as the two SDK clients by themselves, as it is and compressed', () => {
  const bytes = (file: string) => readFileSync(file).length;
  const compressed = (file: string) => gzipSync(readFileSync(file)).length;
  expect(bytes(deployed) / bytes(reference)).toBeLessThanOrEqual(1.55);
  expect(compressed(deployed) / compressed(reference)).toBeLessThanOrEqual(1.55);
});

it.each(['lambda/create-attendees/handler.ts', 'lambda/reconciler/handler.ts'])(
  'holds nothing of %s that looks for credentials anywhere but in the environment',
  async (entryPoint) => {
    const { inputs, outputs } = await leanBundle(entryPoint, join(directory, 'function.js'));
    const [output] = Object.values(outputs);
    const bundled = Object.keys(inputs).filter((file) => (output?.inputs[file]?.bytesInOutput ?? 0) > 0);
    const unwanted = /credential-provider-(?!env\/|node\/)|token-providers|nested-clients/;
    expect(bundled.filter((file) => unwanted.test(file))).toEqual([]);
  },
);
