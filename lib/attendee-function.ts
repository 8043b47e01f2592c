import { Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HandlerEnvironment } from '../lambda/create-attendees/environment.ts';
import { compactIssuerRules, type IssuerRules } from '../lambda/model/issuer-rules.ts';
import type { AuditTableSet } from './audit-tables.ts';
import type { CompleteSettings } from './settings/props.ts';
import { UsherFunction } from './usher-function.ts';

export interface AttendeeFunctionProps {
  settings: Pick<CompleteSettings, 'allowedOrigins' | 'audit' | 'limits' | 'logs'>;
  issuers: IssuerRules[];
  /** The Region that knows the meetings; may be a token. */
  meetingsRegion: string;
  tables: AuditTableSet;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.js`. */
  bundleDirectory: string;
}

/** The function that answers every request, and all that it may ever do. */
export class AttendeeFunction extends UsherFunction {
  constructor(scope: Construct, id: string, props: AttendeeFunctionProps) {
    const { settings, meetingsRegion, tables } = props;
    const { limits, logs } = settings;
    const environment: HandlerEnvironment = {
      AUDIT_TABLE_NAME: tables.audit.tableName,
      ADMISSION_TABLE_NAME: tables.admissions.tableName,
      ISSUERS: Stack.of(scope).toJsonString(props.issuers.map(compactIssuerRules)),
      ALLOWED_ORIGINS: Stack.of(scope).toJsonString(settings.allowedOrigins),
      AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays ?? ''),
      MEETINGS_REGION: meetingsRegion,
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: logs.level,
      POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    };
    super(scope, id, {
      description: 'Usher: BatchCreateAttendee for callers without AWS credentials',
      roleDescription:
        'Usher: asks Chime for attendees and adds to the audit, which it can neither change nor delete',
      logs,
      bundleDirectory: props.bundleDirectory,
      environment: { ...environment },
      memoryMb: limits.memoryMb,
      timeout: Duration.seconds(limits.timeoutSeconds),
      reservedConcurrency: limits.reservedConcurrency,
      alias:
        limits.provisionedConcurrency === undefined
          ? {}
          : { provisionedConcurrentExecutions: limits.provisionedConcurrency },
    });
    // The only write that cannot overwrite: the facts can be added to, and not changed.
    this.allow(['dynamodb:PartiQLInsert', 'dynamodb:GetItem'], tables.audit.tableArn);
    this.allow(['dynamodb:BatchWriteItem'], tables.admissions.tableArn);
    this.allowOnMeetings(['chime:BatchCreateAttendee', 'chime:GetMeeting'], meetingsRegion);
  }
}
