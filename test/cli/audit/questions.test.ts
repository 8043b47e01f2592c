import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BatchFilter } from '../../../cli/audit/filters.ts';
import {
  type AdmissionQuestion,
  type BatchQuestion,
  batchesAbout,
  batchesWithKeys,
  findAdmissions,
  findBatches,
} from '../../../cli/audit/questions.ts';
import type { Damage } from '../../../cli/audit/readable.ts';
import { DAY_MS, type Range } from '../../../cli/audit/times.ts';
import {
  batchIdAt,
  CALLER,
  collect,
  connect,
  createTestTables,
  intentOf,
  issuedTo,
  MEETING,
  outcomeOf,
  putItem,
  type TestTables,
  writeBatch,
  writeDenial,
} from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

jest.setTimeout(30_000);

const OTHER_MEETING = '0a0a0a0a-0d4a-4c6b-9e8f-1a2b3c4d2706';
const NOW_MS = Date.parse('2026-11-23T14:00:00Z');

let database: Awaited<ReturnType<typeof startDatabase>>;
let numbered = 0;

beforeAll(async () => {
  database = await startDatabase();
});

afterAll(() => database.close());

function newTables(): Promise<TestTables> {
  numbered += 1;
  return createTestTables(database.url, `questions-${numbered}`);
}

const batches = (tables: TestTables, question: BatchQuestion, range: Range = {}) =>
  collect(findBatches(tables, question, range, NOW_MS));

const admissions = (tables: TestTables, question: AdmissionQuestion, range: Range = {}) =>
  collect(findAdmissions(tables, question, range, NOW_MS));

const idsOf = (found: { batchId: string }[]) => found.map(({ batchId }) => batchId);

/** Counts what DynamoDB reads for a client, and notes which operations ask for it and what may be read stale. */
function watch({ client }: TestTables): { items: number; operations: Set<string>; stale: number } {
  const seen = { items: 0, operations: new Set<string>(), stale: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const input = args.input as {
        ConsistentRead?: boolean;
        IndexName?: string;
        RequestItems?: Record<string, { ConsistentRead?: boolean }>;
      };
      const output = result.output as { ScannedCount?: number; Responses?: Record<string, unknown[]> };
      seen.operations.add(String(context.commandName));
      seen.items += output.ScannedCount ?? 0;
      for (const found of Object.values(output.Responses ?? {})) seen.items += found.length;
      const reads = Object.values(input.RequestItems ?? { one: input });
      // An index cannot be read consistently.
      if (!input.IndexName && reads.some(({ ConsistentRead }) => !ConsistentRead)) seen.stale += 1;
      return result;
    },
    { step: 'initialize' },
  );
  return seen;
}

