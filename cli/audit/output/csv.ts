import { isIP } from 'node:net';
import { stringify } from 'csv-stringify/sync';
import { isBatchId } from '../../../lambda/audit/batch-id.ts';
import type { Difference } from '../admission-check.ts';
import { type Admission, type Batch, callerIdOf, callerOf, remarkOn, timeOfBatch } from '../batches.ts';
import type { CallDifference } from '../cloudtrail.ts';
import { isGuid } from '../inputs.ts';
import { attendeesOf, namesLeftOut } from '../results.ts';
import type { Finding } from '../seals/findings.ts';
import { printable } from './printable.ts';

type Row = Record<string, string | undefined>;

const WHO_AND_WHAT = [
  'externalUserId',
  'result',
  'reason',
  'explanation',
  'attendeeId',
  'audio',
  'video',
  'content',
  'presence',
  'firstJoinAt',
];
const WHO_ASKED = ['callerId', 'issuer', 'clientId', 'subject', 'scope', 'tokenId', 'sourceIp', 'userAgent'];
const BATCH_COLUMNS = [
  ...['time', 'batchId', 'meetingId', 'externalMeetingId', 'state', 'rule', 'remark'],
  ...[...WHO_AND_WHAT, 'above', 'tokenFingerprint', ...WHO_ASKED],
  ...['gatewayRequestId', 'chimeRequestId', 'rulesDigest', 'functionVersion', 'requested', 'namesLeftOut'],
  ...['deadline', 'outcomeAt', 'writtenBy', 'attribution', 'delivered', 'admissions', 'expiresAt'],
];
const ADMISSION_COLUMNS = [
  ...[
    'time',
    'batchId',
    'meetingId',
    'externalMeetingId',
    'state',
    ...WHO_AND_WHAT,
    'above',
    'tokenFingerprint',
  ],
  ...[...WHO_ASKED, 'gatewayRequestId', 'chimeRequestId', 'rulesDigest', 'functionVersion', 'expiresAt'],
];
const DIFFERENCE_COLUMNS = ['difference', 'externalUserId', 'attendeeId', 'meetingId', 'batchId'];
const FINDING_COLUMNS = ['finding', 'hour', 'meetingId', 'recordId', 'detail'];
const CALL_COLUMNS = [
  'difference',
  'time',
  'chimeRequestId',
  'batchId',
  'meetingId',
  'state',
  'role',
  'errorCode',
];

/** One row for each attendee of each batch; a batch without attendees has one row too. */
export function batchesToCsv(batches: AsyncIterable<Batch>): AsyncGenerator<string> {
  return toCsv(BATCH_COLUMNS, batches, (batch) => {
    const common = factsOf(batch);
    const rows = attendeesOf(batch).map(({ capabilities, ...attendee }) => ({
      ...common,
      ...attendee,
      ...mediaOf(capabilities),
    }));
    return rows.length > 0 ? rows : [common];
  });
}

/** The columns of a batch as a whole. */
function factsOf(batch: Batch): Row {
  const { batchId, meetingId, state, intent, outcome, denial } = batch;
  const asking = intent ?? denial;
  const leftOut = namesLeftOut(batch);
  return {
    ...{ time: timeOfBatch(batchId), batchId, meetingId, state, remark: remarkOn(batch) },
    externalMeetingId: asking?.externalMeetingId,
    rule: denial?.rule,
    callerId: callerIdOf(batch),
    ...callerOf(batch),
    chimeRequestId: outcome?.chimeRequestId,
    ...{ rulesDigest: asking?.rulesDigest, functionVersion: asking?.functionVersion },
    requested: String(denial?.requestedCount ?? intent?.requested.length ?? ''),
    namesLeftOut: leftOut > 0 ? String(leftOut) : undefined,
    ...{ deadline: intent?.deadline, outcomeAt: outcome?.recordedAt, writtenBy: outcome?.writtenBy },
    ...{ attribution: outcome?.attribution, admissions: outcome?.admissions },
    delivered: outcome?.delivered === false ? 'no' : undefined,
    expiresAt: expiryOf(asking ?? outcome),
  };
}

export function admissionsToCsv(admissions: AsyncIterable<Admission>): AsyncGenerator<string> {
  return toCsv(ADMISSION_COLUMNS, admissions, ({ capabilities, caller, batch, ...admission }) => [
    { ...caller, ...admission, ...mediaOf(capabilities), expiresAt: expiryOf(admission) },
  ]);
}

export function differencesToCsv(differences: AsyncIterable<Difference>): AsyncGenerator<string> {
  return toCsv(DIFFERENCE_COLUMNS, differences, ({ expiresAt, ...difference }) => [difference]);
}

export function findingsToCsv(findings: AsyncIterable<Finding>): AsyncGenerator<string> {
  return toCsv(FINDING_COLUMNS, findings, (finding) => [{ ...finding }]);
}

export function callsToCsv(differences: AsyncIterable<CallDifference>): AsyncGenerator<string> {
  return toCsv(CALL_COLUMNS, differences, (difference) => [{ ...difference }]);
}

function mediaOf(capabilities: { Audio?: string; Video?: string; Content?: string } | undefined): Row {
  return { audio: capabilities?.Audio, video: capabilities?.Video, content: capabilities?.Content };
}

function expiryOf(record: { expiresAt?: number } | undefined): string | undefined {
  const expiresAt = record?.expiresAt;
  return expiresAt === undefined ? undefined : new Date(expiresAt * 1000).toISOString();
}

/** Without it, Excel assumes its own character set. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * RFC 4180 with a header, and each row on one line. People open it in a spreadsheet, so a cell that a spreadsheet would
 * read as a formula (https://owasp.org/www-community/attacks/CSV_Injection), a number or a date gets an apostrophe
 * before it, and control characters are escaped: use JSON to get every value byte for byte.
 */
async function* toCsv<Item>(
  columns: string[],
  items: AsyncIterable<Item>,
  rowsOf: (item: Item) => Row[],
): AsyncGenerator<string> {
  const lines = (rows: (string | undefined)[][]) =>
    stringify(rows, { escape_formulas: true, record_delimiter: '\r\n' });
  let header = BYTE_ORDER_MARK + lines([columns]);
  for await (const item of items) {
    const rows = rowsOf(item).map((row) => columns.map((column) => cellOf(column, row[column] ?? '')));
    yield header + lines(rows);
    header = '';
  }
  yield header;
}

const COUNTS = ['requested', 'namesLeftOut'];
/** Text that spreadsheets read as a date although it begins with a letter, or as a boolean. */
const MONTH = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s.,/-]*\d/i;
const TRUTH = /^(?:true|false)$/i;
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

function cellOf(column: string, value: string): string {
  const text = printable(value);
  return !COUNTS.includes(column) && isReadAsOther(text) ? `'${text}` : text;
}

/** Whether a spreadsheet would read a text, or its start, as something else. */
function isReadAsOther(text: string): boolean {
  if (isGuid(text) || isBatchId(text.split('/')[0] ?? '') || TIMESTAMP.test(text) || isIP(text) !== 0)
    return false;
  return /^(?:\s*[\d.,(]|\s+[=+@-])/.test(text) || MONTH.test(text) || TRUTH.test(text);
}
