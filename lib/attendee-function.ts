import { Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ISSUERS_FILE } from '../lambda/create-attendees/environment.ts';
import type { IssuerRules } from '../lambda/model/issuer-rules.ts';
import type { AuditTableSet } from './audit-tables.ts';
import { throwProblems } from './checks/configuration-error.ts';
import { handlerEnvironment, issuersFile, problemsWithEnvironment } from './handler-environment.ts';
import type { CompleteSettings } from './settings/props.ts';
import { UsherFunction } from './usher-function.ts';

export interface AttendeeFunctionProps {
  settings: CompleteSettings;
  issuers: IssuerRules[];
  /** The Region of the meetings; may be a token. */
  meetingsRegion: string;
  tables: AuditTableSet;
  metricsNamespace: string;
  /** The folder with the bundle, its entry `index.mjs`. */
  bundleDirectory: string;
}

/** The function that answers every request, with all of its permissions. */
export class AttendeeFunction extends UsherFunction {
  constructor(scope: Construct, id: string, props: AttendeeFunctionProps) {
    const { settings, meetingsRegion, tables } = props;
    const { limits, logs } = settings;
    const stack = Stack.of(scope);
    const configuration = {
      ...props,
      auditTableName: tables.audit.tableName,
      admissionTableName: tables.admissions.tableName,
    };
    throwProblems(scope.node.path, problemsWithEnvironment(configuration, stack));
    const issuers = issuersFile(configuration, stack);
    super(scope, id, {
      description: 'Usher: BatchCreateAttendee and GetMeeting for callers without AWS credentials',
      roleDescription:
        'Usher: asks Chime for attendees and meetings, and adds to the audit, which it can neither change nor delete',
      logs,
      bundleDirectory: props.bundleDirectory,
      ...(issuers === undefined ? {} : { files: { [ISSUERS_FILE]: issuers } }),
      environment: { ...handlerEnvironment(configuration, stack) },
      memoryMb: limits.memoryMb,
      timeout: Duration.seconds(limits.timeoutSeconds),
      reservedConcurrency: limits.reservedConcurrency,
      alias:
        limits.provisionedConcurrency === undefined
          ? {}
          : { provisionedConcurrentExecutions: limits.provisionedConcurrency },
    });
    // The only write that cannot overwrite: facts can be added, and never changed.
    this.allow(['dynamodb:PartiQLInsert', 'dynamodb:GetItem'], tables.audit.tableArn);
    this.allow(['dynamodb:BatchWriteItem'], tables.admissions.tableArn);
    this.allowOnMeetings(['chime:BatchCreateAttendee', 'chime:GetMeeting'], meetingsRegion);
  }
}