describe('--meeting', () => {
  it('pairs intent and outcome, in order of time, with what was denied between', async () => {
    const tables = await newTables();
    const issued = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const denied = await writeDenial(tables, batchIdAt('2026-11-23T10:00:01Z'));
    const open = await writeBatch(tables, batchIdAt('2026-11-23T10:00:02Z'), { outcome: 'none' });
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:03Z'), { intent: { meetingId: OTHER_MEETING } });

    expect(await batches(tables, { about: 'meeting', meetingId: MEETING })).toEqual([
      {
        batchId: issued,
        meetingId: MEETING,
        state: 'ISSUED',
        intent: intentOf(issued),
        outcome: outcomeOf(issued),
      },
      {
        batchId: denied,
        meetingId: MEETING,
        state: 'DENIED',
        denial: expect.objectContaining({ batchId: denied }),
      },
      { batchId: open, meetingId: MEETING, state: 'OPEN', intent: intentOf(open) },
    ]);
  });

  it('takes a meeting id in any case', async () => {
    const tables = await newTables();
    const batchId = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    expect(idsOf(await batches(tables, { about: 'meeting', meetingId: MEETING.toUpperCase() }))).toEqual([
      batchId,
    ]);
  });

  it('keeps to a range: its start is in it, its end is not', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-23T09:59:59.999Z'));
    const first = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00.000Z'));
    const last = await writeBatch(tables, batchIdAt('2026-11-23T10:59:59.999Z'));
    await writeBatch(tables, batchIdAt('2026-11-23T11:00:00.000Z'));
    const range = {
      sinceMs: Date.parse('2026-11-23T10:00:00Z'),
      untilMs: Date.parse('2026-11-23T11:00:00Z'),
    };
    expect(idsOf(await batches(tables, { about: 'meeting', meetingId: MEETING }, range))).toEqual([
      first,
      last,
    ]);
  });

  it('reads beyond the first megabyte, and loses no pair at the end of a page', async () => {
    const tables = await newTables();
    const requested = Array.from({ length: 100 }, (_, n) => ({ externalUserId: `${n}-`.padEnd(64, 'x') }));
    const issued = requested.map(({ externalUserId }, n) => issuedTo(externalUserId, `attendee-${n}`));
    const written: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      const batchId = batchIdAt('2026-11-23T10:00:00Z');
      // The admissions don't matter here, and are many.
      await putItem(tables, tables.auditTableName, intentOf(batchId, { requested }));
      await putItem(tables, tables.auditTableName, outcomeOf(batchId, { issued }));
      written.push(batchId);
    }
    const size =
      JSON.stringify([intentOf('', { requested }), outcomeOf('', { issued })]).length * written.length;
    expect(size).toBeGreaterThan(1024 * 1024);

    const found = await batches(tables, { about: 'meeting', meetingId: MEETING });
    expect(idsOf(found)).toEqual(written);
    expect(found.filter(({ intent, outcome }) => intent === undefined || outcome === undefined)).toEqual([]);
  });
});

describe('--caller', () => {
  it('finds what the caller issued, in every meeting, in order of time, with the full records', async () => {
    const tables = await newTables();
    const late = await writeBatch(tables, batchIdAt('2026-11-23T12:00:00Z'), {
      intent: { meetingId: OTHER_MEETING },
    });
    const early = await writeBatch(tables, batchIdAt('2026-11-22T12:00:00Z'));
    await writeBatch(tables, batchIdAt('2026-11-22T12:00:00Z'), {
      intent: { caller: { ...CALLER, clientId: 'another' } },
    });
    const found = await batches(tables, {
      about: 'caller',
      callerId: 'https://login.example.com|backend|svc-1',
    });
    expect(found.map(({ batchId, state, outcome }) => [batchId, state, outcome?.meetingId])).toEqual([
      [early, 'ISSUED', MEETING],
      [late, 'ISSUED', OTHER_MEETING],
    ]);
  });

  it('asks for more batches than one BatchGetItem takes', async () => {
    const tables = await newTables();
    const written: string[] = [];
    for (let n = 0; n < 120; n += 1) {
      const batchId = batchIdAt('2026-11-23T10:00:00Z');
      await putItem(tables, tables.auditTableName, intentOf(batchId));
      written.push(batchId);
    }
    const found = await batches(tables, {
      about: 'caller',
      callerId: 'https://login.example.com|backend|svc-1',
    });
    expect(idsOf(found)).toEqual(written);
  });
});

