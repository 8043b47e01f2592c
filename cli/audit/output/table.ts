import type { Difference } from '../admission-check.ts';
import {
  type Admission,
  type Batch,
  callerIdOf,
  callerOf,
  externalMeetingIdOf,
  remarkOn,
  timeOfBatch,
} from '../batches.ts';
import type { CallDifference } from '../cloudtrail.ts';
import { attendeesOf, excessOf, namesLeftOut } from '../results.ts';
import { FINDINGS, type Finding } from '../seals/findings.ts';
import { inGroups } from '../streams.ts';
import { type AttendeeLine, RESULTS, STATES } from '../words.ts';
import { type Column, coloured, layOut, type Paper, wrap } from './layout.ts';
import { printable } from './printable.ts';

/** How many rows are laid out together, so that the first appear before the last are read. */
const ROWS_AT_ONCE = 200;
/** Of the facts of a batch. */
const MARGIN = 14;

const id = (title: string): Column => ({ title, kind: 'id' });
const text = (title: string): Column => ({ title, kind: 'text' });
const prose = (title: string): Column => ({ title, kind: 'prose' });

/** One row for each batch. */
export async function* batchesToTable(batches: AsyncIterable<Batch>, paper: Paper): AsyncGenerator<string> {
  const columns = [
    ...[id('TIME'), id('BATCH'), id('STATE'), id('MEETING'), text('CLIENT'), text('SUBJECT')],
    ...[id('ISSUED'), prose('REMARK')],
  ];
  const met = new Map<string, string>();
  yield* toTable(columns, noting(batches, met), paper, (batch) => {
    const caller = callerOf(batch);
    return [
      ...[timeOfBatch(batch.batchId), batch.batchId, batch.state, batch.meetingId],
      ...[caller?.clientId ?? '', caller?.subject ?? '', inCounts(batch).issued, remarksOn(batch)],
    ];
  });
  yield* legend(met, paper);
}

async function* noting(batches: AsyncIterable<Batch>, met: Map<string, string>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    met.set(batch.state, STATES[batch.state]);
    yield batch;
  }
}

/** A paragraph for each batch, with its attendees. */
export async function* batchesInFull(batches: AsyncIterable<Batch>, paper: Paper): AsyncGenerator<string> {
  const met = new Map<string, string>();
  let gap = '';
  for await (const batch of batches) {
    const lines = attendeesOf(batch);
    for (const { result, explanation } of lines) met.set(result, explanation);
    yield `${gap}${headOf(batch, paper).join('\n')}\n`;
    const hasPresence = lines.some(({ presence }) => presence !== undefined);
    const rows = lines.map((attendee) => [
      ...[attendee.externalUserId, attendee.attendeeId ?? '', rightsOf(attendee)],
      attendee.reason === undefined ? attendee.result : `${attendee.result}: ${attendee.reason}`,
      ...(hasPresence ? [presenceIn(attendee)] : []),
    ]);
    if (rows.length > 0) {
      const columns = [id('EXTERNAL USER ID'), id('ATTENDEE ID'), prose('CAPABILITIES'), prose('RESULT')];
      yield layOut([...columns, ...(hasPresence ? [prose('JOINED')] : [])], rows, paper);
    }
    gap = '\n';
  }
  yield* legend(met, paper);
}

/** When an attendee first joined, or what is known instead. */
export function presenceIn({ presence, firstJoinAt }: AttendeeLine | Admission): string {
  return firstJoinAt ?? presence ?? '';
}

function headOf(batch: Batch, paper: Paper): string[] {
  if (batch.state === 'NO_RECORD')
    return [`${coloured('NO_RECORD', paper)}  meeting ${printable(batch.meetingId)}`];
  const caller = callerOf(batch);
  const { issued, others } = inCounts(batch);
  const facts: [string, string | undefined][] = [
    ['meeting', batch.meetingId],
    ['created as', externalMeetingIdOf(batch)],
    ['caller', caller && `${caller.clientId} / ${caller.subject}`],
    ['caller id', callerIdOf(batch)],
    ['scope', caller && (caller.scope ?? 'none')],
    ['judged', caller && judgedBy(batch)],
    ['token', caller?.tokenId],
    ['from', caller?.sourceIp],
    ['user agent', caller?.userAgent],
    ['gateway', caller?.gatewayRequestId],
    ['Chime', batch.outcome?.chimeRequestId],
    ['issued', [issued, ...others].join(', ')],
    ['remark', remarkOn(batch)],
  ];
  return [
    `${timeOfBatch(batch.batchId)}  ${coloured(batch.state, paper)}  ${printable(batch.batchId)}`,
    ...facts.flatMap(([name, value]) => {
      if (!value) return [];
      const [first = '', ...rest] = wrap(printable(value), paper.width - MARGIN);
      return [`  ${name}`.padEnd(MARGIN) + first, ...rest.map((line) => ' '.repeat(MARGIN) + line)];
    }),
  ];
}

/** The rules in force, and the function's version. */
function judgedBy({ intent, denial }: Batch): string {
  const { rulesDigest, functionVersion } = intent ?? denial ?? {};
  const facts = [
    rulesDigest === undefined ? undefined : `rules ${rulesDigest}`,
    functionVersion === undefined ? undefined : `version ${functionVersion}`,
  ];
  return facts.filter((fact) => fact !== undefined).join('  ') || 'not recorded';
}

