import { Stack } from 'aws-cdk-lib';
import { type MathExpression, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, type IRole } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import { TABLES, type TableSchema } from '../lambda/audit/schema.ts';
import type { MetricName } from '../lambda/model/metrics.ts';
import type { AuditTableSet } from './audit-tables.ts';
import { ConfigurationError } from './checks/configuration-error.ts';
import { holdsLookupPlaceholder, isElsewhere } from './checks/known-at-synthesis.ts';
import { type DenialMetricOptions, FacadeMetrics, type OwnMetricOptions } from './facade-metrics.ts';
import { keyArnsOf, throughDynamoDB } from './table-encryption.ts';

/** What another stack can do with a facade: grant read access to its audit, and use its metrics. */
export interface IAttendeeFacade extends IConstruct {
  /** The API's name, by which CloudWatch identifies it; also distinguishes alarms and dashboards of several facades. */
  readonly facadeName: string;
  /** The CloudWatch namespace of the functions' own metrics. */
  readonly metricsNamespace: string;
  readonly stageName: string;
  readonly tables: AuditTableSet;
  /** Where the audit's seals are; undefined where none are made, or where they are is not known. */
  readonly sealBucket: IBucket | undefined;
  /**
   * Allows a principal every query of `npm run audit`, and nothing else: never a scan and never a write. That includes
   * reading the seals. The answers show the names of people and where they were.
   *
   * @throws ConfigurationError if the grantee belongs to another account, whose policies cannot be changed from here
   */
  grantReadAudit(grantee: IGrantable): Grant;
  /** One of the functions' own metrics, over five minutes. A metric that is counted by reason needs a reason. */
  metric(name: MetricName, options?: OwnMetricOptions): Metric;
  /** Batches answered with 200. */
  metricBatches(options?: MetricOptions): Metric;
  /** Attendees whose join token was released. */
  metricIssued(options?: MetricOptions): Metric;
  /** Requests of known callers that a rule denied, all rules together. */
  metricDenied(options?: DenialMetricOptions): MathExpression;
  /** Seconds since the oldest batch without an outcome began. */
  metricOldestOpenIntent(options?: MetricOptions): Metric;
  /** Answers with a status of 500 and above, the gateway's own and throttled requests included. */
  metricServerErrors(options?: MetricOptions): Metric;
  /** Milliseconds from the gateway's receipt of a request to its answer; p99 by default. */
  metricLatency(options?: MetricOptions): Metric;
}

/** The implementation of `IAttendeeFacade`, wherever the facade is created. */
export abstract class AttendeeFacadeBase extends Construct implements IAttendeeFacade {
  abstract readonly facadeName: string;
  abstract readonly metricsNamespace: string;
  abstract readonly stageName: string;
  abstract readonly tables: AuditTableSet;
  abstract readonly sealBucket: IBucket | undefined;

  grantReadAudit(grantee: IGrantable): Grant {
    const { principalAccount } = grantee.grantPrincipal;
    const { account } = Stack.of(this);
    if (principalAccount !== undefined && isElsewhere(principalAccount, account) && !isLookedUp(grantee)) {
      throw new ConfigurationError(
        `${this.node.path}: grantReadAudit: the grantee belongs to account ${principalAccount}, so the grant would have no effect; grant it to a role in account ${account} that the other account can assume`,
      );
    }
    const { audit, admissions, openIntents, events } = this.tables;
    const grant = Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
      resourceArns: [
        ...withIndexes(audit, TABLES.audit),
        ...withIndexes(admissions, TABLES.admissions),
        openIntents.tableArn,
        ...(events === undefined ? [] : withIndexes(events, TABLES.events)),
      ],
    });
    const { sealBucket } = this;
    const withSeals =
      sealBucket === undefined ? grant : grant.combine(this.#grantReadSeals(grantee, sealBucket));
    const keys = keyArnsOf(audit, admissions, openIntents, ...(events === undefined ? [] : [events]));
    if (keys.length === 0) return withSeals;
    return withSeals.combine(
      Grant.addToPrincipal({
        grantee,
        actions: ['kms:Decrypt', 'kms:DescribeKey'],
        resourceArns: keys,
        conditions: throughDynamoDB(this),
      }),
    );
  }

  #grantReadSeals(grantee: IGrantable, bucket: IBucket): Grant {
    const objects = Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention'],
      resourceArns: [bucket.arnForObjects(`${sealPrefixOf(this)}*`)],
    });
    return objects.combine(
      Grant.addToPrincipal({
        grantee,
        actions: ['s3:ListBucket', 's3:ListBucketVersions'],
        resourceArns: [bucket.bucketArn],
      }),
    );
  }

  metric(name: MetricName, options?: OwnMetricOptions): Metric {
    return metricsOf(this).own(name, options);
  }

  metricBatches(options?: MetricOptions): Metric {
    return this.metric('BatchesAnswered', options);
  }

  metricIssued(options?: MetricOptions): Metric {
    return this.metric('AttendeesIssued', options);
  }

  metricDenied(options?: DenialMetricOptions): MathExpression {
    return metricsOf(this).denied(options);
  }

  metricOldestOpenIntent(options?: MetricOptions): Metric {
    return this.metric('OldestOpenIntentAge', { statistic: Stats.MAXIMUM, ...options });
  }

  metricServerErrors(options?: MetricOptions): Metric {
    return metricsOf(this).api('5XXError', options);
  }

  metricLatency(options?: MetricOptions): Metric {
    return metricsOf(this).api('Latency', options);
  }
}

/** The metrics of a created or imported facade. */
export function metricsOf(facade: IAttendeeFacade): FacadeMetrics {
  return new FacadeMetrics({
    scope: facade,
    namespace: facade.metricsNamespace,
    apiName: facade.facadeName,
    stageName: facade.stageName,
  });
}

/** What the keys of a facade's seals begin with. */
export function sealPrefixOf({ facadeName }: Pick<IAttendeeFacade, 'facadeName'>): string {
  return `${facadeName}/`;
}

function withIndexes({ tableArn }: ITable, { indexes }: TableSchema): string[] {
  return [tableArn, ...Object.values(indexes).map(({ name }) => `${tableArn}/index/${name}`)];
}

/** Whether a grantee is the placeholder of `Role.fromLookup`, which CDK puts into a dummy account. */
function isLookedUp(grantee: IGrantable): boolean {
  return holdsLookupPlaceholder((grantee as Partial<IRole>).roleArn);
}
