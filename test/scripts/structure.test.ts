import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import {
  circlesIn,
  forbiddenImportsIn,
  parseSource,
  readSources,
  type Sources,
} from '../../scripts/structure.ts';

function sourcesOf(texts: Record<string, string>): Sources {
  return new Map(Object.entries(texts).map(([file, text]) => [file, parseSource(file, text)]));
}

describe('the imports of the sources', () => {
  const sources = readSources(fileURLToPath(new URL('../..', import.meta.url)));

  it('are found', () => {
    expect(sources.get('cli/token.ts')?.imports).toContain('local/environment.ts');
  });

  it('form no circle', () => {
    expect(circlesIn(sources)).toEqual([]);
  });

  it('follow the layers', () => {
    expect(forbiddenImportsIn(sources)).toEqual([]);
  });
});

describe('a circle', () => {
  it('is found through types, re-exports and dynamic imports, once', () => {
    const sources = sourcesOf({
      'lib/a.ts': "import type { B } from './b.ts';",
      'lib/b.ts': "export * from './deep/c.ts';",
      'lib/deep/c.ts': "const a = () => import('../a.ts');",
      'lib/d.ts': "import './a.ts';",
    });
    expect(circlesIn(sources)).toEqual([['lib/a.ts', 'lib/b.ts', 'lib/deep/c.ts']]);
  });
});

describe('an import', () => {
  it.each([
    ['lambda/model/a.ts', '../audit/b.ts'],
    ['lambda/oidc/a.ts', '../aws/b.ts'],
    ['lambda/reconciler/a.ts', '../create-attendees/b.ts'],
    ['lambda/audit/a.ts', '../../lib/b.ts'],
    ['lambda/new-function/a.ts', '../audit/b.ts'],
    ['lib/a.ts', '../local/b.ts'],
    ['lib/a.ts', '../test/support/b.ts'],
    ['local/a.ts', '../cli/b.ts'],
    ['local/chime-emulator/a.ts', '../../lambda/model/b.ts'],
    ['scripts/a.ts', '../cli/b.ts'],
    ['bin/a.ts', '../local/b.ts'],
  ])('of %s is forbidden to be %s', (file, imported) => {
    expect(forbiddenImportsIn(sourcesOf({ [file]: `import '${imported}';` }))).toHaveLength(1);
  });

  it.each([
    ['lambda/audit/a.ts', './b.ts'],
    ['lambda/audit/a.ts', '../aws/b.ts'],
    ['lambda/create-attendees/http/a.ts', '../../../dist/generated/validators.cjs'],
    ['cli/audit/a.ts', '../../lambda/audit/b.ts'],
    ['lib/checks/a.ts', '../../lambda/model/b.ts'],
    ['local/a.ts', './chime-emulator/b.ts'],
    ['scripts/settings/a.ts', '../../lib/settings/b.ts'],
  ])('of %s may be %s', (file, imported) => {
    expect(forbiddenImportsIn(sourcesOf({ [file]: `import '${imported}';` }))).toEqual([]);
  });
});

it('counts the lines of each function, whatever stands before it', () => {
  const { functions } = parseSource(
    'lib/a.ts',
    '// é\n\nconst first = () => 1;\nclass A {\n  second() {\n    return 1;\n  }\n}\n',
  );
  expect(functions.map(({ name, line, lines }) => ({ name, line, lines }))).toEqual([
    { name: 'first', line: 3, lines: 1 },
    { name: 'second', line: 5, lines: 3 },
  ]);
});
