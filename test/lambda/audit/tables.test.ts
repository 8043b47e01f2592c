import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAdmissions } from '../../../lambda/audit/admissions.ts';
import { createAuditReader } from '../../../lambda/audit/audit-reader.ts';
import { dayOfBatch, mintBatchId } from '../../../lambda/audit/batch-id.ts';
import { createOpenIntents } from '../../../lambda/audit/open-intents.ts';
import type {
  AuditReader,
  BatchKey,
  MeetingRecord,
  OpenIntent,
  OpenIntents,
  Unreadable,
} from '../../../lambda/audit/ports.ts';
import type { AdmissionRecord } from '../../../lambda/audit/records.ts';
import { startTables } from '../../support/tables.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
}, 60_000);
afterAll(() => tables.close());

/** Puts an item past every rule. */
const put = (TableName: string, item: object) =>
  tables.client.send(new PutItemCommand({ TableName, Item: marshall(item) }));

describe('open intents', () => {
  const EARLIER = '2026-11-23T13:45:00.000Z';
  const LATER = '2026-11-23T13:46:00.000Z';
  const SEEN = {
    externalUserId: 'alice',
    attendeeId: 'attendee-1',
    capabilities: { Audio: 'SendReceive', Video: 'None', Content: 'None' },
    tokenFingerprint: 'sha256:0',
  } as const;

  let openIntents: OpenIntents;

  beforeEach(async () => {
    openIntents = createOpenIntents(tables.client, tables);
    for (const { batchId } of await openIntents.list()) await openIntents.remove({ meetingId: 'm', batchId });
  });

  const [A, B, C] = ['a', 'b', 'c'].map((random) => mintBatchId(Date.parse(EARLIER), random.repeat(16))) as [
    string,
    string,
    string,
  ];
  const entry = (batchId: string): OpenIntent => ({
    meetingId: 'm',
    batchId,
    noticedAt: EARLIER,
    looks: 0,
    seen: [],
  });

  it('remembers how far intents were swept, and never goes back', async () => {
    expect(await openIntents.sweptThrough()).toBeUndefined();
    await openIntents.advance(LATER);
    await openIntents.advance(EARLIER);
    expect(await openIntents.sweptThrough()).toBe(LATER);
    expect(await openIntents.list()).toEqual([]);
  });

  it('lists what was noticed, oldest first, however late', async () => {
    for (const batchId of [C, A, B]) await openIntents.notice(entry(batchId));
    expect(await openIntents.list()).toEqual([entry(A), entry(B), entry(C)]);
  });

  it('keeps what it knows of a batch that is noticed again', async () => {
    await openIntents.notice(entry(A));
    const looked = { ...entry(A), looks: 1, lastLookAt: LATER, seen: [SEEN] };
    expect(await openIntents.save(looked, 0)).toBe(true);
    await openIntents.notice({ ...entry(A), noticedAt: LATER });
    expect(await openIntents.list()).toEqual([looked]);
  });

  it('saves for one of two that looked at once, and for nobody once the batch is gone', async () => {
    await openIntents.notice(entry(A));
    const saved = await Promise.all(
      [1, 2].map(() => openIntents.save({ ...entry(A), looks: 1, lastLookAt: LATER }, 0)),
    );
    expect(saved.toSorted()).toEqual([false, true]);
    await openIntents.remove(entry(A));
    await openIntents.remove(entry(A));
    expect(await openIntents.save({ ...entry(A), looks: 2 }, 1)).toBe(false);
    expect(await openIntents.list()).toEqual([]);
  });

  it('reads a list of more than one page', async () => {
    const seen = Array.from({ length: 250 }, (_, index) => ({
      ...SEEN,
      attendeeId: `${index}`.padEnd(400, '-'),
    }));
    const ids = Array.from({ length: 9 }, (_, index) =>
      mintBatchId(Date.parse(EARLIER), `${index}`.repeat(16)),
    );
    for (const batchId of ids) {
      await openIntents.notice(entry(batchId));
      await openIntents.save({ ...entry(batchId), looks: 1, seen }, 0);
    }
    expect((await openIntents.list()).map(({ batchId }) => batchId)).toEqual(ids);
  });

  it.each([
    ['without its meeting', { batchId: A, noticedAt: EARLIER, looks: 0, seen: [] }],
    ['whose batch has no time', { ...entry('x') }],
    ['whose batch has an hour that there is not', { ...entry('20261123T256199999Z-0123456789abcdef') }],
    ['whose meeting is called nothing', { ...entry(A), meetingId: '' }],
    ['without its looks', { batchId: A, meetingId: 'm', noticedAt: EARLIER, seen: [] }],
    ['that saw no attendees but numbers', { ...entry(A), seen: [1] }],
  ])('tells of an entry %s, and of the others all the same', async (_what, item) => {
    await put(tables.openIntentTableName, { list: 'open', ...item });
    await openIntents.notice(entry(B));
    expect(await openIntents.list()).toHaveLength(2);
    expect(await openIntents.list()).toEqual(
      expect.arrayContaining([{ batchId: item.batchId, unreadable: true }, entry(B)]),
    );
  });
});

