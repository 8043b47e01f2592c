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

// The target is 1.4 (docs/performance.md); what is over it are the Powertools metrics.
it('is at most 1.45 times as large as the two SDK clients alone, as it is and compressed', () => {
  const bytes = (file: string) => readFileSync(file).length;
  const compressed = (file: string) => gzipSync(readFileSync(file)).length;
  expect(bytes(deployed) / bytes(reference)).toBeLessThanOrEqual(1.45);
  expect(compressed(deployed) / compressed(reference)).toBeLessThanOrEqual(1.45);
});

it('holds nothing of the ways to credentials that a Lambda function has not', async () => {
  const { inputs } = await leanBundle('lambda/handler.ts', join(directory, 'handler.js'));
  const bundled = Object.keys(inputs).filter((file) =>
    /credential-provider-(?!env\/|node\/)|token-providers|nested-clients|event-streams\/eventstream/.test(
      file,
    ),
  );
  expect(bundled).toEqual([]);
});

it('is not built where a package has not the file that should be left out', async () => {
  const onlyAPart = 'node_modules/aws-jwt-verify/dist/esm/assert.js';
  const built = leanBundle(onlyAPart, join(directory, 'assert.js'), { logLevel: 'silent' });
  await expect(built).rejects.toThrow('aws-jwt-verify has no dist/esm/https-node.js to leave out.');
});
