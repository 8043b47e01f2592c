import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { leanBundle } from '../../scripts/lean-bundle.ts';
import { thirdPartyNotices } from '../../scripts/third-party-notices.ts';

const directory = mkdtempSync(join(tmpdir(), 'usher-notices-'));
afterAll(() => rmSync(directory, { recursive: true }));

const FUNCTIONS = ['create-attendees', 'reconciler'];

describe.each(FUNCTIONS)('the notices beside the bundle of %s', (name) => {
  const notices = () => readFileSync(`dist/lambda/${name}/THIRD-PARTY-NOTICES.txt`, 'utf8');

  it('name every package that is in it, with its version and its licence', async () => {
    const { outputs } = await leanBundle(`lambda/${name}/handler.ts`, join(directory, name));
    const packages = new Set(
      Object.values(outputs)
        .flatMap(({ inputs }) => Object.entries(inputs))
        .flatMap(([file, { bytesInOutput }]) =>
          bytesInOutput > 0 ? (/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []) : [],
        ),
    );
    expect(packages.size).toBeGreaterThan(10);
    const lines = notices().split('\n');
    for (const each of packages) {
      const { version, license } = JSON.parse(readFileSync(`node_modules/${each}/package.json`, 'utf8'));
      expect(lines).toContain(`  ${each} ${version}: ${license}`);
    }
  });

  it('have the text of the Apache and MIT licences, which ask for it', () => {
    expect(notices()).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
    expect(notices()).toContain('The above copyright notice and this permission notice shall be included');
  });
});

it('are not written for a package that does not say its licence', async () => {
  const folder = join(directory, 'node_modules/nameless');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "nameless", "version": "1.0.0" }');
  writeFileSync(join(folder, 'index.js'), 'console.log(1);');
  writeFileSync(join(directory, 'entry.js'), "import 'nameless';");
  const metafile = await leanBundle(join(directory, 'entry.js'), join(directory, 'out'));
  expect(() => thirdPartyNotices(metafile)).toThrow('nameless: the package does not declare its licence.');
});
