import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { Finding } from '../../cli/audit/seals/findings.ts';
import { type SealSource, sealsInBucket } from '../../cli/audit/seals/source.ts';
import { noVerifyCounts, type VerifyRequest, verifySeals } from '../../cli/audit/seals/verify.ts';
import { sealDueMs } from '../../lambda/audit/seals.ts';
import { startS3 } from '../../local/s3/server.ts';
import { CREDENTIALS, collect, createTestTables, REGION } from './audit-command.ts';
import { createTestSealer } from './test-sealer.ts';

export type Item = Record<string, AttributeValue>;

/** A table of facts with seals, over HTTP, and a tamperer with all rights to both. */
export type SealedTable = Awaited<ReturnType<typeof createSealedTable>>;

let buckets = 0;

/** @param firstHour the first that is sealed */
export async function createSealedTable(databaseUrl: string, firstHour: string) {
  let nowMs = sealDueMs(firstHour);
  const tables = await createTestTables(databaseUrl, 'sealed');
  const s3Server = await startS3({ nowMs: () => nowMs });
  const s3 = new S3Client({ region: REGION, endpoint: s3Server.url, credentials: CREDENTIALS });
  buckets += 1;
  const place = { bucket: `seals-${buckets}`, prefix: 'usher/' };
  const seals: SealSource = sealsInBucket(s3, place.bucket, place.prefix);
  const { client, auditTableName: TableName } = tables;
  const sealer = createTestSealer(s3, place, tables, (timeMs) => {
    nowMs = timeMs;
  });
  let isBegun = false;

  return {
    tables,
    s3,
    ...place,
    s3Url: s3Server.url,
    seals,
    now: () => nowMs,
    /** The clock of the bucket, and of the verification. */
    setClock(timeMs: number) {
      nowMs = timeMs;
    },
    /** Seals every hour that is due until one is sealed, each when it is due. */
    async sealThrough(hour: string): Promise<void> {
      if (!isBegun) await sealer.begin(firstHour);
      isBegun = true;
      if (hour > firstHour) await sealer.through(hour);
    },
    async items(): Promise<Item[]> {
      const items: Item[] = [];
      for await (const page of paginateScan({ client }, { TableName })) items.push(...(page.Items ?? []));
      return items;
    },
    async put(item: Item): Promise<void> {
      await client.send(new PutItemCommand({ TableName, Item: item }));
    },
    async remove({ meetingId, recordId }: Item): Promise<void> {
      await client.send(
        new DeleteItemCommand({
          TableName,
          Key: { meetingId: meetingId as AttributeValue, recordId: recordId as AttributeValue },
        }),
      );
    },
    async verify(over: Partial<VerifyRequest> = {}) {
      const counts = noVerifyCounts();
      const request = { tables, seals, range: {}, nowMs, scan: false, ...over };
      return { findings: await collect(verifySeals(request, counts)), counts };
    },
    async close(): Promise<void> {
      client.destroy();
      s3.destroy();
      await s3Server.close();
    },
  };
}

/** What people would name, without the explanations. */
export function namesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ finding, hour, recordId }) => `${finding} ${recordId ?? hour}`);
}
