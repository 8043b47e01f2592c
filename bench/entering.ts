import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { createTables, startDynamoDb } from '../local/dynamodb.ts';
import { DUMMY_CREDENTIALS } from '../local/lambda/environment.ts';
import { checkAnswers } from './audit-check.ts';
import { startBundle } from './processes.ts';
import { against, exact, measured, type Row } from './report.ts';
import { HANDLER_DIRECTORY, RECONCILER_DIRECTORY, type Setting } from './setting.ts';
import { summarize } from './statistics.ts';

const ATTENDEES = 100;

/**
 * What the reconciler's CPU is for a batch whose admissions the function leaves to it, in runs that find so many of them;
 * with real tables, since it reads what it is to enter.
 *
 * @param measuredRows the rows of the other sections, in which the function's own CPU is looked up
 * @throws where an admission is missing at the end
 */
export async function measureEntering(
  setting: Setting,
  measuredRows: readonly Row[],
  { runs, batches }: { runs: number; batches: number },
): Promise<Row[]> {
  const dynamodb = await startDynamoDb();
  const { env, tables, admissionTableName } = setting.reconciler;
  const config = { region: 'us-east-1', endpoint: dynamodb.url, credentials: DUMMY_CREDENTIALS };
  await createTables(config, tables);
  const there = { AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url };
  const handler = await startBundle(HANDLER_DIRECTORY, { env: { ...setting.env, ...there } });
  const reconciler = await startBundle(RECONCILER_DIRECTORY, {
    // It need not wait: no handler is at work when it runs.
    env: { ...env, ...there, RECONCILE_MARGIN_SECONDS: '0.001' },
  });
  const event = await setting.eventFor(ATTENDEES);
  const cpuMs: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    checkAnswers((await handler.run({ event, requests: batches })).answers, ATTENDEES);
    const { cpuMs: ofRun } = await reconciler.run({ event: {}, requests: 1 });
    // The first half is for compiling.
    if (run >= runs / 2) cpuMs.push(ofRun / batches);
  }
  await Promise.all([handler.close(), reconciler.close()]);
  await setting.standIn.take();
  await expectItems(config, admissionTableName, runs * batches * ATTENDEES);
  await dynamodb.close();

  const section = 'the reconciler, entering the admissions of large batches';
  const entering = measured(section, `CPU, reconciler, ${ATTENDEES} attendees`, 'ms', summarize(cpuMs));
  const bareCall = rowNamed(measuredRows, `CPU, (b) bare SDK call, ${ATTENDEES} attendees`);
  const ours = rowNamed(measuredRows, `CPU, function, ${ATTENDEES} attendees`);
  const both = exact(section, 'CPU, function and reconciler', 'ms', ours.median + entering.median);
  return [entering, against(both, bareCall)];
}

function rowNamed(rows: readonly Row[], name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new Error(`No row is called ${name}.`);
  return row;
}

async function expectItems(
  config: ConstructorParameters<typeof DynamoDBClient>[0],
  TableName: string,
  expected: number,
): Promise<void> {
  const client = new DynamoDBClient(config ?? {});
  let count = 0;
  for await (const { Count = 0 } of paginateScan({ client }, { TableName, Select: 'COUNT' })) count += Count;
  client.destroy();
  if (count !== expected) throw new Error(`${count} admissions were entered, and should be ${expected}.`);
}
