import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuditLog } from '../../../lambda/audit/audit-log.ts';
import type { AuditLog } from '../../../lambda/audit/ports.ts';
import type { AuditRecord } from '../../../lambda/audit/records.ts';
import { createDynamoDBClient } from '../../../lambda/aws/clients.ts';
import { denialOf, intentOf, outcomeOf } from '../../support/audit-command.ts';
import { startWire } from '../../support/faults/wire.ts';
import { startTables } from '../../support/tables.ts';

// What writing a fact means, against dynalite and against AWS's own DynamoDB Local (`npm run test:dynamodb-local`), by the
// client that the functions have.

const QUICK = { timeoutMs: 5_000 };
const environment = { ...process.env };

let tables: Awaited<ReturnType<typeof startTables>>;
let wire: Awaited<ReturnType<typeof startWire>>;
let client: DynamoDBClient;
let auditLog: AuditLog;
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  tables = await startTables();
  wire = await startWire('dynamodb', tables.url);
  client = createDynamoDBClient({ region: 'us-east-1', endpoint: wire.url });
  auditLog = createAuditLog(client, tables);
}, 60_000);
afterEach(() => wire.intercept((_, act) => act()));
afterAll(async () => {
  process.env = environment;
  client.destroy();
  await wire.close();
  await tables.close();
});

const batchId = () => `20261123T134558123Z-${randomUUID().replaceAll('-', '').slice(0, 16)}`;
const write = {
  intent: (record: AuditRecord) => auditLog.recordIntent(record as never, QUICK),
  outcome: (record: AuditRecord) => auditLog.recordOutcome(record as never, QUICK),
  denial: (record: AuditRecord) => auditLog.recordDenial(record as never, QUICK),
};
const RECORDS = [intentOf, outcomeOf, denialOf].map((make) => ({ kind: make(batchId()).kind, make }));

async function recorded({ meetingId, recordId }: AuditRecord): Promise<unknown> {
  const { Item } = await tables.client.send(
    new GetItemCommand({
      TableName: tables.auditTableName,
      Key: { meetingId: { S: meetingId }, recordId: { S: recordId } },
      ConsistentRead: true,
    }),
  );
  return Item && unmarshall(Item);
}

describe('a fact', () => {
  it.each(RECORDS)('is stored unchanged, for the kind $kind', async ({ kind, make }) => {
    const record = make(batchId());
    expect(await write[kind](record)).not.toBe(false);
    expect(await recorded(record)).toEqual(record);
  });

  it('may hold empty strings, empty lists, quotes and question marks', async () => {
    const record = intentOf(batchId(), {
      requested: [{ externalUserId: `'; -- ? {"a": 'b'}` }, { externalUserId: 'é «ß»' }],
      caller: { ...intentOf(batchId()).caller, userAgent: '' },
    });
    await auditLog.recordIntent(record, QUICK);
    expect(await recorded(record)).toEqual(record);
  });

  it('may be as large as an item can be', async () => {
    const record = outcomeOf(batchId(), { refusal: { code: 'BadRequest', message: 'x'.repeat(408_000) } });
    expect(await auditLog.recordOutcome(record, QUICK)).toBe(true);
    expect(await recorded(record)).toEqual(record);
  });

  it('is sent as parameters, never inside the statement', async () => {
    const statements: unknown[] = [];
    wire.intercept((step, act) => {
      statements.push(step.body?.['Statement']);
      return act();
    });
    await auditLog.recordDenial(denialOf(batchId()), QUICK);
    expect(statements).toEqual([
      `INSERT INTO "${tables.auditTableName}" VALUE {${Object.keys(denialOf(batchId()))
        .map((name) => `'${name}': ?`)
        .join(', ')}}`,
    ]);
  });

  it.each(RECORDS)('is never overwritten, for the kind $kind', async ({ kind, make }) => {
    const first = make(batchId());
    await write[kind](first);
    const second = { ...first, writerId: 'another', meetingRegion: 'x' };
    // An outcome may be another writer's; with an intent or a denial, that is a failure.
    if (kind === 'outcome') expect(await write[kind](second)).toBe(false);
    else await expect(write[kind](second)).rejects.toThrow('another record has its key');
    expect(await recorded(first)).toEqual(first);
  });

  it.each(RECORDS)(
    'is recognized as its own after a lost answer, for the kind $kind',
    async ({ kind, make }) => {
      const record = make(batchId());
      let attempts = 0;
      wire.intercept(async (step, act) => {
        const reply = await act();
        if (!step.writes) return reply;
        attempts += 1;
        return attempts === 1 ? 'reset' : reply;
      });
      expect(await write[kind](record)).not.toBe(false);
      expect(attempts).toBe(2);
      expect(await recorded(record)).toEqual(record);
    },
  );

  it('is not recognized as its own without a writer, as in earlier versions', async () => {
    const { writerId: _, ...earlier } = outcomeOf(batchId());
    await auditLog.recordOutcome(earlier as never, QUICK);
    expect(await auditLog.recordOutcome(outcomeOf(earlier.batchId), QUICK)).toBe(false);
  });
});

describe('an answer to an INSERT', () => {
  async function answered(__type: string, status = 400) {
    const record = outcomeOf(batchId());
    await auditLog.recordOutcome(record, QUICK);
    const steps: string[] = [];
    wire.intercept(async (step, act) => {
      steps.push(step.name);
      if (!step.writes) return act();
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      return { status, headers, body: Buffer.from(JSON.stringify({ __type, message: 'A message.' })) };
    });
    const written = await auditLog.recordOutcome(record, QUICK).catch((error: Error) => error.name);
    return { written, readBack: steps.some((name) => name.startsWith('GetItem')) };
  }

  it.each(['DuplicateItemException', 'DuplicateItem'])('%s is read back', async (name) => {
    const answer = await answered(`com.amazonaws.dynamodb.v20120810#${name}`);
    expect(answer).toEqual({ written: true, readBack: true });
  });

  it.each([
    'ConditionalCheckFailedException',
    'Duplicate',
    'DuplicateItems',
    'ValidationException',
    'TransactionConflictException',
    'AccessDeniedException',
  ])('%s is not durable', async (name) => {
    const answer = await answered(`com.amazonaws.dynamodb.v20120810#${name}`);
    expect(answer).toEqual({ written: name, readBack: false });
  });

  it('is not durable with status 500', async () => {
    const answer = await answered('com.amazonaws.dynamodb.v20120810#InternalServerError', 500);
    expect(answer).toEqual({ written: 'InternalServerError', readBack: false });
  });
});
