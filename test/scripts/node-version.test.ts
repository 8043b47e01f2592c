import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';

const run = (version: string) =>
  spawnSync(process.execPath, [
    '--eval',
    `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });
     require('./scripts/node-version.cjs');`,
  ]);

it.each(['18.20.0', '20.19.0', '22.17.1'])('names Node %s as too old, and what to install', (version) => {
  const { status, stderr } = run(version);
  expect(status).toBe(1);
  expect(String(stderr)).toMatch(new RegExp(`^usher: Node ${version} is too old .*22\\.18`));
});

it.each(['22.18.0', '24.0.0'])('lets Node %s run', (version) => {
  expect(run(version).status).toBe(0);
});