describe('--user and --attendee', () => {
  it('find every admission, with what its batch says of it', async () => {
    const tables = await newTables();
    const issued = await writeBatch(tables, batchIdAt('2026-11-22T10:00:00Z'));
    const recovered = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), {
      intent: { meetingId: OTHER_MEETING },
      outcome: {
        state: 'RECOVERED',
        issued: [issuedTo('alice', 'attendee-2'), issuedTo('bob', 'attendee-3')],
      },
    });
    const callerId = 'https://login.example.com|backend|svc-1';
    const alice = { externalUserId: 'alice', callerId };
    expect(await admissions(tables, { about: 'user', externalUserId: 'alice' })).toMatchObject([
      {
        ...alice,
        result: 'issued',
        attendeeId: 'attendee-alice',
        meetingId: MEETING,
        batchId: issued,
        time: '2026-11-22T10:00:00.000Z',
        state: 'ISSUED',
      },
      {
        ...alice,
        result: 'exists, token not delivered',
        attendeeId: 'attendee-2',
        meetingId: OTHER_MEETING,
        batchId: recovered,
        time: '2026-11-23T10:00:00.000Z',
        state: 'RECOVERED',
      },
    ]);
    const [bob, ...others] = await admissions(tables, { about: 'attendee', attendeeId: 'attendee-3' });
    expect(bob).toMatchObject({
      externalUserId: 'bob',
      meetingId: OTHER_MEETING,
      batchId: recovered,
      callerId,
    });
    expect(others).toEqual([]);
  });

  it('keep to a range', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-21T10:00:00Z'));
    const batchId = await writeBatch(tables, batchIdAt('2026-11-22T10:00:00Z'));
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const range = {
      sinceMs: Date.parse('2026-11-22T00:00:00Z'),
      untilMs: Date.parse('2026-11-23T00:00:00Z'),
    };
    const byUser = await admissions(tables, { about: 'user', externalUserId: 'alice' }, range);
    const byAttendee = await admissions(tables, { about: 'attendee', attendeeId: 'attendee-alice' }, range);
    expect([idsOf(byUser), idsOf(byAttendee)]).toEqual([[batchId], [batchId]]);
  });

  it('omit an item that the outcome does not explain, and call it unknown without an outcome', async () => {
    const tables = await newTables();
    const open = await writeBatch(tables, batchIdAt('2026-11-22T10:00:00Z'), { outcome: 'none' });
    const gone = batchIdAt('2026-11-23T10:00:00Z');
    const settled = await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'));
    for (const batchId of [open, gone, settled]) {
      await putItem(tables, tables.admissionTableName, {
        externalUserId: 'alice',
        admissionId: `${batchId}/attendee`,
        attendeeId: 'attendee',
        batchId,
        meetingId: MEETING,
      });
    }
    const found = await admissions(tables, { about: 'user', externalUserId: 'alice' });
    expect(found.map(({ batchId, result, reason }) => [batchId, result, reason])).toEqual([
      [open, 'unknown', 'the batch has no outcome yet'],
      [gone, 'unknown', 'the records of the batch have expired'],
      [settled, 'issued', undefined],
    ]);
    const byAttendee = await admissions(tables, { about: 'attendee', attendeeId: 'attendee' });
    expect(idsOf(byAttendee)).toEqual([open, gone]);
  });

  it('are right if one batch names a user twice', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), {
      outcome: { issued: [issuedTo('alice', 'attendee-1'), issuedTo('alice', 'attendee-2')] },
    });
    const found = await admissions(tables, { about: 'user', externalUserId: 'alice' });
    expect(found.map(({ attendeeId, state }) => [attendeeId, state])).toEqual([
      ['attendee-1', 'ISSUED'],
      ['attendee-2', 'ISSUED'],
    ]);
  });
});

