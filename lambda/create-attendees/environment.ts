import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { InForce } from '../audit/records.ts';
import { type CompactIssuerRules, completeIssuerRules, type IssuerRules } from '../model/issuer-rules.ts';

/**
 * The environment variables of the create-attendees function. The stack builds an object of this type, so that a
 * missing variable is a compile error there.
 */
export interface HandlerEnvironment {
  /** The table of facts: intents, outcomes, denials. */
  AUDIT_TABLE_NAME: string;
  /** The derived table: who was admitted to which meeting, by user and by attendee. */
  ADMISSION_TABLE_NAME: string;
  /** JSON of `CompactIssuerRules[]`; left out if it is too long, and `ISSUERS_FILE` holds it. */
  ISSUERS?: string;
  /** JSON of `string[]`: exact origins, or an origin of this machine with `:*` for any port. */
  ALLOWED_ORIGINS: string;
  /** JSON of `string[]`: request headers that pages may send in addition to the usual ones; left out if empty. */
  ALLOWED_HEADERS?: string;
  /** How long audit records are kept, in days; empty means for ever. */
  AUDIT_RETENTION_DAYS: string;
  /** The Chime SDK control Region; a meeting is only known in the Region that created it. */
  MEETINGS_REGION: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_SERVICE_NAME: string;
  /** Read by Powertools for AWS Lambda. */
  POWERTOOLS_LOG_LEVEL: string;
  /** Read by Powertools for AWS Lambda; unique to this stack, so that no two stacks share metrics. */
  POWERTOOLS_METRICS_NAMESPACE: string;
}

/** The file beside the bundle with the issuers that do not fit into `ISSUERS`. */
export const ISSUERS_FILE = 'issuers.json';

/** Hexadecimal digits; 64 bits distinguish all rules that a deployment ever has. */
const RULES_DIGEST_LENGTH = 16;

/** The configuration of the handler, read once at start. */
export interface Settings {
  auditTableName: string;
  admissionTableName: string;
  issuers: IssuerRules[];
  allowedOrigins: string[];
  allowedHeaders: string[];
  auditRetentionDays: number | undefined;
  meetingsRegion: string;
  inForce: InForce;
}

/** Reads the settings; a missing variable stops the function at start, where the deployment notices it. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const required = (name: keyof HandlerEnvironment | 'LAMBDA_TASK_ROOT'): string => {
    const value = env[name];
    if (value === undefined) throw new Error(`The environment variable ${name} is missing.`);
    return value;
  };
  const retention = required('AUDIT_RETENTION_DAYS');
  const issuers = env['ISSUERS'] ?? readFileSync(`${required('LAMBDA_TASK_ROOT')}/${ISSUERS_FILE}`, 'utf8');
  return {
    auditTableName: required('AUDIT_TABLE_NAME'),
    admissionTableName: required('ADMISSION_TABLE_NAME'),
    issuers: JSON.parse(issuers).map((rules: CompactIssuerRules) => completeIssuerRules(rules)),
    allowedOrigins: JSON.parse(required('ALLOWED_ORIGINS')),
    allowedHeaders: JSON.parse(env['ALLOWED_HEADERS'] ?? '[]'),
    auditRetentionDays: retention === '' ? undefined : Number(retention),
    meetingsRegion: required('MEETINGS_REGION'),
    inForce: {
      rulesDigest: hash('sha256', issuers, 'hex').slice(0, RULES_DIGEST_LENGTH),
      // Set by Lambda.
      functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'] ?? '$LATEST',
    },
  };
}
