import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { filesOfBundle } from '../scripts/lean-bundle.ts';
import { checkAnswers, checkAudit } from './audit-check.ts';
import { type BundleProcess, startBundle } from './processes.ts';
import type { References } from './references.ts';
import { against, exact, measured, type Row } from './report.ts';
import { HANDLER_DIRECTORY, type Setting } from './setting.ts';
import type { Latency } from './stand-in.ts';
import { summarize } from './statistics.ts';

/** How long each service takes for a request, and the way to it and back: assumed, with the services in the function's Region. */
export const LATENCY: Latency = {
  dynamodb: { serviceMs: 4, roundTripMs: 1 },
  chime: { serviceMs: 70, roundTripMs: 10 },
  issuer: { serviceMs: 10, roundTripMs: 15 },
};

interface Subject {
  name: string;
  directory: string;
}

const FUNCTION = 'function';
const FACADE = '(c) plain facade';
const SAMPLE = '(d) as the sample';
const FLOOR = 'floor';

export function measureSizes(references: References): Row[] {
  const section = 'bundle';
  const sizeOf = (name: string, directory: string, compress: (bytes: Buffer) => Buffer) =>
    exact(section, name, 'B', bytesOf(filesOfBundle(directory).map((file) => compress(readFileSync(file)))));
  return [
    { what: 'minified', compress: (bytes: Buffer) => bytes },
    { what: 'gzip', compress: (bytes: Buffer) => gzipSync(bytes) },
  ].flatMap(({ what, compress }) => {
    const facade = sizeOf(`${what}, ${FACADE}`, references.plainFacade, compress);
    const own = sizeOf(`${what}, ${FUNCTION}`, HANDLER_DIRECTORY, compress);
    return [facade, against(own, facade, { atMost: 1.15, aim: 1.05 })];
  });
}

/** From loading the bundle to the first answer, in a fresh process for each value, in turns. */
export async function measureCold(
  setting: Setting,
  references: References,
  { rounds }: { rounds: number },
): Promise<Row[]> {
  const section = 'cold, one attendee';
  const subjects = [
    ...setting.functions,
    { name: FACADE, directory: references.plainFacade },
    { name: SAMPLE, directory: references.sample },
    { name: FLOOR, directory: references.floor },
  ].map((subject) => ({ ...subject, init: [] as number[], first: [] as number[], cpu: [] as number[] }));
  const firstEvent = await setting.eventFor(1);
  await setting.standIn.setLatency(LATENCY);
  for (let round = 0; round < rounds; round += 1) {
    for (const { directory, init, first, cpu } of subjects) {
      const bundle = await startBundle(directory, { env: setting.env, firstEvent });
      await bundle.close();
      const { wallMs, cpuMs, first: answered } = bundle.started;
      if (answered === undefined) throw new Error('There is no first answer.');
      init.push(wallMs);
      first.push(answered.wallMs[0] ?? Number.NaN);
      cpu.push(cpuMs + answered.cpuMs);
      await check(setting, directory, answered.answers, 1);
    }
  }
  await setting.standIn.setLatency({});

  type Measured = (typeof subjects)[number];
  const rowsOf = (what: string, of: (subject: Measured) => number[]) =>
    new Map(
      subjects.map((subject) => [
        subject.name,
        measured(section, `${what}, ${subject.name}`, 'ms', summarize(of(subject))),
      ]),
    );
  const answer = rowsOf('answer', ({ init, first }) => first.map((ms, index) => ms + (init[index] ?? 0)));
  const first = rowsOf('first request', (subject) => subject.first);
  const of = (rows: Map<string, Row>, name: string) => rows.get(name) as Row;
  return [
    ...answer.values(),
    against(of(answer, FUNCTION), of(answer, FACADE), { atMost: 0.9, aim: 0.8 }),
    against(of(answer, FUNCTION), of(answer, SAMPLE)),
    against(of(answer, FUNCTION), of(answer, FLOOR), { atMost: 1.25, aim: 1.12 }),
    ...rowsOf('init', ({ init }) => init).values(),
    ...first.values(),
    against(of(first, FUNCTION), of(first, FLOOR), { atMost: 1.15, aim: 1.03 }),
    ...rowsOf('CPU', ({ cpu }) => cpu).values(),
  ];
}

/** A process that has answered often: the function, the plain facade and the unavoidable round trips, in turns. */
export async function measureWarm(
  setting: Setting,
  references: References,
  { requests, warmUp }: { requests: number; warmUp: number },
): Promise<Row[]> {
  const section = 'warm';
  const rows: Row[] = [];
  for (const { attendees, limits } of [
    { attendees: 1, limits: { atMost: 1.08, aim: 1.03 } },
    { attendees: 10, limits: {} },
    { attendees: 100, limits: { atMost: 1.25, aim: 1.12 } },
  ]) {
    const event = await setting.eventFor(attendees);
    const subjects = await Promise.all(
      [
        { name: FLOOR, directory: references.floor },
        { name: FACADE, directory: references.plainFacade },
        ...setting.functions,
      ].map(async (subject) => ({
        ...subject,
        process: await startBundle(subject.directory, { env: setting.env }),
        wallMs: [] as number[],
      })),
    );
    const runBlock = async ({ directory, process }: Subject & { process: BundleProcess }, count: number) => {
      const { answers, wallMs } = await process.run({ event, requests: count });
      await check(setting, directory, answers, attendees);
      return wallMs;
    };
    for (const subject of subjects) {
      for (let done = 0; done < warmUp; done += BLOCK) await runBlock(subject, BLOCK);
    }
    await setting.standIn.setLatency(LATENCY);
    for (let done = 0; done < requests; done += BLOCK) {
      for (const subject of subjects) subject.wallMs.push(...(await runBlock(subject, BLOCK)));
    }
    await setting.standIn.setLatency({});
    await Promise.all(subjects.map(({ process }) => process.close()));
    const [floor, ...others] = subjects.map(({ name, wallMs }) =>
      measured(section, `n = ${attendees}, ${name}`, 'ms', summarize(wallMs)),
    ) as [Row, ...Row[]];
    rows.push(
      floor,
      ...others.map((row) => against(row, floor, row.name.endsWith(`, ${FUNCTION}`) ? limits : {})),
    );
  }
  return rows;
}

const BLOCK = 10;

function bytesOf(files: Buffer[]): number {
  return files.reduce((sum, { length }) => sum + length, 0);
}

/** Every answer is checked, and where there is an audit, the audit. */
async function check(
  { standIn }: Setting,
  directory: string,
  answers: { statusCode: number; body: string }[],
  attendees: number,
): Promise<void> {
  checkAnswers(answers, attendees);
  const taken = await standIn.take();
  if (directory === HANDLER_DIRECTORY) checkAudit(taken, answers);
}