describe('--user and --attendee, of a batch whose admissions are pending', () => {
  const user: AdmissionQuestion = { about: 'user', externalUserId: 'alice' };
  const attendee: AdmissionQuestion = { about: 'attendee', attendeeId: 'attendee-alice' };
  const pending = { outcome: { admissions: 'pending' }, entered: false } as const;
  const sweptThrough = (tables: TestTables, through: string) =>
    putItem(tables, tables.openIntentTableName, { list: 'sweep', batchId: 'through', through });

  it('answer from its outcome, among the written admissions, each once', async () => {
    const tables = await newTables();
    const first = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const enteredMeanwhile = await writeBatch(tables, batchIdAt('2026-11-23T13:56:00Z'), {
      outcome: { admissions: 'pending' },
    });
    const awaited = await writeBatch(tables, batchIdAt('2026-11-23T13:58:30Z'), pending);
    const last = await writeBatch(tables, batchIdAt('2026-11-23T13:59:00Z'));
    await sweptThrough(tables, '2026-11-23T13:58:00Z');
    for (const question of [user, attendee]) {
      const found = await admissions(tables, question);
      expect(idsOf(found)).toEqual([first, enteredMeanwhile, awaited, last]);
      expect(found[2]).toMatchObject({
        result: 'issued',
        externalUserId: 'alice',
        attendeeId: 'attendee-alice',
        meetingId: MEETING,
        batchId: awaited,
        time: '2026-11-23T13:58:30.000Z',
        state: 'ISSUED',
        callerId: 'https://login.example.com|backend|svc-1',
      });
    }
    expect(await admissions(tables, { about: 'user', externalUserId: 'bob' })).toEqual([]);
  });

  it('include it as long as it is on the list, however long the reconciler fails', async () => {
    const tables = await newTables();
    const batchId = await writeBatch(tables, batchIdAt('2026-11-20T10:00:00Z'), pending);
    await putItem(tables, tables.openIntentTableName, {
      list: 'open',
      batchId,
      meetingId: MEETING,
      looks: 0,
    });
    await sweptThrough(tables, '2026-11-23T13:58:00Z');
    expect(idsOf(await admissions(tables, user))).toEqual([batchId]);
    const sinceMs = Date.parse('2026-11-21T00:00:00Z');
    expect(await admissions(tables, user, { sinceMs })).toEqual([]);
  });

  it('read the batches of the last 24 hours without a sweep', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-22T13:59:59Z'), pending);
    const young = await writeBatch(tables, batchIdAt('2026-11-22T14:00:00Z'), pending);
    expect(idsOf(await admissions(tables, user))).toEqual([young]);
  });

  it('reach back no further than a range that ended before', async () => {
    const tables = await newTables();
    const batchId = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    await sweptThrough(tables, '2026-11-23T13:58:00Z');
    const untilMs = Date.parse('2026-11-23T12:00:00Z');
    expect(idsOf(await admissions(tables, user, { untilMs }))).toEqual([batchId]);
    expect(idsOf(await admissions(tables, attendee, { untilMs }))).toEqual([batchId]);
    expect(await batches(tables, { about: 'open' }, { untilMs })).toEqual([]);
    expect(await batches(tables, { about: 'denied' }, { untilMs: untilMs - 2 * DAY_MS })).toEqual([]);
  });

  it('read the outcomes of batches that are not swept yet, and nothing else of them', async () => {
    const tables = await newTables();
    for (let n = 0; n < 40; n += 1) await writeBatch(tables, batchIdAt('2026-11-23T13:59:00Z'));
    await sweptThrough(tables, '2026-11-23T13:58:00Z');
    const seen = watch(tables);
    expect(await admissions(tables, { about: 'user', externalUserId: 'absent' })).toEqual([]);
    // 40 keys of the index, 40 outcomes, and how far was swept.
    expect(seen.items).toBeLessThanOrEqual(81);
  });

  it('read the batches of the last five minutes without the open-intent table', async () => {
    const { openIntentTableName, ...tables } = await newTables();
    await writeBatch({ ...tables, openIntentTableName }, batchIdAt('2026-11-23T13:54:59Z'), pending);
    const young = await writeBatch(
      { ...tables, openIntentTableName },
      batchIdAt('2026-11-23T13:55:00Z'),
      pending,
    );
    expect(idsOf(await collect(findAdmissions(tables, user, {}, NOW_MS)))).toEqual([young]);
  });
});

