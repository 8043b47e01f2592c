import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  callerId,
  type DenialRecord,
  type IntentRecord,
  type OutcomeRecord,
} from '../../../lambda/audit/records.ts';
import { authorizeByMeeting } from '../../../lambda/create-attendees/policy.ts';
import type { Dependencies } from '../../../lambda/create-attendees/request.ts';
import type { Attendee, AttendeeRequest } from '../../../lambda/model/attendees.ts';
import { FacadeError } from '../../../lambda/model/errors.ts';
import type { Caller, CreationResult, MeetingFacts } from '../../../lambda/model/ports.ts';
import { createAttendeesFor } from '../../support/create-attendees.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

const MEETING = '3F0C4A7E-52c8-4d6f-9a0b-7d2f5e8c1b34';
const BATCH = '20261123T134558123Z-6f1c2a9b4d3e5f70';
const START_MS = Date.UTC(2026, 10, 23, 13, 45, 58, 123);
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;

const RULES = createIssuerRules({
  issuer: 'https://idp.example.com',
  tenantClaim: 'tenant',
  meetingsClaimRequired: false,
});

const attendee = (name: string): Attendee => ({
  ExternalUserId: name,
  AttendeeId: `id-of-${name}`,
  JoinToken: `token-of-${name}`,
  Capabilities: EVERYTHING,
});
const answered = (...attendees: Attendee[]): CreationResult => ({
  kind: 'answered',
  attendees,
  errors: [],
  chimeRequestId: 'chime-1',
});

/** A world of fake ports: calls are listed in order, and each port's behaviour can be replaced. */
function createWorld() {
  const happened: string[] = [];
  const records: (IntentRecord | OutcomeRecord | DenialRecord)[] = [];
  const reports: string[] = [];
  const metrics: Record<string, unknown>[] = [];
  let nowMs = START_MS;
  const state = {
    happened,
    records,
    reports,
    metrics,
    timeouts: {} as Record<string, number>,
    caller: {
      rules: RULES,
      clientId: 'backend',
      subject: 'service',
      scopes: new Set(['attendees.create']),
      claims: { sub: 'service', tenant: 'acme', jti: 'token-1' },
    } as Caller,
    requested: [{ ExternalUserId: 'alice' }, { ExternalUserId: 'bob' }] as AttendeeRequest[],
    stopsAtMs: START_MS + 20_000,
    meeting: { tenantIds: ['acme'] } as Omit<MeetingFacts, 'meeting'> | undefined,
    result: answered(attendee('alice'), attendee('bob')),
    /** Rejects the port of that name. */
    broken: new Set<string>(),
    /** Milliseconds that the port of that name takes. */
    slow: {} as Record<string, number>,
    outcomeWritten: true,
    sourceIp: '192.0.2.1',
    userAgent: 'a browser',
    gatewayRequestId: 'gateway-1',
    denialsLeft: 1,
    run: () => {
      const { stopsAtMs, sourceIp, userAgent, gatewayRequestId, requested } = state;
      const origin = { sourceIp, userAgent, gatewayRequestId };
      const asked = { meetingId: MEETING, attendees: requested };
      return createAttendeesFor(verify(), asked, { batchId: BATCH, origin, stopsAtMs }, dependencies);
    },
  };
  const step = (name: string, timeoutMs?: number): void => {
    happened.push(name);
    if (timeoutMs !== undefined) state.timeouts[name] = timeoutMs;
    nowMs += state.slow[name] ?? 0;
    if (state.broken.has(name)) throw new TypeError(`secret of ${name}`);
  };
  const verify = async () => {
    step('verify');
    return state.caller;
  };
  const dependencies: Dependencies = {
    meetingAccess: {
      check: async (_callerId, tenants, _meetingId, { timeoutMs }) => {
        step('findMeeting', timeoutMs);
        const rule = authorizeByMeeting(tenants, state.meeting);
        const externalMeetingId = state.meeting?.externalMeetingId;
        if (rule !== undefined) return { rule, externalMeetingId };
        const missingMedia = state.meeting?.missingMedia ?? [];
        return { missingMedia, externalMeetingId, meeting: { MeetingId: MEETING } };
      },
      forget: (meetingId) => happened.push(`forget ${meetingId}`),
    },
    denialBudget: { take: () => state.denialsLeft-- > 0, giveBack: () => {} },
    meetings: {
      createAttendees: async (_id, _attendees, { timeoutMs }) => {
        step('createAttendees', timeoutMs);
        return state.result;
      },
    },
    auditLog: {
      recordIntent: async (intent, { timeoutMs }) => {
        step('recordIntent', timeoutMs);
        records.push(intent);
      },
      recordOutcome: async (outcome, { timeoutMs }) => {
        step('recordOutcome', timeoutMs);
        records.push(structuredClone(outcome));
        return state.outcomeWritten;
      },
      recordDenial: async (denial, { timeoutMs }) => {
        step('recordDenial', timeoutMs);
        records.push(denial);
      },
      recordAdmissions: async (_outcome, { timeoutMs }) => step('recordAdmissions', timeoutMs),
    },
    clock: { now: () => nowMs },
    fingerprint: (joinToken) => `fingerprint of ${joinToken.length} characters`,
    randomHex: () => '0123456789abcdef',
    auditRetentionDays: 30,
    inForce: { rulesDigest: '0123456789abcdef', functionVersion: '7' },
    meetingsRegion: 'us-east-1',
    addMetrics: (values, reason) => metrics.push({ ...values, ...(reason && { reason }) }),
    report: (event, facts) => reports.push(JSON.stringify({ event, ...facts })),
  };
  return state;
}

