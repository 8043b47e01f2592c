import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { TABLES } from '../lambda/audit/schema.ts';
import type { ReconcilerEnvironment } from '../lambda/reconciler/environment.ts';
import type { AuditTableSet } from './audit-tables.ts';
import type { CompleteSettings } from './settings/props.ts';
import { UsherFunction } from './usher-function.ts';

export interface ReconcilerFunctionProps {
  settings: CompleteSettings;
  /** The Region of the meetings; may be a token. */
  meetingsRegion: string;
  tables: AuditTableSet;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.mjs`. */
  bundleDirectory: string;
}

/** The function that finishes what a handler could not, every minute, with all of its permissions. */
export class ReconcilerFunction extends UsherFunction {
  constructor(scope: Construct, id: string, props: ReconcilerFunctionProps) {
    const { settings, tables, meetingsRegion } = props;
    const environment: ReconcilerEnvironment = {
      AUDIT_TABLE_NAME: tables.audit.tableName,
      ADMISSION_TABLE_NAME: tables.admissions.tableName,
      OPEN_INTENT_TABLE_NAME: tables.openIntents.tableName,
      MEETINGS_REGION: meetingsRegion,
      RECONCILE_MARGIN_SECONDS: String(settings.reconciler.marginSeconds),
      RECONCILE_SECOND_LOOK_SECONDS: String(settings.reconciler.secondLookSeconds),
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: settings.logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    super(scope, id, {
      description: 'Usher: decides the outcome of intents that have none',
      roleDescription:
        'Usher: decides the outcome of open intents, and adds it to the audit, which it can neither change nor delete',
      logs: settings.logs,
      bundleDirectory: props.bundleDirectory,
      environment: { ...environment },
      memoryMb: 512,
      // Ends before the next run begins. Two at once would do no harm, but would share Chime's quota.
      timeout: Duration.seconds(55),
      // Lambda would retry a failed asynchronous run twice: the next minute's run does that.
      alias: { retryAttempts: 0, maxEventAge: Duration.minutes(1) },
    });
    this.allow(
      ['dynamodb:PartiQLInsert', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
      tables.audit.tableArn,
    );
    this.allow(['dynamodb:Query'], `${tables.audit.tableArn}/index/${TABLES.audit.indexes.byDay.name}`);
    this.allow(['dynamodb:BatchWriteItem', 'dynamodb:Query'], tables.admissions.tableArn);
    this.allow(
      ['dynamodb:Query'],
      `${tables.admissions.tableArn}/index/${TABLES.admissions.indexes.byAttendee.name}`,
    );
    this.allow(
      ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map((action) => `dynamodb:${action}`),
      tables.openIntents.tableArn,
    );
    this.allowOnMeetings(['chime:ListAttendees'], meetingsRegion);

    new Rule(this, 'EveryMinute', {
      description: 'Usher: runs the reconciler',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaTarget(this.alias as IFunction, { event: RuleTargetInput.fromObject({}) })],
    });
  }
}
