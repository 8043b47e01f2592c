import {
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { SealSource } from '../../../../cli/audit/seals/source.ts';
import { summaryOf } from '../../../../cli/audit/seals/summary.ts';
import { sealKey } from '../../../../lambda/audit/seals.ts';
import { batchIdAt, intentOf, outcomeOf } from '../../../support/audit-command.ts';
import { startDatabase } from '../../../support/database.ts';
import { createSealedTable, namesOf, type SealedTable } from '../../../support/sealed-table.ts';

const FIRST = '2026-11-23T13Z';
const GONE = '2026-11-23T14Z';
const HIDDEN = '2026-11-23T15Z';

let database: Awaited<ReturnType<typeof startDatabase>>;
let world: SealedTable;
const place = (hour: string) => ({ Bucket: world.bucket, Key: sealKey(world.prefix, hour) });
const hide = (hour: string) => world.s3.send(new DeleteObjectCommand(place(hour)));
const remove = async (hour: string) => {
  const { VersionId } = await world.s3.send(new HeadObjectCommand(place(hour)));
  await world.s3.send(new DeleteObjectCommand({ ...place(hour), VersionId }));
};

/** Seals are locked for a day, and the lifecycle has come as far as their third hour. */
beforeAll(async () => {
  database = await startDatabase();
  world = await createSealedTable(database.url, FIRST);
  await world.sealThrough(FIRST);
  await world.s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket: world.bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
      },
    }),
  );
  for (const hour of [GONE, HIDDEN]) {
    const id = batchIdAt(hour.replace('Z', ':30:00Z'));
    for (const record of [intentOf(id), outcomeOf(id)]) await world.put(marshall(record));
  }
  await world.sealThrough('2026-11-24T18Z');
  for (const hour of [FIRST, GONE]) await remove(hour);
  await hide(HIDDEN);
}, 60_000);

afterAll(async () => {
  await world.close();
  await database.close();
});

it('counts seals and their records as expired once the lock has ended, and finds nothing', async () => {
  const { findings, counts } = await world.verify({ scan: true });
  expect(findings).toEqual([]);
  expect(counts).toMatchObject({ expiredSeals: 2, sealExpired: 2, same: 2, uncovered: 0 });
  const request = { tables: world.tables, seals: world.seals, range: {}, nowMs: world.now(), scan: true };
  expect(summaryOf(counts, request)).toContain(
    `2 seals expired (locked for 1 d); the chain is known from ${HIDDEN}.`,
  );
});

it('names a beginning that is gone where no lock is known, unless only later hours are asked for', async () => {
  const seals: SealSource = {
    ...world.seals,
    async *list(from) {
      for await (const stored of world.seals.list(from)) {
        const versions = stored.versions.map((version) => ({
          ...version,
          read: async () => ({ ...(await version.read()), lockedUntilMs: undefined }),
        }));
        yield { ...stored, versions };
      }
    },
  };
  const { findings } = await world.verify({ seals });
  expect(namesOf(findings)).toEqual([`seal missing ${GONE}`, `seal replaced ${HIDDEN}`]);
  expect(findings[0]?.detail).toMatch(/^no object; how long seals are locked is not known, .*--since/);
  const range = { sinceMs: Date.parse('2026-11-23T16:00:00Z') };
  expect((await world.verify({ seals, range })).findings).toEqual([]);
});

it('names a seal that was hidden before its lock ended', async () => {
  const hour = '2026-11-24T12Z';
  await hide(hour);
  expect(namesOf((await world.verify()).findings)).toEqual([`seal replaced ${hour}`]);
});
