import { randomUUID } from 'node:crypto';
import {
  type CreateTableCommandInput,
  DynamoDBClient,
  type DynamoDBClientConfig,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { createAdmissions } from '../../lambda/audit/admissions.ts';
import { createAuditLog } from '../../lambda/audit/audit-log.ts';
import { dayOfBatch, mintBatchId } from '../../lambda/audit/batch-id.ts';
import {
  admissionsOf,
  type CallerFacts,
  callerId,
  type DenialRecord,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from '../../lambda/audit/records.ts';
import { DEFAULT_CAPABILITIES, type IssuedAttendee } from '../../lambda/model/attendees.ts';
import { AuditTables } from '../../lib/audit-tables.ts';
import { createTables } from '../../local/dynamodb.ts';

export const MEETING = '5b1e3f2c-0d4a-4c6b-9e8f-1a2b3c4d2706';
export const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
export const REGION = 'eu-central-1';
export const CALLER: CallerFacts = {
  issuer: 'https://login.example.com',
  clientId: 'backend',
  subject: 'svc-1',
  scope: 'attendees.create',
  sourceIp: '192.0.2.1',
  userAgent: 'curl/8',
  gatewayRequestId: 'g-1',
};

/** The tables of the stack, under names of a test's own. */
export interface TestTables {
  client: DynamoDBClient;
  auditTableName: string;
  admissionTableName: string;
  openIntentTableName: string;
  url: string;
}

const TABLE_PROPERTIES = ['KeySchema', 'AttributeDefinitions', 'BillingMode', 'GlobalSecondaryIndexes'];

/** As the stack has them: the key schemas are typed in one place only. */
function readStack(): (partitionKey: string) => object {
  const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'Audit');
  new AuditTables(stack, 'Tables');
  const tables = Object.values(Template.fromStack(stack).findResources('AWS::DynamoDB::Table'));
  return (partitionKey) => {
    const properties = tables
      .map(({ Properties }) => Properties as Record<string, unknown>)
      .find(({ KeySchema }) => (KeySchema as { AttributeName: string }[])[0]?.AttributeName === partitionKey);
    if (properties === undefined) throw new Error(`No table of the stack has the key ${partitionKey}.`);
    return Object.fromEntries(Object.entries(properties).filter(([name]) => TABLE_PROPERTIES.includes(name)));
  };
}

const tableWithKey = readStack();

function configFor(url: string): DynamoDBClientConfig {
  return { endpoint: url, region: REGION, credentials: CREDENTIALS };
}

/** The stock client. */
export function connect(url: string): DynamoDBClient {
  return new DynamoDBClient(configFor(url));
}

/** Fresh tables, whose names begin with the given one. */
export async function createTestTables(url: string, name: string): Promise<TestTables> {
  const unique = `${name}-${randomUUID()}`;
  const tables = {
    auditTableName: `${unique}-audit`,
    admissionTableName: `${unique}-admissions`,
    openIntentTableName: `${unique}-open`,
  };
  await createTables(configFor(url), [
    { ...tableWithKey('meetingId'), TableName: tables.auditTableName } as CreateTableCommandInput,
    { ...tableWithKey('externalUserId'), TableName: tables.admissionTableName } as CreateTableCommandInput,
    { ...tableWithKey('list'), TableName: tables.openIntentTableName } as CreateTableCommandInput,
  ]);
  return { client: connect(url), ...tables, url };
}

let minted = 0;

/** Different ids for one and the same millisecond, too. */
export function batchIdAt(time: string): string {
  minted += 1;
  return mintBatchId(Date.parse(time), minted.toString(16).padStart(16, '0'));
}

export function issuedTo(externalUserId: string, attendeeId: string): IssuedAttendee {
  return {
    externalUserId,
    attendeeId,
    capabilities: DEFAULT_CAPABILITIES,
    tokenFingerprint: `sha256:${'0'.repeat(32)}`,
  };
}

export function intentOf(batchId: string, over: Partial<IntentRecord> = {}): IntentRecord {
  const caller = over.caller ?? CALLER;
  return {
    meetingId: MEETING,
    recordId: recordId(batchId, 'intent'),
    batchId,
    kind: 'intent',
    recordedAt: '2026-11-23T13:45:58.130Z',
    writerId: 'writer',
    callerId: callerId(caller),
    day: dayOfBatch(batchId),
    caller,
    requested: [{ externalUserId: 'alice' }],
    deadline: '2026-11-23T13:46:13.123Z',
    ...over,
  };
}

export function outcomeOf(batchId: string, over: Partial<OutcomeRecord> = {}): OutcomeRecord {
  return {
    meetingId: MEETING,
    recordId: recordId(batchId, 'outcome'),
    batchId,
    kind: 'outcome',
    recordedAt: '2026-11-23T13:45:58.630Z',
    state: 'ISSUED',
    writtenBy: 'handler',
    writerId: 'writer',
    issued: [issuedTo('alice', 'attendee-alice')],
    withheld: [],
    errors: [],
    admissions: 'written',
    ...over,
  };
}

export function denialOf(batchId: string, over: Partial<DenialRecord> = {}): DenialRecord {
  return {
    meetingId: MEETING,
    recordId: recordId(batchId, 'denial'),
    batchId,
    kind: 'denial',
    recordedAt: '2026-11-23T13:45:58.130Z',
    writerId: 'writer',
    callerId: callerId(CALLER),
    denialDay: dayOfBatch(batchId),
    caller: { scope: 'attendees.create', sourceIp: '192.0.2.1' },
    rule: 'self-own-name',
    requestedCount: 2,
    names: ['bob'],
    ...over,
  };
}

const WRITE = { timeoutMs: 10_000 };

/**
 * Writes as the handler does: intent, admissions, outcome.
 *
 * @param over.entered whether the admissions are written
 * @returns the batch id
 */
export async function writeBatch(
  tables: TestTables,
  batchId: string,
  over: { intent?: Partial<IntentRecord>; outcome?: Partial<OutcomeRecord> | 'none'; entered?: boolean } = {},
): Promise<string> {
  const log = createAuditLog(tables.client, tables);
  await log.recordIntent(intentOf(batchId, over.intent), WRITE);
  if (over.outcome === 'none') return batchId;
  const meetingId = over.intent?.meetingId;
  const outcome = outcomeOf(batchId, { ...(meetingId && { meetingId }), ...over.outcome });
  if (over.entered !== false) {
    await createAdmissions(tables.client, tables).write(admissionsOf(outcome), WRITE);
  }
  await log.recordOutcome(outcome, WRITE);
  return batchId;
}

export async function writeDenial(
  tables: TestTables,
  batchId: string,
  over: Partial<DenialRecord> = {},
): Promise<string> {
  await createAuditLog(tables.client, tables).recordDenial(denialOf(batchId, over), WRITE);
  return batchId;
}

export async function putItem(tables: TestTables, tableName: string, item: object): Promise<void> {
  await tables.client.send(new PutItemCommand({ TableName: tableName, Item: marshall(item) }));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
