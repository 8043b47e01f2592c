import { BatchWriteItemCommand, DescribeTableCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, it, jest } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import { compareAdmissions, NO_COUNTS, rebuildAdmissions } from '../../cli/audit/admission-check.ts';
import { findBatches } from '../../cli/audit/questions.ts';
import { copyFacts } from '../../cli/copy-facts.ts';
import { createTables } from '../../local/dynamodb.ts';
import { DUMMY_CREDENTIALS } from '../../local/lambda/environment.ts';
import {
  batchIdAt,
  collect,
  createTestTables,
  MEETING,
  outcomeOf,
  putItem,
  type TestTables,
  writeBatch,
} from '../support/audit-command.ts';
import { startDatabase } from '../support/database.ts';
import { addFacade, createForeignStack, flat, resourcesOf } from '../support/synthesize.ts';

// The drill of docs/restore.md, as far as it goes without AWS. What is restored is a copy under another name.

jest.setTimeout(60_000);

const NOW_MS = Date.parse('2026-11-23T14:00:00Z');
const DAY = { sinceMs: Date.parse('2026-11-23T00:00:00Z'), untilMs: Date.parse('2026-11-23T13:00:00Z') };

/** A table of the same keys and indexes with the records of an earlier hour. */
async function restore(tables: TestTables, batchIds: readonly string[]): Promise<string> {
  const restored = `${tables.auditTableName}-restored`;
  const { Table: source } = await tables.client.send(
    new DescribeTableCommand({ TableName: tables.auditTableName }),
  );
  await createTables({ region: 'us-east-1', endpoint: tables.url, credentials: DUMMY_CREDENTIALS }, [
    {
      TableName: restored,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: source?.KeySchema,
      AttributeDefinitions: source?.AttributeDefinitions,
      GlobalSecondaryIndexes: (source?.GlobalSecondaryIndexes ?? []).map(
        ({ IndexName, KeySchema, Projection }) => ({
          IndexName,
          KeySchema,
          Projection,
        }),
      ),
    },
  ]);
  for await (const { Items = [] } of paginateScan(
    { client: tables.client },
    { TableName: tables.auditTableName },
  )) {
    const kept = Items.filter((item) => batchIds.includes(String(unmarshall(item)['batchId'])));
    const puts = kept.map((Item) => ({ PutRequest: { Item } }));
    await tables.client.send(new BatchWriteItemCommand({ RequestItems: { [restored]: puts } }));
  }
  return restored;
}

async function recordsIn(tables: TestTables, tableName: string): Promise<string[]> {
  const records: string[] = [];
  for await (const { Items = [] } of paginateScan({ client: tables.client }, { TableName: tableName })) {
    records.push(...Items.map((item) => JSON.stringify(unmarshall(item))));
  }
  return records.toSorted();
}

it('a restored audit has all records once they are copied, and all admissions once they are rebuilt', async () => {
  const database = await startDatabase();
  const tables = await createTestTables(database.url, 'drill');
  const batches = [];
  for (const hour of ['10', '11', '12'])
    batches.push(await writeBatch(tables, batchIdAt(`2026-11-23T${hour}:00:00Z`)));
  const restored = await restore(tables, batches.slice(0, 2));

  // A record that both have and that differs stays as it is.
  const [first = ''] = batches;
  const differing = outcomeOf(first, { chimeRequestId: 'of the restored table' });
  await putItem(tables, restored, differing);
  const copy = { from: tables.auditTableName, to: restored };
  expect(await copyFacts(tables.client, copy)).toEqual({ copied: 2, existing: 4 });
  expect(await copyFacts(tables.client, copy)).toEqual({ copied: 0, existing: 6 });
  const [here, there] = [await recordsIn(tables, restored), await recordsIn(tables, tables.auditTableName)];
  expect(here.filter((record) => !there.includes(record)).map((record) => JSON.parse(record))).toEqual([
    differing,
  ]);
  expect(here).toHaveLength(there.length);

  // A facade on the restored table, with an admission table that is empty.
  const { admissionTableName, openIntentTableName } = await createTestTables(database.url, 'drill-again');
  const asked = { ...tables, auditTableName: restored, admissionTableName, openIntentTableName };
  const found = await collect(findBatches(asked, { about: 'meeting', meetingId: MEETING }, {}, NOW_MS));
  expect(found.map(({ batchId, state }) => [batchId, state])).toEqual(
    batches.map((batchId) => [batchId, 'ISSUED']),
  );
  const counts = { ...NO_COUNTS };
  await collect(rebuildAdmissions(asked, compareAdmissions(asked, DAY, NOW_MS, counts)));
  expect(counts).toMatchObject({ batches: 3, missing: 3 });
  expect(await collect(compareAdmissions(asked, DAY, NOW_MS, { ...NO_COUNTS }))).toEqual([]);
  expect(await recordsIn(tables, admissionTableName)).toEqual(
    await recordsIn(tables, tables.admissionTableName),
  );
  tables.client.destroy();
  await database.close();
});

it('a facade on a restored table writes to that one, may only insert there, and makes no other', () => {
  const stack = createForeignStack();
  addFacade(stack, {
    tables: { audit: Table.fromTableName(stack, 'Restored', 'usher-audit-restored') as ITable },
  });
  const template = Template.fromStack(stack);
  const keys = resourcesOf(template, 'AWS::DynamoDB::Table').map(({ Properties }) =>
    JSON.stringify(Properties['KeySchema']),
  );
  expect(keys.filter((schema) => schema.includes('recordId'))).toEqual([]);
  const statements = resourcesOf(template, 'AWS::IAM::Policy').flatMap(
    ({ Properties }) =>
      (Properties['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] })
        .Statement,
  );
  const actions = statements
    .filter(({ Resource }) =>
      [Resource].flat().some((resource) => flat(resource).includes('usher-audit-restored')),
    )
    .flatMap(({ Action }) => [Action].flat());
  expect(new Set(actions)).toEqual(
    new Set(['dynamodb:PartiQLInsert', 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query']),
  );
  const names = resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties }) =>
    JSON.stringify(Properties['Environment']),
  );
  expect(names.filter((environment) => environment.includes('usher-audit-restored'))).toHaveLength(4);
});
