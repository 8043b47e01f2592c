import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { compareAdmissions, NO_COUNTS, rebuildAdmissions } from '../../../cli/audit/admission-check.ts';
import {
  batchIdAt,
  collect,
  createTestTables,
  issuedTo,
  MEETING,
  putItem,
  type TestTables,
  writeBatch,
} from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

jest.setTimeout(30_000);

const NOW_MS = Date.parse('2026-11-23T14:00:00Z');
const DAY = { sinceMs: Date.parse('2026-11-22T14:00:00Z'), untilMs: NOW_MS };

let database: Awaited<ReturnType<typeof startDatabase>>;
let numbered = 0;

beforeAll(async () => {
  database = await startDatabase();
});

afterAll(() => database.close());

function newTables(): Promise<TestTables> {
  numbered += 1;
  return createTestTables(database.url, `check-${numbered}`);
}

async function compare(tables: TestTables, range = DAY) {
  const counts = { ...NO_COUNTS };
  const differences = await collect(compareAdmissions(tables, range, NOW_MS, counts));
  return { counts, differences };
}

function admission(externalUserId: string, batchId: string, attendeeId: string) {
  return { externalUserId, admissionId: `${batchId}/${attendeeId}`, attendeeId, batchId, meetingId: MEETING };
}

async function remove(tables: TestTables, externalUserId: string, admissionId: string): Promise<void> {
  const Key = marshall({ externalUserId, admissionId });
  await tables.client.send(new DeleteItemCommand({ TableName: tables.admissionTableName, Key }));
}

describe('comparing admissions with outcomes', () => {
  it('finds no difference in what the handler wrote', async () => {
    const tables = await newTables();
    for (let n = 0; n < 60; n += 1) {
      await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), {
        outcome: {
          issued: [issuedTo('alice', 'attendee-1'), issuedTo(`user-${n}`, 'attendee-2')],
          expiresAt: 4e9,
        },
      });
    }
    const { counts, differences } = await compare(tables);
    expect(differences).toEqual([]);
    expect(counts).toEqual({ batches: 60, admissions: 120, missing: 0, different: 0, extra: 0 });
  });

  it('gives the reconciler five minutes to write pending admissions', async () => {
    const tables = await newTables();
    const outcome = (recordedAt: string) => ({
      outcome: { admissions: 'pending' as const, recordedAt, issued: [issuedTo('alice', recordedAt)] },
      entered: false,
    });
    const late = '2026-11-23T13:55:00.000Z';
    await writeBatch(tables, batchIdAt('2026-11-23T13:54:59Z'), outcome(late));
    await writeBatch(tables, batchIdAt('2026-11-23T13:54:59Z'), outcome('2026-11-23T13:55:00.001Z'));
    const { counts, differences } = await compare(tables);
    expect(differences).toEqual([expect.objectContaining({ difference: 'missing', attendeeId: late })]);
    expect(counts).toMatchObject({ batches: 1, missing: 1 });
  });

  it('finds what is missing, what is different and what is extra, of all the users that the batches name', async () => {
    const tables = await newTables();
    const first = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), {
      intent: { requested: [{ externalUserId: 'alice' }, { externalUserId: 'bob' }] },
    });
    const unknown = batchIdAt('2026-11-23T10:30:00Z');
    const last = await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'));
    await remove(tables, 'alice', `${first}/attendee-alice`);
    const moved = { ...admission('alice', last, 'attendee-alice'), meetingId: 'another' };
    await putItem(tables, tables.admissionTableName, moved);
    const neverIssued = admission('bob', first, 'attendee-bob');
    const unheardOf = admission('bob', unknown, 'attendee-bob');
    for (const item of [neverIssued, unheardOf]) await putItem(tables, tables.admissionTableName, item);

    const { counts, differences } = await compare(tables);
    expect(counts).toEqual({ batches: 2, admissions: 2, missing: 1, different: 1, extra: 2 });
    expect(differences).toHaveLength(4);
    expect(differences).toEqual(
      expect.arrayContaining([
        { difference: 'missing', ...admission('alice', first, 'attendee-alice') },
        { difference: 'different', ...admission('alice', last, 'attendee-alice') },
        { difference: 'extra', ...neverIssued },
        { difference: 'extra', ...unheardOf },
      ]),
    );
  });

  it('says nothing of what is still open, has expired, or lies outside the range', async () => {
    const tables = await newTables();
    const open = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), { outcome: 'none' });
    await putItem(tables, tables.admissionTableName, admission('alice', open, 'attendee-alice'));
    const expired = await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'), {
      outcome: { expiresAt: NOW_MS / 1000 },
    });
    await remove(tables, 'alice', `${expired}/attendee-alice`);
    const outside = await writeBatch(tables, batchIdAt('2026-11-20T11:00:00Z'));
    await remove(tables, 'alice', `${outside}/attendee-alice`);
    expect(await compare(tables)).toEqual({ counts: NO_COUNTS, differences: [] });
  });

  it('does not report the rest of an expired batch as extra', async () => {
    const tables = await newTables();
    await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'));
    const gone = batchIdAt('2026-11-23T10:30:00Z');
    await writeBatch(tables, batchIdAt('2026-11-23T11:00:00Z'));
    const left = { ...admission('alice', gone, 'attendee-1'), expiresAt: NOW_MS / 1000 };
    const unexplained = { ...admission('alice', gone, 'attendee-2'), expiresAt: NOW_MS / 1000 + 1 };
    for (const item of [left, unexplained]) await putItem(tables, tables.admissionTableName, item);
    expect((await compare(tables)).differences).toEqual([{ difference: 'extra', ...unexplained }]);
  });
});

describe('rebuilding admissions', () => {
  it('writes what is missing or different, more than one write takes, and leaves what is extra', async () => {
    const tables = await newTables();
    const issued = Array.from({ length: 60 }, (_, n) => issuedTo(`user-${n}`, `attendee-${n}`));
    const batchId = await writeBatch(tables, batchIdAt('2026-11-23T10:00:00Z'), { outcome: { issued } });
    for (const { externalUserId, attendeeId } of issued.slice(1)) {
      await remove(tables, externalUserId, `${batchId}/${attendeeId}`);
    }
    const moved = { ...admission('user-0', batchId, 'attendee-0'), meetingId: 'another' };
    const extra = admission('alice', batchId, 'attendee-extra');
    for (const item of [moved, extra]) await putItem(tables, tables.admissionTableName, item);

    const dealtWith = await collect(
      rebuildAdmissions(tables, compareAdmissions(tables, DAY, NOW_MS, { ...NO_COUNTS })),
    );
    expect(dealtWith).toHaveLength(61);
    const { counts, differences } = await compare(tables);
    expect(counts).toEqual({ batches: 1, admissions: 60, missing: 0, different: 0, extra: 1 });
    expect(differences).toEqual([{ difference: 'extra', ...extra }]);
  });
});
