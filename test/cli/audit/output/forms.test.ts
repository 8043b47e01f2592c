import { describe, expect, it } from '@jest/globals';
import { type Batch, batchOf } from '../../../../cli/audit/batches.ts';
import { admissionsToCsv, batchesToCsv } from '../../../../cli/audit/output/csv.ts';
import { toJson, toNdjson } from '../../../../cli/audit/output/json.ts';
import { printable } from '../../../../cli/audit/output/printable.ts';
import { admissionsToTable, batchesInFull, batchesToTable } from '../../../../cli/audit/output/table.ts';
import { CALLER, denialOf, intentOf, issuedTo, MEETING, outcomeOf } from '../../../support/audit-command.ts';

const BATCH_ID = '20261123T134558123Z-6f1c2a9b4d3e5f70';
const PAPER = { width: Number.POSITIVE_INFINITY, colours: false };
/** A new row, an erased screen (two ways), a name that reads backwards, and one that is not there. */
const HOSTILE = 'eve\nmallory\u001b[2J\u009b2J\u202eecila\u200b';

async function* each<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function text(parts: AsyncIterable<string>): Promise<string> {
  let joined = '';
  for await (const part of parts) joined += part;
  return joined;
}

const batch = (...args: Parameters<typeof batchOf>): Batch => batchOf(...args) as Batch;

const full = batch({
  intent: intentOf(BATCH_ID, {
    rulesDigest: '0123456789abcdef',
    functionVersion: '7',
    caller: { ...CALLER, tokenId: 'token-1' },
    requested: ['alice', 'bob', 'carol', 'dave', 'dave'].map((externalUserId) => ({ externalUserId })),
  }),
  outcome: outcomeOf(BATCH_ID, {
    state: 'PARTIAL',
    issued: [issuedTo('alice', 'attendee-1'), issuedTo('dave', 'attendee-4')],
    withheld: [{ ...issuedTo('bob', 'attendee-2'), rule: 'capability-ceiling' }],
    errors: [{ externalUserId: 'carol', errorCode: 'Odd', errorMessage: 'No, "never"' }],
  }),
});
const denial = batch({ denial: denialOf(BATCH_ID) });
const admission = {
  externalUserId: 'alice',
  attendeeId: 'attendee-1',
  meetingId: MEETING,
  batchId: BATCH_ID,
  time: '2026-11-23T13:45:58.123Z',
};

describe('a printable text', () => {
  it('leaves letters, spaces and punctuation alone', () => {
    expect(printable(`Zoë O'Neil «x» (a+b)=c@d`)).toBe(`Zoë O'Neil «x» (a+b)=c@d`);
  });

  it('escapes what moves, hides or ends something, and can be told from what looks like an escape', () => {
    expect(printable(HOSTILE)).toBe('eve\\nmallory\\u{1b}[2J\\u{9b}2J\\u{202e}ecila\\u{200b}');
    expect(printable('a\\nb\t\r\u00a0\ud800')).toBe('a\\\\nb\\t\\r\\u{a0}\\u{d800}');
  });
});

describe('JSON', () => {
  it('is one array, whatever it holds', async () => {
    expect(JSON.parse(await text(toJson(each())))).toEqual([]);
    expect(JSON.parse(await text(toJson(each(full))))).toEqual([full]);
    expect(JSON.parse(await text(toJson(each(full, denial))))).toEqual([full, denial]);
  });

  it('is one line for each item as ndjson', async () => {
    const lines = (await text(toNdjson(each(full, denial)))).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toEqual([full, denial]);
  });

  it('holds the exact values and nothing that a terminal would act upon', async () => {
    const value = { name: `${HOSTILE}\u{e0041}` };
    const printed = await text(toJson(each(value)));
    expect(JSON.parse(printed)).toEqual([value]);
    expect(printed).not.toMatch(/[^\n\P{C}]/u);
  });
});