describe('--batch', () => {
  it('finds the records of one batch, and of no neighbour', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const batchId = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    expect(await batches(tables, { about: 'batch', batchId })).toEqual([
      {
        batchId,
        meetingId: MEETING,
        state: 'ISSUED',
        intent: intentOf(batchId),
        outcome: outcomeOf(batchId),
      },
    ]);
  });

  it('finds a denial', async () => {
    const tables = await newTables();
    const batchId = await writeDenial(tables, batchIdAt('2026-11-23T10:00:00Z'));
    expect(await batches(tables, { about: 'batch', batchId })).toMatchObject([{ batchId, state: 'DENIED' }]);
  });
});

describe('--day and --denied', () => {
  it('list one day without its neighbours, with intents and denials in one order', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-22T23:59:59.999Z'));
    const first = await writeDenial(tables, batchIdAt('2026-11-23T00:00:00Z'));
    const second = await writeBatch(tables, batchIdAt('2026-11-23T00:00:01Z'));
    const third = await writeDenial(tables, batchIdAt('2026-11-23T00:00:02Z'), { meetingId: OTHER_MEETING });
    const fourth = await writeDenial(tables, batchIdAt('2026-11-23T23:59:59.999Z'));
    await writeDenial(tables, batchIdAt('2026-11-24T00:00:00Z'));
    const found = await batches(tables, { about: 'day', day: '2026-11-23' });
    expect(idsOf(found)).toEqual([first, second, third, fourth]);
  });

  it('finds denials over several days, and the last 24 hours unless asked for more', async () => {
    const tables = await newTables();
    const old = await writeDenial(tables, batchIdAt('2026-11-20T10:00:00Z'));
    const yesterday = await writeDenial(tables, batchIdAt('2026-11-22T14:00:00Z'));
    const today = await writeDenial(tables, batchIdAt('2026-11-23T13:00:00Z'));
    await writeBatch(tables, batchIdAt('2026-11-23T13:00:00Z'));
    const denied: BatchQuestion = { about: 'denied' };
    const sinceMs = Date.parse('2026-11-20T00:00:00Z');
    const untilMs = Date.parse('2026-11-23T00:00:00Z');
    expect(idsOf(await batches(tables, denied))).toEqual([yesterday, today]);
    expect(idsOf(await batches(tables, denied, { sinceMs }))).toEqual([old, yesterday, today]);
    expect(idsOf(await batches(tables, denied, { sinceMs, untilMs }))).toEqual([old, yesterday]);
  });
});

describe('a time', () => {
  it('is answered with batches and denials of all its days in one order, and reads only what may match', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-21T10:00:00Z'));
    const first = await writeDenial(tables, batchIdAt('2026-11-22T10:00:00Z'));
    const second = await writeBatch(tables, batchIdAt('2026-11-22T23:00:00Z'), {
      outcome: { state: 'UNRESOLVED', issued: [] },
    });
    const third = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), { outcome: 'none' });
    await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'));
    const range = {
      sinceMs: Date.parse('2026-11-22T00:00:00Z'),
      untilMs: Date.parse('2026-11-23T11:00:00Z'),
    };
    const ask = (filter: BatchFilter) =>
      collect(findBatches(tables, { about: 'time' }, range, NOW_MS, filter));
    expect(idsOf(await ask({}))).toEqual([first, second, third]);
    expect(idsOf(await ask({ states: new Set(['DENIED']) }))).toEqual([first]);
    expect(idsOf(await ask({ states: new Set(['OPEN']) }))).toEqual([second, third]);
  });

  it('narrows --day and --batch too', async () => {
    const tables = await newTables();
    const batchId = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const later = await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'));
    const range = { sinceMs: Date.parse('2026-11-23T10:30:00Z') };
    expect(idsOf(await batches(tables, { about: 'day', day: '2026-11-23' }, range))).toEqual([later]);
    expect(await batches(tables, { about: 'day', day: '2026-11-22' }, range)).toEqual([]);
    expect(await batches(tables, { about: 'batch', batchId }, range)).toEqual([]);
    expect(idsOf(await batches(tables, { about: 'batch', batchId: later }, range))).toEqual([later]);
  });
});

