import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ReconcilerEnvironment } from '../lambda/reconciler/environment.ts';
import { assertBuilt } from './built.ts';
import type { UsherConfig } from './config.ts';
import { meetingArns } from './meeting-arns.ts';

export interface ReconcilerFunctionProps {
  config: Pick<UsherConfig, 'logs' | 'reconciler'>;
  /** The Region that knows the meetings; may be a token. */
  meetingsRegion: string;
  auditTable: Table;
  admissionTable: Table;
  openIntentTable: Table;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.js`. */
  bundleDirectory: string;
}

/** The function that finishes what a handler could not, every minute, and the role that says all it may ever do. */
export class ReconcilerFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: ReconcilerFunctionProps) {
    super(scope, id);
    const { config, auditTable, admissionTable, openIntentTable, meetingsRegion, bundleDirectory } = props;
    assertBuilt(bundleDirectory);

    const logGroup = new LogGroup(this, 'Logs', { retention: config.logs.retentionDays });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description:
        'Usher: finds out what became of open intents, and adds it to the audit, which it can neither change nor delete',
    });
    logGroup.grantWrite(role);
    const allow = (actions: string[], ...resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ actions, resources }));
    allow(
      ['dynamodb:PutItem', 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
      auditTable.tableArn,
    );
    allow(['dynamodb:Query'], `${auditTable.tableArn}/index/by-day`);
    allow(['dynamodb:BatchWriteItem', 'dynamodb:Query'], admissionTable.tableArn);
    allow(
      ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'].map((action) => `dynamodb:${action}`),
      openIntentTable.tableArn,
    );
    allow(['chime:ListAttendees'], ...meetingArns(Stack.of(this), meetingsRegion));

    const environment: ReconcilerEnvironment = {
      AUDIT_TABLE_NAME: auditTable.tableName,
      ADMISSION_TABLE_NAME: admissionTable.tableName,
      OPEN_INTENT_TABLE_NAME: openIntentTable.tableName,
      MEETINGS_REGION: meetingsRegion,
      RECONCILE_MARGIN_SECONDS: String(config.reconciler.marginSeconds),
      RECONCILE_SECOND_LOOK_SECONDS: String(config.reconciler.secondLookSeconds),
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: config.logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    this.function = new LambdaFunction(this, 'Function', {
      description: 'Usher: finds out what became of the intents that have no outcome',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleDirectory),
      handler: 'index.handler',
      role,
      environment: { ...environment },
      memorySize: 512,
      // Ends before the next run begins. Two at once would do no harm, but would share Chime's quota.
      timeout: Duration.seconds(55),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel[config.logs.level],
      // Invoked by an event, Lambda would repeat a failed run twice: the next minute's run does that.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
    });

    new Rule(this, 'EveryMinute', {
      description: 'Usher: runs the reconciler',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaTarget(this.function, { event: RuleTargetInput.fromObject({}) })],
    });
  }
}
