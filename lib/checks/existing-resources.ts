import { Stack, Token } from 'aws-cdk-lib';
import { CfnDomainName, type IDomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import { CfnGlobalTable, CfnTable, type ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { TABLES, type TableName } from '../../lambda/audit/schema.ts';
import type { CustomDomain } from '../attendee-api.ts';
import type { AuditTableSet } from '../audit-tables.ts';
import type { FacadeSettings } from '../settings/props.ts';
import { isAwsOwn, problemWithKey } from '../table-encryption.ts';

/** What a facade is handed instead of making it. */
export interface ExistingResources {
  tables: Partial<AuditTableSet> | undefined;
  encryptionKey: IKey | undefined;
  userPool: IUserPool | undefined;
  domain: CustomDomain | IDomainName | undefined;
  alarmTopic: ITopic | undefined;
}

/** What is certainly wrong with what a facade of a stack is handed, as `prop: sentence`; what is only known at deployment passes. */
export function* problemsWithExistingResources(
  existingResources: ExistingResources,
  settings: FacadeSettings,
  stack: Stack,
): Generator<string> {
  yield* problemsWithTables(existingResources, settings, stack);
  const { encryptionKey, userPool, domain, alarmTopic } = existingResources;
  if (encryptionKey !== undefined) {
    const problem = problemWithKey(encryptionKey);
    if (problem !== undefined) yield `encryptionKey: ${problem}`;
    // Of another account, it may be open to this one.
    yield* problemsWithRegion('encryptionKey', placeOf(encryptionKey, encryptionKey.keyArn), stack);
  }
  if (userPool !== undefined) {
    if ((settings.issuers ?? []).length > 0) {
      yield 'userPool: is given beside issuers, so it would be ignored; remove one of them';
    }
    yield* problemsWithPlace(
      'userPool',
      placeOf(userPool, userPool.userPoolArn),
      stack,
      ', or name the pool among the issuers',
    );
  }
  if (domain !== undefined) yield* problemsWithDomain(domain, stack);
  if (alarmTopic !== undefined) {
    // One of another account may let this one's alarms in.
    yield* problemsWithRegion('alarmTopic', placeOf(alarmTopic, alarmTopic.topicArn), stack);
    if (alarmTopic.fifo) {
      yield 'alarmTopic: is a FIFO topic, to which alarms cannot publish, so nobody would be told; hand in a standard topic';
    }
    if (alarmTopic.masterKey?.keyArn.endsWith(':alias/aws/sns')) {
      yield "alarmTopic: is encrypted by aws/sns, AWS's own key, which alarms may not use, so nobody would be told; encrypt it by a key of your own";
    }
  }
}

function* problemsWithTables(
  { tables = {}, encryptionKey }: ExistingResources,
  { limits }: FacadeSettings,
  stack: Stack,
): Generator<string> {
  const names = Object.keys(TABLES) as TableName[];
  const given = names.flatMap((name) => {
    const table = tables[name];
    return table === undefined ? [] : [{ name, table }];
  });
  for (const [index, { name, table }] of given.entries()) {
    const prop = `tables.${name}`;
    const same = given.slice(0, index).find((other) => other.table.tableName === table.tableName);
    if (same !== undefined) {
      yield `${prop}: is the table that is given as ${same.name} too, so records of two kinds would be taken for each other; hand in a table for each`;
    }
    const wanted = `${TABLES[name].partitionKey} S, ${TABLES[name].sortKey} S`;
    const key = keyTextOf(table);
    if (key !== undefined && key !== wanted) {
      yield `${prop}: has the key ${key}, so nothing could be written or found there; hand in a table with the key ${wanted}, such as one of AuditTables`;
    }
    if (table.encryptionKey !== undefined && !isAwsOwn(table.encryptionKey)) {
      const problem = problemWithKey(table.encryptionKey);
      if (problem !== undefined) yield `${prop}.encryptionKey: ${problem}`;
    }
    yield* problemsWithPlace(prop, placeOf(table, table.tableArn), stack);
  }
  if (given.length < names.length) return;
  const ignored = {
    encryptionKey,
    'limits.tableWriteUnitsPerSecond': limits?.tableWriteUnitsPerSecond,
    'limits.tableReadUnitsPerSecond': limits?.tableReadUnitsPerSecond,
  };
  for (const [prop, value] of Object.entries(ignored)) {
    if (value !== undefined) {
      yield `${prop}: is for tables that are made, but all three are handed in, so it would be ignored; remove it, and give it to the tables where they are made`;
    }
  }
}

function* problemsWithDomain(domain: CustomDomain | IDomainName, stack: Stack): Generator<string> {
  if (!('certificate' in domain)) {
    yield* problemsWithPlace('domain', placeOf(domain), stack);
    const { defaultChild } = domain.node;
    if (defaultChild instanceof CfnDomainName && defaultChild.securityPolicy === SecurityPolicy.TLS_1_0) {
      yield 'domain: takes TLS 1.0, so tokens could be read on their way by whoever breaks it; make it with TLS 1.2 or newer';
    }
    return;
  }
  const { name, certificate, hostedZone } = domain;
  yield* problemsWithPlace('domain.certificate', placeOf(certificate, certificate.certificateArn), stack);
  if (hostedZone === undefined) return;
  const { account } = hostedZone.env;
  if (isElsewhere(account, stack.account)) {
    yield `domain.hostedZone: is of the account ${account}, but the stack goes to ${stack.account}, from where no record can be made in it; leave it out, and make the record there`;
  }
  const zoneName = zoneNameOf(hostedZone);
  if (zoneName === undefined) return;
  const labels = (host: string) => `.${host.toLowerCase().replace(/\.$/, '')}`;
  const areKnown = ![name, zoneName].some((text) => Token.isUnresolved(text));
  if (areKnown && !labels(name).endsWith(labels(zoneName))) {
    yield `domain.hostedZone: is ${zoneName}, which ${name} is not in, so the record would never be found; hand in the zone of the name, or none`;
  }
}

/** The name of a zone; undefined where it is known by its id alone, which is how CDK throws. */
function zoneNameOf(zone: IHostedZone): string | undefined {
  try {
    return zone.zoneName;
  } catch {
    return undefined;
  }
}

interface Place {
  region: string;
  account: string;
}

/** Where a resource is: as its ARN says, if that is written out, since not all that CDK imports by an ARN is placed by it. */
function placeOf({ env }: { readonly env: Place }, arn = ''): Place {
  const [, , , region = '', account = ''] = arn.split(':');
  return { region: region || env.region, account: account || env.account };
}

/** @param orElse what else can be done, with which the sentence ends */
function* problemsWithRegion(prop: string, place: Place, { region }: Stack, orElse = ''): Generator<string> {
  if (isElsewhere(place.region, region)) {
    yield `${prop}: is in ${place.region}, but the stack goes to ${region}, where it cannot be used; hand in one of ${region}${orElse}`;
  }
}

function* problemsWithPlace(prop: string, place: Place, stack: Stack, orElse = ''): Generator<string> {
  yield* problemsWithRegion(prop, place, stack, orElse);
  const { account } = stack;
  if (isElsewhere(place.account, account)) {
    yield `${prop}: is of the account ${place.account}, but the stack goes to ${account}, where it cannot be used; hand in one of ${account}${orElse}`;
  }
}

/** Whether a Region, or an account, is certainly another. */
export function isElsewhere(place: string, here: string): boolean {
  return ![place, here].some((name) => Token.isUnresolved(name)) && place !== here;
}

/** The key of a table of the app, such as `meetingId S, recordId S`; undefined for what was made elsewhere. */
function keyTextOf({ node }: ITable): string | undefined {
  const { defaultChild: table } = node;
  if (!(table instanceof CfnTable || table instanceof CfnGlobalTable)) return undefined;
  const { key, attributes } = Stack.of(table).resolve({
    key: table.keySchema,
    attributes: table.attributeDefinitions,
  });
  const typeOf = (name: string) =>
    attributes.find(({ attributeName }: { attributeName: string }) => attributeName === name)?.attributeType;
  return key
    .map(({ attributeName }: { attributeName: string }) => `${attributeName} ${typeOf(attributeName)}`)
    .join(', ');
}
