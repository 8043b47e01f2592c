/**
 * The environment variables of the observer. The stack builds an object of this type, so that a forgotten variable is a
 * compile error there and not a surprise here.
 */
export interface ObserverEnvironment {
  /** The table of Chime's events. */
  EVENT_TABLE_NAME: string;
  /** The table of facts: intents, outcomes, denials. */
  AUDIT_TABLE_NAME: string;
  /** The derived table: who was admitted where, by user and by attendee. */
  ADMISSION_TABLE_NAME: string;
  /** How long events are kept, in days, as the audit's records; empty means for ever. */
  AUDIT_RETENTION_DAYS: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_SERVICE_NAME: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_LOG_LEVEL: string;
  /** Read by Powertools for AWS Lambda; of this stack alone, so that no two stacks are added up. */
  POWERTOOLS_METRICS_NAMESPACE: string;
}

/** What the observer is configured to do, read once at start. */
export interface Settings {
  eventTableName: string;
  auditTableName: string;
  admissionTableName: string;
  retentionDays: number | undefined;
}

/** Reads the settings; a missing variable stops the function at start, where the deployment sees it. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const required = (name: keyof ObserverEnvironment): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`The environment variable ${name} is missing.`);
    return value;
  };
  const retention = env['AUDIT_RETENTION_DAYS'];
  if (retention === undefined) throw new Error('The environment variable AUDIT_RETENTION_DAYS is missing.');
  return {
    eventTableName: required('EVENT_TABLE_NAME'),
    auditTableName: required('AUDIT_TABLE_NAME'),
    admissionTableName: required('ADMISSION_TABLE_NAME'),
    retentionDays: retention === '' ? undefined : Number(retention),
  };
}
