import { describe, expect, it } from '@jest/globals';
import { type Admission, type Batch, batchOf } from '../../../../cli/audit/batches.ts';
import { admissionsToCsv, batchesToCsv } from '../../../../cli/audit/output/csv.ts';
import { toJson, toNdjson, withResults } from '../../../../cli/audit/output/json.ts';
import { printable } from '../../../../cli/audit/output/printable.ts';
import { admissionsToTable, batchesInFull, batchesToTable } from '../../../../cli/audit/output/table.ts';
import { attendeesOf } from '../../../../cli/audit/results.ts';
import { RESULTS } from '../../../../cli/audit/words.ts';
import type { OutcomeRecord } from '../../../../lambda/audit/records.ts';
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

const batch = (...records: Parameters<typeof batchOf>[0]): Batch => batchOf(records) as Batch;

const full = batch(
  intentOf(BATCH_ID, {
    rulesDigest: '0123456789abcdef',
    functionVersion: '7',
    caller: { ...CALLER, tokenId: 'token-1' },
    requested: ['alice', 'bob', 'carol', 'dave', 'dave'].map((externalUserId) => ({ externalUserId })),
  }),
  outcomeOf(BATCH_ID, {
    state: 'PARTIAL',
    chimeRequestId: 'chime-1',
    issued: [issuedTo('alice', 'attendee-1'), issuedTo('dave', 'attendee-4')],
    withheld: [{ ...issuedTo('bob', 'attendee-2'), rule: 'capability-ceiling' }],
    errors: [{ externalUserId: 'carol', errorCode: 'Odd', errorMessage: 'No, "never"' }],
  }),
);
const denial = batch(denialOf(BATCH_ID));
const admission: Admission = {
  result: 'issued',
  explanation: RESULTS.issued,
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

  it('escapes what moves, hides or ends something, without ambiguity', () => {
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

describe('the result of an attendee', () => {
  const outcome = (over: Partial<OutcomeRecord>) => outcomeOf(BATCH_ID, { issued: [], ...over });
  const reconciled = { writtenBy: 'reconciler', delivered: false } as const;
  const refusal = { code: 'Throttling', message: 'Slow' };
  const heldElsewhere = [{ externalUserId: 'alice', attendeeId: 'attendee-9', batchId: 'another' }];
  const damaged = { meetingId: MEETING, batchId: BATCH_ID, kind: 'damaged', damaged: 'outcome' } as const;
  const issued = [issuedTo('alice', 'attendee-1')];
  it.each<[string, Parameters<typeof batchOf>[0], (string | undefined)[]]>([
    ['a batch in progress', [], ['unknown', 'no outcome yet; deadline 2026-11-23T13:46:13.123Z']],
    ['an issued one', [outcome({ issued })], ['issued', undefined]],
    ['a refusal', [outcome({ state: 'FAILED', refusal })], ['refused', 'Throttling: Slow']],
    [
      'a recovered one',
      [outcome({ ...reconciled, state: 'RECOVERED', issued, attribution: 'sole' })],
      ['exists, token not delivered', undefined],
    ],
    [
      'one that the reconciler may take for another',
      [outcome({ ...reconciled, state: 'RECOVERED', issued, attribution: 'ambiguous' })],
      ['exists, token not delivered', 'attribution ambiguous'],
    ],
    [
      'one that another batch has',
      [outcome({ ...reconciled, state: 'NOT_ISSUED', heldElsewhere })],
      ['not issued', 'attendee attendee-9 is of batch another'],
    ],
    [
      'a meeting that ended first',
      [outcome({ ...reconciled, state: 'UNRESOLVED' })],
      ['unknown', 'the meeting ended before the reconciler could look'],
    ],
    [
      'an answer that does not mention it',
      [outcome({ state: 'PARTIAL' })],
      ['unknown', 'Chime’s answer does not mention it'],
    ],
    ['an outcome that cannot be read', [damaged], ['unknown', 'the outcome cannot be read']],
  ])('of %s is shown, and never a better one', (_, records, expected) => {
    const [line] = attendeesOf(batch(intentOf(BATCH_ID), ...records));
    expect([line?.result, line?.reason]).toEqual(expected);
    expect(line?.explanation).toBe(RESULTS[line?.result ?? 'denied']);
  });

  it('of a denial is shown for each recorded name, with the number of others', () => {
    expect(withResults(denial)).toMatchObject({
      state: 'DENIED',
      callerId: 'https://login.example.com|backend|svc-1',
      caller: { clientId: 'backend', subject: 'svc-1', sourceIp: '192.0.2.1' },
      attendees: [{ externalUserId: 'bob', result: 'denied', reason: 'self-own-name' }],
      namesLeftOut: 1,
    });
  });

  it('of a denial of an earlier version has its caller, and no names', () => {
    const { callerId, names, ...record } = denialOf(BATCH_ID, { caller: CALLER });
    expect(withResults(batch(record))).toMatchObject({
      callerId: 'https://login.example.com|backend|svc-1',
      caller: { clientId: 'backend', subject: 'svc-1' },
      attendees: [],
      namesLeftOut: 2,
    });
  });

  it('is the same word in every form', async () => {
    const forms = [
      await text(batchesInFull(each(full), PAPER)),
      await text(batchesToCsv(each(full))),
      await text(toJson(each(withResults(full)))),
    ];
    for (const { result, explanation } of attendeesOf(full)) {
      for (const form of forms) {
        expect(form).toContain(result);
        expect(form).toContain(explanation);
      }
    }
  });
});

/** RFC 4180. */
function cellsIn(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

const rowsIn = async (parts: AsyncIterable<string>) => {
  const printed = await text(parts);
  expect(printed.startsWith('\ufeff')).toBe(true);
  const [header = [], ...rows] = printed.slice(1).trimEnd().split('\r\n').map(cellsIn);
  return rows.map(
    (row): Record<string, string> =>
      Object.fromEntries(header.map((column, index) => [column, row[index] ?? ''])),
  );
};

describe('CSV', () => {
  it('has every fact in a row for every attendee, whatever its result', async () => {
    const rows = await rowsIn(batchesToCsv(each(full)));
    expect(rows.map(({ externalUserId, result, reason }) => [externalUserId, result, reason])).toEqual([
      ['alice', 'issued', ''],
      ['dave', 'issued', ''],
      ['bob', 'withheld', 'capability-ceiling'],
      ['carol', 'refused', 'Odd: No, "never"'],
      ['dave', 'unknown', 'Chime’s answer does not mention it'],
    ]);
    expect(rows[0]).toMatchObject({
      ...{ time: '2026-11-23T13:45:58.123Z', batchId: BATCH_ID, meetingId: MEETING, state: 'PARTIAL' },
      ...{ callerId: 'https://login.example.com|backend|svc-1', subject: 'svc-1', sourceIp: '192.0.2.1' },
      ...{ userAgent: 'curl/8', gatewayRequestId: 'g-1', chimeRequestId: 'chime-1', tokenId: 'token-1' },
      ...{ tokenFingerprint: `sha256:${'0'.repeat(32)}`, audio: 'SendReceive', requested: '5' },
      ...{ functionVersion: "'7", rulesDigest: "'0123456789abcdef" },
    });
  });

  it('has a row for each name of a denial, a byte order mark, and a header even for nothing', async () => {
    const rows = await rowsIn(batchesToCsv(each(denial)));
    expect(rows).toMatchObject([
      { externalUserId: 'bob', result: 'denied', rule: 'self-own-name', requested: '2', namesLeftOut: '1' },
    ]);
    expect(await text(admissionsToCsv(each()))).toMatch(/^\ufefftime,batchId,[^\r\n]+\r\n$/);
  });

  it.each([
    ...['=1+1', '+49 30', '-2', '@SUM(A1)', '＝1', '\t=1', '\n=1', ' =1+1'],
    ...['007', '1E5', '12345678901234567890', '3-4', '1/2', '.5', '1,5', 'Mar-1', 'sep 2', 'TRUE', '(1)'],
  ])('has no cell that a spreadsheet would make something else of: %j', async (externalUserId) => {
    const [row] = await rowsIn(admissionsToCsv(each({ ...admission, externalUserId })));
    expect(row?.['externalUserId']).toMatch(/^(?:'|\\)/);
  });

  it('leaves ids, times and addresses as they are', async () => {
    const [row] = await rowsIn(
      batchesToCsv(each(batch(intentOf(BATCH_ID, { caller: { ...CALLER, subject: 'marta' } })))),
    );
    expect(row).toMatchObject({
      meetingId: MEETING,
      batchId: BATCH_ID,
      sourceIp: '192.0.2.1',
      subject: 'marta',
    });
  });

  it('keeps every row on one line', async () => {
    const printed = await text(admissionsToCsv(each({ ...admission, externalUserId: HOSTILE })));
    expect(printed.trimEnd().split('\r\n')).toHaveLength(2);
    expect(printed.slice(1)).not.toMatch(/[^\r\n\P{C}]|[^\r]\n/u);
  });
});

describe('a table', () => {
  it('shows a batch with its caller, its counts and its attendees', async () => {
    const printed = await text(batchesInFull(each(full, denial), PAPER));
    expect(printed.split('\n')).toEqual([
      `2026-11-23T13:45:58.123Z  PARTIAL  ${BATCH_ID}`,
      `  meeting     ${MEETING}`,
      '  caller      backend / svc-1',
      '  caller id   https://login.example.com|backend|svc-1',
      '  scope       attendees.create',
      '  judged      rules 0123456789abcdef  version 7',
      '  token       token-1',
      '  from        192.0.2.1',
      '  user agent  curl/8',
      '  gateway     g-1',
      '  Chime       chime-1',
      '  issued      2 of 5, 1 refused, 1 withheld, 1 unknown',
      'EXTERNAL USER ID  ATTENDEE ID  CAPABILITIES  RESULT',
      'alice             attendee-1   SendReceive   issued',
      'dave              attendee-4   SendReceive   issued',
      'bob               attendee-2   SendReceive   withheld: capability-ceiling',
      'carol                                        refused: Odd: No, "never"',
      'dave                                         unknown: Chime’s answer does not mention it',
      '',
      `2026-11-23T13:45:58.123Z  DENIED  ${BATCH_ID}`,
      `  meeting     ${MEETING}`,
      '  caller      backend / svc-1',
      '  caller id   https://login.example.com|backend|svc-1',
      '  scope       attendees.create',
      '  judged      not recorded',
      '  from        192.0.2.1',
      '  issued      0 of 2, 1 more names are not on record',
      '  remark      denied by the rule self-own-name',
      'EXTERNAL USER ID  ATTENDEE ID  CAPABILITIES  RESULT',
      'bob                                          denied: self-own-name',
      '',
      ...(['issued', 'withheld', 'refused', 'unknown', 'denied'] as const).map(
        (result) => `${result}: ${RESULTS[result]}`,
      ),
      '',
    ]);
  });

  it('shows batches in rows, with what there is to remark', async () => {
    const open = batch(intentOf(BATCH_ID));
    const recovered = batch(
      intentOf(BATCH_ID),
      outcomeOf(BATCH_ID, {
        state: 'RECOVERED',
        attribution: 'ambiguous',
        delivered: false,
        admissions: 'pending',
      }),
    );
    const failed = batch(
      intentOf(BATCH_ID),
      outcomeOf(BATCH_ID, {
        state: 'FAILED',
        issued: [],
        refusal: { code: 'Throttling', message: 'Slow' },
      }),
    );
    const batches = each(open, recovered, failed, full);
    const rows = (await text(batchesToTable(batches, PAPER))).split('\n\n')[0]?.split('\n') ?? [];
    expect(rows.map((row) => row.split(/ {2,}/).slice(2))).toEqual([
      ['STATE', 'MEETING', 'CLIENT', 'SUBJECT', 'ISSUED', 'REMARK'],
      ['OPEN', MEETING, 'backend', 'svc-1', '0 of 1', 'deadline 2026-11-23T13:46:13.123Z; 1 unknown'],
      [
        ...['RECOVERED', MEETING, 'backend', 'svc-1', '0 of 1'],
        'tokens not delivered; attribution ambiguous; admissions written later; 1 exists, token not delivered',
      ],
      ['FAILED', MEETING, 'backend', 'svc-1', '0 of 1', 'Throttling: Slow; 1 refused'],
      ['PARTIAL', MEETING, 'backend', 'svc-1', '2 of 5', '1 refused; 1 withheld; 1 unknown'],
    ]);
  });

  it.each([80, 120, 160])(
    'on %d columns keeps every id whole, and every line of words within',
    async (width) => {
      const externalUserId = 'x'.repeat(64);
      const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36';
      const caller = { ...CALLER, subject: 's'.repeat(100), userAgent, tokenId: MEETING };
      const paper = { ...PAPER, width };
      const many = batch(intentOf(BATCH_ID, { caller, requested: [{ externalUserId }] }));
      const printed = [
        await text(admissionsToTable(each({ ...admission, attendeeId: MEETING, externalUserId }), paper)),
        await text(batchesInFull(each(many), paper)),
        await text(batchesToTable(each(full, many), paper)),
      ];
      for (const form of printed) {
        const words = form.split(/\s+/);
        for (const id of [BATCH_ID, MEETING]) expect(words).toContain(id);
        const lines = form.split('\n').filter((line) => !line.includes('s'.repeat(100)));
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      }
      expect(printed[0]?.split(/\s+/)).toContain(externalUserId);
    },
  );

  it.each([
    ['ceiling', 'above the scope', '1 of 1', '1 above the scope'],
    ['asked', 'above the request', '1 of 1', ''],
  ] as const)('says that an attendee has more than it should: %s', async (above, words, issued, remark) => {
    const excess = batch(
      intentOf(BATCH_ID),
      outcomeOf(BATCH_ID, { issued: [{ ...issuedTo('alice', 'attendee-1'), above }] }),
    );
    const rowsOf = async (printed: AsyncIterable<string>) =>
      (await text(printed)).split('\n').map((row) => row.split(/ {2,}/));
    expect(await rowsOf(batchesInFull(each(excess), PAPER))).toContainEqual([
      ...['alice', 'attendee-1', `SendReceive, ${words}`, 'issued'],
    ]);
    const inRows = await rowsOf(batchesToTable(each(excess), PAPER));
    expect(inRows[1]?.slice(6)).toEqual(remark === '' ? [issued] : [issued, remark]);
    const entry = await rowsOf(admissionsToTable(each({ ...admission, above }), PAPER));
    expect(entry[1]?.at(-1)).toBe(`issued; ${words}`);
    for (const rows of [batchesToCsv(each(excess)), admissionsToCsv(each({ ...admission, above }))]) {
      expect((await rowsIn(rows))[0]).toMatchObject({ above });
    }
  });

  it('cannot be forged by what it shows', async () => {
    const caller = { ...CALLER, subject: HOSTILE, userAgent: HOSTILE, scope: HOSTILE };
    const hostile = batch(
      intentOf(BATCH_ID, { caller, externalMeetingId: HOSTILE, requested: [{ externalUserId: HOSTILE }] }),
      outcomeOf(BATCH_ID, {
        issued: [issuedTo(HOSTILE, HOSTILE)],
        errors: [{ externalUserId: HOSTILE, errorCode: HOSTILE, errorMessage: HOSTILE }],
        refusal: { code: HOSTILE, message: HOSTILE },
      }),
    );
    const forged = { ...admission, externalUserId: HOSTILE, callerId: HOSTILE };
    const inFull = await text(batchesInFull(each(hostile), PAPER));
    const inRows = await text(batchesToTable(each(hostile), PAPER));
    const entries = await text(admissionsToTable(each(forged), PAPER));
    for (const printed of [inFull, inRows, entries]) {
      expect(printed).not.toMatch(/[^\n\P{C}]/u);
      expect(printed).toContain('\\u{1b}[2J');
    }
    expect([inRows, entries].map((printed) => printed.split('\n\n')[0]?.split('\n').length)).toEqual([2, 2]);
  });

  it('has colours only on request', async () => {
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
    expect(printed.split('\n\n')[0]?.split('\n')).toEqual([
      expect.stringContaining('EXTERNAL USER ID'),
      expect.stringContaining(wide.externalUserId),
    ]);
  });
});
