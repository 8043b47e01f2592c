import { RemovalPolicies, RemovalPolicy, Token } from 'aws-cdk-lib';
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
import { throwProblems } from './checks/configuration-error.ts';
import { problemWithRemovalPolicy, protectOnlyWhatIsKept } from './removal-policy.ts';
import {
  DEFAULT_TABLE_UNITS_PER_SECOND,
  MIN_WRITE_UNITS_PER_SECOND,
  TOO_FEW_WRITE_UNITS,
} from './settings/schema.ts';
import { keyOf as encryptionKeyOf, problemWithKey } from './table-encryption.ts';

/** The tables of one audit. */
export interface AuditTableSet {
  /** The truth, append-only: intents, outcomes, denials, by meeting. */
  readonly audit: ITable;
  /** Who was admitted to which meeting, by user and by attendee; can be rebuilt from the truth. */
  readonly admissions: ITable;
  /** The reconciler's working state: which intents are open, and how far it has swept. Deleted with the stack. */
  readonly openIntents: ITable;
  /** What Chime's events say of who was added to a meeting and who joined it. Undefined where they are not recorded. */
  readonly events?: ITable | undefined;
}

/** Existing tables of an audit: omitted ones are created. */
export interface ExistingTables {
  /** @default created */
  readonly audit?: ITable;
  /** @default created */
  readonly admissions?: ITable;
  /** @default created */
  readonly openIntents?: ITable;
  /** @default created, where events are recorded */
  readonly events?: ITable | undefined;
}

export interface AuditTablesProps {
  /**
   * Encrypts the tables.
   *
   * @default the account's own key for DynamoDB, `aws/dynamodb`: its use shows in CloudTrail, which DynamoDB's default key does not
   */
  readonly encryptionKey?: IKey;
  /**
   * The most write request units that each table and index takes in a second; at least 100.
   * @default as `limits.tableWriteUnitsPerSecond` of a facade
   */
  readonly writeUnitsPerSecond?: number;
  /**
   * The most read request units that each table and index takes in a second.
   * @default as `limits.tableReadUnitsPerSecond` of a facade
   */
  readonly readUnitsPerSecond?: number;
  /**
   * Whether there is a table for Chime's events.
   * @default true
   */
  readonly withEvents?: boolean;
  /** Existing tables, with the same keys and indexes as created ones. */
  readonly existing?: ExistingTables;
  /**
   * What happens to the created tables when the stack is deleted. With `DESTROY` they are deleted, the audit included,
   * and not protected against deletion.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
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

/** The common settings of every table of one audit. */
interface Shared {
  throughput: { maxReadRequestUnits: number; maxWriteRequestUnits: number };
  encryption: { encryption: TableEncryption; encryptionKey?: IKey };
}

/**
 * The audit's tables. Derived items are in separate tables because they need batch writes, updates and deletes, which
 * can overwrite: no role has these permissions on the table of facts.
 */
export class AuditTables extends Construct implements AuditTableSet {
  readonly audit: ITable;
  readonly admissions: ITable;
  readonly openIntents: ITable;
  readonly events: ITable | undefined;

  /** @throws ConfigurationError, a line for each problem that names its prop */
  constructor(scope: Construct, id: string, props: AuditTablesProps = {}) {
    super(scope, id);
    throwProblems(this.node.path, problemsWithProps(props));
    const { existing = {} } = props;
    const shared: Shared = {
      throughput: {
        maxReadRequestUnits: props.readUnitsPerSecond ?? DEFAULT_TABLE_UNITS_PER_SECOND,
        maxWriteRequestUnits: props.writeUnitsPerSecond ?? DEFAULT_TABLE_UNITS_PER_SECOND,
      },
      encryption:
        props.encryptionKey === undefined
          ? { encryption: TableEncryption.AWS_MANAGED }
          : {
              encryption: TableEncryption.CUSTOMER_MANAGED,
              encryptionKey: encryptionKeyOf(props.encryptionKey),
            },
    };
    this.audit = existing.audit ?? createKept(this, 'Audit', TABLES.audit, shared);
    this.admissions = existing.admissions ?? createKept(this, 'Admissions', TABLES.admissions, shared);
    this.openIntents = existing.openIntents ?? createOpenIntents(this, shared);
    this.events = existing.events;
    if (props.withEvents !== false) this.events ??= createKept(this, 'Events', TABLES.events, shared);
    protectOnlyWhatIsKept(this);
    if (props.removalPolicy === RemovalPolicy.DESTROY) RemovalPolicies.of(this).destroy();
  }
}

function* problemsWithProps(props: AuditTablesProps): Generator<string> {
  for (const name of ['writeUnitsPerSecond', 'readUnitsPerSecond'] as const) {
    const units = props[name];
    if (units === undefined || Token.isUnresolved(units)) continue;
    if (!Number.isInteger(units) || units < 1) {
      yield `${name}: is ${units}, so nothing would limit the cost of a mistake; use a whole number of at least 1`;
    } else if (name === 'writeUnitsPerSecond' && units < MIN_WRITE_UNITS_PER_SECOND) {
      yield `${name}: ${TOO_FEW_WRITE_UNITS}`;
    }
  }
  const problem = props.encryptionKey && problemWithKey(props.encryptionKey);
  if (problem !== undefined) yield `encryptionKey: ${problem}`;
  yield* problemWithRemovalPolicy(props.removalPolicy);
}

/** A table that outlives its stack, and can be restored to any second of the last 35 days. */
function createKept(
  scope: Construct,
  id: string,
  schema: TableSchema & { timeToLive: string },
  { throughput, encryption }: Shared,
): ITable {
  const table = new Table(scope, id, {
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...throughput,
    ...encryption,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
    ...keyOf(schema),
    timeToLiveAttribute: schema.timeToLive,
  });
  for (const index of Object.values(schema.indexes)) {
    table.addGlobalSecondaryIndex({ ...throughput, ...indexOf(index) });
  }
  return table as ITable;
}

function createOpenIntents(scope: Construct, { throughput, encryption }: Shared): ITable {
  const table = new Table(scope, 'OpenIntents', {
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...throughput,
    ...encryption,
    ...keyOf(TABLES.openIntents),
    removalPolicy: RemovalPolicy.DESTROY,
  });
  acceptFindings(table, {
    id: 'AwsSolutions-DDB3',
    reason: 'Working state that the reconciler rebuilds from the facts: a backup has no use.',
  });
  return table as ITable;
}
