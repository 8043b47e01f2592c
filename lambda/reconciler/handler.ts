import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { chimeClient, dynamodbClient, withCallLimit } from '../adapters/aws-clients.ts';
import { chimeAttendeeList } from '../adapters/chime-attendee-list.ts';
import { dynamodbAdmissions } from '../adapters/dynamodb-admissions.ts';
import { dynamodbAuditLog } from '../adapters/dynamodb-audit-log.ts';
import { dynamodbAuditReader } from '../adapters/dynamodb-audit-reader.ts';
import { dynamodbOpenIntents } from '../adapters/dynamodb-open-intents.ts';
import { powertoolsMetrics } from '../adapters/powertools-metrics.ts';
import { readServices } from '../environment.ts';
import { readSettings } from './environment.ts';
import { type ReconcileSummary, reconcile } from './reconcile.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const settings = readSettings(process.env);
const logger = new Logger();

/** No call may hang for longer than a run can spare. */
const CALL = { timeoutMs: 5_000 };
const services = readServices(process.env, settings.meetingsRegion);
const dynamodb = withCallLimit(dynamodbClient(services.dynamodb), CALL);
// The pace of calls to Chime is the run's own, and the next run is the next attempt.
const chime = withCallLimit(chimeClient(services.chime), CALL);

const dependencies = {
  audit: dynamodbAuditReader(dynamodb, settings),
  auditLog: dynamodbAuditLog(dynamodb, settings),
  openIntents: dynamodbOpenIntents(dynamodb, settings),
  attendeeList: chimeAttendeeList(
    chime,
    (joinToken) => `sha256:${createHash('sha256').update(joinToken).digest('hex').slice(0, 32)}`,
  ),
  admissions: dynamodbAdmissions(dynamodb, settings),
  settings,
  clock: { now: Date.now },
  pause: (ms: number) => pause(ms),
  randomHex: () => randomBytes(8).toString('hex'),
  addMetrics: powertoolsMetrics(),
  report: (event: string, facts: Record<string, string | number | undefined>) => logger.info(event, facts),
};

/**
 * Run by a schedule, which passes nothing that is read here, or by hand.
 *
 * @param event `since` (ISO 8601) sweeps again from that instant, whatever was swept before
 */
export async function handler(event: { since?: string } | null, context: Context): Promise<ReconcileSummary> {
  const sinceMs = event?.since === undefined ? undefined : Date.parse(event.since);
  if (Number.isNaN(sinceMs)) throw new Error('`since` is an instant in ISO 8601.');
  const summary = await reconcile(
    {
      stopsAtMs: Date.now() + context.getRemainingTimeInMillis(),
      ...(sinceMs !== undefined && { sinceMs }),
    },
    dependencies,
  );
  logger.info('run', { ...summary });
  return summary;
}