/**
 * The size of an item by DynamoDB's rules (developer guide, Item sizes and formats): names and text in UTF-8; a
 * number a byte for two digits and one more; a map or list 3 bytes, and 1 for each member.
 */
function itemBytes(item: object): number {
  const size = ({ S, N, L, M }: AttributeValue): number => {
    if (L !== undefined) return 3 + L.reduce((sum, element) => sum + 1 + size(element), 0);
    if (M !== undefined) return 3 + Object.keys(M).length + sizeOfAll(M);
    return S === undefined ? Math.ceil((N?.length ?? 0) / 2) + 1 : Buffer.byteLength(S);
  };
  const sizeOfAll = (attributes: Record<string, AttributeValue>) =>
    Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + size(value), 0);
  return sizeOfAll(marshall(item, { removeUndefinedValues: true }));
}

const outcomeIn = (w: ReturnType<typeof createWorld>): OutcomeRecord | undefined =>
  w.records.find((record): record is OutcomeRecord => record.kind === 'outcome');

let w: ReturnType<typeof createWorld>;
beforeEach(() => {
  w = createWorld();
});

describe('a batch that goes well', () => {
  it('records the name of its meeting, and cuts a long user agent visibly', async () => {
    w.meeting = { tenantIds: ['acme'], externalMeetingId: 'board' };
    w.userAgent = 'a'.repeat(8_000);
    await w.run();
    expect(w.records[0]).toMatchObject({
      externalMeetingId: 'board',
      caller: { userAgent: `${'a'.repeat(255)}…` },
    });
  });

  it('takes its steps in the order that the promises require', async () => {
    await w.run();
    expect(w.happened).toEqual([
      'verify',
      'findMeeting',
      'recordIntent',
      'createAttendees',
      'recordAdmissions',
      'recordOutcome',
    ]);
  });

  it('answers what Chime answered', async () => {
    expect(await w.run()).toEqual({
      attendees: [attendee('alice'), attendee('bob')],
      errors: [],
      chimeRequestId: 'chime-1',
    });
  });

  it('records the request before Chime is called, and the admissions after', async () => {
    w.requested = [{ ExternalUserId: 'alice', Capabilities: EVERYTHING }, { ExternalUserId: 'bob' }];
    await w.run();
    expect(w.records).toEqual([
      {
        meetingId: MEETING.toLowerCase(),
        recordId: `${BATCH}/intent`,
        batchId: BATCH,
        kind: 'intent',
        rulesDigest: '0123456789abcdef',
        functionVersion: '7',
        callerId: 'https://idp.example.com|backend|service',
        day: '2026-11-23',
        recordedAt: '2026-11-23T13:45:58.123Z',
        writerId: '0123456789abcdef',
        caller: {
          issuer: 'https://idp.example.com',
          clientId: 'backend',
          subject: 'service',
          scope: 'attendees.create',
          tokenId: 'token-1',
          sourceIp: '192.0.2.1',
          userAgent: 'a browser',
          gatewayRequestId: 'gateway-1',
        },
        requested: [{ externalUserId: 'alice', capabilities: EVERYTHING }, { externalUserId: 'bob' }],
        meetingsRegion: 'us-east-1',
        deadline: '2026-11-23T13:46:13.123Z',
        expiresAt: Math.floor(Date.UTC(2026, 11, 23, 13, 45, 58) / 1000),
      },
      {
        meetingId: MEETING.toLowerCase(),
        recordId: `${BATCH}/outcome`,
        batchId: BATCH,
        kind: 'outcome',
        state: 'ISSUED',
        recordedAt: '2026-11-23T13:45:58.123Z',
        writtenBy: 'handler',
        writerId: '0123456789abcdef',
        issued: ['alice', 'bob'].map((name) => ({
          externalUserId: name,
          attendeeId: `id-of-${name}`,
          capabilities: EVERYTHING,
          tokenFingerprint: `fingerprint of ${`token-of-${name}`.length} characters`,
        })),
        withheld: [],
        errors: [],
        chimeRequestId: 'chime-1',
        admissions: 'written',
        expiresAt: Math.floor(Date.UTC(2026, 11, 23, 13, 45, 58) / 1000),
      },
    ]);
  });

  it('is counted, without any name', async () => {
    await w.run();
    expect(w.metrics).toEqual([
      {
        BatchesAnswered: 1,
        AttendeesIssued: 2,
        AttendeesWithheld: 0,
        AttendeeErrors: 0,
      },
    ]);
  });

  it('keeps tokens and names out of what it records of tokens, and out of what it reports', async () => {
    await w.run();
    expect(JSON.stringify(w.records)).not.toMatch(/token-of/);
    expect(w.reports.join('\n')).not.toMatch(/token-of|alice|bob|service/);
  });

  it('skips the meeting look-up for an issuer without tenants', async () => {
    const { tenantClaim: _, ...rules } = RULES;
    w.caller = { ...w.caller, rules };
    await w.run();
    expect(w.happened).not.toContain('findMeeting');
  });
});

