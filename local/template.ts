import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { API_TYPES, type ApiDescription, readApi } from './api-template.ts';
import type { BucketDescription } from './buckets.ts';
import {
  bucketName,
  createResolver,
  functionArn,
  type Properties,
  physicalName,
  type Resolve,
  resourcesOf,
  type Template,
  type TemplateContext,
} from './cloudformation.ts';
import type { FunctionDescription } from './lambda/function-description.ts';
import { readRule, type ScheduleDescription, type SubscriptionDescription } from './rules.ts';

/** What one machine runs of a stack. */
export interface LocalStack {
  functions: FunctionDescription[];
  schedules: ScheduleDescription[];
  subscriptions: SubscriptionDescription[];
  tables: CreateTableCommandInput[];
  buckets: BucketDescription[];
  api: ApiDescription;
  outputs: Record<string, unknown>;
}

const USED = [
  ...API_TYPES,
  'AWS::DynamoDB::GlobalTable',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
];

/** Known, and without effect on one machine: permissions, logs, alarms, keys, what only a deployment needs. */
const INERT = [
  'AWS::ApiGateway::Account',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::CodeDeploy::Application',
  'AWS::CodeDeploy::DeploymentGroup',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::Queue',
  'AWS::SQS::QueuePolicy',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
];

/**
 * Reads from a synthesized template what one machine runs of it.
 *
 * @throws where the template holds a resource type, an intrinsic function or a setting that is not modelled here:
 * running something else than what would be deployed, silently, is the one thing this system must not do
 */
export function readTemplate(template: Template, context: TemplateContext): LocalStack {
  for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
    if (Type.startsWith('AWS::Cognito::')) {
      throw new Error(
        'This configuration creates a Cognito user pool, which cannot run on one machine: configure `issuers`.',
      );
    }
    if (Type === 'AWS::ApiGateway::DomainName' || Type === 'AWS::ApiGateway::BasePathMapping') {
      throw new Error(
        'This configuration has a domain name of its own, which leads nowhere on one machine: remove `domain`.',
      );
    }
    if (!USED.includes(Type) && !INERT.includes(Type)) {
      throw new Error(`The local system does not know the resource type ${Type} (${logicalId}).`);
    }
  }
  const resolve = createResolver(template, context);
  const functions = resourcesOf(template, 'AWS::Lambda::Function').map(([id, properties]) =>
    readFunction(id, resolve(properties) as Properties, aliasOf(id, template, resolve), context),
  );
  const tables = [
    ...resourcesOf(template, 'AWS::DynamoDB::Table'),
    ...resourcesOf(template, 'AWS::DynamoDB::GlobalTable'),
  ].map(([id, properties]) => readTable(id, pick(properties, TABLE_PROPERTIES, resolve), context));
  const buckets = resourcesOf(template, 'AWS::S3::Bucket').map(([id, properties]) =>
    readBucket(id, resolve(properties) as Properties, context),
  );
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, { Value }]) => [name, resolve(Value)]),
  );
  const rules = resourcesOf(template, 'AWS::Events::Rule').map(([id, properties]) =>
    readRule(id, resolve(properties) as Properties, functions),
  );
  return {
    functions,
    schedules: rules.flatMap(({ schedules }) => schedules),
    subscriptions: rules.flatMap(({ subscriptions }) => subscriptions),
    tables,
    buckets,
    api: readApi(template, resolve, context),
    outputs,
  };
}

function pick(properties: Properties, names: string[], resolve: Resolve): Properties {
  return Object.fromEntries(
    names.filter((name) => name in properties).map((name) => [name, resolve(properties[name])]),
  );
}

/** The alias by which a function is invoked, where it has one. */
function aliasOf(logicalId: string, template: Template, resolve: Resolve): string | undefined {
  const [alias, ...others] = resourcesOf(template, 'AWS::Lambda::Alias').filter(
    ([, { FunctionName: name }]) => (name as { Ref?: string }).Ref === logicalId,
  );
  if (others.length > 0) {
    throw new Error(`The function ${logicalId} has several aliases: the local system runs one version only.`);
  }
  return alias && String(resolve(alias[1]['Name']));
}

function readFunction(
  logicalId: string,
  properties: Properties,
  alias: string | undefined,
  context: TemplateContext,
): FunctionDescription {
  const name = physicalName(logicalId, properties['FunctionName'], context);
  const code = properties['Code'] as { S3Key?: string };
  if (code.S3Key === undefined)
    throw new Error(`The function ${logicalId} has no bundled asset as its code.`);
  const runtime = String(properties['Runtime']);
  if (!runtime.startsWith('nodejs'))
    throw new Error(`The function ${logicalId} runs on ${runtime}, not here.`);
  const { LogGroup, LogFormat, ApplicationLogLevel } = (properties['LoggingConfig'] ?? {}) as Record<
    string,
    string
  >;
  const variables = (properties['Environment'] as { Variables?: Record<string, string> } | undefined)
    ?.Variables;
  return {
    name,
    arn: [functionArn(name, context), ...(alias === undefined ? [] : [alias])].join(':'),
    handler: properties['Handler'] as string,
    directory: context.assetDirectory(code.S3Key),
    environment: variables ?? {},
    timeoutMs: Number(properties['Timeout'] ?? 3) * 1000,
    memoryMb: Number(properties['MemorySize'] ?? 128),
    runtime,
    logging: {
      group: LogGroup ?? `/aws/lambda/${name}`,
      ...(LogFormat && { format: LogFormat }),
      ...(ApplicationLogLevel && { level: ApplicationLogLevel }),
    },
  };
}

/** What else a bucket has (encryption, its policy, expiry) has no counterpart on one machine. */
function readBucket(logicalId: string, properties: Properties, context: TemplateContext): BucketDescription {
  const { Rule: rule } = (properties['ObjectLockConfiguration'] ?? {}) as {
    Rule?: { DefaultRetention: { Mode: 'GOVERNANCE' | 'COMPLIANCE'; Days: number } };
  };
  const name = bucketName(logicalId, properties['BucketName'], context);
  if (rule === undefined) return { name };
  return { name, lock: { mode: rule.DefaultRetention.Mode, days: rule.DefaultRetention.Days } };
}

// What else a table may have (encryption, recovery, protection, TTL, tags) has no counterpart on one machine.
const TABLE_PROPERTIES = [
  'TableName',
  'KeySchema',
  'AttributeDefinitions',
  'BillingMode',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
];

function readTable(
  logicalId: string,
  properties: Properties,
  context: TemplateContext,
): CreateTableCommandInput {
  if (properties['BillingMode'] !== 'PAY_PER_REQUEST') {
    throw new Error(`The table ${logicalId} is not billed on demand: the local system knows nothing else.`);
  }
  const indexes = (properties['GlobalSecondaryIndexes'] ?? []) as Properties[];
  const table: Properties = {
    ...properties,
    TableName: physicalName(logicalId, properties['TableName'], context),
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map((index) =>
        pick(index, ['IndexName', 'KeySchema', 'Projection'], (value) => value),
      ),
    }),
  };
  return table as unknown as CreateTableCommandInput;
}
