import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';

const string = (name: string) => ({ name, type: AttributeType.STRING });

const encrypted = {
  billingMode: BillingMode.PAY_PER_REQUEST,
  // The account's own key aws/dynamodb: its use shows in CloudTrail, which DynamoDB's default key does not.
  encryption: TableEncryption.AWS_MANAGED,
};

/** What is recorded outlives the stack and can be put back to any second of the last 35 days. */
const kept = {
  ...encrypted,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
  timeToLiveAttribute: 'expiresAt',
};

/**
 * The audit's tables. What is derived is kept apart from the facts because it needs batch writes, updates and deletes,
 * and whoever may do that can overwrite: no role has these permissions where the facts are.
 */
export class AuditTables extends Construct {
  /** The truth, append-only: intents, outcomes, denials, by meeting. */
  readonly audit: Table;
  /** Who was admitted where, by user and by attendee; can be rebuilt from the truth. */
  readonly admissions: Table;
  /** The reconciler's working state: which intents are open, and how far it has looked. Goes with the stack. */
  readonly openIntents: Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);

    this.audit = new Table(this, 'Audit', {
      ...kept,
      partitionKey: string('meetingId'),
      sortKey: string('recordId'),
    });
    // Sparse: only intents carry callerId and day, only denials carry denialDay.
    this.audit.addGlobalSecondaryIndex({
      indexName: 'by-caller',
      partitionKey: string('callerId'),
      sortKey: string('batchId'),
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.audit.addGlobalSecondaryIndex({
      indexName: 'by-day',
      partitionKey: string('day'),
      sortKey: string('batchId'),
      projectionType: ProjectionType.KEYS_ONLY,
    });
    this.audit.addGlobalSecondaryIndex({
      indexName: 'denials-by-day',
      partitionKey: string('denialDay'),
      sortKey: string('batchId'),
      projectionType: ProjectionType.ALL,
    });

    this.admissions = new Table(this, 'Admissions', {
      ...kept,
      partitionKey: string('externalUserId'),
      sortKey: string('admissionId'),
    });
    this.admissions.addGlobalSecondaryIndex({
      indexName: 'by-attendee',
      partitionKey: string('attendeeId'),
      sortKey: string('batchId'),
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['meetingId'],
    });

    this.openIntents = new Table(this, 'OpenIntents', {
      ...encrypted,
      partitionKey: string('list'),
      sortKey: string('batchId'),
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
