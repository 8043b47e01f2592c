import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { compareCalls, NO_CALL_COUNTS, readCalls, spanOf } from '../../../cli/audit/cloudtrail.ts';
import {
  batchIdAt,
  collect,
  createTestTables,
  MEETING,
  type TestTables,
  writeBatch,
} from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

jest.setTimeout(30_000);

const NOW_MS = Date.parse('2026-11-23T14:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'usher-cloudtrail-'));
let database: Awaited<ReturnType<typeof startDatabase>>;
let tables: TestTables;

beforeAll(async () => {
  database = await startDatabase();
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.close();
});

/** As CloudTrail writes it, less what is not read. */
function event(requestID: string, eventTime: string, over: object = {}): object {
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      sessionContext: { sessionIssuer: { type: 'Role', userName: 'handler-role' } },
    },
    eventTime,
    eventSource: 'chime.amazonaws.com',
    eventName: 'BatchCreateAttendee',
    requestParameters: { meetingId: MEETING },
    responseElements: null,
    requestID,
    ...over,
  };
}

function fileOf(name: string, records: unknown): string {
  const file = join(folder, name);
  const text = JSON.stringify(records);
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}

async function compare(records: object[], range = {}) {
  const calls = await readCalls([fileOf('events.json.gz', { Records: records })], 'handler-role');
  const span = spanOf(calls, range);
  if (span === undefined) throw new Error('There is nothing to compare.');
  const counts = { ...NO_CALL_COUNTS };
  const differences = await collect(compareCalls(tables, calls, span, NOW_MS, counts));
  return {
    counts,
    differences: differences.map(({ difference, chimeRequestId }) => [difference, chimeRequestId]),
  };
}

/** A batch that Chime answered under this request id, half a second after its beginning. */
async function recorded(time: string, chimeRequestId: string): Promise<void> {
  const recordedAt = new Date(Date.parse(time) + 500).toISOString();
  await writeBatch(tables, batchIdAt(time), { outcome: { chimeRequestId, recordedAt } });
}

describe('comparing calls in CloudTrail with records', () => {
  it('matches both ways, by the id that Chime gave the call', async () => {
    tables = await createTestTables(database.url, 'trail');
    await recorded('2026-11-23T10:00:00.100Z', 'one');
    await recorded('2026-11-23T10:00:01.100Z', 'two');
    const { counts, differences } = await compare([
      event('one', '2026-11-23T10:00:00Z'),
      event('two', '2026-11-23T10:00:01Z'),
      event('three', '2026-11-23T10:00:02Z', { eventName: 'CreateAttendee' }),
      event('four', '2026-11-23T10:00:02Z', {
        userIdentity: { sessionContext: { sessionIssuer: { userName: 'another' } } },
      }),
      event('two', '2026-11-23T10:00:01Z'),
    ]);
    expect(differences).toEqual([]);
    expect(counts).toMatchObject({ calls: 2, records: 2, matched: 2 });
  });

  it('finds a call without a record, a record without a call, and the call of an unfinished batch', async () => {
    tables = await createTestTables(database.url, 'trail');
    await recorded('2026-11-23T10:00:00.100Z', 'one');
    await recorded('2026-11-23T10:00:30.000Z', 'unseen');
    await writeBatch(tables, batchIdAt('2026-11-23T10:01:00Z'), { outcome: 'none' });
    const { counts, differences } = await compare([
      event('one', '2026-11-23T10:00:00Z'),
      event('behind our back', '2026-11-23T10:00:20Z'),
      event('unfinished', '2026-11-23T10:01:02Z'),
      // One batch explains one call, of its own meeting and time.
      event('again', '2026-11-23T10:01:03Z'),
      event('last', '2026-11-23T10:05:00Z', { requestParameters: { meetingId: 'HIDDEN' } }),
    ]);
    expect(differences).toEqual([
      ['record without a call', 'unseen'],
      ['call without a record', 'behind our back'],
      ['call of an unfinished batch', 'unfinished'],
      ['call without a record', 'again'],
      ['call without a record', 'last'],
    ]);
    expect(counts).toMatchObject({ calls: 5, matched: 1, withoutRecord: 3, withoutCall: 1, unfinished: 1 });
  });

  it('says nothing of what lies outside the time of the events, or of the range', async () => {
    tables = await createTestTables(database.url, 'trail');
    await recorded('2026-11-23T09:59:00Z', 'earlier');
    await recorded('2026-11-23T10:00:00.100Z', 'one');
    await recorded('2026-11-23T10:30:00Z', 'later');
    const events = [event('one', '2026-11-23T10:00:00Z')];
    expect((await compare(events)).differences).toEqual([]);
    const range = { sinceMs: Date.parse('2026-11-23T09:30:00Z'), untilMs: NOW_MS };
    expect((await compare(events, range)).differences).toEqual([
      ['record without a call', 'earlier'],
      ['record without a call', 'later'],
    ]);
  });

  it.each([
    ['no JSON', 'text'],
    ['no Records', {}],
    ['Records that are no list', { Records: {} }],
  ])('refuses a file with %s, by name', async (_, content) => {
    const file = fileOf('other.json', content);
    await expect(readCalls([file], undefined)).rejects.toThrow(`${file} is not a CloudTrail log file`);
  });
});