describe('a partial answer', () => {
  it('is PARTIAL if some could not be created, with Chime’s errors passed on and recorded', async () => {
    const error = { ExternalUserId: 'bob', ErrorCode: 'Some', ErrorMessage: 'thing' };
    w.result = { ...answered(attendee('alice')), errors: [error] } as CreationResult;
    expect(await w.run()).toMatchObject({ attendees: [attendee('alice')], errors: [error] });
    expect(outcomeIn(w)).toMatchObject({
      state: 'PARTIAL',
      errors: [{ externalUserId: 'bob', errorCode: 'Some', errorMessage: 'thing' }],
    });
  });

  it('is FAILED if none could be created, and still an answer of 200', async () => {
    const error = { ExternalUserId: 'bob', ErrorCode: 'Some', ErrorMessage: 'thing' };
    w.result = { ...answered(), errors: [error] } as CreationResult;
    expect(await w.run()).toMatchObject({ attendees: [], errors: [error] });
    expect(outcomeIn(w)?.state).toBe('FAILED');
  });

  it('withholds the token of a name that was not requested, and reports it to caller and audit', async () => {
    w.result = answered(attendee('alice'), attendee('eve'));
    const created = await w.run();
    expect(created.attendees).toEqual([attendee('alice')]);
    expect(created.errors).toEqual([
      {
        ExternalUserId: 'eve',
        ErrorCode: 'Forbidden',
        ErrorMessage: 'Denied by the rule answer-requested-name.',
      },
    ]);
    expect(outcomeIn(w)).toMatchObject({
      state: 'PARTIAL',
      withheld: [{ externalUserId: 'eve', attendeeId: 'id-of-eve', rule: 'answer-requested-name' }],
    });
    expect(JSON.stringify(created)).not.toContain('token-of-eve');
  });
});

