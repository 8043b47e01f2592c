import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { withinTime } from '../aws/time-limit.ts';
import type { CallOptions } from '../model/ports.ts';
import { insertFact } from './insert-fact.ts';
import type { AuditLog } from './ports.ts';
import { type AuditRecord, admissionsOf } from './records.ts';
import { putAdmissions } from './write-admissions.ts';

/** The audit log in DynamoDB. Records are only inserted, never changed. */
export function createAuditLog(
  client: DynamoDBClient,
  tables: { auditTableName: string; admissionTableName: string },
): AuditLog {
  // One limit for all calls of a write: a writer that learns too late that the record is its own must not go on.
  const insert = (record: AuditRecord, { timeoutMs }: CallOptions) =>
    withinTime(timeoutMs, (abortSignal) => insertFact(client, tables, record, abortSignal));

  return {
    async recordIntent(intent, options) {
      if (!(await insert(intent, options))) throw new KeyTaken(intent);
    },

    recordOutcome: insert,

    async recordDenial(denial, options) {
      if (!(await insert(denial, options))) throw new KeyTaken(denial);
    },

    recordAdmissions: (outcome, { timeoutMs }) =>
      withinTime(timeoutMs, (abortSignal) =>
        putAdmissions(client, tables.admissionTableName, admissionsOf(outcome), abortSignal),
      ),
  };
}

/** Another record has the key: a batch id is random, so this is not chance. */
class KeyTaken extends Error {
  override name = 'KeyTaken';

  constructor({ kind }: AuditRecord) {
    super(`The ${kind} is not recorded: another record has its key.`);
  }
}
