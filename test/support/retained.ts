import type { Template } from 'aws-cdk-lib/assertions';
import { flat, type Resource, resourcesOf } from './synthesize.ts';

/** Of a template, what CloudFormation goes by when it decides whether to replace what holds data. */
export interface Retained {
  tables: Record<string, RetainedTable>;
  /** What callers get their tokens by, and the audit names them by: Cognito's, by logical id. */
  cognito: Record<string, CognitoResource>;
  /** Log groups by logical id: how long they keep a line, and what becomes of them, as `kept`. */
  logs: Record<string, { retentionDays: number | null; kept: string }>;
}

export interface CognitoResource {
  type: string;
  /** What becomes of it when it is removed or replaced, as `Retain, Retain`. */
  kept: string;
  /** By name, as JSON: what cannot be changed once it is made, so that CloudFormation replaces it or fails. */
  fixed: Record<string, string>;
}

/**
 * Of each type, the properties for which CloudFormation makes a new resource, and those that Cognito takes at the making only
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-updating.html, settings you can't change).
 */
const FIXED: Record<string, string[]> = {
  'AWS::Cognito::UserPool': [
    'AliasAttributes',
    'Schema',
    'UsernameAttributes',
    'UsernameConfiguration',
    'UserPoolName',
  ],
  'AWS::Cognito::UserPoolClient': ['GenerateSecret', 'UserPoolId'],
  'AWS::Cognito::UserPoolDomain': ['Domain', 'UserPoolId'],
  'AWS::Cognito::UserPoolResourceServer': ['Identifier', 'UserPoolId'],
};

export interface RetainedTable {
  type: string;
  /** `null` where CloudFormation chooses it. */
  tableName: string | null;
  /** As `meetingId S, recordId S`, the partition key first. */
  key: string;
  /** What becomes of it when it is removed or replaced, as `Retain, Retain`. */
  kept: string;
  /** The attribute by which records expire; `null` where they don't. */
  timeToLive: string | null;
  /** What is in its stream, for its consumers; `null` where there is none. */
  stream: string | null;
  /** Whether it is safe from deletion, and can be put back to an earlier second. */
  isProtected: boolean;
  isRestorable: boolean;
  /** By name: the key, and what is projected. */
  indexes: Record<string, { key: string; projection: string }>;
}

interface Keyed {
  KeySchema: { AttributeName: string; KeyType: string }[];
}

interface TableProperties extends Keyed {
  TableName?: unknown;
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  GlobalSecondaryIndexes?: Index[];
  LocalSecondaryIndexes?: Index[];
  TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean };
  StreamSpecification?: { StreamViewType: string };
  DeletionProtectionEnabled?: boolean;
  PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled: boolean };
}

interface Index extends Keyed {
  IndexName: string;
  Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
}

/** What a release's file in docs/releases/ holds, read from a template. */
export function retainedOf(template: Template): Retained {
  const tables = resourcesOf(template).filter(({ Type }) => Type.startsWith('AWS::DynamoDB::'));
  const resources = resourcesOf(template).filter(({ Type }) => Type in FIXED);
  const logs = resourcesOf(template, 'AWS::Logs::LogGroup');
  return {
    tables: Object.fromEntries(
      tables.map((table) => [
        table.id,
        {
          type: table.Type,
          kept: keptOf(table),
          ...tableOf(table.Properties as unknown as TableProperties),
        },
      ]),
    ),
    cognito: Object.fromEntries(
      resources.map((resource) => [
        resource.id,
        { type: resource.Type, kept: keptOf(resource), fixed: fixedOf(resource) },
      ]),
    ),
    logs: Object.fromEntries(
      logs.map((group) => [
        group.id,
        { retentionDays: (group.Properties['RetentionInDays'] as number) ?? null, kept: keptOf(group) },
      ]),
    ),
  };
}

/** What CloudFormation does where nothing is said is to delete. */
function keptOf({ DeletionPolicy = 'Delete', UpdateReplacePolicy = 'Delete' }: Resource): string {
  return `${DeletionPolicy}, ${UpdateReplacePolicy}`;
}

function fixedOf({ Type, Properties }: Resource): Record<string, string> {
  const given = (FIXED[Type] ?? []).filter((name) => Properties[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, flat(Properties[name])]));
}

function tableOf(properties: TableProperties): Omit<RetainedTable, 'type' | 'kept'> {
  const {
    TableName,
    AttributeDefinitions,
    GlobalSecondaryIndexes,
    LocalSecondaryIndexes,
    TimeToLiveSpecification: timeToLive,
    StreamSpecification: stream,
    DeletionProtectionEnabled: isProtected = false,
    PointInTimeRecoverySpecification: recovery,
  } = properties;
  const keyOf = ({ KeySchema }: Keyed): string =>
    KeySchema.toSorted((a, b) => a.KeyType.localeCompare(b.KeyType))
      .map(({ AttributeName: name }) => {
        const [definition] = AttributeDefinitions.filter(({ AttributeName }) => AttributeName === name);
        return `${name} ${definition?.AttributeType}`;
      })
      .join(', ');
  const indexes = [...(GlobalSecondaryIndexes ?? []), ...(LocalSecondaryIndexes ?? [])];
  return {
    tableName: TableName === undefined ? null : flat(TableName),
    key: keyOf(properties),
    timeToLive: timeToLive?.Enabled ? timeToLive.AttributeName : null,
    stream: stream?.StreamViewType ?? null,
    isProtected,
    isRestorable: recovery?.PointInTimeRecoveryEnabled ?? false,
    indexes: Object.fromEntries(
      indexes.map((index) => [
        index.IndexName,
        {
          key: keyOf(index),
          projection: [
            index.Projection.ProjectionType,
            ...(index.Projection.NonKeyAttributes ?? []).toSorted(),
          ].join(' '),
        },
      ]),
    ),
  };
}

