import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { leanBundle, leaveOut, NOT_ON_LAMBDA } from '../../scripts/lean-bundle.ts';

const directory = mkdtempSync(join(tmpdir(), 'usher-budgets-'));
const reference = join(directory, 'two-clients.js');
beforeAll(async () => {
  await leanBundle('bench/references/two-clients.ts', reference, { plugins: [leaveOut(NOT_ON_LAMBDA)] });
});
afterAll(() => rmSync(directory, { recursive: true }));

const deployed = 'dist/lambda/create-attendees/index.js';

it('is at most 1.25 times as large as the two SDK clients with their defaults, as it is and compressed', () => {
  const bytes = (file: string) => readFileSync(file).length;
  const compressed = (file: string) => gzipSync(readFileSync(file)).length;
  expect(bytes(deployed) / bytes(reference)).toBeLessThanOrEqual(1.25);
  expect(compressed(deployed) / compressed(reference)).toBeLessThanOrEqual(1.25);
});

it.each(['lambda/create-attendees/handler.ts', 'lambda/reconciler/handler.ts'])(
  'holds nothing of %s that looks for credentials, settings or endpoints',
  async (entryPoint) => {
    const { inputs, outputs } = await leanBundle(entryPoint, join(directory, 'function.js'));
    const [output] = Object.values(outputs);
    const bundled = Object.keys(inputs).filter((file) => (output?.inputs[file]?.bytesInOutput ?? 0) > 0);
    const unwanted =
      /credential-provider-(?!env\/|node\/)|token-providers|nested-clients|event-streams\/eventstream|shared-ini-file-loader|endpoint\/bdd|aws\/partitions|mnemonist|Sha256Js|DefaultRateLimiter/;
    expect(bundled.filter((file) => unwanted.test(file))).toEqual([]);
  },
);

it('is not built where a package has not the file that should be left out', async () => {
  const onlyAPart = 'node_modules/@smithy/signature-v4/dist-es/constants.js';
  const built = leanBundle(onlyAPart, join(directory, 'constants.js'), { logLevel: 'silent' });
  await expect(built).rejects.toThrow('@smithy/signature-v4 has no dist-es/HeaderFormatter.js to leave out.');
});
