/**
 * The environment variables of the sealer. The stack builds an object of this type, so that a forgotten variable is a
 * compile error there and not a surprise here.
 */
export interface SealerEnvironment {
  /** The table of facts: intents, outcomes, denials. */
  AUDIT_TABLE_NAME: string;
  SEAL_BUCKET_NAME: string;
  /** What the keys of this facade's seals begin with, a slash at its end. */
  SEAL_PREFIX: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_SERVICE_NAME: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_LOG_LEVEL: string;
  /** Read by Powertools for AWS Lambda; of this stack alone, so that no two stacks are added up. */
  POWERTOOLS_METRICS_NAMESPACE: string;
}

/** What the sealer is configured to do, read once at start. */
export interface Settings {
  auditTableName: string;
  bucketName: string;
  prefix: string;
}

/** Reads the settings; a missing variable stops the function at start, where the deployment sees it. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const required = (name: keyof SealerEnvironment): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new Error(`The environment variable ${name} is missing.`);
    return value;
  };
  return {
    auditTableName: required('AUDIT_TABLE_NAME'),
    bucketName: required('SEAL_BUCKET_NAME'),
    prefix: required('SEAL_PREFIX'),
  };
}