describe('a refusal', () => {
  const refusals: [string, string, (state: ReturnType<typeof createWorld>) => void][] = [
    ['Forbidden', 'scope', (s) => Object.assign(s, { caller: { ...s.caller, scopes: new Set() } })],
    [
      'Forbidden',
      'tenant-claim',
      (s) => Object.assign(s, { caller: { ...s.caller, claims: { sub: 'service' } } }),
    ],
    ['NotFound', 'meeting-tenant', (s) => Object.assign(s, { meeting: undefined })],
    ['NotFound', 'meeting-tenant', (s) => Object.assign(s, { meeting: { tenantIds: [] } })],
    ['NotFound', 'meeting-tenant', (s) => Object.assign(s, { meeting: { tenantIds: ['globex'] } })],
  ];
  it.each(refusals)(
    'is recorded and never reaches Chime, as %s by the rule %s',
    async (code, rule, arrange) => {
      arrange(w);
      await expect(w.run()).rejects.toMatchObject({ code });
      expect(w.happened).not.toContain('createAttendees');
      expect(w.happened).not.toContain('recordIntent');
      expect(w.records).toMatchObject([
        {
          kind: 'denial',
          rule,
          denialDay: '2026-11-23',
          operation: 'BatchCreateAttendee',
          requestedCount: 2,
        },
      ]);
    },
  );

  it('is recorded with its caller, the meeting and the requested names', async () => {
    w.meeting = { tenantIds: ['globex'], externalMeetingId: 'board' };
    await expect(w.run()).rejects.toMatchObject({ code: 'NotFound' });
    expect(w.records).toMatchObject([
      {
        externalMeetingId: 'board',
        callerId: callerId({ ...w.caller, issuer: w.caller.rules.issuer }),
        names: ['alice', 'bob'],
        requestedCount: 2,
      },
    ]);
  });

  it('is recorded with as many names as fit into 1 KB, and how many there were', async () => {
    const asked = Array.from({ length: 100 }, (_, n) => `${n}-`.padEnd(20, 'é'));
    w.requested = asked.map((ExternalUserId) => ({ ExternalUserId }));
    w.caller = { ...w.caller, scopes: new Set() };
    await expect(w.run()).rejects.toMatchObject({ code: 'Forbidden' });
    const record = w.records[0] as DenialRecord;
    const { names = [], requestedCount } = record;
    expect(requestedCount).toBe(100);
    expect(names.length).toBeGreaterThan(0);
    expect(names).toEqual(asked.slice(0, names.length));
    expect(itemBytes(record)).toBeLessThanOrEqual(1_024);
    expect(itemBytes({ ...record, names: asked.slice(0, names.length + 1) })).toBeGreaterThan(1_024);
  });

  it('is recorded in 1 KB at most, whatever a client sends', async () => {
    w.caller = {
      ...w.caller,
      clientId: 'c'.repeat(255),
      subject: 's'.repeat(255),
      claims: { sub: 'service', jti: 'j'.repeat(1_000) },
    };
    w.userAgent = 'a'.repeat(8_000);
    w.gatewayRequestId = 'g'.repeat(8_000);
    w.sourceIp = '2001:0db8:0000:0000:0000:0000:0000:0001';
    await expect(w.run()).rejects.toMatchObject({ code: 'Forbidden' });
    expect(w.records).toHaveLength(1);
    expect(itemBytes(w.records[0] as DenialRecord)).toBeLessThanOrEqual(1_024);
  });

  it('stands even if it cannot be recorded', async () => {
    w.caller = { ...w.caller, scopes: new Set() };
    w.broken.add('recordDenial');
    await expect(w.run()).rejects.toMatchObject({ code: 'Forbidden' });
    expect(w.reports.join()).toContain('denial not recorded');
    expect(w.reports.join()).not.toContain('secret');
  });

  it('stands even if the caller’s budget of records is spent', async () => {
    w.caller = { ...w.caller, scopes: new Set() };
    w.denialsLeft = 0;
    await expect(w.run()).rejects.toMatchObject({ code: 'Forbidden' });
    expect(w.records).toEqual([]);
    expect(w.reports).toEqual(['{"event":"denial not recorded","rule":"scope","cause":"budget"}']);
  });

  it('looks the same for a foreign, an untenanted and an absent meeting', async () => {
    const refusals = [];
    for (const meeting of [undefined, { tenantIds: [] }, { tenantIds: ['globex'] }]) {
      const each = createWorld();
      each.meeting = meeting;
      const error = await each
        .run()
        .catch((e: FacadeError) => ({ message: e.message, code: e.code, details: e.details }));
      refusals.push(JSON.stringify({ error, happened: each.happened }));
    }
    expect(new Set(refusals).size).toBe(1);
  });

  it('clears a cached permit only if Chime refuses because the meeting has ended', async () => {
    w.result = { kind: 'refused', error: new FacadeError('Forbidden', 'no'), chimeRequestId: undefined };
    await expect(w.run()).rejects.toThrow('no');
    expect(w.happened).not.toContain(`forget ${MEETING}`);
    w.result = { kind: 'refused', error: new FacadeError('NotFound', 'gone'), chimeRequestId: undefined };
    await expect(w.run()).rejects.toThrow('gone');
    expect(w.happened).toContain(`forget ${MEETING}`);
  });

  it('is passed on from Chime after its outcome is recorded', async () => {
    const error = new FacadeError('LimitExceeded', 'Too many attendees.');
    w.result = { kind: 'refused', error, chimeRequestId: 'chime-2' };
    await expect(w.run()).rejects.toBe(error);
    expect(outcomeIn(w)).toMatchObject({
      state: 'FAILED',
      refusal: { code: 'LimitExceeded', message: 'Too many attendees.' },
      issued: [],
      chimeRequestId: 'chime-2',
    });
  });
});

