import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { SealSource } from '../../../../cli/audit/seals/source.ts';
import {
  HOUR_MS,
  rowOfItem,
  type Seal,
  sealDueMs,
  sealKey,
  sealOfText,
  sha256,
  textOfSeal,
} from '../../../../lambda/audit/seals.ts';
import { batchIdAt, denialOf, intentOf, outcomeOf } from '../../../support/audit-command.ts';
import { startDatabase } from '../../../support/database.ts';
import { createSealedTable, type Item, namesOf, type SealedTable } from '../../../support/sealed-table.ts';

jest.setTimeout(60_000);

const FIRST = '2026-11-23T13Z';
const OTHER_MEETING = '7c0a4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';

let database: Awaited<ReturnType<typeof startDatabase>>;
let world: SealedTable;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  world = await createSealedTable(database.url, FIRST);
});
afterEach(() => world.close());

const write = async (...records: object[]) => {
  for (const record of records) await world.put(marshall(record, { removeUndefinedValues: true }));
};
const settled = (id: string) => [intentOf(id, { recordedAt: '2026-11-23T13:46:00.000Z' }), outcomeOf(id)];
const itemWith = async (recordId: string) =>
  (await world.items()).find((item) => item['recordId']?.S === recordId) as Item;
const named = async (over?: Parameters<SealedTable['verify']>[0]) =>
  namesOf((await world.verify(over)).findings);
const key = (hour: string) => sealKey(world.prefix, hour);
const textOf = async (hour: string) => {
  const { Body } = await world.s3.send(new GetObjectCommand({ Bucket: world.bucket, Key: key(hour) }));
  return (await Body?.transformToString()) as string;
};
const deleteSeal = (hour: string, VersionId?: string) =>
  world.s3.send(
    new DeleteObjectCommand({ Bucket: world.bucket, Key: key(hour), ...(VersionId && { VersionId }) }),
  );
const removeSeal = async (hour: string) => {
  const head = { Bucket: world.bucket, Key: key(hour) };
  const { VersionId } = await world.s3.send(new HeadObjectCommand(head));
  await deleteSeal(hour, VersionId);
};
const putSeal = (hour: string, Body: string) =>
  world.s3.send(new PutObjectCommand({ Bucket: world.bucket, Key: key(hour), Body }));

describe('records that are as they were sealed', () => {
  it('show no difference, open, late and expired ones included', async () => {
    const open = batchIdAt('2026-11-23T13:10:00Z');
    const expiring = batchIdAt('2026-11-23T13:20:00Z');
    const expiresAt = Date.parse('2026-11-24T00:00:00Z') / 1000;
    await write(...settled(batchIdAt('2026-11-23T12:30:00Z')), intentOf(open));
    await write(...[intentOf(expiring), outcomeOf(expiring)].map((record) => ({ ...record, expiresAt })));
    await write(denialOf(batchIdAt('2026-11-23T13:30:00Z')));
    await world.sealThrough('2026-11-23T20Z');
    await write(outcomeOf(open, { writtenBy: 'reconciler', state: 'NOT_ISSUED', issued: [] }));
    expect(await world.verify()).toMatchObject({
      findings: [],
      counts: { seals: 8, same: 6, notSealedYet: 1, expired: 0 },
    });
    await world.sealThrough('2026-11-26T14Z');
    await world.remove(await itemWith(`${expiring}/intent`));
    expect(await world.verify()).toMatchObject({
      findings: [],
      counts: {
        ...{ same: 6, expired: 1, notSealedYet: 0, uncovered: 0, beforeSealing: 0 },
        first: { hour: FIRST, isEarliest: true },
        lastHour: '2026-11-26T14Z',
      },
    });
  });

  it('are counted where no seal can have them', async () => {
    await write(...settled(batchIdAt('2026-11-20T13:10:00Z')));
    await world.sealThrough(FIRST);
    await write(...settled(batchIdAt('2026-11-23T14:10:00Z')));
    const range = { sinceMs: Date.parse('2026-11-20T00:00:00Z') };
    expect(await world.verify({ range })).toMatchObject({
      findings: [],
      counts: { notSealedYet: 2, beforeSealing: 2 },
    });
  });
});

