import { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IConstruct } from 'constructs';

/** The customer-managed keys of tables, each once. */
export function keyArnsOf(...tables: ITable[]): string[] {
  return [...new Set(tables.flatMap(({ encryptionKey }) => encryptionKey?.keyArn ?? []))];
}

/**
 * The condition by which a key can be used for what DynamoDB does on somebody's behalf, and for nothing else
 * (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html, kms:ViaService).
 */
export function throughDynamoDB(scope: IConstruct): Record<string, Record<string, string>> {
  return { StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(scope).region}.amazonaws.com` } };
}