describe('what the reconciler reads of the audit', () => {
  const NOON = Date.UTC(2026, 10, 23, 12);
  const HOUR_MS = 60 * 60_000;

  let audit: AuditReader;
  beforeAll(() => {
    audit = createAuditReader(tables.client, tables);
  });

  let minted = 0;

  async function intent(atMs: number, meetingId: string, padding = ''): Promise<BatchKey> {
    minted += 1;
    const batchId = mintBatchId(atMs, minted.toString(16).padStart(16, 'f'));
    await put(tables.auditTableName, {
      meetingId,
      recordId: `${batchId}/intent`,
      batchId,
      kind: 'intent',
      callerId: 'c',
      day: dayOfBatch(batchId),
      requested: [{ externalUserId: `alice${padding}` }],
      deadline: new Date(atMs + 15_000).toISOString(),
    });
    return { meetingId, batchId };
  }

  async function outcome({ meetingId, batchId }: BatchKey, admissions: string): Promise<void> {
    await put(tables.auditTableName, {
      meetingId,
      recordId: `${batchId}/outcome`,
      batchId,
      kind: 'outcome',
      issued: [
        { externalUserId: 'alice', attendeeId: '1' },
        { externalUserId: 'bob', attendeeId: '2' },
      ],
      withheld: [],
      writtenBy: 'handler',
      admissions,
    });
  }

  async function begun(fromMs: number, toMs: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const page of audit.intentsBegun(fromMs, toMs))
      ids.push(...page.map(({ batchId }) => batchId));
    return ids;
  }

  async function meeting(meetingId: string): Promise<MeetingRecord[]> {
    const records: MeetingRecord[] = [];
    for await (const page of audit.meeting(meetingId)) records.push(...page);
    return records;
  }

  it('finds the intents of a span by time, both ends included, across days', async () => {
    const keys = [];
    for (const hours of [0, 11, 12, 13, 36, 37])
      keys.push(await intent(NOON + hours * HOUR_MS, `span-${hours}`));
    const ids = keys.map(({ batchId }) => batchId);
    expect(await begun(NOON, NOON + 36 * HOUR_MS)).toEqual(ids.slice(0, 5));
    expect(await begun(NOON + 1, NOON + 36 * HOUR_MS - 1)).toEqual(ids.slice(1, 4));
    expect(await begun(NOON + 12 * HOUR_MS, NOON + 12 * HOUR_MS)).toEqual([ids[2]]);
    const pages: (BatchKey | Unreadable)[][] = [];
    for await (const page of audit.intentsBegun(NOON, NOON)) pages.push(page);
    expect(pages.flat()).toEqual([expect.objectContaining({ meetingId: 'span-0', batchId: ids[0] })]);
  });

  it('tells what outcomes note of their admissions, of more batches than one call takes', async () => {
    const keys = [];
    for (let batch = 0; batch < 120; batch += 1) keys.push(await intent(NOON - batch * HOUR_MS, 'noted'));
    const [first, second] = keys as [BatchKey, BatchKey];
    const last = keys.at(-1) as BatchKey;
    await outcome(first, 'written');
    await outcome(last, 'pending');
    const noted = await audit.admissionsNoted(keys);
    expect(noted).toEqual(
      new Map([
        [first.batchId, 'written'],
        [last.batchId, 'pending'],
      ]),
    );
    expect(noted.has(second.batchId)).toBe(false);
  });

  it('reads batches, settled, open and absent', async () => {
    const settled = await intent(NOON, 'batches');
    await outcome(settled, 'written');
    const open = await intent(NOON, 'batches');
    const absent = { meetingId: 'batches', batchId: mintBatchId(NOON, '0') };
    const batches = await audit.batches([settled, open, absent]);
    expect(batches.get(settled.batchId)).toMatchObject({
      intent: { kind: 'intent', requested: [{ externalUserId: 'alice' }] },
      outcome: { kind: 'outcome', admissions: 'written' },
    });
    expect(batches.get(open.batchId)).not.toHaveProperty('outcome');
    expect(batches.has(absent.batchId)).toBe(false);
  });

  it('reads all of a meeting that matters, page by page, and nothing of another one', async () => {
    const padding = '-'.repeat(300_000);
    const keys = [];
    for (let batch = 0; batch < 8; batch += 1) keys.push(await intent(NOON + batch, 'meeting', padding));
    await outcome(keys[3] as BatchKey, 'written');
    await intent(NOON, 'another meeting');
    await put(tables.auditTableName, { meetingId: 'meeting', recordId: 'x/denial', kind: 'denial' });
    const records = await meeting('meeting');
    const intents = records.filter((record) => record.kind === 'intent');
    const outcomes = records.filter((record) => record.kind === 'outcome');
    expect(records.findIndex(({ kind }) => kind === 'outcome')).toBe(4);
    expect(intents.map(({ batchId }) => batchId)).toEqual(keys.map(({ batchId }) => batchId));
    expect(intents[0]?.requested).toEqual([{ externalUserId: `alice${padding}` }]);
    expect(outcomes).toEqual([
      expect.objectContaining({
        batchId: keys[3]?.batchId,
        issued: [
          { externalUserId: 'alice', attendeeId: '1' },
          { externalUserId: 'bob', attendeeId: '2' },
        ],
        withheld: [],
      }),
    ]);
  });

  it('tells of an intent whose batch has no time, and of the others all the same', async () => {
    const atMs = NOON - 480 * HOUR_MS;
    const { batchId } = await intent(atMs, 'odd');
    const odd = batchId.replace(/Z-.*/, 'Z-?');
    const day = dayOfBatch(batchId);
    await put(tables.auditTableName, { meetingId: 'odd', recordId: 'x', batchId: odd, day, kind: 'intent' });
    const pages: (BatchKey | Unreadable)[][] = [];
    for await (const page of audit.intentsBegun(atMs - 1, atMs)) pages.push(page);
    expect(pages.flat()).toEqual([
      { batchId: odd, unreadable: true },
      expect.objectContaining({ meetingId: 'odd', batchId }),
    ]);
  });

  it.each([
    ['withheld', undefined],
    ['issued', [{ externalUserId: 'alice' }]],
    ['writtenBy', 'somebody'],
  ])('cannot read an outcome with odd %s, and says so of its batch alone', async (member, odd) => {
    const meetingId = `odd-${member}`;
    const [key, other] = [await intent(NOON, meetingId), await intent(NOON, meetingId)];
    await outcome(other, 'written');
    const recordId = `${key.batchId}/outcome`;
    const item = { ...key, recordId, kind: 'outcome', issued: [], withheld: [], writtenBy: 'handler' };
    await put(tables.auditTableName, JSON.parse(JSON.stringify({ ...item, [member]: odd })));
    const batches = await audit.batches([key, other]);
    expect(batches.get(key.batchId)).toMatchObject({ unreadable: true });
    expect(batches.get(other.batchId)).not.toHaveProperty('unreadable');
    expect(batches.get(other.batchId)).toHaveProperty('outcome');
    // Who wrote it matters to nobody else in the meeting.
    if (member === 'writtenBy') return;
    await expect(meeting(meetingId)).rejects.toMatchObject({
      name: 'UnreadableRecord',
      batchId: key.batchId,
    });
  });
});

