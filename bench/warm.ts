import { checkAnswers, checkAudit } from './audit-check.ts';
import { type BundleProcess, startBundle } from './processes.ts';
import type { References } from './references.ts';
import { against, measured, type Row } from './report.ts';
import { HANDLER_DIRECTORY, type Setting } from './setting.ts';
import { summarize } from './statistics.ts';

interface Subject {
  name: string;
  attendees: number;
  event: unknown;
  process: BundleProcess;
  audits: boolean;
  cpuMs: number[];
  wallMs: number[];
}

/**
 * CPU and duration of a request in a process that has answered many. One process of a bundle takes up to a fifth more than
 * another, by how it was compiled and which core it shares; so what has a ratio is measured in several.
 */
export async function measureWarm(
  setting: Setting,
  references: References,
  { processes, rounds, warmUp }: { processes: number; rounds: number; warmUp: number },
): Promise<Row[]> {
  const section = 'warm';
  const subjects: Subject[] = [];
  const add = async (name: string, directory: string, attendees: number, processes = 1) => {
    const event = await setting.eventFor(attendees);
    const audits = directory === HANDLER_DIRECTORY;
    for (let started = 0; started < processes; started += 1) {
      const process = await startBundle(directory, { env: setting.env });
      subjects.push({ name, attendees, event, process, audits, cpuMs: [], wallMs: [] });
    }
  };
  await add('(b) bare SDK call', references.bareCall, 100, processes);
  for (const { name, directory } of setting.functions) {
    for (const attendees of [1, 10, 25]) await add(name, directory, attendees);
    await add(name, directory, 100, processes);
  }

  await warm(setting, subjects, warmUp);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      const requests = subject.attendees === 100 ? 40 : 100;
      const { cpuMs, wallMs } = await runBlock(setting, subject, requests);
      subject.cpuMs.push(cpuMs / requests);
      subject.wallMs.push(...wallMs);
    }
  }
  await Promise.all(subjects.map(({ process }) => process.close()));

  const alike = Map.groupBy(subjects, ({ name, attendees }) => `${name}, ${plural(attendees)}`);
  const rows = (what: string, unit: string, of: (subject: Subject) => number[]) =>
    [...alike].map(([name, subjects]) =>
      measured(section, `${what}, ${name}`, unit, summarize(subjects.flatMap(of))),
    );
  const cpu = rows('CPU', 'ms', ({ cpuMs }) => cpuMs);
  const [bareCall, ...ours] = cpu as [Row, ...Row[]];
  return [
    bareCall,
    ...ours.map((row) => (row.name.endsWith(' 100 attendees') ? against(row, bareCall) : row)),
    ...rows('wall', 'ms', ({ wallMs }) => wallMs),
  ];
}

/** What is asked of Chime and DynamoDB in `withLatency`, in milliseconds. */
export const LATENCY = { chimeMs: 80, dynamodbMs: 5 };

/** How long a request takes where Chime and DynamoDB take as long as they do. */
export async function measureWithLatency(
  setting: Setting,
  references: References,
  { requests, warmUp }: { requests: number; warmUp: number },
): Promise<Row[]> {
  const section = `with latency: Chime ${LATENCY.chimeMs} ms, DynamoDB ${LATENCY.dynamodbMs} ms`;
  const rows: Row[] = [];
  for (const attendees of [1, 10, 100]) {
    const event = await setting.eventFor(attendees);
    const bundles = [
      { name: 'unavoidable round trips', directory: references.roundTrips },
      ...setting.functions,
    ];
    const subjects: Subject[] = await Promise.all(
      bundles.map(async ({ name, directory }) => {
        const process = await startBundle(directory, { env: setting.env });
        const audits = directory === HANDLER_DIRECTORY;
        return { name, attendees, event, process, audits, cpuMs: [], wallMs: [] };
      }),
    );
    await warm(setting, subjects, warmUp);
    await setting.standIn.setLatency({
      chime: { serviceMs: LATENCY.chimeMs, roundTripMs: 0 },
      dynamodb: { serviceMs: LATENCY.dynamodbMs, roundTripMs: 0 },
    });
    const BLOCK = 10;
    for (let done = 0; done < requests; done += BLOCK) {
      for (const subject of subjects)
        subject.wallMs.push(...(await runBlock(setting, subject, BLOCK)).wallMs);
    }
    await setting.standIn.setLatency({});
    await Promise.all(subjects.map(({ process }) => process.close()));
    const [floor, ...ours] = subjects.map(({ name, wallMs }) =>
      measured(section, `wall, ${name}, ${plural(attendees)}`, 'ms', summarize(wallMs)),
    ) as [Row, ...Row[]];
    rows.push(floor, ...ours.map((row) => against(row, floor)));
  }
  return rows;
}

/** Until a process has answered well over a thousand requests, it is still being compiled. */
async function warm(setting: Setting, subjects: readonly Subject[], requests: number): Promise<void> {
  for (const subject of subjects) {
    for (let done = 0; done < requests; done += 250) {
      await runBlock(setting, subject, Math.min(250, requests - done));
    }
  }
}

/** Runs a block and checks all that came of it: the answers, and where there is an audit, the audit. */
async function runBlock(
  { standIn }: Setting,
  { process, event, attendees, audits }: Subject,
  requests: number,
) {
  const result = await process.run({ event, requests });
  checkAnswers(result.answers, attendees);
  const taken = await standIn.take();
  if (audits) checkAudit(taken, result.answers);
  return result;
}

export function plural(attendees: number): string {
  return attendees === 1 ? '1 attendee' : `${attendees} attendees`;
}
