import { globSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { satisfies } from 'semver';

const MAX_MB = 750;
const MAX_FILES = 30_000;

/** The lowest Node that the README names. */
const LOWEST_NODE = '20.19.0';

interface Locked {
  packages: Record<string, { engines?: { node?: string } }>;
}

describe('an installation by `npm ci`', () => {
  it(`takes less than ${MAX_MB} MB and ${MAX_FILES} files`, () => {
    // What a tool in tools/ takes is installed when it runs.
    const files = globSync('{.,examples/*,local/*}/node_modules/**/*', { withFileTypes: true });
    const sizes = files
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => lstatSync(join(parentPath, name)).blocks * 512);
    expect(sizes.length).toBeGreaterThan(10_000);
    expect(sizes.length).toBeLessThan(MAX_FILES);
    expect(sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20).toBeLessThan(MAX_MB);
  });

  it("has no package that does not support the README's lowest Node", () => {
    const { packages }: Locked = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const unsupported = Object.entries(packages).filter(
      ([, { engines }]) => engines?.node !== undefined && !satisfies(LOWEST_NODE, engines.node),
    );
    expect(Object.keys(packages).length).toBeGreaterThan(300);
    expect(unsupported.map(([path]) => path)).toEqual([]);
  });
});
