import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { installTool } from '../../scripts/install-tool.ts';
import { renderApi } from '../../scripts/render-api.ts';
import { createApp, createFolder, manifest, packPackage } from '../support/packed-package.ts';

const folder = createFolder();
const types = join(folder, 'node_modules', manifest.name, 'dist/package');
/** The compiler of most apps, and the newest. */
let compilers: Record<string, string>;

/** What apps write down of a facade without naming its types, in declarations that others import. */
const CONSUMER = `
import { App, Stack } from 'aws-cdk-lib';
import * as usher from '${manifest.name}';

const stack = new Stack(new App(), 'Stack');
export const facade = new usher.AttendeeFacade(stack, 'Facade');
export const { api, attendees, reconciler, cognitoIssuer, firewall, alarms, dashboard, tables } = facade;
export const rules = cognitoIssuer?.rules;
export const everything = (it: usher.AttendeeFacade) => ({ ...it });
export const known = (it: usher.UsherStack) => ({ ...it.facade });
export const metric = facade.metric('BatchesAnswered');
export const settings = usher.loadConfig;
export const props = (it: usher.AttendeeFacadeProps) => ({ ...it, ...it.limits });
`;

beforeAll(() => {
  createApp(folder, packPackage(folder), 'aws-cdk-lib', 'constructs', '@types/node');
  compilers = {
    '5.9': join(installTool('client-types'), 'node_modules/typescript'),
    '7': resolve('node_modules/typescript'),
  };
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  writeFileSync(join(folder, 'consumer.cts'), CONSUMER);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @returns what the compiler says */
function compile(version: string, ...options: string[]): string {
  const common = ['--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  const compiler = join(compilers[version] as string, 'bin/tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, ...common, ...options], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout;
}

describe.each(['5.9', '7'])('the types of the package, by TypeScript %s', (version) => {
  it.each(['consumer.ts', 'consumer.cts'])(
    'can be named in declarations of an app, %s',
    (file) => {
      expect(compile(version, '--declaration', '--emitDeclarationOnly', '--outDir', 'out', file)).toBe('');
    },
    120_000,
  );

  it('are right by themselves, as a check of libraries too sees them', () => {
    expect(compile(version, '--noEmit', '--skipLibCheck', 'false', 'consumer.ts')).toBe('');
  }, 120_000);
});

describe('the declarations of the package', () => {
  it('are exported, wherever an exported type refers to them', () => {
    expect(typesNotExported()).toEqual([]);
  }, 120_000);

  it('come once, and name no package that an app does not have', () => {
    const files = globSync('**/*.d.{ts,cts,mts}', { cwd: types });
    const packages = files.flatMap((file) =>
      [...readFileSync(join(types, file), 'utf8').matchAll(/(?:from |import\()'([^'.][^']*)'/g)].map(
        ([, name = '']) => name.split('/')[0],
      ),
    );
    expect(files).toContain('lib/index.d.ts');
    expect([...new Set(packages)].toSorted()).toEqual(['aws-cdk-lib', 'constructs']);
    expect(files.filter((file) => !file.endsWith('.d.ts'))).toEqual([]);
  });

  it('have no mapped type in what an app writes', () => {
    const text = [
      'lib/settings/props.d.ts',
      'lib/facade-props.d.ts',
      'lib/audit-tables.d.ts',
      'lib/usher-stack.d.ts',
    ]
      .map((file) => readFileSync(join(types, file), 'utf8'))
      .join('\n');
    expect(text).not.toMatch(/\b(Partial|Omit|Pick|Record|Required|NonNullable)</);
  });
});

it('has an API.md that says what the declarations say', () => {
  expect(readFileSync('API.md', 'utf8')).toBe(renderApi());
}, 120_000);

/** The types of the package that are reached from what it exports, and are not exported themselves. */
function typesNotExported(): string[] {
  // biome-ignore lint/suspicious/noExplicitAny: the compiler is installed for this test only, so its types are not here.
  const ts: any = createRequire(import.meta.url)(compilers['5.9'] as string);
  const entry = join(types, 'lib/index.d.ts');
  const program = ts.createProgram([entry], { module: ts.ModuleKind.NodeNext, strict: true });
  const checker = program.getTypeChecker();
  const exported = new Set(
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))
      // biome-ignore lint/suspicious/noExplicitAny: as above.
      .map((symbol: any) =>
        symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      ),
  );
  const missing = new Set<string>();
  // Classes that are exported as types only have no constructor for apps.
  const created = new Set(['AttendeeFacade', 'AuditTables', 'UsherStack', 'ConfigurationError']);
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  function check(name: any): void {
    let symbol = checker.getSymbolAtLocation(name);
    if (symbol?.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
    const [declaration] = symbol?.declarations ?? [];
    if (declaration?.getSourceFile().fileName.startsWith(types) && !exported.has(symbol))
      missing.add(symbol.name);
  }
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  function visit(node: any): void {
    if (ts.isPrivateIdentifier(node)) return;
    if (ts.isConstructorDeclaration(node) && !created.has(node.parent.name?.text)) return;
    if (ts.isTypeReferenceNode(node)) check(node.typeName);
    if (ts.isExpressionWithTypeArguments(node)) check(node.expression);
    ts.forEachChild(node, visit);
  }
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  for (const symbol of exported as Set<any>) symbol.declarations.forEach(visit);
  return [...missing];
}