describe('a failure', () => {
  const unavailable = { code: 'ServiceUnavailable', details: { retryAfterSeconds: 1 } };

  it('prevents the call to Chime if the intent is not recorded', async () => {
    w.broken.add('recordIntent');
    await expect(w.run()).rejects.toMatchObject(unavailable);
    expect(w.happened).not.toContain('createAttendees');
  });

  it('answers 503 and leaves the intent open if the result at Chime is unknown', async () => {
    w.result = { kind: 'ambiguous', cause: new Error('reset') };
    await expect(w.run()).rejects.toMatchObject(unavailable);
    expect(outcomeIn(w)).toBeUndefined();
  });

  it('withholds the tokens if the outcome is not recorded', async () => {
    w.broken.add('recordOutcome');
    await expect(w.run()).rejects.toMatchObject(unavailable);
  });

  it('withholds the tokens if the outcome has another writer', async () => {
    w.outcomeWritten = false;
    await expect(w.run()).rejects.toMatchObject(unavailable);
  });

  it('delays nothing if admissions are not written, and the outcome marks them pending', async () => {
    w.broken.add('recordAdmissions');
    expect(await w.run()).toMatchObject({ attendees: [attendee('alice'), attendee('bob')] });
    expect(outcomeIn(w)?.admissions).toBe('pending');
  });

  it('writes no admissions if no attendee is issued', async () => {
    w.result = {
      ...answered(),
      errors: [{ ExternalUserId: 'bob', ErrorCode: 'Some', ErrorMessage: '' }],
    } as CreationResult;
    await w.run();
    expect(w.happened).not.toContain('recordAdmissions');
    expect(outcomeIn(w)).toMatchObject({ state: 'FAILED', admissions: 'written' });
  });
});

describe('time', () => {
  it('bounds every step by what is left to the function', async () => {
    w.stopsAtMs = START_MS + 6_000;
    w.slow = { verify: 1_000, findMeeting: 500, recordIntent: 500 };
    await w.run();
    // 6 s, less 0.5 s for the answer, less 3 s for the outcome, less 2 s that are gone.
    expect(w.timeouts['createAttendees']).toBe(500);
    expect(w.timeouts['recordOutcome']).toBe(3_000);
  });

  it('is one second for admissions, which leaves two for the outcome', async () => {
    await w.run();
    expect(w.timeouts['recordAdmissions']).toBe(1_000);
    const late = createWorld();
    late.slow = { createAttendees: 12_400 };
    await late.run();
    expect(late.timeouts['recordAdmissions']).toBe(600);
    expect(late.timeouts['recordOutcome']).toBe(2_600);
  });

  it('leaves admissions pending, without a write, if it suffices for the outcome only', async () => {
    w.slow = { createAttendees: 13_100 };
    await w.run();
    expect(w.happened).not.toContain('recordAdmissions');
    expect(outcomeIn(w)).toMatchObject({ state: 'ISSUED', admissions: 'pending' });
    expect(w.timeouts['recordOutcome']).toBe(1_900);
  });

  it('gives 503 without a call if it ends before the intent', async () => {
    w.slow = { verify: 19_600 };
    await expect(w.run()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(w.happened).not.toContain('recordIntent');
  });

  it('ends the batch as FAILED without a call to Chime if it ends after the intent', async () => {
    w.slow = { recordIntent: 11_900 };
    await expect(w.run()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(w.happened).not.toContain('createAttendees');
    expect(outcomeIn(w)?.state).toBe('FAILED');
  });

  it('leaves the intent open if it ends after Chime answered', async () => {
    w.slow = { createAttendees: 15_001 };
    await expect(w.run()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(outcomeIn(w)).toBeUndefined();
  });
});