describe('--caller', () => {
  it('finds denials and batches, but not those of another caller', async () => {
    const tables = await newTables();
    const issued = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const denied = await writeDenial(tables, batchIdAt('2026-11-23T10:00:01Z'));
    await writeDenial(tables, batchIdAt('2026-11-23T10:00:02Z'), { callerId: 'https://i|c|another' });
    const callerId = 'https://login.example.com|backend|svc-1';
    const found = await batches(tables, { about: 'caller', callerId });
    expect(found.map(({ batchId, state }) => [batchId, state])).toEqual([
      [issued, 'ISSUED'],
      [denied, 'DENIED'],
    ]);
  });
});

describe('batches about a user', () => {
  it('are those of its admissions, and with a time also what else names it', async () => {
    const tables = await newTables();
    const withoutAlice = { intent: { requested: [{ externalUserId: 'bob' }] } };
    const unresolved = await writeBatch(tables, batchIdAt('2026-11-23T09:00:00Z'), {
      outcome: { state: 'UNRESOLVED', issued: [] },
    });
    const issued = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const denied = await writeDenial(tables, batchIdAt('2026-11-23T11:00:00Z'), { names: ['alice'] });
    await writeDenial(tables, batchIdAt('2026-11-23T11:00:01Z'), { names: ['bob'] });
    await writeBatch(tables, batchIdAt('2026-11-23T12:00:00Z'), {
      ...withoutAlice,
      outcome: { issued: [issuedTo('bob', 'attendee-bob')] },
    });
    const about = (range: Range) =>
      collect(batchesAbout(tables, { about: 'user', externalUserId: 'alice' }, range, NOW_MS));
    expect(idsOf(await about({}))).toEqual([issued]);
    expect(idsOf(await about({ sinceMs: NOW_MS - DAY_MS }))).toEqual([unresolved, issued, denied]);
  });
});

describe('an item that Usher did not write', () => {
  it('is named and skipped by every question, and is no reason to call anything settled', async () => {
    const tables = await newTables();
    const good = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const bad = await writeBatch(tables, batchIdAt('2026-11-23T10:00:01Z'), { outcome: 'none' });
    const key = { meetingId: MEETING, batchId: bad, kind: 'outcome' };
    const odd = {
      denialDay: '2026-11-23',
      day: '2026-11-23',
      callerId: 'https://login.example.com|backend|svc-1',
    };
    await putItem(tables, tables.auditTableName, { ...key, recordId: `${bad}/outcome`, issued: 'alice' });
    await putItem(tables, tables.auditTableName, { ...odd, meetingId: MEETING, recordId: 'x', batchId: 'x' });
    await putItem(tables, tables.auditTableName, { meetingId: MEETING, recordId: 'zz/denial' });
    await putItem(tables, tables.admissionTableName, { externalUserId: 'alice', admissionId: '2026112x' });
    await putItem(tables, tables.openIntentTableName, { list: 'open', batchId: `${bad}x` });
    const damaged: string[] = [];
    const asked = { ...tables, onDamage: ({ item }: Damage) => damaged.push(item) };
    const questions: BatchQuestion[] = [
      { about: 'meeting', meetingId: MEETING },
      { about: 'day', day: '2026-11-23' },
      { about: 'time' },
      { about: 'caller', callerId: odd.callerId },
    ];
    for (const question of questions) {
      damaged.length = 0;
      const found = await collect(findBatches(asked, question, {}, NOW_MS));
      expect(found.map(({ batchId, state }) => [batchId, state])).toEqual([
        [good, 'ISSUED'],
        [bad, 'DAMAGED'],
      ]);
      expect(damaged.join()).toContain(`${bad}/outcome`);
    }
    damaged.length = 0;
    const alices = await collect(
      findAdmissions(asked, { about: 'user', externalUserId: 'alice' }, {}, NOW_MS),
    );
    expect(idsOf(alices)).toEqual([good]);
    expect(damaged.join()).toContain('admissionId 2026112x');
    const open = await collect(findBatches(asked, { about: 'open' }, {}, NOW_MS));
    expect(open.map(({ batchId, state }) => [batchId, state])).toEqual([[bad, 'DAMAGED']]);
  });
});

