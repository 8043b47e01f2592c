import { hash, randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { chimeMeetings } from './adapters/chime-meetings.ts';
import { dynamodbAuditLog } from './adapters/dynamodb-audit-log.ts';
import { jwtTokenVerifier } from './adapters/jwt-token-verifier.ts';
import { powertoolsMetrics } from './adapters/powertools-metrics.ts';
import { createCallerBudget } from './caller-budget.ts';
import { readSettings } from './environment.ts';
import { createHandler } from './http/create-handler.ts';
import { createMeetingAccess } from './meeting-access.ts';

// The only place that reads the environment, the clock and the source of randomness: everything else is handed them.
const settings = readSettings(process.env);
const clock = { now: Date.now };

// One attempt: repeating is up to the caller, whose SDK does it, and never right where the outcome is unknown.
const chime = new ChimeSDKMeetingsClient({ region: settings.meetingsRegion, maxAttempts: 1 });
const dynamodb = new DynamoDBClient({ maxAttempts: 3 });
// It copies all that is sent and received for a logger that there is not, a quarter of a request's CPU.
chime.middlewareStack.remove('loggerMiddleware');
dynamodb.middlewareStack.remove('loggerMiddleware');
const meetings = chimeMeetings(chime);

export const handler = createHandler({
  logger: new Logger(),
  addMetrics: powertoolsMetrics(),
  allowedOrigins: settings.allowedOrigins,
  tokenVerifier: jwtTokenVerifier(settings.issuers, clock),
  meetingAccess: createMeetingAccess(meetings, clock),
  meetings,
  denialBudget: createCallerBudget(clock, { capacity: 20, perSecond: 1 / 3 }),
  auditLog: dynamodbAuditLog(dynamodb, settings),
  clock,
  fingerprint: (joinToken) => `sha256:${hash('sha256', joinToken, 'hex').slice(0, 32)}`,
  randomHex: () => randomBytes(8).toString('hex'),
  auditRetentionDays: settings.auditRetentionDays,
});