describe('a tamperer of the table', () => {
  let batchId: string;
  let denied: string;

  beforeEach(async () => {
    batchId = batchIdAt('2026-11-23T13:45:58.123Z');
    denied = batchIdAt('2026-11-23T13:50:00Z');
    await write(...settled(batchId), denialOf(denied), ...settled(batchIdAt('2026-11-23T13:55:00Z')));
    await world.sealThrough(FIRST);
  });

  it('who changes a record is named', async () => {
    await world.put({ ...(await itemWith(`${batchId}/outcome`)), state: { S: 'FAILED' } });
    expect(await named()).toEqual([`changed ${batchId}/outcome`]);
  });

  it('who removes a record is named, unless the row says that it has expired', async () => {
    await world.remove(await itemWith(`${denied}/denial`));
    expect(await named()).toEqual([`removed ${denied}/denial`]);
  });

  it('who lets a record expire is named before DynamoDB deletes it, and after', async () => {
    const item = await itemWith(`${batchId}/intent`);
    await world.put({ ...item, expiresAt: { N: '1700000000' } });
    expect(await named()).toEqual([`changed ${batchId}/intent`]);
    await world.remove(item);
    expect(await named()).toEqual([`removed ${batchId}/intent`]);
  });

  it('who swaps two records is named for both', async () => {
    const one = await itemWith(`${batchId}/intent`);
    const other = (await world.items()).find(
      (item) => item['kind']?.S === 'intent' && item['recordId']?.S !== one['recordId']?.S,
    ) as Item;
    const keyOf = ({ meetingId, recordId }: Item) => ({ meetingId, recordId }) as Item;
    await world.put({ ...one, ...keyOf(other) });
    await world.put({ ...other, ...keyOf(one) });
    expect((await named()).sort()).toEqual(
      [`changed ${one['recordId']?.S}`, `changed ${other['recordId']?.S}`].sort(),
    );
  });

  it('who adds records to a sealed hour is named before the next seal, and after all that can have them', async () => {
    const ids = Array.from({ length: 4 }, () => batchIdAt('2026-11-23T13:30:00Z'));
    const [plain = '', elsewhere = '', unindexed = '', denial = ''] = ids;
    await write(
      intentOf(plain),
      intentOf(elsewhere, { meetingId: OTHER_MEETING }),
      { ...intentOf(unindexed), day: undefined },
      denialOf(denial),
    );
    const { findings } = await world.verify();
    expect(namesOf(findings).sort()).toEqual(
      [...[plain, elsewhere, unindexed].map((id) => `late ${id}/intent`), `late ${denial}/denial`].sort(),
    );
    expect(findings[0]?.detail).toMatch(/^in no seal yet; its recordedAt \S+ is before its hour was sealed/);
    await world.sealThrough('2026-11-26T14Z');
    const after = await world.verify();
    expect(namesOf(after.findings).sort()).toEqual(
      [
        ...[`late ${plain}/intent`, `late ${elsewhere}/intent`, `late ${denial}/denial`],
        `added ${unindexed}/intent`,
      ].sort(),
    );
    expect(after.findings.find(({ finding }) => finding === 'late')?.detail).toMatch(
      /^first sealed in 2026-11-23T14Z; /,
    );
  });

  it('who adds an outcome to a denied batch, or to none, is named', async () => {
    const none = batchIdAt('2026-11-23T13:30:00Z');
    await write(outcomeOf(denied), outcomeOf(none));
    expect((await named()).sort()).toEqual([`late ${denied}/outcome`, `late ${none}/outcome`].sort());
  });

  it('who adds a backdated record days later is named', async () => {
    await world.sealThrough('2026-11-26T14Z');
    const backdated = batchIdAt('2026-11-23T14:30:00Z');
    await write(intentOf(backdated, { recordedAt: '2026-11-26T15:00:00.000Z' }));
    const { findings } = await world.verify();
    expect(namesOf(findings)).toEqual([`added ${backdated}/intent`]);
    expect(findings[0]?.detail).toMatch(/is after its hour was sealed/);
  });

  it('who adds what neither a by-day index nor a seal names is found by a scan alone', async () => {
    const hidden = batchIdAt('2026-11-23T13:30:00Z');
    await write({ ...intentOf(hidden, { meetingId: OTHER_MEETING }), day: undefined });
    await write({ meetingId: OTHER_MEETING, recordId: 'something else' });
    expect(await named()).toEqual([]);
    expect((await named({ scan: true })).sort()).toEqual(['added something else', `late ${hidden}/intent`]);
  });

  it('who dates records in the future is named before their hour comes', async () => {
    const [skewed = '', soon = '', tomorrow = '', later = '', alone = ''] = [
      ...['2026-11-23T17:10:00Z', '2026-11-23T18:10:00Z', '2026-11-24T10:00:00Z'],
      ...['2027-02-01T10:00:00Z', '2027-02-02T10:00:00Z'],
    ].map(batchIdAt);
    const elsewhere = '11111111-52c8-4d6f-9a0b-7d2f5e8c1b34';
    await write(intentOf(skewed), intentOf(soon, { meetingId: elsewhere }), intentOf(later));
    await write(intentOf(tomorrow, { meetingId: OTHER_MEETING }));
    await write(intentOf(alone, { meetingId: '22222222-52c8-4d6f-9a0b-7d2f5e8c1b34' }));
    const { findings } = await world.verify();
    const met = [soon, tomorrow, later].map((id) => `added ${id}/intent`);
    expect(namesOf(findings).sort()).toEqual(met);
    expect(findings[0]?.detail).toBe('dated in the future');
    expect((await named({ scan: true })).sort()).toEqual([...met, `added ${alone}/intent`]);
  });

  it('who removes the intent of an open batch is named, and the batch stays named', async () => {
    const open = batchIdAt('2026-11-23T14:10:00Z');
    await write(intentOf(open));
    await world.sealThrough('2026-11-23T14Z');
    await world.remove(await itemWith(`${open}/intent`));
    expect(await named()).toEqual([`removed ${open}/intent`]);
  });
});