/** @param hasEvents whether it is known who joined */
export async function* admissionsToTable(
  admissions: AsyncIterable<Admission>,
  paper: Paper,
  hasEvents = false,
): AsyncGenerator<string> {
  const columns = [
    ...[id('TIME'), id('EXTERNAL USER ID'), id('MEETING'), id('ATTENDEE ID'), id('BATCH'), id('STATE')],
    ...[id('CALLER'), prose('RESULT'), ...(hasEvents ? [prose('JOINED')] : [])],
  ];
  const met = new Map<string, string>();
  yield* toTable(columns, admissions, paper, (admission) => {
    const { result, reason, explanation } = admission;
    met.set(result, explanation);
    return [
      ...[admission.time, admission.externalUserId, admission.meetingId, admission.attendeeId],
      ...[admission.batchId, admission.state ?? '', admission.callerId ?? ''],
      [reason === undefined ? result : `${result}: ${reason}`, excessOf(admission)]
        .filter((remark) => remark !== undefined)
        .join('; '),
      ...(hasEvents ? [presenceIn(admission)] : []),
    ];
  });
  yield* legend(met, paper);
}

export function differencesToTable(
  differences: AsyncIterable<Difference>,
  paper: Paper,
): AsyncGenerator<string> {
  const columns = ['DIFFERENCE', 'EXTERNAL USER ID', 'ATTENDEE ID', 'MEETING', 'BATCH'].map(id);
  return toTable(columns, differences, paper, (entry) => [
    ...[entry.difference, entry.externalUserId, entry.attendeeId, entry.meetingId, entry.batchId],
  ]);
}

export async function* findingsToTable(
  findings: AsyncIterable<Finding>,
  paper: Paper,
): AsyncGenerator<string> {
  const columns = [id('FINDING'), id('HOUR'), id('MEETING'), id('RECORD'), prose('WHAT SHOWS IT')];
  const met = new Map<string, string>();
  yield* toTable(columns, findings, paper, ({ finding, hour, meetingId = '', recordId = '', detail }) => {
    met.set(finding, FINDINGS[finding]);
    return [finding, hour, meetingId, recordId, detail];
  });
  yield* legend(met, paper);
}

export function callsToTable(
  differences: AsyncIterable<CallDifference>,
  paper: Paper,
): AsyncGenerator<string> {
  const columns = [
    ...[prose('DIFFERENCE'), id('TIME'), id('CHIME REQUEST ID'), id('BATCH'), id('MEETING'), id('STATE')],
    ...[text('ROLE'), text('ERROR')],
  ];
  return toTable(columns, differences, paper, (entry) => [
    ...[entry.difference, entry.time, entry.chimeRequestId ?? '', entry.batchId ?? '', entry.meetingId ?? ''],
    ...[entry.state ?? '', entry.role ?? '', entry.errorCode ?? ''],
  ]);
}

async function* toTable<Item>(
  columns: readonly Column[],
  items: AsyncIterable<Item>,
  paper: Paper,
  cellsOf: (item: Item) => string[],
): AsyncGenerator<string> {
  for await (const group of inGroups(items, ROWS_AT_ONCE)) {
    yield layOut(columns, group.map(cellsOf), paper);
  }
}

/** The words in the answer, each with its explanation. */
function* legend(met: ReadonlyMap<string, string>, paper: Paper): Generator<string> {
  if (met.size === 0) return;
  const lines = [...met].flatMap(([word, sentence]) => {
    const [first = '', ...rest] = wrap(`${word}: ${sentence}`, paper.width - 2);
    return [coloured(first, paper), ...rest.map((line) => `  ${line}`)];
  });
  yield `\n${lines.join('\n')}\n`;
}

function remarksOn(batch: Batch): string {
  return [remarkOn(batch), ...inCounts(batch).others].filter((remark) => remark !== '').join('; ');
}

/** How many attendees have each result. */
function inCounts(batch: Batch): { issued: string; others: string[] } {
  const { denial, intent } = batch;
  const lines = attendeesOf(batch);
  const counts = new Map<string, number>();
  for (const { result } of lines) counts.set(result, (counts.get(result) ?? 0) + 1);
  const requested = denial?.requestedCount ?? intent?.requested.length ?? lines.length;
  const leftOut = namesLeftOut(batch);
  const aboveScope = lines.filter(({ above }) => above === 'ceiling').length;
  return {
    issued: `${counts.get('issued') ?? 0} of ${requested}`,
    others: [
      ...Object.keys(RESULTS)
        .filter((result) => result !== 'issued' && result !== 'denied' && counts.has(result))
        .map((result) => `${counts.get(result)} ${result}`),
      ...(aboveScope > 0 ? [`${aboveScope} above the scope`] : []),
      ...(leftOut > 0 ? [`${leftOut} more names are not on record`] : []),
    ],
  };
}

function rightsOf(attendee: AttendeeLine): string {
  const remarks = [inShort(attendee.capabilities), excessOf(attendee)];
  return remarks.filter((remark) => remark).join(', ');
}

export function inShort(
  capabilities: { Audio?: string; Video?: string; Content?: string } | undefined,
): string {
  if (capabilities === undefined) return '';
  const { Audio, Video, Content } = capabilities;
  if (Audio === Video && Video === Content) return Audio ?? '';
  return `Audio ${Audio}, Video ${Video}, Content ${Content}`;
}
