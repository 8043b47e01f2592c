import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, linksOf, pathsNamedIn } from '../support/markdown.ts';

const INDEX = 'docs/README.md';
/** All but API.md, which typedoc makes with its own anchors. */
const PAGES = globSync([
  '[!A]*.md',
  '.github/*.md',
  'docs/**/*.md',
  'tools/*.md',
  'examples/*/*.md',
]).toSorted();
const DECISIONS = globSync('docs/decisions/*.md').toSorted();

const read = (page: string): string => readFileSync(page, 'utf8');
const isRelative = (target: string): boolean => !/^[a-z]+:/.test(target);

/** Where a link of a page leads: a path from the repository's folder, and an anchor. */
function targetOf(page: string, link: string): { path: string; anchor: string | undefined } {
  const [path = '', anchor] = link.split('#');
  return { path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
}

function leadsSomewhere(page: string, link: string): boolean {
  const { path, anchor } = targetOf(page, link);
  if (!existsSync(path)) return false;
  return anchor === undefined || !path.endsWith('.md') || anchorsOf(read(path)).has(anchor);
}

describe('the links of the documentation', () => {
  it.each(PAGES)('lead from %s to files and anchors that exist', (page) => {
    const broken = linksOf(read(page))
      .filter(isRelative)
      .filter((link) => !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });

  // A decision that is superseded names the files of its time.
  it.each(PAGES.filter((page) => !DECISIONS.includes(page)))('%s names only files that exist', (page) => {
    const named = pathsNamedIn(read(page)).filter((path) => !/[<>…{]/.test(path));
    const missing = named.filter((path) =>
      path.includes('*') ? globSync(path).length === 0 : !existsSync(path),
    );
    expect(missing).toEqual([]);
  });
});

describe(INDEX, () => {
  const linked = linksOf(read(INDEX))
    .filter(isRelative)
    .map((link) => targetOf(INDEX, link).path);

  it('links every page of docs/ exactly once', () => {
    const pages = globSync('docs/**/*.md').filter((page) => page !== INDEX);
    expect(pages.length).toBeGreaterThan(30);
    expect(linked.filter((path) => path.startsWith('docs/')).toSorted()).toEqual(pages.toSorted());
  });

  it.each(DECISIONS)('lists %s under its number and title, superseded where it says so', (page) => {
    const [, number = '', title = ''] = /^# (\d+)\. (.+)$/m.exec(read(page)) ?? [];
    const [, part = '', by = ''] =
      /^\*\*Superseded( in part)?\*\* by \[decision (\d+)\]/m.exec(read(page)) ?? [];
    const standing = by === '' ? 'stands' : `superseded${part} by ${by}`;
    expect(page).toContain(`/${number.padStart(4, '0')}-`);
    expect(read(INDEX).split('\n')).toContain(
      `| ${number} | [${title}](${page.replace('docs/', '')}) | ${standing} |`,
    );
  });
});
