import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { createSealStore } from '../audit/seal-store.ts';
import { createDynamoDBClient, withCallLimit } from '../aws/clients.ts';
import { createMetrics } from '../aws/powertools-metrics.ts';
import { createObjects, createS3Client } from '../aws/s3-objects.ts';
import { withoutMessage } from '../model/errors.ts';
import type { LogEvent } from '../model/log-events.ts';
import { BrokenSeal } from './broken-seal.ts';
import { readSettings } from './environment.ts';
import { createFacts } from './facts.ts';
import { type SealSummary, sealDueHours } from './seal.ts';

// The only place that reads the environment and the clock: everything else is handed them.
const settings = readSettings(process.env);
const logger = new Logger();

/** The longest that any one call to AWS may take, its retries included. */
const CALL = { timeoutMs: 60_000 };
/** No hour is begun when less is left: a hundred thousand batches take a fraction of it. */
const HOUR_RESERVE_MS = 4 * 60_000;
const dynamodb = withCallLimit(createDynamoDBClient({ maxAttempts: 8 }), CALL);
const s3 = withCallLimit(createS3Client(), CALL);

const dependencies = {
  facts: createFacts(dynamodb, settings),
  seals: createSealStore(createObjects(s3, settings), settings),
  auditTableName: settings.auditTableName,
  clock: { now: Date.now },
  addMetrics: createMetrics(),
  report: (event: LogEvent, facts: Record<string, string | number | undefined>) => logger.info(event, facts),
};

/** Run by a schedule, or by hand: what it is passed, it does not read. */
export async function handler(_event: unknown, context: Context): Promise<SealSummary> {
  const stopsAtMs = Date.now() + context.getRemainingTimeInMillis() - HOUR_RESERVE_MS;
  const summary = await sealDueHours(stopsAtMs, dependencies).catch((error) => {
    throw error instanceof BrokenSeal ? error : withoutMessage(error);
  });
  logger.info('seal run', { ...summary });
  return summary;
}
