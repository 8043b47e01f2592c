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
import { acceptFindings } from './accepted-findings.ts';
import { ConfigurationError } from './checks/configuration-error.ts';
import { MIN_WRITE_UNITS_PER_SECOND, tooFewWriteUnits } from './settings/facade-settings.ts';
import { keyOf } from './table-encryption.ts';

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
   * @default 4000
   */
  readonly writeUnitsPerSecond?: number;
  /**
   * What may be read of each table and index in a second, in read request units.
   *
   * @default 4000
   */
  readonly readUnitsPerSecond?: number;
  /** Tables that there are already, of the same keys and indexes as the ones that would be made. */
  readonly existing?: Partial<AuditTableSet>;
}

/** Partition key and sort key of each table, all of them strings. */
export const TABLE_KEYS = {
  audit: ['meetingId', 'recordId'],
  admissions: ['externalUserId', 'admissionId'],
  openIntents: ['list', 'batchId'],
} as const satisfies Record<keyof AuditTableSet, readonly [string, string]>;

const string = (name: string) => ({ name, type: AttributeType.STRING });

function keyOfTable(table: keyof AuditTableSet) {
  const [partitionKey, sortKey] = TABLE_KEYS[table];
  return { partitionKey: string(partitionKey), sortKey: string(sortKey) };
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
    const encryptionKey = props.encryptionKey && keyOf(props.encryptionKey);
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
      if (name === 'writeUnitsPerSecond' && units < MIN_WRITE_UNITS_PER_SECOND) refuse(tooFewWriteUnits());
    }
    const guard = {
      maxReadRequestUnits: props.readUnitsPerSecond ?? 4_000,
      maxWriteRequestUnits: props.writeUnitsPerSecond ?? 4_000,
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
      timeToLiveAttribute: 'expiresAt',
    };
    this.audit = existing.audit ?? makeAudit(this);
    this.admissions = existing.admissions ?? makeAdmissions(this);
    this.openIntents = existing.openIntents ?? makeOpenIntents(this);

    function makeAudit(scope: Construct): ITable {
      const table = new Table(scope, 'Audit', {
        ...kept,
        ...keyOfTable('audit'),
      });
      // Sparse: only intents carry callerId and day, only denials carry denialDay.
      table.addGlobalSecondaryIndex({
        ...guard,
        indexName: 'by-caller',
        partitionKey: string('callerId'),
        sortKey: string('batchId'),
        projectionType: ProjectionType.KEYS_ONLY,
      });
      table.addGlobalSecondaryIndex({
        ...guard,
        indexName: 'by-day',
        partitionKey: string('day'),
        sortKey: string('batchId'),
        projectionType: ProjectionType.KEYS_ONLY,
      });
      table.addGlobalSecondaryIndex({
        ...guard,
        indexName: 'denials-by-day',
        partitionKey: string('denialDay'),
        sortKey: string('batchId'),
        projectionType: ProjectionType.ALL,
      });
      return table as ITable;
    }

    function makeAdmissions(scope: Construct): ITable {
      const table = new Table(scope, 'Admissions', {
        ...kept,
        ...keyOfTable('admissions'),
      });
      table.addGlobalSecondaryIndex({
        ...guard,
        indexName: 'by-attendee',
        partitionKey: string('attendeeId'),
        sortKey: string('batchId'),
        projectionType: ProjectionType.INCLUDE,
        nonKeyAttributes: ['meetingId'],
      });
      return table as ITable;
    }

    function makeOpenIntents(scope: Construct): ITable {
      const table = new Table(scope, 'OpenIntents', {
        ...encrypted,
        ...keyOfTable('openIntents'),
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
