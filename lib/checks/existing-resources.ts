import type { Stack } from 'aws-cdk-lib';
import type { IDomainName } from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { TABLES, type TableName } from '../../lambda/audit/schema.ts';
import type { CustomDomain } from '../attendee-api.ts';
import type { AuditTableSet } from '../audit-tables.ts';
import type { FacadeSettings } from '../settings/props.ts';
import { INFINITE_DAYS } from '../settings/time-span.ts';
import { problemWithKey } from '../table-encryption.ts';
import { problemsWithDomain } from './domain-names.ts';
import { problemsWithTables } from './existing-tables.ts';
import { isElsewhere, isKnown } from './known-at-synthesis.ts';
import { placeOf, problemsWithPlace, problemsWithRegion } from './places.ts';

/** Resources that a facade is given instead of creating them. */
export interface ExistingResources {
  tables: Partial<AuditTableSet> | undefined;
  encryptionKey: IKey | undefined;
  userPool: IUserPool | undefined;
  domain: CustomDomain | IDomainName | undefined;
  alarmTopic: ITopic | undefined;
  sealBucket: IBucket | undefined;
}

/** The certain problems of a facade's existing resources, as `prop: problem`; deploy-time values pass. */
export function* problemsWithExistingResources(
  existing: ExistingResources,
  settings: FacadeSettings,
  { stack, recordsEvents }: { stack: Stack; recordsEvents: boolean },
): Generator<string> {
  const { tables = {}, encryptionKey, userPool, domain, alarmTopic, sealBucket } = existing;
  const { retentionDays = INFINITE_DAYS } = settings.audit ?? {};
  yield* problemsWithTables(tables, { hasRetention: retentionDays !== INFINITE_DAYS, stack });
  yield* problemsWithIgnored(existing, settings, recordsEvents);
  if (encryptionKey !== undefined) yield* problemsWithEncryptionKey(encryptionKey, stack);
  if (userPool !== undefined) yield* problemsWithUserPool(userPool, settings, stack);
  if (domain !== undefined) yield* problemsWithDomain(domain, stack);
  if (alarmTopic !== undefined) yield* problemsWithTopic(alarmTopic, stack);
  if (sealBucket !== undefined) yield* problemsWithSealBucket(sealBucket, settings, stack);
}

function* problemsWithIgnored(
  { tables = {}, encryptionKey }: ExistingResources,
  { limits }: FacadeSettings,
  recordsEvents: boolean,
): Generator<string> {
  const names = Object.keys(TABLES).filter((name) => name !== 'events' || recordsEvents) as TableName[];
  if (names.some((name) => tables[name] === undefined)) return;
  const ignored = {
    encryptionKey,
    'limits.tableWriteUnitsPerSecond': limits?.tableWriteUnitsPerSecond,
    'limits.tableReadUnitsPerSecond': limits?.tableReadUnitsPerSecond,
  };
  for (const [prop, value] of Object.entries(ignored)) {
    if (value !== undefined) {
      yield `${prop}: applies to tables that Usher creates, but all of them are given, so it would be ignored; remove it, and set it where the tables are created`;
    }
  }
}

function* problemsWithEncryptionKey(key: IKey, stack: Stack): Generator<string> {
  const problem = problemWithKey(key);
  if (problem !== undefined) yield `encryptionKey: ${problem}`;
  // A topic in another account may be open to this one.
  yield* problemsWithRegion('encryptionKey', placeOf(key, key.keyArn), stack);
}

function* problemsWithUserPool(
  userPool: IUserPool,
  { issuers = [] }: FacadeSettings,
  stack: Stack,
): Generator<string> {
  if (issuers.length > 0) {
    yield 'userPool: is given together with issuers, so it would be ignored; remove one of them';
  }
  const orElse = ', or list the pool under issuers';
  yield* problemsWithPlace('userPool', placeOf(userPool, userPool.userPoolArn), stack, orElse);
  const { userPoolId } = userPool;
  // A pool's id begins with its Region, which CDK ignores for a pool imported by its id.
  const [, region] = (isKnown(userPoolId) && /^([a-z0-9-]+)_[^_]+$/.exec(userPoolId)) || [];
  if (region !== undefined && !isElsewhere(placeOf(userPool, userPool.userPoolArn).region, stack.region)) {
    yield* problemsWithRegion('userPool', { region }, stack, orElse);
  }
}

function* problemsWithTopic(topic: ITopic, stack: Stack): Generator<string> {
  // A topic in another account may accept this one's alarms.
  yield* problemsWithRegion('alarmTopic', placeOf(topic, topic.topicArn), stack);
  if (topic.fifo) {
    yield 'alarmTopic: is a FIFO topic, and alarms cannot publish to one, so no one would be notified; use a standard topic';
  }
  if (topic.masterKey?.keyArn.endsWith(':alias/aws/sns')) {
    yield 'alarmTopic: is encrypted with the AWS managed key aws/sns, which alarms cannot use, so no one would be notified; encrypt it with a customer managed key';
  }
}

function* problemsWithSealBucket(
  bucket: IBucket,
  { seals = {} }: FacadeSettings,
  stack: Stack,
): Generator<string> {
  // One of another account may let the sealer in.
  yield* problemsWithRegion('sealBucket', placeOf(bucket), stack);
  if (seals.enabled === false) {
    yield 'sealBucket: is given, but seals.enabled is false, so it would be ignored; remove one of them';
  }
  for (const name of ['lock', 'lockDays'] as const) {
    if (seals[name] !== undefined) {
      yield `seals.${name}: is for a bucket that is created, but sealBucket is given, so it would be ignored; remove it, and lock the bucket where it is created (docs/seal-bucket.md)`;
    }
  }
  if (bucket.encryptionKey !== undefined) {
    yield 'sealBucket: is encrypted by a key that the sealer may not use, so nothing would be sealed; give a bucket with SSE-S3';
  }
}