describe('admissions', () => {
  const admission = (batchId: string, externalUserId: string, attendeeId: string): AdmissionRecord => ({
    externalUserId,
    admissionId: `${batchId}/${attendeeId}`,
    attendeeId,
    batchId,
    meetingId: 'm',
  });

  it('reads the entries of one batch for the users it asks for, and removes some of them', async () => {
    const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
    const ours = [
      ...users.map((user) => admission('batch-1', user, `of-${user}`)),
      admission('batch-1', 'user-0', 'another-one'),
    ];
    const others = [admission('batch-10', 'user-0', '1'), admission('batch-1', 'somebody', '2')];
    for (const item of [...ours, ...others]) await put(tables.admissionTableName, item);

    const admissions = createAdmissions(tables.client, tables);
    const found = await admissions.ofBatch('batch-1', users);
    const byId = (a: AdmissionRecord, b: AdmissionRecord) => (a.admissionId < b.admissionId ? -1 : 1);
    expect(found.toSorted(byId)).toEqual(ours.toSorted(byId));

    await admissions.remove(ours.slice(1));
    expect(await admissions.ofBatch('batch-1', users)).toEqual(ours.slice(0, 1));
    expect(await admissions.ofBatch('batch-10', users)).toHaveLength(1);
    expect(await admissions.ofBatch('batch-1', ['somebody'])).toHaveLength(1);
    await admissions.remove([]);
  });
});
