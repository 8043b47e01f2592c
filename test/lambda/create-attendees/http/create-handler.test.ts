import { Logger } from '@aws-lambda-powertools/logger';
import { describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { createHandler } from '../../../../lambda/create-attendees/http/create-handler.ts';
import { FacadeError } from '../../../../lambda/model/errors.ts';

/** Whatever the token verifier says is what the request comes to: what is counted, and what is logged of it. */
async function toldOf(error: Error, resource = '/meetings/{MeetingId}/attendees') {
  const counted: [object, string | undefined][] = [];
  const logged: unknown[][] = [];
  const logger = new Logger({ logLevel: 'SILENT' });
  logger.error = logger.warn = (...line: unknown[]) => logged.push(line);
  const unused = (): never => {
    throw new Error('not to be reached');
  };
  const handler = createHandler({
    logger,
    allowedOrigins: [],
    allowedHeaders: [],
    addMetrics: (values, reason) => counted.push([values, reason]),
    tokenVerifier: { verify: async () => Promise.reject(error) },
    meetingAccess: { check: unused, forget: unused },
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
    inForce: { rulesDigest: '0123456789abcdef', functionVersion: '7' },
    meetingsRegion: 'us-east-1',
  });
  const event = {
    resource,
    httpMethod: 'POST',
    headers: { Authorization: 'Bearer alice' },
    multiValueHeaders: { Authorization: ['Bearer alice'] },
    multiValueQueryStringParameters: { operation: ['batch-create'] },
    path: '/meetings/m/attendees',
    requestContext: {
      path: '/v1/meetings/m/attendees',
      requestId: 'gateway-1',
      identity: { sourceIp: '192.0.2.1', userAgent: '' },
    },
  } as unknown as APIGatewayProxyEvent;
  await handler(event, { getRemainingTimeInMillis: () => 20_000 } as Context);
  return { counted, logged };
}

const error = (...args: ConstructorParameters<typeof FacadeError>) => new FacadeError(...args);

it.each<[string, Error, string]>([
  ['Unauthenticated', error('Unauthorized', 'm', { reason: 'token-expired' }), 'token-expired'],
  ['Denials', error('Forbidden', 'm', { reason: 'capability-ceiling' }), 'capability-ceiling'],
  ['Denials', error('NotFound', 'Meeting 1 not found', { reason: 'meeting-tenant' }), 'meeting-tenant'],
  ['FailedRequests', error('Forbidden', 'm', { reason: 'chime-refused' }), 'chime-refused'],
  ['FailedRequests', error('ServiceUnavailable', 'm', { reason: 'chime-ambiguous' }), 'chime-ambiguous'],
  ['FailedRequests', error('BadRequest', 'alice', { reason: 'json' }), 'json'],
  ['FailedRequests', new TypeError('alice'), 'unexpected'],
])('counts among %s: %s', async (name, thrown, reason) => {
  expect((await toldOf(thrown)).counted).toEqual([[{ [name]: 1 }, reason]]);
});

it('does not count an unknown path as a denial', async () => {
  const { counted } = await toldOf(new Error('not reached'), '/{proxy+}');
  expect(counted).toEqual([[{ FailedRequests: 1 }, 'path']]);
});

describe('the log line of a failure', () => {
  /** With a message that was changed after the fact, so that it is not the one in the stack. */
  const retold = Object.assign(new Error('another s3cret'), {
    stack: 'Error: s3cret\n    at s3cret (s3cret.ts:1:1)\n    at retold (file.ts:1:1)',
  });

  it.each<[string, Error]>([
    ['a message', new TypeError('s3cret')],
    ['a message of several lines', new Error('what came was\ns3cret')],
    ['lines that look like frames', new Error('s3cret\n    at s3cret (s3cret.ts:1:1)\n    at s3cret')],
    ['a message that was changed later', retold],
    [
      'the cause of a refusal',
      error('ServiceUnavailable', 'm', { cause: new Error('s3cret\n    at s3cret (s3cret.ts:1:1)') }),
    ],
  ])('has its name and stack frames, and nothing of %s', async (_what, thrown) => {
    const { logged } = await toldOf(thrown);
    expect(logged).toEqual([
      [
        'request failed',
        expect.objectContaining({ cause: expect.stringMatching(/^(Type)?Error$/), at: expect.any(Array) }),
      ],
    ]);
    expect(JSON.stringify(logged)).not.toMatch(/s3cret/);
  });

  it('has at most five frames, innermost first', async () => {
    const { logged } = await toldOf(new Error('s3cret\n    at s3cret (s3cret.ts:1:1)'));
    const [[, { at }]] = logged as [[string, { at: string[] }]];
    expect(at).toHaveLength(5);
    expect(at[0]).toMatch(/^at .*create-handler\.test\.ts:\d+:\d+\)?$/);
  });
});
