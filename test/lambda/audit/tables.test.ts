import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAdmissions } from '../../../lambda/audit/admissions.ts';
import { createAuditReader } from '../../../lambda/audit/audit-reader.ts';
import { dayOfBatch, mintBatchId } from '../../../lambda/audit/batch-id.ts';
import { createOpenIntents } from '../../../lambda/audit/open-intents.ts';
import type {
  AuditReader,
  BatchKey,
  ClaimedMeeting,
  DueMeeting,
  Mark,
  OpenIntent,
  OpenIntents,
  Unreadable,
} from '../../../lambda/audit/ports.ts';
import type { AdmissionRecord } from '../../../lambda/audit/records.ts';
import { LISTS, SWEEP_KEYS } from '../../../lambda/audit/schema.ts';
import { createDynamoDBClient } from '../../../lambda/aws/clients.ts';
import { startWire } from '../../support/faults/wire.ts';
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
  const [EARLIER, NOW, LATER] = ['13:45', '13:46', '13:47'].map((time) => `2026-11-23T${time}:00.000Z`) as [
    string,
    string,
    string,
  ];
  const SEEN = {
    externalUserId: 'alice',
    attendeeId: 'attendee-1',
    capabilities: { Audio: 'SendReceive', Video: 'None', Content: 'None' },
    tokenFingerprint: 'sha256:0',
    seenAt: EARLIER,
  } as const;
  const [A, B, C] = ['a', 'b', 'c'].map((random) => mintBatchId(Date.parse(EARLIER), random.repeat(16))) as [
    string,
    string,
    string,
  ];

  let openIntents: OpenIntents;
  let minted = 0;
  let meetingId: string;
  beforeEach(async () => {
    openIntents = createOpenIntents(tables.client, tables);
    minted += 1;
    meetingId = `meeting-${minted}`;
    for (const meeting of await openIntents.dueMeetings({}, 100)) {
      const claimed = await openIntents.claim(meeting, NOW);
      if (claimed !== undefined) await openIntents.release(claimed);
    }
    for (const list of [LISTS.open, LISTS.incomplete])
      for (const batchId of [A, B, C]) await removeItem({ list, batchId });
  });

  const entry = (batchId: string, over: Partial<OpenIntent> = {}): OpenIntent => ({
    meetingId,
    batchId,
    noticedAt: EARLIER,
    settled: false,
    looks: 0,
    seen: [],
    ...over,
  });
  const entries = () => openIntents.ofMeeting(meetingId, undefined, 100);
  const due = (to = LATER) => openIntents.dueMeetings({ to }, 10);
  const removeItem = (key: object) =>
    tables.client.send(new DeleteItemCommand({ TableName: tables.openIntentTableName, Key: marshall(key) }));

  it('know when the previous run began', async () => {
    await openIntents.beginRun(EARLIER);
    expect(await openIntents.beginRun(NOW)).toBe(EARLIER);
    expect(await openIntents.beginRun(LATER)).toBe(NOW);
  });

  it('do not take a run for the previous one after a lost answer to its first write', async () => {
    const wire = await startWire('dynamodb', tables.url);
    const client = createDynamoDBClient({
      region: 'us-east-1',
      endpoint: wire.url,
      credentials: tables.client.config.credentials,
    });
    let attempts = 0;
    wire.intercept(async (_step, act) => {
      const reply = await act();
      attempts += 1;
      return attempts === 1 ? 'reset' : reply;
    });
    try {
      await openIntents.beginRun(EARLIER);
      expect(await createOpenIntents(client, tables).beginRun(NOW)).toBeUndefined();
      expect(attempts).toBe(2);
      expect(await openIntents.beginRun(LATER)).toBe(NOW);
    } finally {
      client.destroy();
      await wire.close();
    }
  });

  it.each(['fast', 'slow'] as const)('let only one of two runs move the %s cursor', async (cursor) => {
    expect(await openIntents.mark(cursor)).toBeUndefined();
    const first = { through: EARLIER, afterBatch: A };
    const moved = [
      await openIntents.moveMark(cursor, undefined, first),
      await openIntents.moveMark(cursor, undefined, first),
    ];
    expect(moved).toEqual([true, false]);
    expect(await openIntents.mark(cursor)).toEqual(first);
    expect(await openIntents.moveMark(cursor, { through: EARLIER }, { through: LATER })).toBe(false);
    expect(await openIntents.moveMark(cursor, first, { through: LATER })).toBe(true);
    expect(await openIntents.mark(cursor)).toEqual({ through: LATER });
    // Back as well: a mark may be one of a clock that was ahead.
    expect(await openIntents.moveMark(cursor, { through: LATER }, { through: EARLIER })).toBe(true);
  });

  it('ignore an unreadable mark', async () => {
    await put(tables.openIntentTableName, { ...SWEEP_KEYS.slow, through: 'yesterday' });
    expect(await openIntents.mark('slow')).toBeUndefined();
    expect(await openIntents.moveMark('slow', undefined, { through: NOW })).toBe(true);
  });

  it('list noticed batches under their meeting, oldest first, slice by slice', async () => {
    const isNew = [];
    for (const batchId of [C, A, B, A]) isNew.push(await openIntents.notice(entry(batchId), NOW));
    expect(isNew).toEqual([true, true, true, false]);
    expect(await openIntents.ofMeeting(meetingId, undefined, 2)).toEqual([entry(A), entry(B)]);
    expect(await openIntents.ofMeeting(meetingId, B, 2)).toEqual([entry(C)]);
    expect(await openIntents.ofMeeting('another', undefined, 2)).toEqual([]);
  });

  it('keep the state of a batch that is noticed again', async () => {
    await openIntents.notice(entry(A), NOW);
    const looked = entry(A, { looks: 1, agreed: { since: NOW, gone: false }, seen: [SEEN] });
    expect(await openIntents.save(looked, 0)).toBe(true);
    await openIntents.notice(entry(A, { noticedAt: LATER }), LATER);
    expect(await entries()).toEqual([looked]);
  });

  it('save one of two concurrent looks, and none once the batch is gone', async () => {
    await openIntents.notice(entry(A), NOW);
    const saved = await Promise.all([1, 2].map(() => openIntents.save(entry(A, { looks: 1 }), 0)));
    expect(saved.toSorted()).toEqual([false, true]);
    await openIntents.remove(entry(A));
    await openIntents.remove(entry(A));
    expect(await openIntents.save(entry(A, { looks: 2 }), 1)).toBe(false);
    expect(await entries()).toEqual([]);
  });

  it('count open and incomplete batches, and know the oldest of each', async () => {
    await openIntents.notice(entry(B), NOW);
    await openIntents.notice(entry(A), NOW);
    await openIntents.notice(entry(C, { settled: true }), NOW);
    const key = (batchId: string) => expect.objectContaining({ meetingId, batchId });
    expect(await openIntents.unfinished()).toEqual({
      open: 2,
      incomplete: 1,
      oldestOpen: key(A),
      oldestIncomplete: key(C),
    });
    for (const batchId of [A, B, C]) await openIntents.remove(entry(batchId));
    expect(await openIntents.unfinished()).toMatchObject({ open: 0, incomplete: 0, oldestOpen: undefined });
  });

  describe('in the queue', () => {
    it('are the meetings by due time, each once however many batches it has', async () => {
      await openIntents.notice(entry(A, { meetingId: 'late' }), LATER);
      await openIntents.notice(entry(A), NOW);
      await openIntents.notice(entry(B), EARLIER);
      expect(await due(NOW)).toEqual([{ meetingId, due: NOW }]);
      expect(await due()).toEqual([
        { meetingId, due: NOW },
        { meetingId: 'late', due: LATER },
      ]);
      expect(await openIntents.dueMeetings({ from: LATER }, 10)).toEqual([{ meetingId: 'late', due: LATER }]);
      expect(await openIntents.dueMeetings({}, 1)).toHaveLength(1);
    });

    it('one of two runs claims a meeting and moves its due time', async () => {
      await openIntents.notice(entry(A), EARLIER);
      const [meeting] = (await due()) as [DueMeeting];
      const claims = await Promise.all([NOW, LATER].map((at) => openIntents.claim(meeting, at)));
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
      const [claimed] = claims.filter((claim) => claim !== undefined);
      expect(await due()).toEqual([{ meetingId, due: claimed?.due }]);
    });

    it('a meeting claimed by a run that died is found again', async () => {
      await openIntents.notice(entry(A), EARLIER);
      // As far as it came: the meeting says LATER, the queue still EARLIER.
      await put(tables.openIntentTableName, {
        list: LISTS.meetings,
        batchId: meetingId,
        due: LATER,
        notices: 1,
      });
      expect(await openIntents.claim({ meetingId, due: EARLIER }, NOW)).toBeUndefined();
      expect(await due()).toEqual([{ meetingId, due: LATER }]);
    });

    it('a meeting is released unless a batch was noticed meanwhile', async () => {
      await openIntents.notice(entry(A), EARLIER);
      const claimed = (await openIntents.claim({ meetingId, due: EARLIER }, NOW)) as ClaimedMeeting;
      await openIntents.notice(entry(B), LATER);
      await openIntents.release(claimed);
      expect(await due()).toEqual([{ meetingId, due: NOW }]);
      const again = (await openIntents.claim({ meetingId, due: NOW }, LATER)) as ClaimedMeeting;
      await openIntents.release(again);
      expect(await due()).toEqual([]);
    });

    it('an item that a person wrote is removed and blocks no other', async () => {
      for (const batchId of [
        '!',
        '2026-11-23',
        `${EARLIER}/`,
        `${EARLIER}/a/b`,
        `${EARLIER}/${'x'.repeat(900)}`,
      ])
        await put(tables.openIntentTableName, { list: LISTS.queue, batchId });
      await put(tables.openIntentTableName, { list: LISTS.queue, batchId: `${EARLIER}/unknown` });
      await openIntents.notice(entry(A), NOW);
      expect(await due()).toEqual([
        { meetingId: 'unknown', due: EARLIER },
        { meetingId, due: NOW },
      ]);
      expect(await openIntents.claim({ meetingId: 'unknown', due: EARLIER }, LATER)).toBeUndefined();
      expect(await due()).toEqual([{ meetingId, due: NOW }]);
    });

    it.each([
      ['no due time', { notices: 1 }],
      ['an odd due time', { due: 'tomorrow', notices: 1 }],
      ['odd notices', { due: NOW, notices: 'many' }],
    ])('a meeting with %s written by a person is corrected', async (_what, odd) => {
      await put(tables.openIntentTableName, { list: LISTS.meetings, batchId: meetingId, ...odd });
      await openIntents.notice(entry(A), NOW);
      expect(await due()).toEqual([{ meetingId, due: NOW }]);
      expect(await openIntents.claim({ meetingId, due: NOW }, LATER)).toMatchObject({
        meetingId,
        due: LATER,
      });
    });
  });

  it.each([
    ['without its meeting', { meetingId: undefined }],
    ['whose batch has no time', { batchId: 'x' }],
    ['whose batch has an invalid hour', { batchId: '20261123T256199999Z-0123456789abcdef' }],
    ['whose meeting is a path', { meetingId: '../..' }],
    ['of another meeting', { meetingId: 'another' }],
    ['without its looks', { looks: undefined }],
    ['that saw no attendees but numbers', { seen: [1] }],
    ['that agrees on nothing', { agreed: {} }],
  ])('report an unreadable item %s, and return the others', async (_what, odd) => {
    const item = JSON.parse(JSON.stringify({ list: LISTS.batchesOf(meetingId), ...entry(A), ...odd }));
    await put(tables.openIntentTableName, item);
    await openIntents.notice(entry(B), NOW);
    expect(await entries()).toEqual(
      expect.arrayContaining([{ batchId: item.batchId, unreadable: true }, entry(B)]),
    );
  });

  it('return the list of an earlier version, with the attendees it saw', async () => {
    const { seenAt: _, ...seen } = SEEN;
    const earlier = {
      list: 'open',
      batchId: A,
      meetingId,
      noticedAt: EARLIER,
      lastLookAt: NOW,
      looks: 1,
      seen: [seen],
    };
    await put(tables.openIntentTableName, earlier);
    await put(tables.openIntentTableName, { list: 'open', batchId: B });
    expect(await openIntents.earlierList(undefined, 10)).toEqual([
      { meetingId, batchId: A, seen: [{ ...seen, seenAt: NOW }] },
      { batchId: B, unreadable: true },
    ]);
    expect(await openIntents.earlierList(A, 10)).toHaveLength(1);
    await openIntents.removeEarlier(A);
    expect(await openIntents.earlierList(undefined, 10)).toHaveLength(1);
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

  const from = (atMs: number) => ({ through: new Date(atMs).toISOString() });

  async function begun(mark: Mark, toMs: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const page of audit.intentsBegun(mark, toMs)) ids.push(...page.map(({ batchId }) => batchId));
    return ids;
  }

  it('finds the intents of a span by time, both ends included, across days', async () => {
    const keys = [];
    for (const hours of [0, 11, 12, 13, 36, 37])
      keys.push(await intent(NOON + hours * HOUR_MS, `span-${hours}`));
    const ids = keys.map(({ batchId }) => batchId);
    expect(await begun(from(NOON), NOON + 36 * HOUR_MS)).toEqual(ids.slice(0, 5));
    expect(await begun(from(NOON + 1), NOON + 36 * HOUR_MS - 1)).toEqual(ids.slice(1, 4));
    expect(await begun(from(NOON + 12 * HOUR_MS), NOON + 12 * HOUR_MS)).toEqual([ids[2]]);
    expect(await begun(from(NOON + 1), NOON)).toEqual([]);
    const after = { ...from(NOON + 11 * HOUR_MS), afterBatch: ids[1] as string };
    expect(await begun(after, NOON + 36 * HOUR_MS)).toEqual(ids.slice(2, 5));
    const pages: (BatchKey | Unreadable)[][] = [];
    for await (const page of audit.intentsBegun(from(NOON), NOON)) pages.push(page);
    expect(pages).toEqual([[{ meetingId: 'span-0', batchId: ids[0] }]]);
  });

  it('returns the state of admissions for more batches than one call takes', async () => {
    const keys = [];
    for (let batch = 0; batch < 120; batch += 1) keys.push(await intent(NOON - batch * HOUR_MS, 'noted'));
    const [first, second, third] = keys as [BatchKey, BatchKey, BatchKey];
    const last = keys.at(-1) as BatchKey;
    await outcome(first, 'written');
    await outcome(last, 'pending');
    // As an earlier version noted it.
    await outcome(third, 'deferred');
    const noted = await audit.admissionsNoted(keys);
    expect(noted).toEqual(
      new Map([
        [first.batchId, 'written'],
        [last.batchId, 'pending'],
        [third.batchId, 'deferred'],
      ]),
    );
    expect(noted.has(second.batchId)).toBe(false);
  });

  it('reads settled, open and absent batches', async () => {
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

  describe('the holder of an attendee', () => {
    const admission = (key: BatchKey, attendeeId: string) =>
      put(tables.admissionTableName, {
        externalUserId: `user-${attendeeId}`,
        admissionId: `${key.batchId}/${attendeeId}`,
        attendeeId,
        ...key,
      });

    it('is a batch whose outcome names it, and never an item without an outcome', async () => {
      const [settled, killed] = [await intent(NOON, 'held'), await intent(NOON, 'held')];
      await outcome(settled, 'written');
      for (const key of [settled, killed]) await admission(key, '1');
      await admission(killed, 'only-entered');
      const asked = [
        '1',
        'only-entered',
        'unknown',
        ...Array.from({ length: 30 }, (_, index) => `${index}-x`),
      ];
      expect(await audit.holders('held', asked)).toEqual(new Map([['1', settled.batchId]]));
      expect(await audit.holders('another', ['1'])).toEqual(new Map());
    });

    it('is found among many items of the same attendee', async () => {
      const keys = [];
      for (let retry = 0; retry < 8; retry += 1) keys.push(await intent(NOON + retry, 'retried'));
      for (const key of keys) await admission(key, '2');
      await outcome(keys.at(-1) as BatchKey, 'written');
      expect(await audit.holders('retried', ['2'])).toEqual(new Map([['2', keys.at(-1)?.batchId]]));
    });
  });

  it('reports a record that contradicts its key as unreadable', async () => {
    const [key, other] = [await intent(NOON, 'swapped'), await intent(NOON, 'swapped')];
    await outcome(other, 'written');
    const { batches } = audit;
    await put(tables.auditTableName, {
      ...key,
      recordId: `${key.batchId}/outcome`,
      kind: 'intent',
      requested: [],
      deadline: new Date(NOON).toISOString(),
    });
    expect((await batches([key])).get(key.batchId)).toMatchObject({ unreadable: true });
    expect((await batches([other])).get(other.batchId)).not.toHaveProperty('unreadable');
  });

  it('reports an intent whose batch id has no time, and returns the others', async () => {
    const atMs = NOON - 480 * HOUR_MS;
    const { batchId } = await intent(atMs, 'odd');
    const odd = batchId.replace(/Z-.*/, 'Z-?');
    const day = dayOfBatch(batchId);
    await put(tables.auditTableName, { meetingId: 'odd', recordId: 'x', batchId: odd, day, kind: 'intent' });
    const pages: (BatchKey | Unreadable)[][] = [];
    for await (const page of audit.intentsBegun(from(atMs - 1), atMs)) pages.push(page);
    expect(pages.flat()).toEqual([
      { batchId: odd, unreadable: true },
      { meetingId: 'odd', batchId },
    ]);
  });

  it('treats a batch whose outcome notes nothing as incomplete', async () => {
    const key = await intent(NOON, 'odd-note');
    await put(tables.auditTableName, {
      ...key,
      recordId: `${key.batchId}/outcome`,
      kind: 'outcome',
      admissions: 1,
    });
    expect(await audit.admissionsNoted([key])).toEqual(new Map());
  });

  it.each([
    ['withheld', undefined],
    ['issued', [{ externalUserId: 'alice' }]],
    ['writtenBy', 'another writer'],
  ])('reports an outcome with invalid %s as unreadable, for its batch alone', async (member, odd) => {
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

  it('reads and removes the items of one batch by user', async () => {
    const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
    const ours = [
      ...users.map((user) => admission('batch-1', user, `of-${user}`)),
      admission('batch-1', 'user-0', 'another-one'),
    ];
    const others = [admission('batch-10', 'user-0', '1'), admission('batch-1', 'another-user', '2')];
    for (const item of [...ours, ...others]) await put(tables.admissionTableName, item);

    const admissions = createAdmissions(tables.client, tables);
    const found = await admissions.ofBatch('batch-1', users);
    const byId = (a: AdmissionRecord, b: AdmissionRecord) => (a.admissionId < b.admissionId ? -1 : 1);
    expect(found.toSorted(byId)).toEqual(ours.toSorted(byId));

    await admissions.remove(ours.slice(1));
    expect(await admissions.ofBatch('batch-1', users)).toEqual(ours.slice(0, 1));
    expect(await admissions.ofBatch('batch-10', users)).toHaveLength(1);
    expect(await admissions.ofBatch('batch-1', ['another-user'])).toHaveLength(1);
    await admissions.remove([]);
  });
});
