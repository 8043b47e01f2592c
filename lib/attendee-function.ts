import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
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
import type { HandlerEnvironment } from '../lambda/environment.ts';
import type { IssuerRules } from '../lambda/issuer-rules.ts';
import { assertBuilt } from './built.ts';
import type { UsherConfig } from './config.ts';
import { meetingArns } from './meeting-arns.ts';

export interface AttendeeFunctionProps {
  config: Pick<UsherConfig, 'allowedOrigins' | 'audit' | 'limits' | 'logs'>;
  issuers: IssuerRules[];
  /** The Region that knows the meetings; may be a token. */
  meetingsRegion: string;
  auditTable: Table;
  admissionTable: Table;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.js`. */
  bundleDirectory: string;
}

/** The function that answers every request, and the role that says all it may ever do. */
export class AttendeeFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: AttendeeFunctionProps) {
    super(scope, id);
    const { config, meetingsRegion, auditTable, admissionTable, bundleDirectory } = props;
    const stack = Stack.of(this);

    assertBuilt(bundleDirectory);
    const logGroup = new LogGroup(this, 'Logs', { retention: config.logs.retentionDays });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description:
        'Usher: asks Chime for attendees and adds to the audit, which it can neither change nor delete',
    });
    logGroup.grantWrite(role);
    // Without UpdateItem, DeleteItem and BatchWriteItem, the facts can only be added to. A PutItem without its condition
    // would still overwrite: IAM has no condition key for that.
    role.addToPolicy(
      new PolicyStatement({
        actions: ['dynamodb:PutItem', 'dynamodb:GetItem'],
        resources: [auditTable.tableArn],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'],
        resources: [admissionTable.tableArn],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['chime:BatchCreateAttendee', 'chime:GetMeeting'],
        resources: meetingArns(stack, meetingsRegion),
      }),
    );

    const environment: HandlerEnvironment = {
      AUDIT_TABLE_NAME: auditTable.tableName,
      ADMISSION_TABLE_NAME: admissionTable.tableName,
      ISSUERS: stack.toJsonString(props.issuers),
      ALLOWED_ORIGINS: JSON.stringify(config.allowedOrigins),
      AUDIT_RETENTION_DAYS: String(config.audit.retentionDays ?? ''),
      MEETINGS_REGION: meetingsRegion,
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: config.logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    this.function = new LambdaFunction(this, 'Function', {
      description: 'Usher: BatchCreateAttendee for callers without AWS credentials',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleDirectory),
      handler: 'index.handler',
      role,
      environment: { ...environment },
      memorySize: config.limits.memoryMb,
      timeout: Duration.seconds(config.limits.timeoutSeconds),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel[config.logs.level],
    });
  }
}
