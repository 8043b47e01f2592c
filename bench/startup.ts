import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkAnswers, checkAudit } from './audit-check.ts';
import { startBundle } from './processes.ts';
import { buildReadable, type References } from './references.ts';
import { against, exact, measured, type Row } from './report.ts';
import { HANDLER_DIRECTORY, type Setting } from './setting.ts';
import { summarize } from './statistics.ts';

/** Sizes of the bundles, and what one of a fresh process costs until it has answered once. */
export async function measureStartup(
  setting: Setting,
  { twoClients, plainFacade }: References,
  { rounds }: { rounds: number },
): Promise<Row[]> {
  const section = 'start-up';
  const event = await setting.eventFor(1);
  const starts = [
    { name: '(a) two clients', directory: twoClients, answers: false },
    { name: '(c) plain facade', directory: plainFacade, answers: true },
    ...setting.functions.map((bundle) => ({ ...bundle, answers: true })),
  ].map((bundle) => ({ ...bundle, init: [] as number[], first: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { directory, answers, init, first } of starts) {
      const process = await startBundle(directory, { env: setting.env });
      init.push(process.started.wallMs);
      if (answers) {
        const result = await process.run({ event, requests: 1 });
        first.push(...result.wallMs);
        checkAnswers(result.answers, 1);
        const taken = await setting.standIn.take();
        if (directory === HANDLER_DIRECTORY) checkAudit(taken, result.answers);
      }
      await process.close();
    }
  }

  type Start = (typeof starts)[number];
  /** Each against the first of them. */
  const compare = (what: string, rowOf: (start: Start, name: string) => Row, some = starts) => {
    const [reference, ...others] = some.map((start) => rowOf(start, `${what} ${start.name}`)) as [
      Row,
      ...Row[],
    ];
    return [reference, ...others.map((row) => against(row, reference))];
  };
  const bytes = (compress: boolean) => (start: Start, name: string) => {
    const bundle = readFileSync(path.join(start.directory, 'index.js'));
    return exact(section, name, 'B', (compress ? gzipSync(bundle) : bundle).length);
  };
  const times = (of: (start: Start) => number[]) => (start: Start, name: string) =>
    measured(section, name, 'ms', summarize(of(start)));
  const answering = starts.filter(({ answers }) => answers);
  return [
    ...compare('bundle', bytes(false)),
    ...compare('bundle gzip', bytes(true)),
    ...compare(
      'init',
      times(({ init }) => init),
    ),
    ...compare(
      'first request',
      times(({ first }) => first),
      answering,
    ),
    ...compare(
      'init + first request',
      times(({ init, first }) => first.map((ms, index) => ms + (init[index] ?? 0))),
      answering,
    ),
  ];
}

/** How many modules are worth a line. */
const MODULES_SHOWN = 12;

/** Which modules the start goes to: CPU until the first answer, by sampling, and bytes. */
export async function profileStartup(setting: Setting, { runs }: { runs: number }): Promise<Row[]> {
  const directory = path.join(setting.directory, 'readable');
  const profiles = path.join(setting.directory, 'profiles');
  const { outputs } = await buildReadable(directory);
  const event = await setting.eventFor(1);
  for (let run = 0; run < runs; run += 1) {
    const process = await startBundle(directory, {
      env: setting.env,
      nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${profiles}`, '--cpu-prof-interval=200'],
    });
    checkAnswers((await process.run({ event, requests: 1 })).answers, 1);
    await process.close();
  }
  await setting.standIn.take();

  const packageOfLine = packagesByLine(readFileSync(path.join(directory, 'index.js'), 'utf8'));
  const cpu = new Map<string, number>();
  for (const file of readdirSync(profiles)) {
    const profile = JSON.parse(readFileSync(path.join(profiles, file), 'utf8')) as Profile;
    for (const [name, ms] of cpuByPackage(profile, packageOfLine)) {
      cpu.set(name, (cpu.get(name) ?? 0) + ms / runs);
    }
  }
  const bytes = new Map<string, number>();
  for (const [file, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs),
  )) {
    bytes.set(packageOf(file), (bytes.get(packageOf(file)) ?? 0) + bytesInOutput);
  }
  const top = (values: Map<string, number>, section: string, unit: string) =>
    [...values]
      .sort(([, a], [, b]) => b - a)
      .slice(0, MODULES_SHOWN)
      .map(([name, value]) => exact(section, name, unit, value));
  return [
    ...top(cpu, 'start-up by module: init and first request, sampled', 'ms CPU'),
    ...top(bytes, 'start-up by module: bytes before minifying', 'B'),
  ];
}

interface Profile {
  nodes: {
    id: number;
    callFrame: { url: string; lineNumber: number; functionName: string };
    children?: number[];
  }[];
  samples: number[];
  timeDeltas: number[];
}

/** Time counts for the innermost package on the stack, so that what Node does is charged to who asked for it. */
function cpuByPackage({ nodes, samples, timeDeltas }: Profile, packageOfLine: string[]): Map<string, number> {
  const packageOfNode = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, inherited: string): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { url, lineNumber, functionName } = node.callFrame;
    const own = url.endsWith('/readable/index.js') ? packageOfLine[lineNumber] : undefined;
    const special = /^\((idle|garbage collector|program)\)$/.test(functionName) ? functionName : undefined;
    const name = special ?? own ?? inherited;
    packageOfNode.set(id, name);
    for (const child of node.children ?? []) visit(child, name);
  };
  visit(nodes[0]?.id ?? 0, OUTSIDE);
  const ms = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = packageOfNode.get(id) ?? OUTSIDE;
    if (name === '(idle)' || name === OUTSIDE) continue;
    ms.set(name, (ms.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  }
  return ms;
}

/** Node's own start, and the worker's. */
const OUTSIDE = '(outside the bundle)';

/** esbuild writes where each module begins, as a comment with its path. */
function packagesByLine(code: string): string[] {
  let current = OUTSIDE;
  return code.split('\n').map((line) => {
    const [, file] = /^\s*\/\/ ((?:\.\.\/)*(?:node_modules|lambda|dist)\/\S+)$/.exec(line) ?? [];
    if (file !== undefined) current = packageOf(file);
    return current;
  });
}

function packageOf(file: string): string {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(file)?.[1] ?? 'usher';
}
