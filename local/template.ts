import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import type { FunctionDescription } from './lambda/pool.ts';

/** A synthesized CloudFormation template, as far as it is read here. */
export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown }>;
}

interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

/** What cannot be read from the template itself. */
export interface TemplateContext {
  stackName: string;
  region: string;
  accountId: string;
  /** The directory that CDK would have zipped and uploaded under this S3 object key. */
  assetDirectory(objectKey: string): string;
}

/** The REST API of a template: its OpenAPI document with everything in it resolved. */
export interface ApiDescription {
  apiId: string;
  accountId: string;
  stageName: string;
  document: Record<string, unknown>;
  /** The stage's throttle, as a token bucket. */
  throttle?: Throttle;
  /** The throttles of single methods, by `OPTIONS /path/of/the/{resource}`. */
  methodThrottles?: Record<string, Throttle>;
}

export interface Throttle {
  requestsPerSecond: number;
  burst: number;
}

/** A function that is run again and again. */
export interface ScheduleDescription {
  functionArn: string;
  everyMs: number;
  event: unknown;
}

/** What one machine runs of a stack. */
export interface LocalStack {
  functions: FunctionDescription[];
  schedules: ScheduleDescription[];
  tables: CreateTableCommandInput[];
  api: ApiDescription;
  outputs: Record<string, unknown>;
}

const USED = [
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::DynamoDB::GlobalTable',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
];

/** Known, and without effect on one machine: permissions, logs, alarms, keys, what only a deployment needs. */
const INERT = [
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::Deployment',
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
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
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
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, { Value }]) => [name, resolve(Value)]),
  );
  const schedules = resourcesOf(template, 'AWS::Events::Rule').flatMap(([id, properties]) =>
    readSchedules(id, resolve(properties) as Properties, functions),
  );
  return { functions, schedules, tables, api: readApi(template, resolve, context), outputs };
}

type Properties = Record<string, unknown>;
type Resolve = (value: unknown) => unknown;

function resourcesOf(template: Template, type: string): [string, Properties][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([logicalId, resource]) => [logicalId, resource.Properties ?? {}]);
}

function pick(properties: Properties, names: string[], resolve: Resolve): Properties {
  return Object.fromEntries(
    names.filter((name) => name in properties).map((name) => [name, resolve(properties[name])]),
  );
}

