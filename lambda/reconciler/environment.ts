/**
 * The environment variables of the reconciler. The stack builds an object of this type, so that a missing variable is a
 * compile error there.
 */
export interface ReconcilerEnvironment {
  /** The table of facts: intents, outcomes, denials. */
  AUDIT_TABLE_NAME: string;
  /** The derived table: who was admitted to which meeting, by user and by attendee. */
  ADMISSION_TABLE_NAME: string;
  /** The reconciler's working state. */
  OPEN_INTENT_TABLE_NAME: string;
  /** The Chime SDK control Region; a meeting is only known in the Region that created it. */
  MEETINGS_REGION: string;
  /** How long after an intent's deadline its handler and Chime have to finish. */
  RECONCILE_MARGIN_SECONDS: string;
  /** The least time between two looks at the same meeting. */
  RECONCILE_SECOND_LOOK_SECONDS: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_SERVICE_NAME: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_LOG_LEVEL: string;
  /** Read by Powertools for AWS Lambda; unique to this stack, so that no two stacks share metrics. */
  POWERTOOLS_METRICS_NAMESPACE: string;
}

/** The configuration of the reconciler, read once at start. */
export interface Settings {
  auditTableName: string;
  admissionTableName: string;
  openIntentTableName: string;
  meetingsRegion: string;
  marginMs: number;
  secondLookMs: number;
}

/** Reads the settings; a missing variable stops the function at start, where the deployment notices it. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const required = (name: keyof ReconcilerEnvironment): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`The environment variable ${name} is missing.`);
    return value;
  };
  const milliseconds = (name: keyof ReconcilerEnvironment): number => {
    const seconds = Number(required(name));
    // Comparisons with NaN are false: nothing would ever be due.
    if (!(seconds > 0)) throw new Error(`The environment variable ${name} is no number of seconds.`);
    return seconds * 1000;
  };
  return {
    auditTableName: required('AUDIT_TABLE_NAME'),
    admissionTableName: required('ADMISSION_TABLE_NAME'),
    openIntentTableName: required('OPEN_INTENT_TABLE_NAME'),
    meetingsRegion: required('MEETINGS_REGION'),
    marginMs: milliseconds('RECONCILE_MARGIN_SECONDS'),
    secondLookMs: milliseconds('RECONCILE_SECOND_LOOK_SECONDS'),
  };
}
