import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSync } from '@swc/core';

/**
 * What each folder may import in addition to itself; a file belongs to the first folder here that contains it.
 * CONTRIBUTING.md explains it.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'lambda/model': [],
  'lambda/oidc': ['lambda/model'],
  'lambda/aws': ['lambda/model'],
  'lambda/audit': ['lambda/model', 'lambda/aws'],
  'lambda/create-attendees': ['lambda/model', 'lambda/oidc', 'lambda/aws', 'lambda/audit'],
  'lambda/reconciler': ['lambda/model', 'lambda/aws', 'lambda/audit'],
  'lambda/observer': ['lambda/model', 'lambda/aws', 'lambda/audit'],
  'lambda/sealer': ['lambda/model', 'lambda/aws', 'lambda/audit'],
  lib: [
    'lambda/model',
    'lambda/audit',
    'lambda/create-attendees',
    'lambda/reconciler',
    'lambda/observer',
    'lambda/sealer',
  ],
  // An emulator that shared code with what it tests would share its faults.
  'local/chime-emulator': [],
  local: ['lib', 'local/chime-emulator'],
  scripts: ['lib'],
  bin: ['lib'],
  // `explain-token` runs the deployed verifier and policy.
  cli: [
    'scripts',
    'lib',
    'local',
    'lambda/model',
    'lambda/aws',
    'lambda/oidc',
    'lambda/audit',
    'lambda/create-attendees',
    'lambda/reconciler',
    'lambda/observer',
    'lambda/sealer',
  ],
};

const FOLDERS = ['lambda', 'lib', 'bin', 'cli', 'local', 'scripts'];

interface SourceFunction {
  name: string;
  file: string;
  line: number;
  lines: number;
}

interface Source {
  nodes: number;
  functions: SourceFunction[];
  /** Files of the project, relative to its root; imports of types included. */
  imports: string[];
}

/** Source files by their path, relative to the root of the project. */
export type Sources = Map<string, Source>;

type Node = { type: string; span: { start: number; end: number } } & Record<string, unknown>;

const FUNCTIONS = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'Constructor',
  'ClassMethod',
  'PrivateMethod',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

/** Every TypeScript file of `FOLDERS`. */
export function readSources(root: string): Sources {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  );
  return new Map(files.map((file) => [file, parseSource(file, readFileSync(join(root, file), 'utf8'))]));
}

/** @param file relative to the root of the project */
export function parseSource(file: string, text: string): Source {
  // The parser counts bytes from an offset of its own, and a module begins at its first token: one in front shows where.
  const bytes = Buffer.from(`;${text}`);
  const module = parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2024' });
  const lineAt = (offset: number) =>
    bytes
      .subarray(0, offset - module.span.start)
      .toString()
      .split('\n').length;
  const source: Source = { nodes: -1, functions: [], imports: [] };

  visit(module as unknown as Node, (node, name) => {
    source.nodes += 1;
    const imported = importedBy(node);
    if (imported?.startsWith('.')) source.imports.push(normalize(join(dirname(file), imported)));
    if (!FUNCTIONS.has(node.type)) return;
    const line = lineAt(node.span.start);
    source.functions.push({ name, file, line, lines: lineAt(node.span.end) - line + 1 });
  });
  return source;
}

/** Calls `act` for each node under `value`, with the name of the nearest thing around it that has one. */
function visit(value: unknown, act: (node: Node, name: string) => void, around = ''): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) visit(item, act, around);
    return;
  }
  const node = value as Node;
  const name = nameOf(node) ?? around;
  if (typeof node.type === 'string') act(node, name);
  for (const child of Object.values(node)) visit(child, act, name);
}

function nameOf({ type, identifier, id, key }: Node): string | undefined {
  if (type === 'Constructor') return 'constructor';
  const named = (identifier ?? id ?? key) as { value?: unknown } | undefined;
  return typeof named?.value === 'string' ? named.value : undefined;
}

function importedBy({ type, source, callee, arguments: args }: Node): string | undefined {
  if (type === 'CallExpression' && (callee as Node).type === 'Import') {
    return (args as { expression: { value?: string } }[])[0]?.expression.value;
  }
  return /^(Import|Export(Named|All))Declaration$/.test(type)
    ? (source as { value: string } | null)?.value
    : undefined;
}

/** Files that import each other in a circle, each group once. */
export function circlesIn(sources: Sources): string[][] {
  const reachable = new Map([...sources.keys()].map((file) => [file, reachableFrom(file, sources)]));
  const circles = new Map<string, string[]>();
  for (const [file, reached] of reachable) {
    if (!reached.has(file)) continue;
    const circle = [...reached].filter((other) => reachable.get(other)?.has(file)).toSorted();
    circles.set(circle.join(), circle);
  }
  return [...circles.values()];
}

function reachableFrom(file: string, sources: Sources): Set<string> {
  const reached = new Set<string>();
  const next = [file];
  for (let from = next.pop(); from !== undefined; from = next.pop()) {
    for (const to of sources.get(from)?.imports ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      next.push(to);
    }
  }
  return reached;
}

/** `importer -> imported`, for each import that `LAYERS` does not allow. */
export function forbiddenImportsIn(sources: Sources): string[] {
  return [...sources].flatMap(([file, { imports }]) =>
    imports.filter((imported) => !mayImport(file, imported)).map((imported) => `${file} -> ${imported}`),
  );
}

function mayImport(file: string, imported: string): boolean {
  // Generated files, and documentation.
  if (!imported.endsWith('.ts')) return true;
  const [from, to] = [layerOf(file), layerOf(imported)];
  return from !== undefined && to !== undefined && (from === to || (LAYERS[from] ?? []).includes(to));
}

function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS).find((layer) => file.startsWith(`${layer}/`));
}

function print(root: string): void {
  const sources = readSources(root);
  const functions = [...sources.values()].flatMap((source) => source.functions);
  console.table(
    Object.fromEntries(
      FOLDERS.map((folder) => {
        const inFolder = [...sources].filter(([file]) => file.startsWith(`${folder}/`));
        const lines = inFolder.flatMap(([, source]) => source.functions.map((one) => one.lines));
        return [
          folder,
          {
            files: inFolder.length,
            nodes: inFolder.reduce((sum, [, { nodes }]) => sum + nodes, 0),
            'longest function': Math.max(0, ...lines),
            'functions over 60 lines': lines.filter((count) => count > 60).length,
          },
        ];
      }),
    ),
  );
  const long = functions.filter(({ lines }) => lines > 60).toSorted((a, b) => b.lines - a.lines);
  list(
    'Functions over 60 lines',
    long.map(({ name, file, line, lines }) => `${lines} ${name} (${file}:${line})`),
  );
  list(
    'Circles of imports',
    circlesIn(sources).map((circle) => circle.join(', ')),
  );
  list('Forbidden imports', forbiddenImportsIn(sources));
}

function list(title: string, lines: string[]): void {
  console.log(`${title}: ${lines.length === 0 ? 'none' : lines.length}`);
  for (const line of lines) console.log(`  ${line}`);
}

if (import.meta.main) {
  const { root } = parseArgs({ options: { root: { type: 'string' } } }).values;
  print(root ?? relative('.', fileURLToPath(new URL('..', import.meta.url))));
}