function physicalName(logicalId: string, explicitName: unknown, context: TemplateContext): string {
  return typeof explicitName === 'string' ? explicitName : `${context.stackName}-${logicalId}`;
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

function functionArn(name: string, { region, accountId }: TemplateContext): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** A rule with a rate (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html). */
function readSchedules(
  logicalId: string,
  { ScheduleExpression: expression, EventPattern: pattern, Targets: targets }: Properties,
  functions: FunctionDescription[],
): ScheduleDescription[] {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
  if (count === undefined || unit === undefined || pattern !== undefined) {
    throw new Error(`The rule ${logicalId} is none at a rate: the local system knows nothing else.`);
  }
  return ((targets ?? []) as { Arn: string; Input?: string }[]).map(({ Arn: functionArn, Input: input }) => {
    if (!functions.some(({ arn }) => arn === functionArn)) {
      throw new Error(`The rule ${logicalId} has a target that is none of the stack's functions.`);
    }
    return {
      functionArn,
      everyMs: Number(count) * (UNIT_MS[unit] as number),
      event: JSON.parse(input ?? '{}'),
    };
  });
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

function readApi(template: Template, resolve: Resolve, context: TemplateContext): ApiDescription {
  const [api, ...otherApis] = resourcesOf(template, 'AWS::ApiGateway::RestApi');
  const [stage, ...otherStages] = resourcesOf(template, 'AWS::ApiGateway::Stage');
  if (api === undefined || stage === undefined || otherApis.length + otherStages.length > 0) {
    throw new Error('The local system runs stacks with exactly one REST API and one stage.');
  }
  const [logicalId, { Body: body }] = api;
  if (typeof body !== 'object')
    throw new Error(`The REST API ${logicalId} has no OpenAPI document in the template.`);
  const { StageName: stageName, MethodSettings: settings, Variables: variables } = stage[1];
  if (variables !== undefined) throw new Error('The local system does not know stage variables.');
  const throttles = readThrottles((resolve(settings) ?? []) as Properties[]);
  const { [WHOLE_STAGE]: throttle, ...methodThrottles } = throttles;
  return {
    apiId: apiId(logicalId),
    accountId: context.accountId,
    stageName: resolve(stageName) as string,
    document: resolve(body) as Record<string, unknown>,
    ...(throttle && { throttle }),
    methodThrottles,
  };
}

const WHOLE_STAGE = '* /*';

/** By method and resource; in a stage's settings, a resource has `~1` for each of its slashes but the first (RFC 6901). */
function readThrottles(settings: Properties[]): Record<string, Throttle> {
  return Object.fromEntries(
    settings
      .filter((setting) => 'ThrottlingRateLimit' in setting)
      .map((setting) => {
        const requestsPerSecond = Number(setting['ThrottlingRateLimit']);
        const burst = Number(setting['ThrottlingBurstLimit'] ?? requestsPerSecond);
        const resource = String(setting['ResourcePath']).replace(/^\/~1/, '/').replaceAll('~1', '/');
        return [`${setting['HttpMethod']} ${resource}`, { requestsPerSecond, burst }];
      }),
  );
}

/** API ids are ten characters of a-z and 0-9. */
function apiId(logicalId: string): string {
  return logicalId
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .padEnd(10, '0')
    .slice(-10);
}

/**
 * Evaluates intrinsic functions, as far as CDK's output uses them
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
 */
function createResolver(template: Template, context: TemplateContext): Resolve {
  const pseudoParameters: Record<string, string> = {
    'AWS::AccountId': context.accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': context.region,
    'AWS::StackName': context.stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };

  function ref(name: string): string {
    const pseudo = pseudoParameters[name];
    if (pseudo !== undefined) return pseudo;
    const resource = template.Resources[name];
    if (resource === undefined)
      throw new Error(`The template refers to ${name}, which the local system lacks.`);
    const properties = resource.Properties ?? {};
    switch (resource.Type) {
      case 'AWS::Lambda::Function':
        return physicalName(name, resolve(properties['FunctionName']), context);
      case 'AWS::Lambda::Alias':
        return `${functionArn(resolve(properties['FunctionName']) as string, context)}:${resolve(properties['Name'])}`;
      case 'AWS::DynamoDB::Table':
      case 'AWS::DynamoDB::GlobalTable':
        return physicalName(name, resolve(properties['TableName']), context);
      case 'AWS::ApiGateway::RestApi':
        return apiId(name);
      case 'AWS::ApiGateway::Stage':
        return resolve(properties['StageName']) as string;
      default:
        return `${context.stackName}-${name}`;
    }
  }

  function attribute(logicalId: string, name: string): string {
    const type = template.Resources[logicalId]?.Type;
    const { region, accountId } = context;
    if (name === 'Arn') {
      if (type === 'AWS::Lambda::Function') return functionArn(ref(logicalId), context);
      if (type === 'AWS::DynamoDB::Table' || type === 'AWS::DynamoDB::GlobalTable') {
        return `arn:aws:dynamodb:${region}:${accountId}:table/${ref(logicalId)}`;
      }
      if (type === 'AWS::IAM::Role') return `arn:aws:iam::${accountId}:role/${ref(logicalId)}`;
    }
    throw new Error(`The local system does not know the attribute ${name} of ${logicalId} (${type}).`);
  }

  function substitute(argument: unknown): string {
    const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Properties];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return String(resolve(variables[name]));
      const [logicalId, ...rest] = name.split('.');
      return rest.length > 0 ? attribute(logicalId as string, rest.join('.')) : ref(name);
    });
  }

  function intrinsic(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return ref(argument as string);
      case 'Fn::GetAtt': {
        const [logicalId, ...rest] = Array.isArray(argument) ? argument : String(argument).split('.');
        return attribute(logicalId, rest.join('.'));
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        return (resolve(parts) as string[]).join(separator);
      }
      case 'Fn::Sub':
        return substitute(argument);
      default:
        throw new Error(`The local system does not know the intrinsic function ${name}.`);
    }
  }

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [first] = entries;
    if (entries.length === 1 && first && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
      return intrinsic(first[0], first[1]);
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, resolve(inner)]));
  }

  return resolve;
}
