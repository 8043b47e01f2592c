import { hash, randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { createAuditLog } from '../audit/audit-log.ts';
import { createChimeMeetings } from '../aws/chime-meetings.ts';
import { createChimeClient, createDynamoDBClient } from '../aws/clients.ts';
import { createMetrics } from '../aws/powertools-metrics.ts';
import { createTokenVerifier } from '../oidc/token-verifier.ts';
import { createCallerBudget } from './caller-budget.ts';
import { readSettings } from './environment.ts';
import { createHandler } from './http/create-handler.ts';
import { createMeetingAccess } from './meeting-access.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const logger = new Logger();
const settings = readSettings(process.env);
const clock = { now: Date.now };

const meetings = createChimeMeetings(createChimeClient({ region: settings.meetingsRegion }));

export const handler = createHandler({
  logger,
  addMetrics: createMetrics(),
  allowedOrigins: settings.allowedOrigins,
  tokenVerifier: createTokenVerifier(settings.issuers, clock, (event, facts) => logger.warn(event, facts)),
  meetingAccess: createMeetingAccess(meetings, clock),
  meetings,
  denialBudget: createCallerBudget(clock, { capacity: 20, perSecond: 1 / 3 }),
  auditLog: createAuditLog(createDynamoDBClient(), settings),
  clock,
  fingerprint: (joinToken) => `sha256:${hash('sha256', joinToken, 'hex').slice(0, 32)}`,
  randomHex: () => randomBytes(8).toString('hex'),
  auditRetentionDays: settings.auditRetentionDays,
  inForce: settings.inForce,
  meetingsRegion: settings.meetingsRegion,
});
