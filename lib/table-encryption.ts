import { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import { ConfigurationError } from './checks/configuration-error.ts';

/** The customer-managed keys of tables, each once. */
export function keyArnsOf(...tables: ITable[]): string[] {
  return [
    ...new Set(
      tables.flatMap(({ encryptionKey: key }) =>
        key === undefined || isAwsOwn(key) ? [] : keyOf(key).keyArn,
      ),
    ),
  ];
}

/** Whether a key is the account's own for DynamoDB, which every user of a table may use. */
export function isAwsOwn({ keyArn }: IKey): boolean {
  return keyArn.endsWith('alias/aws/dynamodb');
}

/**
 * The key behind an alias: policies name keys, and one that names an alias matches nothing
 * (https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html).
 *
 * @throws ConfigurationError if the alias's key is not known at synthesis
 */
export function keyOf(key: IKey): IKey {
  const problem = problemWithKey(key);
  if (problem !== undefined) throw new ConfigurationError(`${key.node.path}: ${problem}`);
  return targetOf(key) as IKey;
}

/** The problem of a key, if any. */
export function problemWithKey(key: IKey): string | undefined {
  const target = targetOf(key);
  return target !== undefined && !target.keyArn.includes(':alias/')
    ? undefined
    : 'is an alias of an unknown key, and a policy cannot name an alias, so the functions could not use the key; pass the key itself';
}

function targetOf(key: IKey): IKey | undefined {
  if (!('aliasName' in key)) return key;
  try {
    return (key as IAlias).aliasTargetKey;
  } catch {
    // CDK's answer for an alias that is known by name only.
    return undefined;
  }
}

/**
 * The condition that allows a key only for DynamoDB's use on behalf of a principal
 * (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html, kms:ViaService).
 */
export function throughDynamoDB(scope: IConstruct): Record<string, Record<string, string>> {
  return { StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(scope).region}.amazonaws.com` } };
}
