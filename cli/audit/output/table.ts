import { styleText } from 'node:util';
import { getBorderCharacters, table } from 'table';
import { callerId } from '../../../lambda/audit/records.ts';
import type { Capabilities } from '../../../lambda/model/attendees.ts';
import type { Difference } from '../admission-check.ts';
import { type Admission, attendeesOf, type Batch, callerOf, remarkOn, timeOfBatch } from '../batches.ts';
import { inGroups } from '../streams.ts';
import { printable } from './printable.ts';

/** What is known of where the table goes. */
export interface Paper {
  /** Characters in a line; Infinity where nothing cuts lines. */
  width: number;
  colours: boolean;
}

/** A table is laid out for so many rows at a time, so that the first are there before the last are read. */
const ROWS_AT_ONCE = 200;
/** Between two columns. */
const GAP = 2;
const MIN_COLUMN_WIDTH = 8;

const COLOURS = {
  ISSUED: 'green',
  PARTIAL: 'yellow',
  RECOVERED: 'yellow',
  NOT_ISSUED: 'yellow',
  OPEN: 'cyan',
  FAILED: 'red',
  UNRESOLVED: 'red',
  DENIED: 'red',
} as const;

/** One row for each batch. */
export function batchesToTable(batches: AsyncIterable<Batch>, paper: Paper): AsyncGenerator<string> {
  const header = [
    'TIME',
    'BATCH',
    'STATE',
    'MEETING',
    'CLIENT',
    'SUBJECT',
    'REQUESTED',
    'ISSUED',
    'ERRORS',
    'REMARK',
  ];
  return toTable(header, batches, paper, (batch) => {
    const caller = callerOf(batch);
    const { requested, issued, withheld, errors } = countsOf(batch);
    const remarks = [remarkOn(batch), withheld > 0 ? `${withheld} withheld` : ''];
    return [
      timeOfBatch(batch.batchId),
      batch.batchId,
      batch.state,
      batch.meetingId,
      caller?.clientId ?? '',
      caller?.subject ?? '',
      ...[requested, issued, errors].map(String),
      remarks.filter((remark) => remark !== '').join('; '),
    ];
  });
}

/** A paragraph for each batch, with its attendees. */
export async function* batchesInFull(batches: AsyncIterable<Batch>, paper: Paper): AsyncGenerator<string> {
  let gap = '';
  for await (const batch of batches) {
    const caller = callerOf(batch);
    const { requested, issued, withheld, errors } = countsOf(batch);
    const remark = remarkOn(batch);
    const lines = [
      `${timeOfBatch(batch.batchId)}  ${painted(batch.state, paper)}  ${printable(batch.batchId)}`,
      `  meeting  ${printable(batch.meetingId)}`,
      ...(caller === undefined
        ? []
        : [
            `  caller   ${printable(`${caller.clientId} / ${caller.subject}`)}`,
            `           ${printable(callerId(caller))}`,
            `  scope    ${printable(caller.scope ?? 'none')}`,
            `  judged   ${printable(judgedBy(batch))}`,
            `  from     ${printable([caller.sourceIp, caller.userAgent].filter(Boolean).join('  '))}`,
          ]),
      `  counts   requested ${requested}, issued ${issued}, withheld ${withheld}, errors ${errors}`,
      ...(remark === '' ? [] : [`  remark   ${printable(remark)}`]),
    ];
    yield `${gap}${lines.join('\n')}\n`;
    const rows = attendeesOf(batch).map((attendee) => [
      attendee.externalUserId,
      attendee.attendeeId ?? '',
      inShort(attendee.capabilities),
      attendee.reason === undefined ? attendee.result : `${attendee.result}: ${attendee.reason}`,
    ]);
    if (rows.length > 0) {
      yield layOut([['EXTERNAL USER ID', 'ATTENDEE ID', 'CAPABILITIES', 'RESULT'], ...rows], paper);
    }
    gap = '\n';
  }
}

