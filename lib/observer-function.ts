import { Duration } from 'aws-cdk-lib';
import { type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { EVENT_TYPES } from '../lambda/audit/attendee-events.ts';
import { TABLES } from '../lambda/audit/schema.ts';
import type { ObserverEnvironment } from '../lambda/observer/environment.ts';
import { acceptFindings } from './accepted-findings.ts';
import type { CompleteSettings } from './settings/props.ts';
import { UsherFunction } from './usher-function.ts';

export interface ObserverFunctionProps {
  settings: CompleteSettings;
  tables: { audit: ITable; admissions: ITable; events: ITable };
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.js`. */
  bundleDirectory: string;
}

/** The function that records Chime's events, and judges them a quarter of an hour later, and all that it may ever do. */
export class ObserverFunction extends UsherFunction {
  /** Events that could not be recorded (docs/runbook.md). */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: ObserverFunctionProps) {
    const { settings, tables } = props;
    const environment: ObserverEnvironment = {
      EVENT_TABLE_NAME: tables.events.tableName,
      AUDIT_TABLE_NAME: tables.audit.tableName,
      ADMISSION_TABLE_NAME: tables.admissions.tableName,
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays ?? ''),
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: settings.logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    super(scope, id, {
      description: "Usher: records Chime's events of who was added to a meeting and who joined it",
      roleDescription:
        "Usher: adds Chime's events to their table, which it can neither change nor delete, and reads the audit",
      logs: settings.logs,
      bundleDirectory: props.bundleDirectory,
      environment: { ...environment },
      memoryMb: 512,
      // An event takes milliseconds; judging a quarter of an hour may be many reads.
      timeout: Duration.minutes(5),
      alias: {},
    });
    this.allow(['dynamodb:PartiQLInsert', 'dynamodb:Query'], tables.events.tableArn);
    this.allow(
      ['dynamodb:Query'],
      `${tables.events.tableArn}/index/${TABLES.events.indexes.byArrival.name}`,
      tables.audit.tableArn,
      `${tables.admissions.tableArn}/index/${TABLES.admissions.indexes.byAttendee.name}`,
    );
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acceptFindings(this.deadLetters, {
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself.',
    });
    this.allow(['sqs:SendMessage'], this.deadLetters.queueArn);
    this.#keepWhatFails();
    this.#listen();
  }

  /** Events in the dead-letter queue. */
  deadLettersMetric(options?: MetricOptions): Metric {
    return this.deadLetters.metricApproximateNumberOfMessagesVisible({
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(5),
      ...options,
    });
  }

  /** Lambda retries an invocation by an event, and then hands it to the queue, by the function's own role. */
  #keepWhatFails(): void {
    const destination = this.deadLetters.queueArn;
    this.alias.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      // CDK's own destination would have the role granted what it has already.
      onFailure: { bind: () => ({ destination }) },
    });
  }

  #listen(): void {
    new Rule(this, 'Events', {
      description: 'Usher: who was added to a meeting, and who joined it',
      eventPattern: {
        source: ['aws.chime'],
        detailType: ['Chime Meeting State Change'],
        detail: { eventType: [...EVENT_TYPES] },
      },
      targets: [
        new LambdaTarget(this.alias as IFunction, {
          deadLetterQueue: this.deadLetters as IQueue,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
    new Rule(this, 'EveryQuarter', {
      description: 'Usher: judges the events of the last quarter of an hour that is due',
      // Five minutes from where a quarter begins, so that neither a late run nor a retry takes another one.
      schedule: Schedule.cron({ minute: '5/15' }),
      targets: [
        new LambdaTarget(this.alias as IFunction, { event: RuleTargetInput.fromObject({ judge: 'last' }) }),
      ],
    });
  }
}
