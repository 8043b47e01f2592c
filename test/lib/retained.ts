import type { Template } from 'aws-cdk-lib/assertions';
import { flat, resourcesOf } from './synthesize.ts';

/** Of a template, what CloudFormation goes by when it decides whether to replace what holds data. */
export interface Retained {
  tables: Record<string, RetainedTable>;
  /** Cognito's pools and clients, by logical id: the audit and the callers name them. */
  callers: Record<string, string>;
}

export interface RetainedTable {
  type: string;
  /** `null` where CloudFormation chooses it. */
  tableName: string | null;
  /** As `meetingId S, recordId S`, the partition key first. */
  key: string;
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
}

interface Index extends Keyed {
  IndexName: string;
  Projection: { ProjectionType: string; NonKeyAttributes?: string[] };
}

/** What a release's file in docs/releases/ holds, read from a template. */
export function retainedOf(template: Template): Retained {
  const tables = resourcesOf(template).filter(({ Type }) => Type.startsWith('AWS::DynamoDB::'));
  const callers = resourcesOf(template).filter(({ Type }) => /^AWS::Cognito::UserPool(Client)?$/.test(Type));
  return {
    tables: Object.fromEntries(
      tables.map(({ id, Type, Properties }) => [
        id,
        { type: Type, ...tableOf(Properties as unknown as TableProperties) },
      ]),
    ),
    callers: Object.fromEntries(callers.map(({ id, Type }) => [id, Type])),
  };
}

function tableOf(properties: TableProperties): Omit<RetainedTable, 'type'> {
  const { TableName, AttributeDefinitions, GlobalSecondaryIndexes, LocalSecondaryIndexes } = properties;
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
  const losses: string[] = [];
  for (const [id, table] of Object.entries(released.tables)) {
    const now = current.tables[id];
    if (now === undefined) {
      losses.push(
        `The table ${id} is gone: what it holds would stay behind in a table that no function knows any more.`,
      );
      continue;
    }
    for (const what of ['type', 'tableName', 'key'] as const) {
      if (now[what] !== table[what]) {
        losses.push(
          `The ${what} of the table ${id} was ${table[what]} and is ${now[what]}: CloudFormation would make a new, empty table in its place.`,
        );
      }
    }
    for (const [name, index] of Object.entries(table.indexes)) {
      const indexNow = now.indexes[name];
      if (indexNow === undefined) {
        losses.push(`The index ${name} of the table ${id} is gone: questions that go by it would fail.`);
      } else if (indexNow.key !== index.key || indexNow.projection !== index.projection) {
        losses.push(
          `The index ${name} of the table ${id} was by ${index.key} with ${index.projection} and is by ${indexNow.key} with ${indexNow.projection}: DynamoDB would have to make it anew, and answer nothing by it meanwhile.`,
        );
      }
    }
  }
  for (const [id, type] of Object.entries(released.callers)) {
    if (current.callers[id] !== type) {
      losses.push(
        `The ${type} ${id} is gone: every caller would need new credentials, and the audit would name callers that are no more.`,
      );
    }
  }
  return losses;
}