/** What an upgrade from one to the other would cost, a sentence for each; what is new costs nothing. */
export function lossesOf(released: Retained, current: Retained): string[] {
  return [
    ...Object.entries(released.tables).flatMap(([id, table]) => lossesOfTable(id, table, current.tables[id])),
    ...Object.entries(released.cognito).flatMap(([id, resource]) =>
      lossesOfCognito(id, resource, current.cognito[id]),
    ),
    ...Object.entries(released.logs).flatMap(([id, group]) => lossesOfLog(id, group, current.logs[id])),
  ];
}

function lossesOfTable(id: string, table: RetainedTable, now: RetainedTable | undefined): string[] {
  if (now === undefined) {
    return [
      `The table ${id} is gone: what it holds would stay behind in a table that no function knows any more.`,
    ];
  }
  const replacing = (['type', 'tableName', 'key'] as const)
    .filter((what) => now[what] !== table[what])
    .map(
      (what) =>
        `The ${what} of the table ${id} was ${table[what]} and is ${now[what]}: CloudFormation would make a new, empty table in its place.`,
    );
  const less = (['isProtected', 'isRestorable'] as const)
    .filter((what) => table[what] && !now[what])
    .map((what) => `The table ${id} is no longer as safe: ${what}.`);
  const expiry =
    now.timeToLive === table.timeToLive
      ? []
      : [
          `Records of the table ${id} expired by ${table.timeToLive} and do so by ${now.timeToLive}: they would be kept, or be gone, against what was promised.`,
        ];
  const stream =
    table.stream === null || now.stream === table.stream
      ? []
      : [`The stream of the table ${id} held ${table.stream} and holds ${now.stream}.`];
  return [
    ...replacing,
    ...goesEasier(`table ${id}`, table.kept, now.kept),
    ...expiry,
    ...stream,
    ...less,
    ...lossesOfIndexes(id, table.indexes, now.indexes),
  ];
}

function lossesOfIndexes(id: string, was: RetainedTable['indexes'], now: RetainedTable['indexes']): string[] {
  return Object.entries(was).flatMap(([name, index]) => {
    const indexNow = now[name];
    if (indexNow === undefined) {
      return [`The index ${name} of the table ${id} is gone: questions that go by it would fail.`];
    }
    if (indexNow.key === index.key && indexNow.projection === index.projection) return [];
    return [
      `The index ${name} of the table ${id} was by ${index.key} with ${index.projection} and is by ${indexNow.key} with ${indexNow.projection}: DynamoDB would have to make it anew, and answer nothing by it meanwhile.`,
    ];
  });
}

type RetainedLog = Retained['logs'][string];

function lossesOfCognito(id: string, resource: CognitoResource, now: CognitoResource | undefined): string[] {
  if (now?.type !== resource.type) {
    return [
      `The ${resource.type} ${id} is gone: every caller would need new credentials, and the audit would name callers that are no more.`,
    ];
  }
  const changed = [...new Set([...Object.keys(resource.fixed), ...Object.keys(now.fixed)])].filter(
    (what) => now.fixed[what] !== resource.fixed[what],
  );
  return [
    ...goesEasier(`${resource.type} ${id}`, resource.kept, now.kept),
    ...changed.map(
      (what) =>
        `The ${what} of the ${resource.type} ${id} was ${resource.fixed[what]} and is ${now.fixed[what]}: CloudFormation would make a new one in its place, or fail.`,
    ),
  ];
}

function lossesOfLog(id: string, group: RetainedLog, now: RetainedLog | undefined): string[] {
  if (now === undefined) {
    return [`The log group ${id} is gone: what it holds would be in a group that no one reads.`];
  }
  const days = (retention: number | null) => retention ?? Number.POSITIVE_INFINITY;
  return [
    ...goesEasier(`log group ${id}`, group.kept, now.kept),
    ...(days(now.retentionDays) < days(group.retentionDays)
      ? [
          `The log group ${id} kept lines for ${group.retentionDays} days and keeps them for ${now.retentionDays}: the others would be gone.`,
        ]
      : []),
  ];
}

function goesEasier(what: string, was: string, now: string): string[] {
  const isRetained = (kept: string) => kept.split(', ').map((policy) => policy.startsWith('Retain'));
  return isRetained(was).some((retained, at) => retained && !isRetained(now)[at])
    ? [`What becomes of the ${what} when it is removed or replaced was ${was} and is ${now}.`]
    : [];
}
