import { beforeEach, describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { DenialRecord } from '../../../lambda/audit/records.ts';
import type { MeetingPermit } from '../../../lambda/create-attendees/meeting-access.ts';
import type { Dependencies } from '../../../lambda/create-attendees/request.ts';
import { ROUTES } from '../../../lambda/create-attendees/routes.ts';
import { startTimeBudget } from '../../../lambda/create-attendees/time-budget.ts';
import { FacadeError } from '../../../lambda/model/errors.ts';
import type { Caller } from '../../../lambda/model/ports.ts';
import type { Rule } from '../../../lambda/model/rules.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

const MEETING = '3F0C4A7E-52c8-4d6f-9a0b-7d2f5e8c1b34';
const BATCH = '20261123T134558123Z-6f1c2a9b4d3e5f70';
const START_MS = Date.UTC(2026, 10, 23, 13, 45, 58, 123);

const ANY_MEETING = createIssuerRules({ scopes: { self: 'attendees.create.self' }, allowAnyMeeting: true });

let happened: unknown[];
let denials: DenialRecord[];
let access: { rule: Rule } | MeetingPermit | FacadeError;
let caller: Caller;

beforeEach(() => {
  happened = [];
  denials = [];
  access = { missingMedia: [], meeting: { MeetingId: MEETING.toLowerCase() } };
  caller = {
    rules: ANY_MEETING,
    clientId: 'web',
    subject: 'alice',
    scopes: new Set(['attendees.create.self']),
    claims: { sub: 'alice' },
  };
});

/** GetMeeting with fake ports: whatever would issue or record anything but a denial fails. */
function getMeeting() {
  const unused = (): never => {
    throw new Error('is not for this to call');
  };
  const clock = { now: () => START_MS };
  const dependencies: Dependencies = {
    meetingAccess: {
      check: async (...args) => {
        happened.push(['check', ...args]);
        if (access instanceof FacadeError) throw access;
        return access;
      },
      forget: unused,
    },
    meetings: { createAttendees: unused },
    denialBudget: { take: () => true, giveBack: unused },
    auditLog: {
      recordIntent: unused,
      recordOutcome: unused,
      recordAdmissions: unused,
      recordDenial: async (denial) => {
        denials.push(denial);
      },
    },
    clock,
    fingerprint: unused,
    randomHex: () => '0123456789abcdef',
    auditRetentionDays: 30,
    meetingsRegion: 'us-east-1',
    inForce: { rulesDigest: '0123456789abcdef', functionVersion: '7' },
    addMetrics: unused,
    report: (event, facts) => happened.push([event, facts]),
  };
  const route = ROUTES.find(({ name }) => name === 'GetMeeting');
  if (route === undefined) throw new Error('GetMeeting is not offered');
  const event = { pathParameters: { MeetingId: MEETING } } as unknown as APIGatewayProxyEvent;
  const origin = { sourceIp: '192.0.2.1', userAgent: 'a browser', gatewayRequestId: 'gateway-1' };
  const budget = startTimeBudget(clock, START_MS + 20_000);
  return route.serve(event, { batchId: BATCH, caller, origin, budget }, dependencies);
}

describe('GetMeeting', () => {
  it('looks up the meeting for a caller without tenants too, and records nothing', async () => {
    expect(await getMeeting()).toEqual({
      body: { Meeting: { MeetingId: MEETING.toLowerCase() } },
      chimeRequestId: undefined,
    });
    const id = 'https://login.example.com|web|alice';
    expect(happened).toEqual([
      ['check', id, undefined, MEETING, { timeoutMs: 3_000 }],
      ['meeting', { durationMs: 0 }],
    ]);
    expect(denials).toEqual([]);
  });

  it('records a denial by the token, with its operation, and looks nothing up', async () => {
    caller = { ...caller, scopes: new Set() };
    await expect(getMeeting()).rejects.toMatchObject({ code: 'Forbidden', details: { rule: 'scope' } });
    expect(happened).toEqual([]);
    expect(denials).toMatchObject([
      { kind: 'denial', rule: 'scope', operation: 'GetMeeting', requestedCount: 0 },
    ]);
  });

  it('records a denial by the meeting, which is answered as a meeting that does not exist', async () => {
    access = { rule: 'meeting-tenant' };
    await expect(getMeeting()).rejects.toMatchObject({
      code: 'NotFound',
      message: `Meeting ${MEETING} not found`,
    });
    expect(denials).toMatchObject([
      { meetingId: MEETING.toLowerCase(), rule: 'meeting-tenant', operation: 'GetMeeting' },
    ]);
  });

  it('passes on what the look-up throws, and records nothing', async () => {
    access = new FacadeError('Throttling', 'Too many.', { retryAfterSeconds: 2 });
    await expect(getMeeting()).rejects.toBe(access);
    expect(denials).toEqual([]);
  });
});