describe('--open', () => {
  const open: BatchQuestion = { about: 'open' };
  const listed = (tables: TestTables, batchId: string) =>
    putItem(tables, tables.openIntentTableName, {
      list: 'open',
      batchId,
      meetingId: MEETING,
      noticedAt: '2026-11-23T13:00:00Z',
      looks: 1,
    });
  const sweptThrough = (tables: TestTables, through: string) =>
    putItem(tables, tables.openIntentTableName, { list: 'sweep', batchId: 'through', through });

  it('joins the open list with what began since the sweep, each once, and leaves out what has an outcome', async () => {
    const tables = await newTables();
    const old = await writeBatch(tables, batchIdAt('2026-10-01T10:00:00Z'), { outcome: 'none' });
    const sweptTwice = await writeBatch(tables, batchIdAt('2026-11-23T13:56:00Z'), { outcome: 'none' });
    const missed = await writeBatch(tables, batchIdAt('2026-11-23T13:56:30Z'), { outcome: 'none' });
    const settled = await writeBatch(tables, batchIdAt('2026-11-23T13:57:00Z'));
    const young = await writeBatch(tables, batchIdAt('2026-11-23T13:59:00Z'), { outcome: 'none' });
    for (const batchId of [old, sweptTwice, settled]) await listed(tables, batchId);
    await sweptThrough(tables, '2026-11-23T13:58:00Z');
    const found = await batches(tables, open);
    expect(found.map(({ batchId, state }) => [batchId, state])).toEqual([
      [old, 'OPEN'],
      [sweptTwice, 'OPEN'],
      [missed, 'OPEN'],
      [young, 'OPEN'],
    ]);
  });

  const swept = (tables: TestTables, batchId: string, through: string) =>
    putItem(tables, tables.openIntentTableName, { list: 'sweep', batchId, through });

  it('finds what the fast cursor passed and is on no list yet', async () => {
    const tables = await newTables();
    const late = await writeBatch(tables, batchIdAt('2026-11-23T13:00:00Z'), { outcome: 'none' });
    await writeBatch(tables, batchIdAt('2026-11-23T13:00:01Z'));
    await swept(tables, 'through', '2026-11-23T13:59:00Z');
    await swept(tables, 'slow', '2026-11-23T12:44:00Z');
    expect(idsOf(await batches(tables, open))).toEqual([late]);
  });

  it('finds it even if a clock that was ahead has moved the marks', async () => {
    const tables = await newTables();
    const late = await writeBatch(tables, batchIdAt('2026-11-23T13:00:00Z'), { outcome: 'none' });
    for (const cursor of ['through', 'slow']) await swept(tables, cursor, '2026-11-23T15:00:00Z');
    expect(idsOf(await batches(tables, open))).toEqual([late]);
  });

  it('reads what both cursors have behind them from the lists alone', async () => {
    const tables = await newTables();
    for (let n = 0; n < 40; n += 1) await writeBatch(tables, batchIdAt('2026-11-23T12:00:00Z'));
    const listed = await writeBatch(tables, batchIdAt('2026-11-23T12:00:00Z'), { outcome: 'none' });
    await putItem(tables, tables.openIntentTableName, {
      list: 'waiting',
      batchId: listed,
      meetingId: MEETING,
    });
    await swept(tables, 'slow', '2026-11-23T12:45:00Z');
    const seen = watch(tables);
    expect(idsOf(await batches(tables, open))).toEqual([listed]);
    expect(seen.items).toBe(2);
  });

  it.each([
    ['a list that no sweep has filled yet', true],
    ['no list', false],
  ])('reads the intents of the last 24 hours with %s', async (_, hasList) => {
    const { openIntentTableName, ...rest } = await newTables();
    const tables = { ...rest, openIntentTableName };
    const old = await writeBatch(tables, batchIdAt('2026-11-21T10:00:00Z'), { outcome: 'none' });
    await writeBatch(tables, batchIdAt('2026-11-23T13:57:00Z'));
    const young = await writeBatch(tables, batchIdAt('2026-11-23T13:59:00Z'), { outcome: 'none' });
    const asked = hasList ? tables : rest;
    const range = { sinceMs: Date.parse('2026-11-20T10:00:00Z') };
    expect(idsOf(await collect(findBatches(asked, open, {}, NOW_MS)))).toEqual([young]);
    expect(idsOf(await collect(findBatches(asked, open, range, NOW_MS)))).toEqual([old, young]);
  });
});