/** Under which rules, by which version, and of which token. */
function judgedBy({ intent, denial }: Batch): string {
  const { rulesDigest, functionVersion, caller } = intent ?? denial ?? {};
  const facts = [
    rulesDigest === undefined ? undefined : `rules ${rulesDigest}`,
    functionVersion === undefined ? undefined : `version ${functionVersion}`,
    caller?.tokenId === undefined ? undefined : `token ${caller.tokenId}`,
  ];
  return facts.filter((fact) => fact !== undefined).join('  ') || 'not recorded';
}

export function admissionsToTable(
  admissions: AsyncIterable<Admission>,
  paper: Paper,
): AsyncGenerator<string> {
  const header = ['TIME', 'EXTERNAL USER ID', 'MEETING', 'ATTENDEE ID', 'BATCH', 'STATE', 'CALLER'];
  return toTable(header, admissions, paper, (admission) => [
    admission.time,
    admission.externalUserId,
    admission.meetingId,
    admission.attendeeId,
    admission.batchId,
    admission.state ?? '',
    admission.callerId ?? '',
  ]);
}

export function differencesToTable(
  differences: AsyncIterable<Difference>,
  paper: Paper,
): AsyncGenerator<string> {
  const header = ['DIFFERENCE', 'EXTERNAL USER ID', 'ATTENDEE ID', 'MEETING', 'BATCH'];
  return toTable(header, differences, paper, (entry) => [
    entry.difference,
    entry.externalUserId,
    entry.attendeeId,
    entry.meetingId,
    entry.batchId,
  ]);
}

async function* toTable<Item>(
  header: string[],
  items: AsyncIterable<Item>,
  paper: Paper,
  cellsOf: (item: Item) => string[],
): AsyncGenerator<string> {
  for await (const group of inGroups(items, ROWS_AT_ONCE)) {
    yield layOut([header, ...group.map(cellsOf)], paper);
  }
}

/** The header and its rows in columns, within the paper's width as far as that is possible. */
function layOut([header = [], ...rows]: string[][], paper: Paper): string {
  const cells = [header, ...rows.map((row) => row.map(printable))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const available = paper.width - GAP * (header.length - 1);
  const fitted = widths.reduce((a, b) => a + b, 0) > available ? narrowed(widths, available) : [];
  return table(
    cells.map((row, index) =>
      row.map((cell) => (index === 0 ? paint('bold', cell, paper) : paintedState(cell, paper))),
    ),
    {
      border: getBorderCharacters('void'),
      drawHorizontalLine: () => false,
      columnDefault: { paddingLeft: 0, paddingRight: GAP },
      columns: header.map((_, column) => ({
        ...(fitted[column] && { width: fitted[column] }),
        ...(column === header.length - 1 && { paddingRight: 0 }),
      })),
    },
  ).replace(/ +$/gm, '');
}

/** Takes from the widest column as long as the sum is too much. */
function narrowed(widths: number[], available: number): number[] {
  const fitted = widths.map((width) => Math.max(1, width));
  for (let sum = fitted.reduce((a, b) => a + b, 0); sum > available; sum -= 1) {
    const widest = Math.max(...fitted);
    if (widest <= MIN_COLUMN_WIDTH) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
  }
  return fitted;
}

function countsOf({ intent, outcome, denial }: Batch) {
  return {
    requested: denial?.requestedCount ?? intent?.requested.length ?? 0,
    issued: outcome?.issued.length ?? 0,
    withheld: outcome?.withheld.length ?? 0,
    errors: outcome?.errors.length ?? 0,
  };
}

function inShort(capabilities: Capabilities | undefined): string {
  if (capabilities === undefined) return '';
  const { Audio, Video, Content } = capabilities;
  if (Audio === Video && Video === Content) return Audio;
  return `Audio ${Audio}, Video ${Video}, Content ${Content}`;
}

function painted(state: keyof typeof COLOURS, paper: Paper): string {
  return paint(COLOURS[state], state, paper);
}

/** A user may be called like a state, and is then as colourful: nobody takes one column for another. */
function paintedState(cell: string, paper: Paper): string {
  return Object.hasOwn(COLOURS, cell) ? painted(cell as keyof typeof COLOURS, paper) : cell;
}

function paint(style: Parameters<typeof styleText>[0], text: string, { colours }: Paper): string {
  return colours ? styleText(style, text, { validateStream: false }) : text;
}
