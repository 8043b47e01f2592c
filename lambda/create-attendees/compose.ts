import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { createMetrics } from '../aws/powertools-metrics.ts';
import type { Clock } from '../model/ports.ts';
import { fingerprintOf } from '../model/token-fingerprint.ts';
import type { KeySetCache } from '../oidc/key-set-cache.ts';
import { rehearseVerification } from '../oidc/rehearse-verification.ts';
import { createTokenVerifier } from '../oidc/token-verifier.ts';
import { RECORDED_DENIALS } from './authorize.ts';
import { createCallerBudget } from './caller-budget.ts';
import type { Settings } from './environment.ts';
import { createHandler } from './http/create-handler.ts';
import { createMeetingAccess } from './meeting-access.ts';
import type { Services } from './start-services.ts';

export interface Started extends Services {
  settings: Settings;
  clock: Clock;
  keys: KeySetCache;
}

/** The handler and its log, of what was started before them. */
export async function compose({ settings, clock, keys, meetings, auditLog }: Started) {
  await rehearseVerification();
  const logger = new Logger();
  const handler = createHandler({
    logger,
    addMetrics: createMetrics(),
    allowedOrigins: settings.allowedOrigins,
    allowedHeaders: settings.allowedHeaders,
    tokenVerifier: createTokenVerifier(
      settings.issuers,
      clock,
      (event, facts) => logger.warn(event, facts),
      keys,
    ),
    meetingAccess: createMeetingAccess(meetings, clock),
    meetings,
    denialBudget: createCallerBudget(clock, RECORDED_DENIALS),
    auditLog,
    clock,
    fingerprint: fingerprintOf,
    randomHex: () => randomBytes(8).toString('hex'),
    auditRetentionDays: settings.auditRetentionDays,
    inForce: settings.inForce,
    meetingsRegion: settings.meetingsRegion,
  });
  return { handler, logger };
}