describe('CSV', () => {
  it('has a row for every attendee, whatever became of it', async () => {
    const [header, ...rows] = (await text(batchesToCsv(each(full)))).trimEnd().split('\r\n');
    expect(header).toBe(
      'time,batchId,meetingId,state,issuer,clientId,subject,scope,remark,' +
        'externalUserId,result,attendeeId,audio,video,content,reason',
    );
    const common = `2026-11-23T13:45:58.123Z,${BATCH_ID},${MEETING},PARTIAL,https://login.example.com,backend,svc-1,attendees.create,,`;
    const all = 'SendReceive,SendReceive,SendReceive';
    expect(rows).toEqual([
      `${common}alice,issued,attendee-1,${all},`,
      `${common}dave,issued,attendee-4,${all},`,
      `${common}bob,withheld,attendee-2,${all},capability-ceiling`,
      `${common}carol,error,,,,,"Odd: No, ""never"""`,
      `${common}dave,not issued,,,,,`,
    ]);
  });

  it('has one row for a denial, and a header even for nothing', async () => {
    const rows = (await text(batchesToCsv(each(denial)))).trimEnd().split('\r\n');
    expect(rows.slice(1)).toEqual([expect.stringContaining(',DENIED,')]);
    expect(rows[1]).toContain('denied by the rule self-own-name');
    expect(await text(admissionsToCsv(each()))).toBe(
      'time,externalUserId,attendeeId,meetingId,batchId,state,callerId\r\n',
    );
  });

  it.each(['=1+1', '+49 30', '-2', '@SUM(A1)', '＝1', '\t=1', '\n=1'])(
    'has no cell that a spreadsheet would reckon with: %j',
    async (externalUserId) => {
      const [, row] = (await text(admissionsToCsv(each({ ...admission, externalUserId })))).split('\r\n');
      const [, cell] = row?.split(',') ?? [];
      expect(cell).toMatch(/^(?:'|\\)/);
    },
  );

  it('keeps every row on one line', async () => {
    const printed = await text(admissionsToCsv(each({ ...admission, externalUserId: HOSTILE })));
    expect(printed.trimEnd().split('\r\n')).toHaveLength(2);
    expect(printed).not.toMatch(/[^\r\n\P{C}]|[^\r]\n/u);
  });
});

describe('a table', () => {
  it('shows a batch with its caller, its counts and its attendees', async () => {
    const printed = await text(batchesInFull(each(full, denial), PAPER));
    expect(printed.split('\n')).toEqual([
      `2026-11-23T13:45:58.123Z  PARTIAL  ${BATCH_ID}`,
      `  meeting  ${MEETING}`,
      '  caller   backend / svc-1',
      '           https://login.example.com|backend|svc-1',
      '  scope    attendees.create',
      '  judged   rules 0123456789abcdef  version 7  token token-1',
      '  from     192.0.2.1  curl/8',
      '  counts   requested 5, issued 2, withheld 1, errors 1',
      'EXTERNAL USER ID  ATTENDEE ID  CAPABILITIES  RESULT',
      'alice             attendee-1   SendReceive   issued',
      'dave              attendee-4   SendReceive   issued',
      'bob               attendee-2   SendReceive   withheld: capability-ceiling',
      'carol                                        error: Odd: No, "never"',
      'dave                                         not issued',
      '',
      `2026-11-23T13:45:58.123Z  DENIED  ${BATCH_ID}`,
      `  meeting  ${MEETING}`,
      '  caller   backend / svc-1',
      '           https://login.example.com|backend|svc-1',
      '  scope    attendees.create',
      '  judged   not recorded',
      '  from     192.0.2.1  curl/8',
      '  counts   requested 2, issued 0, withheld 0, errors 0',
      '  remark   denied by the rule self-own-name',
      '',
    ]);
  });

  it('shows batches in rows, with what there is to remark', async () => {
    const open = batch({ intent: intentOf(BATCH_ID) });
    const recovered = batch({
      intent: intentOf(BATCH_ID),
      outcome: outcomeOf(BATCH_ID, {
        state: 'RECOVERED',
        attribution: 'ambiguous',
        delivered: false,
        admissions: 'pending',
      }),
    });
    const failed = batch({
      intent: intentOf(BATCH_ID),
      outcome: outcomeOf(BATCH_ID, {
        state: 'FAILED',
        issued: [],
        refusal: { code: 'Throttling', message: 'Slow' },
      }),
    });
    const batches = each(open, recovered, failed, full);
    const rows = (await text(batchesToTable(batches, PAPER))).trimEnd().split('\n');
    expect(rows.map((row) => row.split(/ {2,}/).slice(2))).toEqual([
      ['STATE', 'MEETING', 'CLIENT', 'SUBJECT', 'REQUESTED', 'ISSUED', 'ERRORS', 'REMARK'],
      ['OPEN', MEETING, 'backend', 'svc-1', '1', '0', '0', 'deadline 2026-11-23T13:46:13.123Z'],
      [
        ...['RECOVERED', MEETING, 'backend', 'svc-1', '1', '1', '0'],
        'tokens not delivered; attribution ambiguous; admissions entered later',
      ],
      ['FAILED', MEETING, 'backend', 'svc-1', '1', '0', '0', 'Throttling: Slow'],
      ['PARTIAL', MEETING, 'backend', 'svc-1', '5', '2', '1', '1 withheld'],
    ]);
  });

  it('shows which batch holds an attendee that this one did not get', async () => {
    const heldElsewhere = [{ externalUserId: 'alice', attendeeId: 'attendee-9', batchId: 'another' }];
    const notIssued = batch({
      intent: intentOf(BATCH_ID),
      outcome: outcomeOf(BATCH_ID, { state: 'NOT_ISSUED', issued: [], delivered: false, heldElsewhere }),
    });
    const printed = await text(batchesInFull(each(notIssued), PAPER));
    expect(printed).toContain('not issued: attendee attendee-9 is of batch another\n');
    expect(printed).not.toContain('remark');
  });

  it('is as narrow as the terminal and loses nothing', async () => {
    const externalUserId = 'x'.repeat(64);
    const printed = await text(
      admissionsToTable(each({ ...admission, externalUserId }), { ...PAPER, width: 80 }),
    );
    const lines = printed.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(printed.match(/x/g)).toHaveLength(64);
  });

  it('cannot be forged by what it shows', async () => {
    const caller = { ...CALLER, subject: HOSTILE, userAgent: HOSTILE, scope: HOSTILE };
    const hostile = batch({
      intent: intentOf(BATCH_ID, { caller, requested: [{ externalUserId: HOSTILE }] }),
      outcome: outcomeOf(BATCH_ID, {
        issued: [issuedTo(HOSTILE, HOSTILE)],
        errors: [{ externalUserId: HOSTILE, errorCode: HOSTILE, errorMessage: HOSTILE }],
        refusal: { code: HOSTILE, message: HOSTILE },
      }),
    });
    const forged = { ...admission, externalUserId: HOSTILE, callerId: HOSTILE };
    const inFull = await text(batchesInFull(each(hostile), PAPER));
    const inRows = await text(batchesToTable(each(hostile), PAPER));
    const entries = await text(admissionsToTable(each(forged), PAPER));
    for (const printed of [inFull, inRows, entries]) {
      expect(printed).not.toMatch(/[^\n\P{C}]/u);
      expect(printed).toContain('\\u{1b}[2J');
    }
    expect([inRows, entries].map((printed) => printed.trimEnd().split('\n').length)).toEqual([2, 2]);
  });

  it('has colours only where they are wanted', async () => {
    const plain = await text(batchesInFull(each(full), PAPER));
    const coloured = await text(batchesInFull(each(full), { ...PAPER, colours: true }));
    expect(plain).not.toContain('\u001b');
    expect(coloured).toContain('\u001b[33mPARTIAL\u001b[39m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain);
  });

  it('keeps a row on one line where nothing cuts it, with letters that take two columns too', async () => {
    const wide = { ...admission, externalUserId: '会議'.repeat(20) };
    const printed = await text(admissionsToTable(each(wide), PAPER));
    expect(printed.trimEnd().split('\n')).toEqual([
      expect.stringContaining('EXTERNAL USER ID'),
      expect.stringContaining(wide.externalUserId),
    ]);
  });
});
