import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that the functions are made of. */
export function functionSources(): { file: string; text: string }[] {
  return readdirSync('lambda', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('lambda', name))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

/** The members of a union of words, which has no other trace at run time than its source. */
export function membersOf(file: string, type: string): string[] {
  const withoutComments = readFileSync(file, 'utf8').replace(/\/\*\*.*?\*\//gs, '');
  const [, union = ''] = withoutComments.match(new RegExp(`^export type ${type} =([^;]+);`, 'm')) ?? [];
  const members = [...union.matchAll(/\| '([^']+)'/g)].map(([, member]) => member ?? '');
  if (members.length === 0) throw new Error(`${file} has no ${type}.`);
  return members;
}