describe('every question', () => {
  it('reads only its answer, by Query and by key, and consistently where available', async () => {
    const tables = await newTables();
    const wanted = batchIdAt('2026-11-23T10:00:00Z');
    await writeBatch(tables, wanted);
    await writeDenial(tables, batchIdAt('2026-11-23T10:00:01Z'));
    await writeBatch(tables, batchIdAt('2026-11-23T13:59:30Z'), { outcome: 'none' });
    await putItem(tables, tables.openIntentTableName, {
      list: 'sweep',
      batchId: 'through',
      through: '2026-11-23T13:59:00Z',
    });

    const itemsRead = async (): Promise<Record<string, number>> => {
      const read: Record<string, number> = {};
      const questions: (BatchQuestion | AdmissionQuestion)[] = [
        { about: 'meeting', meetingId: MEETING },
        { about: 'caller', callerId: 'https://login.example.com|backend|svc-1' },
        { about: 'batch', batchId: wanted },
        { about: 'day', day: '2026-11-23' },
        { about: 'denied' },
        { about: 'open' },
        { about: 'user', externalUserId: 'alice' },
        { about: 'attendee', attendeeId: 'attendee-alice' },
      ];
      for (const question of questions) {
        const asked = { ...tables, client: connect(tables.url) };
        const seen = watch(asked);
        const found: { batchId: string }[] =
          question.about === 'user' || question.about === 'attendee'
            ? await admissions(asked, question)
            : await batches(asked, question);
        expect(found.length).toBeGreaterThan(0);
        expect([...seen.operations].filter((name) => name.includes('Scan'))).toEqual([]);
        expect(seen.items).toBeGreaterThan(0);
        expect(seen.stale).toBe(0);
        read[question.about] = seen.items;
        asked.client.destroy();
      }
      return read;
    };
    const before = await itemsRead();

    for (let n = 0; n < 30; n += 1) {
      await writeBatch(tables, batchIdAt('2026-11-20T10:00:00Z'), {
        intent: { meetingId: OTHER_MEETING, caller: { ...CALLER, subject: `other-${n}` } },
        outcome: { issued: [issuedTo(`other-${n}`, `attendee-${n}`)] },
      });
      await writeDenial(tables, batchIdAt('2026-11-20T10:00:00Z'), {
        meetingId: OTHER_MEETING,
        callerId: `https://login.example.com|backend|other-${n}`,
      });
    }
    expect(await itemsRead()).toEqual(before);
  });

  it('leaves out a batch that an index still names though its records have expired', async () => {
    const tables = await newTables();
    const kept = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    async function* keys() {
      yield { meetingId: MEETING, batchId: batchIdAt('2025-01-01T00:00:00Z') };
      yield { meetingId: MEETING, batchId: kept };
    }
    expect(idsOf(await collect(batchesWithKeys(tables, keys())))).toEqual([kept]);
  });
});
