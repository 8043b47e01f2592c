import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { hoursAfter } from '../../cli/audit/seals/hours.ts';
import {
  hourAfter,
  hourOfBatch,
  LATE_HOURS,
  rowOfItem,
  type Seal,
  type SealedRow,
  sealDueMs,
  sealKey,
  sha256,
  textOfSeal,
} from '../../lambda/audit/seals.ts';

const chains = new Map<
  string,
  { previous: Seal['previous']; open: Seal['open']; next: string; known: Set<string> }
>();

export async function sealHours(
  { client, bucket, prefix }: { client: S3Client; bucket: string; prefix: string },
  tables: { client: DynamoDBClient; auditTableName: string },
  { firstHour, lastHour, setClock }: { firstHour: string; lastHour: string; setClock(ms: number): void },
): Promise<void> {
  let chain = chains.get(bucket);
  if (chain === undefined) {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    chain = { previous: null, open: [], next: firstHour, known: new Set() };
    chains.set(bucket, chain);
  }
  const items = [];
  for await (const page of paginateScan({ client: tables.client }, { TableName: tables.auditTableName }))
    items.push(...(page.Items ?? []));
  for (; chain.next <= lastHour; chain.next = hourAfter(chain.next)) {
    const hour = chain.next;
    setClock(sealDueMs(hour) + 60_000);
    const rows = items
      .filter(
        (i) => (i['day'] ?? i['denialDay'] ?? (i['kind']?.S === 'outcome' ? {} : undefined)) !== undefined,
      )
      .map(rowOfItem);
    const of = (row: SealedRow) => hourOfBatch(row[1]);
    const key = (row: SealedRow) => `${row[0]}\n${row[1]}`;
    const records = rows.filter((row) => of(row) === hour);
    const openBefore = new Set(chain.open.map(([m, b]) => `${m}\n${b}/outcome`));
    const late = rows.filter(
      (row) =>
        !chain?.known.has(key(row)) &&
        of(row) < hour &&
        (of(row) >= hoursAfter(hour, -LATE_HOURS) || openBefore.has(key(row))),
    );
    const has = new Set(rows.map(key));
    const open: Seal['open'] = [...records, ...late]
      .filter(([m, r]) => r.endsWith('/intent') && !has.has(`${m}\n${r.replace('/intent', '/outcome')}`))
      .map(([m, r]) => [m, r.replace('/intent', '')]);
    open.push(...chain.open.filter(([m, b]) => !has.has(`${m}\n${b}/outcome`)));
    for (const row of [...records, ...late]) chain.known.add(key(row));
    const seal: Seal = {
      version: 1,
      table: tables.auditTableName,
      hour,
      sealedAt: new Date(sealDueMs(hour) + 60_000).toISOString(),
      previous: chain.previous,
      records,
      open,
      late,
    };
    const Body = textOfSeal(seal);
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: sealKey(prefix, hour), Body, IfNoneMatch: '*' }),
    );
    chain.previous = { hour, sha256: sha256(Body) };
    chain.open = open;
  }
}
