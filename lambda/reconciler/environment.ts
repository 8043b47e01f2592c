/**
 * The environment variables of the reconciler. The stack builds an object of this type, so that a forgotten variable is
 * a compile error there and not a surprise here.
 */
export interface ReconcilerEnvironment {
  /** The table of facts: intents, outcomes, denials. */
  AUDIT_TABLE_NAME: string;
  /** The derived table: who was admitted where, by user and by attendee. */
  ADMISSION_TABLE_NAME: string;
  /** The reconciler's working state. */
  OPEN_INTENT_TABLE_NAME: string;
  /** The Chime SDK control Region; a meeting is only known in the Region that created it. */
  MEETINGS_REGION: string;
  /** How long after an intent's deadline its handler and Chime are given to finish. */
  RECONCILE_MARGIN_SECONDS: string;
  /** How far apart two looks at the same meeting are, at least. */
  RECONCILE_SECOND_LOOK_SECONDS: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_SERVICE_NAME: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_LOG_LEVEL: string;
  /** Read by Powertools for AWS Lambda; of this stack alone, so that no two stacks are added up. */
  POWERTOOLS_METRICS_NAMESPACE: string;
}

/** What the reconciler is configured to do, read once at start. */
export interface Settings {
  auditTableName: string;
  admissionTableName: string;
  openIntentTableName: string;
  meetingsRegion: string;
  marginMs: number;
  secondLookMs: number;
}

/** Reads the settings; a missing variable stops the function at start, where the deployment sees it. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const required = (name: keyof ReconcilerEnvironment): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`The environment variable ${name} is missing.`);
    return value;
  };
  const milliseconds = (name: keyof ReconcilerEnvironment): number => {
    const seconds = Number(required(name));
    // Not a number would compare as never: nothing would ever be due.
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
