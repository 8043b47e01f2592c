import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

it('has the types of the browser client as openapi.json has them', () => {
  const generated = execFileSync(
    process.execPath,
    ['scripts/tool.ts', 'client-types', 'openapi-typescript', 'openapi.json'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  expect(readFileSync('examples/browser-client/usher-api.d.ts', 'utf8')).toBe(generated);
}, 120_000);