describe('a tamperer of the seals', () => {
  beforeEach(async () => {
    await write(...settled(batchIdAt('2026-11-23T15:45:58.123Z')));
    await world.sealThrough('2026-11-23T18Z');
  });

  it('who deletes an hour is named, and its records are counted as without a seal', async () => {
    await removeSeal('2026-11-23T15Z');
    expect(await world.verify()).toMatchObject({
      findings: [{ finding: 'seal missing', hour: '2026-11-23T15Z' }],
      counts: { uncovered: 2 },
    });
  });

  it('who hides an hour by a delete marker and puts another object there is named', async () => {
    const original = await textOf('2026-11-23T15Z');
    await deleteSeal('2026-11-23T15Z');
    await putSeal('2026-11-23T15Z', original.replace('"records":[', '"records":[ '));
    const { findings, counts } = await world.verify();
    expect(namesOf(findings)).toEqual(['seal replaced 2026-11-23T15Z']);
    expect(findings[0]?.detail).toBe('2 versions and 1 delete markers');
    expect(counts.same).toBe(2);
  });

  it('who rewrites an hour alone breaks the chain', async () => {
    const original = await textOf('2026-11-23T15Z');
    await removeSeal('2026-11-23T15Z');
    await putSeal('2026-11-23T15Z', original.replace('"open":[]', '"open":[ ]'));
    expect(await named()).toEqual([
      'other date 2026-11-23T15Z',
      'sealed late 2026-11-23T15Z',
      'chain broken 2026-11-23T16Z',
    ]);
  });

  it.each([
    ['the first', FIRST, ['seal missing 2026-11-23T13Z']],
    ['the last, once it had to be there', '2026-11-23T18Z', ['seal missing 2026-11-23T18Z']],
  ])('who deletes %s is named', async (_what, hour, expected) => {
    await removeSeal(hour);
    expect(await named({ nowMs: sealDueMs('2026-11-23T18Z') + 2 * HOUR_MS - 60_000 })).toEqual(expected);
  });

  it('who puts an object there that is no seal is named', async () => {
    await putSeal('2026-11-23T19Z', '{}');
    expect(await named()).toEqual(['seal unreadable 2026-11-23T19Z']);
  });

  it('who takes the key of an hour first is named, and does not hide a change once the hour is sealed anew', async () => {
    const id = batchIdAt('2026-11-23T19:30:00Z');
    await write(...settled(id));
    await putSeal('2026-11-23T19Z', '{}');
    await deleteSeal('2026-11-23T19Z');
    await world.sealThrough('2026-11-23T20Z');
    await world.put({ ...(await itemWith(`${id}/outcome`)), state: { S: 'FAILED' } });
    expect(await named()).toEqual([
      'seal replaced 2026-11-23T19Z',
      'seal unreadable 2026-11-23T19Z',
      `changed ${id}/outcome`,
    ]);
  });

  it('is found too where only later hours are asked for', async () => {
    const original = await textOf('2026-11-23T15Z');
    await removeSeal('2026-11-23T15Z');
    await putSeal('2026-11-23T15Z', `${original}\n`);
    const range = { sinceMs: Date.parse('2026-11-23T16:00:00Z') };
    expect(await named({ range })).toEqual(['chain broken 2026-11-23T16Z']);
  });

  it('who rewrites the whole chain from its first seal is shown by the dates of the objects alone', async () => {
    const hours = ['13', '14', '15', '16', '17', '18'].map((hour) => `2026-11-23T${hour}Z`);
    const [item] = (await world.items()).filter(({ kind }) => kind?.S === 'outcome');
    const forged = { ...item, state: { S: 'FAILED' } } as Item;
    await world.put(forged);
    let previous: Seal['previous'] = null;
    for (const hour of hours) {
      const seal = sealOfText(await textOf(hour)) as Seal;
      const records = seal.records.map((row) => (row[1] === forged['recordId']?.S ? rowOfItem(forged) : row));
      const text = textOfSeal({ ...seal, records, previous });
      await removeSeal(hour);
      await putSeal(hour, text);
      previous = { hour, sha256: sha256(text) };
    }
    const { findings } = await world.verify();
    expect(new Set(findings.map(({ finding }) => finding))).toEqual(new Set(['other date', 'sealed late']));
    expect(findings.filter(({ finding }) => finding === 'other date').map(({ hour }) => hour)).toEqual(
      // The last one is forged within minutes of the time that it names.
      hours.slice(0, -1),
    );
    const copy: SealSource = {
      ...world.seals,
      hasDates: false,
      async *list(from) {
        for await (const stored of world.seals.list(from)) {
          const versions = stored.versions.map((version) => ({ ...version, lastModifiedMs: undefined }));
          yield { ...stored, versions };
        }
      },
    };
    expect(await named({ seals: copy })).toEqual([]);
  });
});
