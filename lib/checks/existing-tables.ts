import { Stack } from 'aws-cdk-lib';
import type { CfnTable, ITable } from 'aws-cdk-lib/aws-dynamodb';
import {
  type IndexSchema,
  type Key,
  TABLES,
  type TableName,
  type TableSchema,
} from '../../lambda/audit/schema.ts';
import type { AuditTableSet } from '../audit-tables.ts';
import { isAwsOwn, problemWithKey } from '../table-encryption.ts';
import { resourceNamedBy, resourceOf } from './cfn-resources.ts';
import { placeOf, problemsWithPlace } from './places.ts';

const TABLE_TYPES = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];

export interface TableUse {
  /** Whether records expire, which needs a table with a time to live. */
  hasRetention: boolean;
  stack: Stack;
}

/** The certain problems of existing tables, as `prop: problem`. A table created elsewhere shows neither keys nor indexes. */
export function* problemsWithTables(tables: Partial<AuditTableSet>, use: TableUse): Generator<string> {
  const names = Object.keys(TABLES) as TableName[];
  const given = names.flatMap((name) => {
    const table = tables[name];
    return table === undefined ? [] : [{ name, table }];
  });
  for (const [index, { name, table }] of given.entries()) {
    const prop = `tables.${name}`;
    const same = given.slice(0, index).find((other) => other.table.tableName === table.tableName);
    if (same !== undefined) {
      yield `${prop}: is also given as ${same.name}, so records of two kinds would be confused; use one table for each`;
      continue;
    }
    for (const problem of problemsWithDefinition(table, TABLES[name], use.hasRetention)) {
      yield `${prop}: ${problem}`;
    }
    if (table.encryptionKey !== undefined && !isAwsOwn(table.encryptionKey)) {
      const problem = problemWithKey(table.encryptionKey);
      if (problem !== undefined) yield `${prop}.encryptionKey: ${problem}`;
    }
    yield* problemsWithPlace(prop, placeOf(table, table.tableArn), use.stack);
  }
}

function* problemsWithDefinition(
  table: ITable,
  schema: TableSchema,
  hasRetention: boolean,
): Generator<string> {
  const definition = definitionOf(table);
  if (definition === undefined) return;
  const key = keyText(definition.keySchema, definition);
  if (key !== textOf(schema)) {
    yield `has the key ${key}, so nothing could be written or found there; use a table with the key ${textOf(schema)}, such as one from AuditTables`;
    return;
  }
  for (const index of Object.values(schema.indexes)) {
    const problem = problemWithIndex(definition, index);
    if (problem !== undefined) {
      yield `${problem}, so audit queries would fail; add the index ${index.name} with the key ${textOf(index)} and the projection ${[index.projection].flat().join(', ')} before the facade, or use a table from AuditTables`;
    }
  }
  const { timeToLiveSpecification: timeToLive } = definition;
  const expires = timeToLive?.enabled !== false && timeToLive?.attributeName === schema.timeToLive;
  if (hasRetention && schema.timeToLive !== undefined && !expires) {
    yield `has no time to live on ${schema.timeToLive}, so records would outlast audit.retentionDays; set it before the facade, or remove audit.retentionDays`;
  }
}

function problemWithIndex(definition: Definition, wanted: IndexSchema): string | undefined {
  const index = definition.globalSecondaryIndexes?.find(({ indexName }) => indexName === wanted.name);
  if (index === undefined) return `has no index ${wanted.name}`;
  const key = keyText(index.keySchema, definition);
  if (key !== textOf(wanted)) return `has an index ${wanted.name} with the key ${key}`;
  const { projectionType = 'KEYS_ONLY', nonKeyAttributes = [] } = index.projection;
  const wantedAttributes = typeof wanted.projection === 'string' ? [] : wanted.projection;
  const suffices =
    projectionType === 'ALL' ||
    wanted.projection === 'KEYS_ONLY' ||
    (wanted.projection !== 'ALL' && wantedAttributes.every((name) => nonKeyAttributes.includes(name)));
  return suffices ? undefined : `has an index ${wanted.name} with the projection ${projectionType}`;
}

/** The definition of a table, as far as both resource types share it. */
type Definition = Pick<CfnTable, 'timeToLiveSpecification'> & {
  keySchema: KeyElement[];
  attributeDefinitions?: { attributeName: string; attributeType: string }[];
  globalSecondaryIndexes?: {
    indexName: string;
    keySchema: KeyElement[];
    projection: { projectionType?: string; nonKeyAttributes?: string[] };
  }[];
  timeToLiveSpecification?: { attributeName?: string; enabled?: boolean };
};

interface KeyElement {
  attributeName: string;
  keyType: string;
}

/** The definition of a table of the app; undefined for one that is created elsewhere. */
function definitionOf(table: ITable): Definition | undefined {
  const resource = resourceOf(table, ...TABLE_TYPES) ?? resourceNamedBy(table.tableName, ...TABLE_TYPES);
  if (resource === undefined) return undefined;
  const { keySchema, attributeDefinitions, globalSecondaryIndexes, timeToLiveSpecification } =
    resource as CfnTable;
  return Stack.of(resource).resolve({
    keySchema,
    attributeDefinitions,
    globalSecondaryIndexes,
    timeToLiveSpecification,
  });
}

/** A key such as `meetingId S, recordId S`, the partition key first. */
function keyText(key: KeyElement[], { attributeDefinitions = [] }: Definition): string {
  return key
    .toSorted((one, other) => one.keyType.localeCompare(other.keyType))
    .map(({ attributeName: name }) => {
      const definition = attributeDefinitions.find(({ attributeName }) => attributeName === name);
      return `${name} ${definition?.attributeType}`;
    })
    .join(', ');
}

function textOf({ partitionKey, sortKey }: Key): string {
  return `${partitionKey} S, ${sortKey} S`;
}
