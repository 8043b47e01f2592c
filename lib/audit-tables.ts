import { RemovalPolicy, Token } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { type IndexSchema, type Key, TABLES, type TableSchema } from '../lambda/audit/schema.ts';
import { acceptFindings } from './accepted-findings.ts';
import { ConfigurationError } from './checks/configuration-error.ts';
import {
  DEFAULT_TABLE_UNITS_PER_SECOND,
  MIN_WRITE_UNITS_PER_SECOND,
  TOO_FEW_WRITE_UNITS,
} from './settings/schema.ts';
import { keyOf as encryptionKeyOf } from './table-encryption.ts';

/** The tables of one audit. */
export interface AuditTableSet {
  /** The truth, append-only: intents, outcomes, denials, by meeting. */
  readonly audit: ITable;
  /** Who was admitted where, by user and by attendee; can be rebuilt from the truth. */
  readonly admissions: ITable;
  /** The reconciler's working state: which intents are open, and how far it has looked. Goes with the stack. */
  readonly openIntents: ITable;
}

export interface AuditTablesProps {
  /**
   * Encrypts the tables.
   *
   * @default the account's own key for DynamoDB, `aws/dynamodb`: its use shows in CloudTrail, which DynamoDB's default key does not
   */
  readonly encryptionKey?: IKey;
  /**
   * What each table and index may take in a second, in write request units; 100 at least.
   *
   * @default as `limits.tableWriteUnitsPerSecond` of a facade
   */
  readonly writeUnitsPerSecond?: number;
  /**
   * What may be read of each table and index in a second, in read request units.
   *
   * @default as `limits.tableReadUnitsPerSecond` of a facade
   */
  readonly readUnitsPerSecond?: number;
  /** Tables that there are already, of the same keys and indexes as the ones that would be made. */
  readonly existing?: Partial<AuditTableSet>;
}

const string = (name: string) => ({ name, type: AttributeType.STRING });

function keyOf({ partitionKey, sortKey }: Key) {
  return { partitionKey: string(partitionKey), sortKey: string(sortKey) };
}

function indexOf(index: IndexSchema) {
  const { name: indexName, projection } = index;
  return {
    indexName,
    ...keyOf(index),
    ...(typeof projection === 'string'
      ? { projectionType: ProjectionType[projection] }
      : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...projection] }),
  };
}

/**
 * The audit's tables. What is derived is kept apart from the facts because it needs batch writes, updates and deletes,
 * and whoever may do that can overwrite: no role has these permissions where the facts are.
 */
export class AuditTables extends Construct implements AuditTableSet {
  readonly audit: ITable;
  readonly admissions: ITable;
  readonly openIntents: ITable;

  constructor(scope: Construct, id: string, props: AuditTablesProps = {}) {
    super(scope, id);
    const { existing = {} } = props;
    const encryptionKey = props.encryptionKey && encryptionKeyOf(props.encryptionKey);
    for (const name of ['writeUnitsPerSecond', 'readUnitsPerSecond'] as const) {
      const units = props[name];
      if (units === undefined || Token.isUnresolved(units)) continue;
      const refuse = (sentence: string) => {
        throw new ConfigurationError(`${this.node.path}: ${name}: ${sentence}`);
      };
      if (!Number.isInteger(units) || units < 1) {
        refuse(
          `is ${units}, which is no guard, so a mistake could cost without end; give a whole number of 1 at least`,
        );
      }
      if (name === 'writeUnitsPerSecond' && units < MIN_WRITE_UNITS_PER_SECOND) refuse(TOO_FEW_WRITE_UNITS);
    }
    const guard = {
      maxReadRequestUnits: props.readUnitsPerSecond ?? DEFAULT_TABLE_UNITS_PER_SECOND,
      maxWriteRequestUnits: props.writeUnitsPerSecond ?? DEFAULT_TABLE_UNITS_PER_SECOND,
    };
    const encrypted = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...guard,
      ...(encryptionKey === undefined
        ? { encryption: TableEncryption.AWS_MANAGED }
        : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    };
    // What is recorded outlives the stack and can be put back to any second of the last 35 days.
    const kept = {
      ...encrypted,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    this.audit = existing.audit ?? makeKept(this, 'Audit', TABLES.audit);
    this.admissions = existing.admissions ?? makeKept(this, 'Admissions', TABLES.admissions);
    this.openIntents = existing.openIntents ?? makeOpenIntents(this);

    function makeKept(scope: Construct, id: string, schema: TableSchema & { timeToLive: string }): ITable {
      const table = new Table(scope, id, {
        ...kept,
        ...keyOf(schema),
        timeToLiveAttribute: schema.timeToLive,
      });
      for (const index of Object.values(schema.indexes)) {
        table.addGlobalSecondaryIndex({ ...guard, ...indexOf(index) });
      }
      return table as ITable;
    }

    function makeOpenIntents(scope: Construct): ITable {
      const table = new Table(scope, 'OpenIntents', {
        ...encrypted,
        ...keyOf(TABLES.openIntents),
        removalPolicy: RemovalPolicy.DESTROY,
      });
      acceptFindings(table, {
        id: 'AwsSolutions-DDB3',
        reason: 'Working state that the reconciler makes anew from the facts: there is nothing to recover.',
      });
      return table as ITable;
    }
  }
}
