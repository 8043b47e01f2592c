import { hash, randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { chimeClient, dynamodbClient } from './adapters/aws-clients.ts';
import { chimeMeetings } from './adapters/chime-meetings.ts';
import { dynamodbAuditLog } from './adapters/dynamodb-audit-log.ts';
import { jwtTokenVerifier } from './adapters/jwt-token-verifier.ts';
import { powertoolsMetrics } from './adapters/powertools-metrics.ts';
import { createCallerBudget } from './caller-budget.ts';
import { readServices, readSettings } from './environment.ts';
import { createHandler } from './http/create-handler.ts';
import { createMeetingAccess } from './meeting-access.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const settings = readSettings(process.env);
const clock = { now: Date.now };

const { chime, dynamodb } = readServices(process.env, settings.meetingsRegion);
const meetings = chimeMeetings(chimeClient(chime));

export const handler = createHandler({
  logger: new Logger(),
  addMetrics: powertoolsMetrics(),
  allowedOrigins: settings.allowedOrigins,
  tokenVerifier: jwtTokenVerifier(settings.issuers, clock),
  meetingAccess: createMeetingAccess(meetings, clock),
  meetings,
  denialBudget: createCallerBudget(clock, { capacity: 20, perSecond: 1 / 3 }),
  auditLog: dynamodbAuditLog(dynamodbClient(dynamodb), settings),
  clock,
  fingerprint: (joinToken) => `sha256:${hash('sha256', joinToken, 'hex').slice(0, 32)}`,
  randomHex: () => randomBytes(8).toString('hex'),
  auditRetentionDays: settings.auditRetentionDays,
});
