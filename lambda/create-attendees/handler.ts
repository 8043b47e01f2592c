import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { createAuditLog } from '../audit/audit-log.ts';
import { createChimeMeetings } from '../aws/chime-meetings.ts';
import { AGENT_OPTIONS, createChimeClient, createDynamoDBClient } from '../aws/clients.ts';
import { connectToChime, connectToDynamoDB, EarlyAgent } from '../aws/early-connections.ts';
import { createMetrics } from '../aws/powertools-metrics.ts';
import { fingerprintOf } from '../model/token-fingerprint.ts';
import { createTokenVerifier } from '../oidc/token-verifier.ts';
import { RECORDED_DENIALS } from './authorize.ts';
import { createCallerBudget } from './caller-budget.ts';
import { readSettings } from './environment.ts';
import { createHandler } from './http/create-handler.ts';
import { createMeetingAccess } from './meeting-access.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const logger = new Logger();
const settings = readSettings(process.env);
const clock = { now: Date.now };

const agents = { chime: new EarlyAgent(AGENT_OPTIONS), dynamodb: new EarlyAgent(AGENT_OPTIONS) };
const chime = createChimeClient({ region: settings.meetingsRegion }, agents.chime);
const dynamodb = createDynamoDBClient({}, agents.dynamodb);
const meetings = createChimeMeetings(chime);
const tokenVerifier = createTokenVerifier(settings.issuers, clock, (event, facts) =>
  logger.warn(event, facts),
);

export const handler = createHandler({
  logger,
  addMetrics: createMetrics(),
  allowedOrigins: settings.allowedOrigins,
  allowedHeaders: settings.allowedHeaders,
  tokenVerifier,
  meetingAccess: createMeetingAccess(meetings, clock),
  meetings,
  denialBudget: createCallerBudget(clock, RECORDED_DENIALS),
  auditLog: createAuditLog(dynamodb, settings),
  clock,
  fingerprint: fingerprintOf,
  randomHex: () => randomBytes(8).toString('hex'),
  auditRetentionDays: settings.auditRetentionDays,
  inForce: settings.inForce,
  meetingsRegion: settings.meetingsRegion,
});

// What the first request waits for begins now, and nothing waits for it here (docs/decisions/0028-warm-from-the-start.md).
tokenVerifier.prefetchKeys();
connectToDynamoDB(dynamodb, agents.dynamodb);
// Only where meetings are looked up: that safe call proves the connection.
if (settings.issuers.some(({ tenantClaim }) => tenantClaim !== undefined))
  connectToChime(chime, agents.chime);
