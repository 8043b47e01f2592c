import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Template } from '../../local/cloudformation.ts';
import { createTables } from '../../local/dynamodb.ts';
import { readTemplate } from '../../local/template.ts';
import { startDatabase } from './database.ts';
import { issuer, synthesize } from './synthesize.ts';

const REGION = 'us-east-1';

/** A DynamoDB with the tables of the synthesized stack, empty. */
export async function startTables() {
  const template = synthesize({ region: REGION, issuers: [issuer] }).toJSON() as Template;
  const stack = readTemplate(template, {
    stackName: `usher-test-${randomUUID()}`,
    region: REGION,
    accountId: '123456789012',
    assetDirectory: () => '',
  });
  const dynamodb = await startDatabase();
  const config = {
    region: REGION,
    endpoint: dynamodb.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  await createTables(config, stack.tables);
  const client = new DynamoDBClient(config);
  return {
    client,
    url: dynamodb.url,
    auditTableName: stack.outputs['AuditTableName'] as string,
    admissionTableName: stack.outputs['AdmissionTableName'] as string,
    openIntentTableName: stack.outputs['OpenIntentTableName'] as string,
    eventTableName: stack.outputs['EventTableName'] as string,
    async close(): Promise<void> {
      client.destroy();
      await dynamodb.close();
    },
  };
}
