import { DynamoDBClient, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuditLog } from '../../../lambda/audit/audit-log.ts';
import type { AuditLog } from '../../../lambda/audit/ports.ts';
import {
  type AdmissionRecord,
  type AuditRecord,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from '../../../lambda/audit/records.ts';
import { startWire } from '../../support/faults/wire.ts';
import { startTables } from '../../support/tables.ts';

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const QUICK = { timeoutMs: 5_000 };
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;
const caller = {
  issuer: 'https://idp.example.com',
  clientId: 'backend',
  subject: 'service',
  sourceIp: '192.0.2.1',
  userAgent: '',
  gatewayRequestId: 'gateway-1',
};

let tables: Awaited<ReturnType<typeof startTables>>;
let auditLog: AuditLog;
let batches = 0;
beforeAll(async () => {
  tables = await startTables();
  auditLog = createAuditLog(tables.client, tables);
}, 60_000);
afterAll(() => tables.close());

const base = <K extends AuditRecord['kind']>(kind: K, batchId = `20261123T134558123Z-${batches++}`) => ({
  meetingId: MEETING,
  recordId: recordId(batchId, kind),
  batchId,
  kind,
  recordedAt: '2026-11-23T13:45:58.123Z',
  writerId: 'one',
});
const newIntent = (): IntentRecord => ({
  ...base('intent'),
  callerId: 'https://idp.example.com|backend|service',
  day: '2026-11-23',
  caller,
  requested: [{ externalUserId: 'alice', capabilities: EVERYTHING }, { externalUserId: 'bob' }],
  deadline: '2026-11-23T13:46:13.123Z',
});
const newOutcome = (names: string[] = ['alice']): OutcomeRecord => ({
  ...base('outcome'),
  state: 'ISSUED',
  writtenBy: 'handler',
  issued: names.map((name, index) => ({
    externalUserId: name,
    attendeeId: `attendee-${batches}-${index}`,
    capabilities: EVERYTHING,
    tokenFingerprint: 'sha256:00',
  })),
  withheld: [],
  errors: [],
  admissions: 'written',
  expiresAt: 1_800_000_000,
});
async function admissionsOfBatch({ batchId }: OutcomeRecord): Promise<AdmissionRecord[]> {
  const { Items } = await tables.client.send(
    new ScanCommand({ TableName: tables.admissionTableName, ConsistentRead: true }),
  );
  return (Items ?? [])
    .map((item) => unmarshall(item) as AdmissionRecord)
    .filter((admission) => admission.batchId === batchId);
}

describe('the audit log', () => {
  it('rejects when no answer arrives in time', async () => {
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const unreachable = createAuditLog(client, tables);
    await expect(unreachable.recordIntent(newIntent(), { timeoutMs: 500 })).rejects.toThrow();
  });
});

describe('the admissions of an outcome', () => {
  it('answer by user and by attendee, all 25 of them, a user twice if it was admitted twice', async () => {
    const names = Array.from({ length: 25 }, (_, i) => (i < 2 ? 'twice' : `user-${i}`));
    const outcome = newOutcome(names);
    await auditLog.recordAdmissions(outcome, QUICK);

    const twice = await tables.client.send(
      new QueryCommand({
        TableName: tables.admissionTableName,
        KeyConditionExpression: 'externalUserId = :user',
        ExpressionAttributeValues: { ':user': { S: 'twice' } },
      }),
    );
    expect(twice.Items?.map((item) => unmarshall(item))).toEqual(
      outcome.issued.slice(0, 2).map(({ attendeeId }) => ({
        externalUserId: 'twice',
        admissionId: `${outcome.batchId}/${attendeeId}`,
        attendeeId,
        batchId: outcome.batchId,
        meetingId: MEETING,
        expiresAt: 1_800_000_000,
      })),
    );
    const last = await tables.client.send(
      new QueryCommand({
        TableName: tables.admissionTableName,
        IndexName: 'by-attendee',
        KeyConditionExpression: 'attendeeId = :attendee',
        ExpressionAttributeValues: { ':attendee': { S: outcome.issued.at(-1)?.attendeeId ?? '' } },
      }),
    );
    expect(last.Items?.[0]).toMatchObject({ externalUserId: { S: 'user-24' }, meetingId: { S: MEETING } });
    const all = await tables.client.send(
      new ScanCommand({ TableName: tables.admissionTableName, Select: 'COUNT' }),
    );
    expect(all.Count).toBe(25);
  });

  it('hold an attendee once if Chime returned it twice for a repeated name', async () => {
    const outcome = newOutcome(['alice', 'bob']);
    const [alice] = outcome.issued as [OutcomeRecord['issued'][number]];
    outcome.issued = [alice, ...outcome.issued];
    await auditLog.recordAdmissions(outcome, QUICK);
    expect((await admissionsOfBatch(outcome)).map(({ externalUserId }) => externalUserId).sort()).toEqual([
      'alice',
      'bob',
    ]);
  });

  it('are reported as not written in time when DynamoDB keeps throttling', async () => {
    const wire = await startWire('dynamodb', tables.url);
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: wire.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    wire.intercept(async ({ body }) => ({
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Buffer.from(JSON.stringify({ UnprocessedItems: body?.['RequestItems'] })),
    }));
    const log = createAuditLog(client, tables);
    await expect(log.recordAdmissions(newOutcome(['alice']), { timeoutMs: 300 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    client.destroy();
    await wire.close();
  });

  it('may be empty', async () => {
    await expect(auditLog.recordAdmissions(newOutcome([]), QUICK)).resolves.toBeUndefined();
  });
});
