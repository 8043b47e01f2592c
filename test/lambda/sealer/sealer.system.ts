import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mintBatchId } from '../../../lambda/audit/batch-id.ts';
import { createSealStore } from '../../../lambda/audit/seal-store.ts';
import { hourAt, rowOfItem, sealOfText } from '../../../lambda/audit/seals.ts';
import { createObjects } from '../../../lambda/aws/s3-objects.ts';
import { createFacts } from '../../../lambda/sealer/facts.ts';
import { sealDueHours } from '../../../lambda/sealer/seal.ts';
import { createBuckets } from '../../../local/buckets.ts';
import { startS3 } from '../../../local/s3/server.ts';
import { startTables } from '../../support/tables.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-11-24T02:30:00Z');
const PREFIX = 'usher-test/';
const BUCKET = 'seals';

describe('the sealer, with a DynamoDB and an S3', () => {
  let tables: Awaited<ReturnType<typeof startTables>>;
  let s3: Awaited<ReturnType<typeof startS3>>;
  let client: S3;

  beforeAll(async () => {
    [tables, s3] = await Promise.all([startTables(), startS3()]);
    const config = {
      region: 'us-east-1',
      endpoint: s3.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    client = new S3(config);
    await createBuckets(config, [{ name: BUCKET, lock: { mode: 'GOVERNANCE', days: 1 } }]);
  });
  afterAll(async () => {
    client.destroy();
    await Promise.all([tables.close(), s3.close()]);
  });

  const put = async (item: Record<string, unknown>) => {
    const Item = marshall(item);
    await tables.client.send(new PutItemCommand({ TableName: tables.auditTableName, Item }));
    return rowOfItem(Item);
  };
  const run = (nowMs: number) =>
    sealDueHours(nowMs + HOUR_MS, {
      facts: createFacts(tables.client, tables),
      seals: createSealStore(createObjects(client, { bucketName: BUCKET }), { prefix: PREFIX }),
      auditTableName: tables.auditTableName,
      clock: { now: () => nowMs },
      addMetrics: () => {},
      report: () => {},
    });
  const sealOf = async (hour: string) => {
    const { Body } = await client.getObject({ Bucket: BUCKET, Key: `${PREFIX}${hour}.json` });
    return sealOfText((await Body?.transformToString()) ?? '');
  };

  it('finds hundreds of records over the end of a day, items of any form, and its own chain again', async () => {
    expect(await run(NOW_MS - 3 * HOUR_MS)).toMatchObject({ sealed: 1, newest: '2026-11-23T20Z' });
    const beginMs = Date.parse('2026-11-23T22:30:00Z');
    const expected = new Map<string, unknown[]>();
    const wait: Promise<void>[] = [];
    for (let count = 0; count < 260; count += 1) {
      // Over the hour, and over midnight.
      const batchId = mintBatchId(beginMs + count * 30_000, count.toString(16).padStart(16, '0'));
      const day = batchId.replace(/^(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3');
      const hour = hourAt(beginMs + count * 30_000);
      const common = { meetingId: `m-${count % 7}`, batchId, n: 1.5, expiresAt: 1_800_000_000 };
      const items = [
        { ...common, recordId: `${batchId}/intent`, day },
        { ...common, recordId: `${batchId}/outcome`, issued: [{ deep: new Set(['b', 'a']) }] },
      ];
      for (const item of items) {
        wait.push(put(item).then((row) => void expected.set(hour, [...(expected.get(hour) ?? []), row])));
      }
    }
    await Promise.all(wait);
    const denial = { denialDay: '2026-11-23', batchId: '20261123T230000000Z-00000000000000ff' };
    const denied = await put({ ...denial, meetingId: 'm', recordId: `${denial.batchId}/denial` });
    // Put there by hand, with the day of an intent on an outcome.
    const byHand = { day: '2026-11-23', batchId: '20261123T2301', meetingId: 'm' };
    const odd = await put({ ...byHand, recordId: '20261123T2301/outcome', bytes: new Uint8Array([1]) });

    const summary = await run(NOW_MS);
    expect(summary).toMatchObject({ sealed: 3, unsealed: 0, late: 0, broken: 0, newest: '2026-11-23T23Z' });
    const sorted = (rows: unknown[] = []) => rows.map((row) => JSON.stringify(row)).toSorted();
    for (const hour of ['2026-11-23T22Z', '2026-11-23T23Z']) {
      const seal = await sealOf(hour);
      const others = hour === '2026-11-23T23Z' ? [denied, odd] : [];
      expect(sorted(seal?.records)).toEqual(sorted([...(expected.get(hour) ?? []), ...others]));
      expect(seal?.open).toEqual([]);
    }
    expect(await run(NOW_MS + HOUR_MS)).toMatchObject({ sealed: 1, late: 0, newest: '2026-11-24T00Z' });
    expect(sorted((await sealOf('2026-11-24T00Z'))?.records)).toEqual(sorted(expected.get('2026-11-24T00Z')));
  });

  it('writes an object once, and finds the newest after a pause of weeks', async () => {
    const store = createSealStore(createObjects(client, { bucketName: BUCKET }), { prefix: 'other/' });
    expect(await store.newest('2026-11-23T20Z')).toBeUndefined();
    expect(await store.read('2026-11-23T20Z')).toBeUndefined();
    const writes = await Promise.all(
      Array.from({ length: 5 }, (_, index) => store.write('2026-10-01T20Z', `${index}`)),
    );
    expect(writes.filter(Boolean)).toHaveLength(1);
    expect(await store.read('2026-10-01T20Z')).toBe(`${writes.indexOf(true)}`);
    await client.putObject({
      Bucket: BUCKET,
      Key: 'other/2026-10-01T21Z.txt',
      Body: 'no seal',
      IfNoneMatch: '*',
    });
    expect(await store.newest('2026-11-23T20Z')).toBe('2026-10-01T20Z');
    expect(await store.newest('2026-09-30T00Z')).toBeUndefined();
  });

  it('takes bytes that are no text for no seal', async () => {
    const store = createSealStore(createObjects(client, { bucketName: BUCKET }), { prefix: 'bytes/' });
    const Key = 'bytes/2026-10-01T20Z.json';
    await client.putObject({ Bucket: BUCKET, Key, Body: Buffer.from([0x22, 0xff, 0x22]), IfNoneMatch: '*' });
    expect(await store.read('2026-10-01T20Z')).toBe('');
  });
});
