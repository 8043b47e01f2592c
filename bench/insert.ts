import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { insertFact } from '../lambda/audit/insert-fact.ts';
import type { IntentRecord, OutcomeRecord } from '../lambda/audit/records.ts';
import { createDynamoDBClient } from '../lambda/aws/clients.ts';

import { DEFAULT_CAPABILITIES } from '../lambda/model/attendees.ts';
import { createTables } from '../local/dynamodb.ts';
import { DUMMY_CREDENTIALS } from '../local/lambda/environment.ts';
import { startStandInProcess } from './processes.ts';
import { itemBytes, writeUnits } from './request-units.ts';
import type { Item } from './stand-in.ts';
import { summarize } from './statistics.ts';

// What an INSERT costs beside a conditional put of the same record: `npm run bench:insert`. Against the stand-in, which
// answers at once, or with `-- --endpoint URL` against DynamoDB Local, which does the work of both.

const { values } = parseArgs({
  options: { endpoint: { type: 'string' }, rounds: { type: 'string', default: '30' } },
});
const WRITES = 200;
const WARM_UP_ROUNDS = 5;
const REGION = 'us-east-1';

Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: DUMMY_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: DUMMY_CREDENTIALS.secretAccessKey,
});
const standIn = values.endpoint === undefined ? await startStandInProcess() : undefined;
const endpoint = values.endpoint ?? standIn?.urls.dynamodb ?? '';
const auditTableName = `bench-${randomUUID()}`;
if (values.endpoint !== undefined) {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  await createTables({ region: REGION, endpoint, credentials: DUMMY_CREDENTIALS }, [
    {
      TableName: auditTableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [attribute('meetingId'), attribute('recordId')],
      KeySchema: [
        { AttributeName: 'meetingId', KeyType: 'HASH' },
        { AttributeName: 'recordId', KeyType: 'RANGE' },
      ],
    },
  ]);
}
const client = createDynamoDBClient({
  region: REGION,
  endpoint,
  ...(standIn && { requestHandler: { httpsAgent: { keepAlive: true, ca: standIn.certificate } } }),
});
try {
  console.log(
    `${values.endpoint ?? 'the stand-in'}, medians of ${values.rounds} rounds of ${WRITES} writes each`,
  );
  for (const attendees of [1, 100]) {
    for (const make of [intentOf, outcomeOf]) await compare(make, attendees);
  }
} finally {
  client.destroy();
  await standIn?.close();
}

/** Measures both in turns, so that whatever else the machine does is the same for both. */
async function compare(make: (attendees: number) => IntentRecord | OutcomeRecord, attendees: number) {
  const ways = {
    put: (record: IntentRecord | OutcomeRecord) => put(client, record),
    INSERT: (record: IntentRecord | OutcomeRecord) =>
      insertFact(client, { auditTableName }, record, new AbortController().signal),
  };
  const measured = Object.keys(ways).map((way) => ({ way, wallMs: [] as number[], cpuMs: [] as number[] }));
  for (let round = -WARM_UP_ROUNDS; round < Number(values.rounds); round += 1) {
    for (const { way, wallMs, cpuMs } of measured) {
      const records = Array.from({ length: WRITES }, () => make(attendees));
      const before = process.cpuUsage();
      const startedMs = performance.now();
      for (const record of records) await ways[way as keyof typeof ways](record);
      const tookMs = performance.now() - startedMs;
      const { user, system } = process.cpuUsage(before);
      await standIn?.take();
      if (round < 0) continue;
      wallMs.push(tookMs / WRITES);
      cpuMs.push((user + system) / 1_000 / WRITES);
    }
  }
  const record = make(attendees);
  const item = marshall(record) as Item;
  const units = writeUnits({ records: [item], admissions: [] });
  for (const { way, wallMs, cpuMs } of measured) {
    const [wall, cpu] = [summarize(wallMs), summarize(cpuMs)].map(
      ({ median, quartiles }) =>
        `${median.toFixed(3)} (${quartiles.map((ms) => ms.toFixed(3)).join(' to ')}) ms`,
    );
    console.log(
      [
        `${record.kind} of ${attendees}`.padEnd(14),
        way.padEnd(6),
        `wall ${wall}`,
        `CPU ${cpu}`,
        `${itemBytes(item)} bytes, ${units.intents + units.outcomes} write units`,
      ].join('  '),
    );
  }
}

async function put(dynamodb: DynamoDBClient, record: IntentRecord | OutcomeRecord): Promise<void> {
  await dynamodb.send(
    new PutItemCommand({
      TableName: auditTableName,
      Item: marshall(record),
      ConditionExpression: 'attribute_not_exists(recordId)',
    }),
  );
}

function base() {
  const batchId = `20261123T134558123Z-${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  return {
    meetingId: '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34',
    batchId,
    recordedAt: '2026-11-23T13:45:58.123Z',
    writerId: '6f1c2a9b4d3e5f70',
    expiresAt: 1_795_000_000,
  };
}

function namesOf(attendees: number): string[] {
  return Array.from({ length: attendees }, (_, index) => `customer-${String(index).padStart(8, '0')}`);
}

function intentOf(attendees: number): IntentRecord {
  const facts = base();
  return {
    ...facts,
    recordId: `${facts.batchId}/intent`,
    kind: 'intent',
    callerId: 'https://idp.example.com|backend|service',
    day: '2026-11-23',
    caller: {
      issuer: 'https://idp.example.com',
      clientId: 'backend',
      subject: 'service',
      scope: 'attendees.create',
      sourceIp: '192.0.2.1',
      userAgent: 'aws-sdk-js/3.0.0',
      gatewayRequestId: randomUUID(),
    },
    requested: namesOf(attendees).map((externalUserId) => ({
      externalUserId,
      capabilities: DEFAULT_CAPABILITIES,
    })),
    deadline: '2026-11-23T13:46:13.123Z',
  };
}

function outcomeOf(attendees: number): OutcomeRecord {
  const facts = base();
  return {
    ...facts,
    recordId: `${facts.batchId}/outcome`,
    kind: 'outcome',
    state: 'ISSUED',
    writtenBy: 'handler',
    issued: namesOf(attendees).map((externalUserId) => ({
      externalUserId,
      attendeeId: randomUUID(),
      capabilities: DEFAULT_CAPABILITIES,
      tokenFingerprint: `sha256:${'0'.repeat(32)}`,
    })),
    withheld: [],
    errors: [],
    admissions: 'written',
  };
}
