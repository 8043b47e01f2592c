import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { createAdmissions } from '../audit/admissions.ts';
import { createAuditLog } from '../audit/audit-log.ts';
import { createAuditReader } from '../audit/audit-reader.ts';
import { createOpenIntents } from '../audit/open-intents.ts';
import { createChimeAttendeeList } from '../aws/chime-attendee-list.ts';
import { createChimeClient, createDynamoDBClient, withCallLimit } from '../aws/clients.ts';
import { createMetrics } from '../aws/powertools-metrics.ts';
import type { LogEvent } from '../model/log-events.ts';
import { fingerprintOf } from '../model/token-fingerprint.ts';
import { readSettings } from './environment.ts';
import { type ReconcileSummary, reconcile } from './reconcile.ts';
import { RUN_TIMES } from './run-times.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const settings = readSettings(process.env);
const logger = new Logger();

const CALL = { timeoutMs: RUN_TIMES.callMs };
const dynamodb = withCallLimit(createDynamoDBClient(), CALL);
// The run paces its calls to Chime itself, and the next run retries.
const chime = withCallLimit(createChimeClient({ region: settings.meetingsRegion }), CALL);

const dependencies = {
  audit: createAuditReader(dynamodb, settings),
  auditLog: createAuditLog(dynamodb, settings),
  openIntents: createOpenIntents(dynamodb, settings),
  attendeeList: createChimeAttendeeList(chime, fingerprintOf),
  admissions: createAdmissions(dynamodb, settings),
  settings,
  clock: { now: Date.now },
  pause: (ms: number) => pause(ms),
  randomHex: () => randomBytes(8).toString('hex'),
  addMetrics: createMetrics(),
  report: (event: LogEvent, facts: Record<string, string | number | undefined>) => logger.info(event, facts),
};

/**
 * Runs by a schedule, whose event is not read, or by hand.
 *
 * @param event `since` (ISO 8601) sweeps again from that time, regardless of earlier sweeps
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
