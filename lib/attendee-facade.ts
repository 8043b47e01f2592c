import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Duration, Stack, Token } from 'aws-cdk-lib';
import type { IDomainName } from 'aws-cdk-lib/aws-apigateway';
import { type MathExpression, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IUserPool } from 'aws-cdk-lib/aws-cognito';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { Construct } from 'constructs';
import { TABLES, type TableSchema } from '../lambda/audit/schema.ts';
import type { MetricName } from '../lambda/model/metrics.ts';
import { Alarms } from './alarms.ts';
import { AttendeeApi, type CustomDomain } from './attendee-api.ts';
import { AttendeeFunction } from './attendee-function.ts';
import { type AuditTableSet, AuditTables } from './audit-tables.ts';
import { problemWithCollisions } from './checks/collisions.ts';
import { ConfigurationError } from './checks/configuration-error.ts';
import { isElsewhere, problemsWithExistingResources } from './checks/existing-resources.ts';
import { CognitoIssuer } from './cognito-issuer.ts';
import { FacadeMetrics } from './facade-metrics.ts';
import { nameOf, problemWithNamespace } from './facade-name.ts';
import { Firewall } from './firewall.ts';
import { GradualDeployment } from './gradual-deployment.ts';
import { OperationsDashboard } from './operations-dashboard.ts';
import { ReconcilerFunction } from './reconciler-function.ts';
import { completeSettings, hasFirewall, resourceServerOf } from './settings/complete.ts';
import type { FacadeSettings } from './settings/props.ts';
import { isControlRegion, notAControlRegion } from './settings/regions.ts';
import { keyArnsOf, throughDynamoDB } from './table-encryption.ts';

const BUNDLES_DIRECTORY = new URL('../dist/lambda', import.meta.url);

/** The settings that a configuration file has too, and the constructs that there are already. */
export interface AttendeeFacadeProps extends FacadeSettings {
  /**
   * Tables that there are already in the stack's account and Region, such as those of an `AuditTables` in a stack of its own.
   * Facades that share tables have to have the same `meetingsRegion`: each looks for the meetings of all that is open there.
   *
   * @default each that is left out is made
   */
  readonly tables?: Partial<AuditTableSet>;
  /**
   * Encrypts the tables that are made. Tables handed in bring their own. An alias will do if the key behind it is known.
   *
   * @default the account's own key for DynamoDB
   */
  readonly encryptionKey?: IKey;
  /**
   * A Cognito user pool that there is already: it gets a resource server and a machine client. Only where no issuers are
   * given.
   *
   * @default a pool is made
   */
  readonly userPool?: IUserPool;
  /**
   * A domain name that there is already, or what one is made of. Its root is mapped to the API, which then has no other
   * address.
   *
   * @default the API is where API Gateway puts it, under the stage's name
   */
  readonly domain?: CustomDomain | IDomainName;
  /**
   * Told when an alarm begins and when it ends. CloudWatch's alarms are let in where the app makes the topic's policy or its
   * key; the policy and the key of a topic made elsewhere have to let them in already (docs/runbook.md).
   *
   * @default alarms are only to be seen in CloudWatch
   */
  readonly alarmTopic?: ITopic;
  /**
   * The CloudWatch namespace of the functions' own metrics, of this facade alone.
   *
   * @default Usher/ and the names of stack and construct
   */
  readonly metricsNamespace?: string;
  /**
   * A folder with a folder `create-attendees` and one `reconciler`, each with an `index.js`.
   *
   * @default the functions that come with this package
   */
  readonly bundlesDirectory?: string;
}

/**
 * The audited front door to Amazon Chime SDK meetings: a REST API with the contract of `BatchCreateAttendee`, the function
 * behind it, the audit's tables, the reconciler that finishes what a function could not, and what ops need to see.
 *
 * Synthesis needs no network, no credentials and no bundler.
 */
