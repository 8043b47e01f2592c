import { Logger } from '@aws-lambda-powertools/logger';
import { isQuarter, quarterToJudge } from '../audit/attendee-events.ts';
import { createDynamoDBClient, withCallLimit } from '../aws/clients.ts';
import { createMetrics } from '../aws/powertools-metrics.ts';
import { withoutMessage } from '../model/errors.ts';
import type { LogEvent } from '../model/log-events.ts';
import { readSettings } from './environment.ts';
import { createEvents } from './events.ts';
import { createFacts } from './facts.ts';
import { type Judgement, judge } from './judge.ts';
import { type Observed, observe } from './observe.ts';

// The only place that reads the environment and the clock: everything else is handed them.
const settings = readSettings(process.env);
const logger = new Logger();
const dynamodb = withCallLimit(createDynamoDBClient(), { timeoutMs: 5_000 });

const dependencies = {
  events: createEvents(dynamodb, settings),
  facts: createFacts(dynamodb, settings),
  retentionDays: settings.retentionDays,
  clock: { now: Date.now },
  addMetrics: createMetrics(),
  report: (event: LogEvent, facts: Record<string, string | number | undefined>) => logger.info(event, facts),
};

/**
 * Run by Chime's events, one at a time, and by a schedule.
 *
 * @param event an event of EventBridge; or `judge`, which says the quarter of an hour (`2026-11-23T13:45Z`) to judge the events
 * of, or `last` for the last one that is due
 * @throws where DynamoDB fails, so that Lambda retries and then keeps the event in the dead-letter queue
 */
export async function handler(event: { judge?: string } | null): Promise<{ observed: Observed } | Judgement> {
  const asked = event?.judge;
  if (asked === undefined) return { observed: await observe(event, dependencies).catch(rethrowSafely) };
  const quarter = asked === 'last' ? quarterToJudge(dependencies.clock.now()) : asked;
  if (!isQuarter(quarter))
    throw new Error('`judge` is `last` or a quarter of an hour, such as 2026-11-23T13:45Z.');
  return judge(quarter, dependencies).catch(rethrowSafely);
}

function rethrowSafely(error: unknown): never {
  throw withoutMessage(error);
}
