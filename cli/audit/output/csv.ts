import { stringify } from 'csv-stringify/sync';
import type { Difference } from '../admission-check.ts';
import { type Admission, attendeesOf, type Batch, callerOf, remarkOn, timeOfBatch } from '../batches.ts';
import { printable } from './printable.ts';

type Row = Record<string, string | undefined>;

const BATCH_COLUMNS = [
  ...['time', 'batchId', 'meetingId', 'state', 'issuer', 'clientId', 'subject', 'scope', 'remark'],
  ...['externalUserId', 'result', 'attendeeId', 'audio', 'video', 'content', 'reason'],
];
const ADMISSION_COLUMNS = [
  ...['time', 'externalUserId', 'attendeeId', 'meetingId', 'batchId', 'state', 'callerId'],
];
const DIFFERENCE_COLUMNS = ['difference', 'externalUserId', 'attendeeId', 'meetingId', 'batchId'];

/** One row for each attendee of each batch; a batch without attendees, as a denial is, has one row too. */
export function batchesToCsv(batches: AsyncIterable<Batch>): AsyncGenerator<string> {
  return toCsv(BATCH_COLUMNS, batches, (batch) => {
    const { batchId, meetingId, state } = batch;
    const { issuer, clientId, subject, scope } = callerOf(batch) ?? {};
    const caller = { issuer, clientId, subject, scope };
    const common = {
      time: timeOfBatch(batchId),
      batchId,
      meetingId,
      state,
      ...caller,
      remark: remarkOn(batch),
    };
    const rows = attendeesOf(batch).map(({ capabilities, ...attendee }) => ({
      ...common,
      ...attendee,
      audio: capabilities?.Audio,
      video: capabilities?.Video,
      content: capabilities?.Content,
    }));
    return rows.length > 0 ? rows : [common];
  });
}

export function admissionsToCsv(admissions: AsyncIterable<Admission>): AsyncGenerator<string> {
  return toCsv(ADMISSION_COLUMNS, admissions, (admission) => [{ ...admission }]);
}

export function differencesToCsv(differences: AsyncIterable<Difference>): AsyncGenerator<string> {
  return toCsv(DIFFERENCE_COLUMNS, differences, ({ expiresAt, ...difference }) => [difference]);
}

/**
 * RFC 4180 with a header, and each row on one line. People open it in a spreadsheet, so a cell that a spreadsheet would
 * take for a formula gets an apostrophe before it (https://owasp.org/www-community/attacks/CSV_Injection) and control
 * characters are escaped: who needs every value byte for byte takes JSON.
 */
async function* toCsv<Item>(
  columns: string[],
  items: AsyncIterable<Item>,
  rowsOf: (item: Item) => Row[],
): AsyncGenerator<string> {
  const lines = (rows: (string | undefined)[][]) =>
    stringify(rows, { escape_formulas: true, record_delimiter: '\r\n' });
  let header = lines([columns]);
  for await (const item of items) {
    yield header + lines(rowsOf(item).map((row) => columns.map((column) => printable(row[column] ?? ''))));
    header = '';
  }
  yield header;
}