export class AttendeeFacade extends Construct {
  /** Where the API is, without a trailing slash: clients append paths that begin with one. */
  readonly url: string;
  readonly tables: AuditTableSet;
  readonly api: AttendeeApi;
  readonly attendees: AttendeeFunction;
  readonly reconciler: ReconcilerFunction;
  /** What was made in Cognito; undefined where issuers were given. */
  readonly cognitoIssuer: CognitoIssuer | undefined;
  /** Whose tokens are taken. */
  readonly issuers: string[];
  /** Undefined where it is off. */
  readonly firewall: Firewall | undefined;
  readonly alarms: Alarms;
  readonly dashboard: OperationsDashboard;
  readonly #metrics: FacadeMetrics;

  /** @throws ConfigurationError, a sentence that names the prop, where the props would be unsafe or would not work */
  constructor(scope: Construct, id: string, props: AttendeeFacadeProps = {}) {
    super(scope, id);
    const {
      tables,
      encryptionKey,
      userPool,
      domain,
      alarmTopic,
      metricsNamespace,
      bundlesDirectory,
      ...given
    } = props;
    const settings = completeSettings(given, this.node.path);
    const stack = Stack.of(this);
    const meetingsRegion = settings.meetingsRegion ?? stack.region;
    if (!Token.isUnresolved(meetingsRegion) && !isControlRegion(meetingsRegion)) {
      throw new ConfigurationError(`${this.node.path}: meetingsRegion: ${notAControlRegion(meetingsRegion)}`);
    }
    const areKnown = ![meetingsRegion, stack.region].some((region) => Token.isUnresolved(region));
    if (areKnown && partitionOf(meetingsRegion) !== partitionOf(stack.region)) {
      throw new ConfigurationError(
        `${this.node.path}: meetingsRegion: ${meetingsRegion} is out of reach from ${stack.region}, whose credentials are good in their own partition only, so every request would fail; deploy to a Region of the same partition`,
      );
    }
    const name = nameOf(this);
    const namespace = metricsNamespace ?? `Usher/${name}`;
    const existingResources = { tables, encryptionKey, userPool, domain, alarmTopic };
    const [problem] = [
      ...problemsWithExistingResources(existingResources, given, stack),
      problemWithNamespace(metricsNamespace) ??
        problemWithCollisions(this, { name, namespace, settings, userPool, domain }),
    ];
    if (problem !== undefined) throw new ConfigurationError(`${this.node.path}: ${problem}`);
    const bundles = bundlesDirectory ?? fileURLToPath(BUNDLES_DIRECTORY);

    this.tables = new AuditTables(this, 'Tables', {
      writeUnitsPerSecond: settings.limits.tableWriteUnitsPerSecond,
      readUnitsPerSecond: settings.limits.tableReadUnitsPerSecond,
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
      ...(tables === undefined ? {} : { existing: tables }),
    });
    this.cognitoIssuer =
      settings.issuers.length > 0
        ? undefined
        : new CognitoIssuer(this, 'Callers', {
            name,
            userPool,
            domainPrefix: settings.cognito.domainPrefix,
            resourceServer: resourceServerOf(settings),
          });
    const issuers = this.cognitoIssuer === undefined ? settings.issuers : [this.cognitoIssuer.rules];
    this.issuers = issuers.map(({ issuer }) => issuer);

    const common = { settings, meetingsRegion, tables: this.tables, metricsNamespace: namespace };
    this.attendees = new AttendeeFunction(this, 'Attendees', {
      ...common,
      issuers,
      bundleDirectory: join(bundles, 'create-attendees'),
    });
    this.reconciler = new ReconcilerFunction(this, 'Reconciler', {
      ...common,
      bundleDirectory: join(bundles, 'reconciler'),
    });
    const { audit, admissions, openIntents } = this.tables;
    this.attendees.allowKeysOf(audit, admissions);
    this.reconciler.allowKeysOf(audit, admissions, openIntents);
    this.api = new AttendeeApi(this, 'AttendeeApi', {
      name,
      settings,
      handler: this.attendees.alias as IFunction,
      domain,
    });
    this.url = this.api.url;
    this.firewall = hasFirewall(settings)
      ? new Firewall(this, 'Firewall', {
          stageArn: this.api.restApi.deploymentStage.stageArn,
          requestsPerFiveMinutes: settings.firewall.requestsPerFiveMinutes,
        })
      : undefined;

    this.#metrics = new FacadeMetrics({
      scope: this,
      namespace,
      apiName: name,
      stageName: settings.stageName,
    });
    this.alarms = new Alarms(this, 'Alarms', {
      settings: settings.alarms,
      metrics: this.#metrics,
      handler: this.attendees.function,
      reconciler: this.reconciler.function,
      topic: alarmTopic,
    });
    this.dashboard = new OperationsDashboard(this, 'Overview', {
      alarms: this.alarms,
      metrics: this.#metrics,
      handler: this.attendees.function,
      reconciler: this.reconciler.function,
      tables: this.tables,
    });
    if (settings.deployment.canaryMinutes !== undefined) {
      new GradualDeployment(this, 'Deployment', {
        alias: this.attendees.alias,
        canaryMinutes: settings.deployment.canaryMinutes,
        alarms: [this.alarms.serverErrors, this.alarms.functionFailing],
      });
    }
  }

  /**
   * Lets somebody ask the audit all that `npm run audit` asks, and nothing else: queries, never a scan and never a write.
   * That shows names of people and where they were.
   *
   * @throws ConfigurationError where the grantee is of another account, whose policies cannot be added to from here
   */
  grantReadAudit(grantee: IGrantable): Grant {
    const { principalAccount } = grantee.grantPrincipal;
    const { account } = Stack.of(this);
    if (principalAccount !== undefined && isElsewhere(principalAccount, account)) {
      throw new ConfigurationError(
        `${this.node.path}: grantReadAudit: the grantee is of the account ${principalAccount}, so nothing would be granted; grant it to a role of ${account} that the other account may assume`,
      );
    }
    const { audit, admissions, openIntents } = this.tables;
    const grant = Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
      resourceArns: [
        ...withIndexes(audit, TABLES.audit),
        ...withIndexes(admissions, TABLES.admissions),
        openIntents.tableArn,
      ],
    });
    const keys = keyArnsOf(audit, admissions, openIntents);
    if (keys.length === 0) return grant;
    return grant.combine(
      Grant.addToPrincipal({
        grantee,
        actions: ['kms:Decrypt', 'kms:DescribeKey'],
        resourceArns: keys,
        conditions: throughDynamoDB(this),
      }),
    );
  }

  /** One of the functions' own metrics, of five minutes. Of those that are counted by reason, one needs a reason. */
  metric(name: MetricName, options?: MetricOptions & { reason?: string }): Metric {
    return this.#metrics.own(name, options);
  }

  /** Batches that were answered with 200. */
  metricBatches(options?: MetricOptions): Metric {
    return this.metric('BatchesAnswered', options);
  }

  /** Attendees whose join token was handed out. */
  metricIssued(options?: MetricOptions): Metric {
    return this.metric('AttendeesIssued', options);
  }

  /** Requests of known callers that a rule refused, all rules together. */
  metricDenied(options?: { period?: Duration }): MathExpression {
    return this.#metrics.denied(options);
  }

  /** Seconds since the oldest batch without an outcome began. */
  metricOldestOpenIntent(options?: MetricOptions): Metric {
    return this.metric('OldestOpenIntentAge', { statistic: Stats.MAXIMUM, ...options });
  }

  /** Answers with a status of 500 and above, the gateway's own included. */
  metricServerErrors(options?: MetricOptions): Metric {
    return this.#metrics.api('5XXError', options);
  }

  /** Milliseconds from the gateway's receiving a request to its answer; the slowest hundredth if not told otherwise. */
  metricLatency(options?: MetricOptions): Metric {
    return this.#metrics.api('Latency', options);
  }
}

/** Credentials are good in one partition (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
function partitionOf(region: string): string | undefined {
  return RegionInfo.get(region).partition;
}

function withIndexes({ tableArn }: ITable, { indexes }: TableSchema): string[] {
  return [tableArn, ...Object.values(indexes).map(({ name }) => `${tableArn}/index/${name}`)];
}
