import { Logger } from '@aws-lambda-powertools/logger';
import { expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { FacadeError } from '../../../lambda/errors.ts';
import { createHandler } from '../../../lambda/http/create-handler.ts';

/** Whatever the token verifier says is what the request comes to. */
async function countedFor(error: Error, resource = '/meetings/{MeetingId}/attendees') {
  const counted: [object, string | undefined][] = [];
  const unused = (): never => {
    throw new Error('not to be reached');
  };
  const handler = createHandler({
    logger: new Logger({ logLevel: 'SILENT' }),
    allowedOrigins: [],
    addMetrics: (values, reason) => counted.push([values, reason]),
    tokenVerifier: { verify: async () => Promise.reject(error) },
    meetingAccess: { ruleAgainst: unused },
    meetings: { createAttendees: unused },
    denialBudget: { take: unused, giveBack: unused },
    auditLog: {
      recordIntent: unused,
      recordOutcome: unused,
      recordDenial: unused,
      recordAdmissions: unused,
    },
    clock: { now: () => 0 },
    fingerprint: unused,
    randomHex: () => '0123456789abcdef',
    auditRetentionDays: undefined,
  });
  const event = {
    resource,
    httpMethod: 'POST',
    headers: { Authorization: 'Bearer alice' },
    multiValueHeaders: { Authorization: ['Bearer alice'] },
    multiValueQueryStringParameters: { operation: ['batch-create'] },
    requestContext: { requestId: 'gateway-1', identity: { sourceIp: '192.0.2.1', userAgent: '' } },
  } as unknown as APIGatewayProxyEvent;
  await handler(event, { getRemainingTimeInMillis: () => 20_000 } as Context);
  return counted;
}

const error = (...args: ConstructorParameters<typeof FacadeError>) => new FacadeError(...args);

it.each<[string, Error, string]>([
  ['Unauthenticated', error('Unauthorized', 'm', { reason: 'token-expired' }), 'token-expired'],
  ['Denials', error('Forbidden', 'm', { reason: 'capability-ceiling' }), 'capability-ceiling'],
  ['Denials', error('NotFound', 'Meeting 1 not found', { reason: 'meeting-tenant' }), 'meeting-tenant'],
  ['Refusals', error('Forbidden', 'm', { reason: 'chime-refused' }), 'chime-refused'],
  ['Refusals', error('ServiceUnavailable', 'm', { reason: 'chime-ambiguous' }), 'chime-ambiguous'],
  ['Refusals', error('BadRequest', 'alice'), 'BadRequest'],
  ['Refusals', new TypeError('alice'), 'unexpected'],
])('counts among %s: %s', async (name, thrown, reason) => {
  expect(await countedFor(thrown)).toEqual([[{ [name]: 1 }, reason]]);
});

it('counts a path that is not offered as no denial', async () => {
  expect(await countedFor(new Error('not reached'), '/{proxy+}')).toEqual([[{ Refusals: 1 }, 'path']]);
});
