import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  authorizeByMeeting,
  authorizeByToken,
  authorizeMeetingByToken,
  denialText,
  type Grant,
  judgeAnswer,
  requestsToSend,
} from '../../../lambda/create-attendees/policy.ts';
import type {
  Attendee,
  AttendeeRequest,
  Capabilities,
  MediaCapability,
  Medium,
} from '../../../lambda/model/attendees.ts';
import type { IssuerRules } from '../../../lambda/model/issuer-rules.ts';
import type { Caller } from '../../../lambda/model/ports.ts';
import type { Rule } from '../../../lambda/model/rules.ts';
import { createIssuerRules } from '../../support/issuer-rules.ts';

const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const OTHER_MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b35';
const ALL: Capabilities = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' };
const WATCH: Capabilities = { Audio: 'Receive', Video: 'Receive', Content: 'Receive' };
const MUTE: Capabilities = { Audio: 'None', Video: 'None', Content: 'None' };

const RULES = createIssuerRules({
  scopes: { delegate: 'attendees.create', self: 'attendees.create.self' },
  externalUserIdPrefix: 'acme-',
  tenantClaim: 'tenant',
  tenants: ['acme', 'acme-labs'],
  meetingsClaim: 'meetings',
  ceilings: { 'attendees.create.self': WATCH },
});

function without<T extends object, K extends keyof T>(object: T, ...keys: K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key as K))) as Omit<T, K>;
}

function callerWith(
  scopes: string[],
  claims: Record<string, unknown> = {},
  rules: IssuerRules = RULES,
): Caller {
  const all = { sub: 'alice', tenant: 'acme', meetings: [MEETING], ...claims };
  return { rules, clientId: 'web', subject: 'alice', scopes: new Set(scopes), claims: all };
}

const delegate = (claims = {}, rules = RULES) => callerWith(['attendees.create'], claims, rules);
const self = (claims = {}, rules = RULES) => callerWith(['attendees.create.self'], claims, rules);
const batch = (...attendees: AttendeeRequest[]) => ({ meetingId: MEETING, attendees });
const asks = (ExternalUserId: string, Capabilities?: Capabilities): AttendeeRequest => ({
  ExternalUserId,
  ...(Capabilities === undefined ? {} : { Capabilities }),
});

describe('the rules that need only the token', () => {
  const own = asks('acme-alice', WATCH);
  const permitted: [string, Caller, ReturnType<typeof batch>][] = [
    ['a delegate, for any name under the prefix', delegate(), batch(asks('acme-bob'), asks('acme-carol'))],
    ['a delegate without a ceiling, for everything', delegate(), batch(asks('acme-bob', ALL))],
    ['a caller for itself, within its ceiling', self(), batch(own)],
    ['a caller for itself, below its ceiling', self(), batch(asks('acme-alice', MUTE))],
    [
      'a token with both scopes, as a delegate',
      callerWith(['attendees.create.self', 'attendees.create']),
      batch(asks('acme-bob', ALL)),
    ],
    ['a tenant among several in a list', delegate({ tenant: ['acme', 'acme-labs'] }), batch(own)],
    ['a meetings claim that is one string', delegate({ meetings: MEETING }), batch(own)],
    ['a meetings claim in upper case', delegate({ meetings: [MEETING.toUpperCase()] }), batch(own)],
    [
      'a name claim of another name',
      self({ name: 'bob' }, { ...RULES, externalUserIdClaim: 'name' }),
      batch(asks('acme-bob', WATCH)),
    ],
    [
      'no meetings claim where it is not required',
      delegate({ meetings: undefined }, { ...RULES, meetingsClaimRequired: false }),
      batch(own),
    ],
    [
      'an issuer without tenants and meetings, for its delegate',
      delegate(
        { tenant: undefined, meetings: undefined },
        without(RULES, 'tenantClaim', 'tenants', 'meetingsClaim'),
      ),
      batch(own),
    ],
    ['a user whose name is a list of one', self({ sub: ['alice'] }), batch(own)],
    [
      'any tenant where the issuer lists none',
      delegate({ tenant: 'else' }, without(RULES, 'tenants')),
      batch(own),
    ],
  ];
  it.each(permitted)('permit %s', (_what, caller, request) => {
    expect(authorizeByToken(caller, request)).toMatchObject({ permitted: true });
  });

  const denied: [Rule, string, Caller, ReturnType<typeof batch>][] = [
    ['scope', 'no scope at all', callerWith([]), batch(own)],
    [
      'scope',
      'a scope of the same beginning',
      callerWith(['attendees.create.selfish', 'attendees']),
      batch(own),
    ],
    ['scope', 'a scope in another case', callerWith(['Attendees.Create']), batch(own)],
    [
      'scope',
      'a scope that this issuer does not have',
      callerWith(['attendees.create'], {}, { ...RULES, scopes: { self: 'attendees.create.self' } }),
      batch(own),
    ],
    ['tenant-claim', 'no tenant', delegate({ tenant: undefined }), batch(own)],
    ['tenant-claim', 'an empty tenant', delegate({ tenant: '' }), batch(own)],
    ['tenant-claim', 'an empty list of tenants', delegate({ tenant: [] }), batch(own)],
    [
      'tenant-claim',
      'an empty tenant where the issuer lists none',
      delegate({ tenant: '' }, without(RULES, 'tenants')),
      batch(own),
    ],
    [
      'tenant-claim',
      'an empty tenant among others where the issuer lists none',
      delegate({ tenant: ['acme', ''] }, without(RULES, 'tenants')),
      batch(own),
    ],
    ['tenant-claim', 'a tenant that is no string', delegate({ tenant: 7 }), batch(own)],
    [
      'tenant-claim',
      'a list with a tenant that is no string',
      delegate({ tenant: ['acme', null] }),
      batch(own),
    ],
    ['tenant-claim', 'a tenant of another issuer', delegate({ tenant: 'globex' }), batch(own)],
    [
      'tenant-claim',
      'a tenant of another issuer among its own',
      delegate({ tenant: ['acme', 'globex'] }),
      batch(own),
    ],
    ['tenant-claim', 'a tenant in another case', delegate({ tenant: 'ACME' }), batch(own)],
    ['meetings-claim', 'no list of meetings', delegate({ meetings: undefined }), batch(own)],
    ['meetings-claim', 'an empty list of meetings', delegate({ meetings: [] }), batch(own)],
    ['meetings-claim', 'another meeting', delegate({ meetings: [OTHER_MEETING] }), batch(own)],
    ['meetings-claim', 'a list with something else in it', delegate({ meetings: [MEETING, 1] }), batch(own)],
    ['meetings-claim', 'meetings in an object', delegate({ meetings: { 0: MEETING } }), batch(own)],
    [
      'meetings-claim',
      'another meeting though the claim is not required',
      delegate({ meetings: [OTHER_MEETING] }, { ...RULES, meetingsClaimRequired: false }),
      batch(own),
    ],
    ['self-one-attendee', 'itself and another user', self(), batch(own, asks('acme-bob', WATCH))],
    ['self-one-attendee', 'itself twice', self(), batch(own, own)],
    ['self-own-name', 'another user', self(), batch(asks('acme-bob', WATCH))],
    ['self-own-name', 'itself without the prefix', self(), batch(asks('alice', WATCH))],
    ['self-own-name', 'itself in another case', self(), batch(asks('acme-Alice', WATCH))],
    ['self-own-name', 'itself with a space', self(), batch(asks('acme-alice ', WATCH))],
    [
      'self-own-name',
      'a decomposed form of a composed name',
      self({ sub: 'e\u0301' }),
      batch(asks('acme-\u00e9', WATCH)),
    ],
    [
      'self-own-name',
      'a caller without a name',
      self({ sub: undefined }),
      batch(asks('acme-undefined', WATCH)),
    ],
    [
      'self-own-name',
      'a caller with two names',
      self({ sub: ['alice', 'bob'] }),
      batch(asks('acme-alice', WATCH)),
    ],
    ['self-own-name', 'a caller whose name is empty', self({ sub: '' }), batch(asks('acme-', WATCH))],
    ['self-own-name', 'a caller whose name is a number', self({ sub: 7 }), batch(asks('acme-7', WATCH))],
    ['name-prefix', 'a delegate outside its prefix', delegate(), batch(asks('acme-bob'), asks('globex-bob'))],
    ['capability-ceiling', 'everything', self(), batch(asks('acme-alice', ALL))],
    ['capability-ceiling', 'sending sound', self(), batch(asks('acme-alice', { ...WATCH, Audio: 'Send' }))],
    [
      'capability-ceiling',
      'sending video',
      self(),
      batch(asks('acme-alice', { ...WATCH, Video: 'SendReceive' })),
    ],
    [
      'capability-ceiling',
      'sending content',
      self(),
      batch(asks('acme-alice', { ...WATCH, Content: 'Send' })),
    ],
  ];
  it.each(denied)('deny by %s: %s', (rule, _what, caller, request) => {
    expect(authorizeByToken(caller, request)).toMatchObject({ permitted: false, rule });
  });

  it('allow and send None for a scope whose ceiling JavaScript loses', () => {
    const ceilings = Object.assign({}, JSON.parse(`{ "__proto__": ${JSON.stringify(ALL)} }`));
    const caller = { ...self(), scopes: new Set(['__proto__']) };
    const rules = { ...caller.rules, scopes: { self: '__proto__' }, ceilings };
    expect(authorizeByToken({ ...caller, rules }, batch(asks('acme-alice', WATCH)))).toMatchObject({
      permitted: false,
      rule: 'capability-ceiling',
      limits: 'Audio is at most None, Video is at most None, Content is at most None',
    });
    for (const request of [asks('acme-alice'), asks('acme-alice', MUTE)]) {
      const decision = authorizeByToken({ ...caller, rules }, batch(request));
      expect(decision).toMatchObject({ permitted: true, grant: { ceiling: MUTE } });
      const sent = decision.permitted && requestsToSend(decision.grant, [request]);
      expect(sent).toEqual([asks('acme-alice', MUTE)]);
    }
  });

  it.each([
    [['guest'], WATCH],
    [['viewer'], MUTE],
    [['viewer', 'guest'], WATCH],
  ])('use the first listed scope of a self caller with %j', (scopes, ceiling) => {
    const rules = {
      ...RULES,
      scopes: { delegate: 'host', self: ['guest', 'viewer'] },
      ceilings: { guest: WATCH, viewer: MUTE },
    };
    const decision = authorizeByToken(callerWith(scopes, {}, rules), batch(asks('acme-alice', MUTE)));
    expect(decision).toMatchObject({ permitted: true, grant: { ceiling } });
    expect(authorizeByToken(callerWith(scopes, {}, rules), batch(asks('acme-bob', MUTE)))).toMatchObject({
      rule: 'self-own-name',
    });
  });

  it('do not take inherited members for a ceiling', () => {
    const rules = { ...RULES, scopes: { delegate: 'constructor' } };
    const decision = authorizeByToken(callerWith(['constructor'], {}, rules), batch(asks('acme-bob', ALL)));
    expect(decision).toMatchObject({ permitted: true, grant: { ceiling: ALL } });
  });

  it('return the scope that they applied', () => {
    expect(authorizeByToken(self(), batch(asks('acme-bob', WATCH)))).toMatchObject({
      scope: 'attendees.create.self',
    });
    expect(authorizeByToken(callerWith([]), batch(asks('acme-bob')))).not.toHaveProperty('scope');
  });
});

describe('the rule that needs the meeting', () => {
  it.each([
    [['acme'], ['acme'], undefined],
    [['acme', 'acme-labs'], ['globex', 'acme-labs'], undefined],
    [['acme'], ['globex'], 'meeting-tenant'],
    [['acme'], ['ACME'], 'meeting-tenant'],
    [['acme'], [], 'meeting-tenant'],
    [[], ['acme'], 'meeting-tenant'],
  ])('a caller of %j in a meeting of %j: %s', (tenants, tenantIds, rule) => {
    expect(authorizeByMeeting(tenants, { tenantIds })).toBe(rule);
  });

  it('is not met by a meeting that does not exist', () => {
    expect(authorizeByMeeting(['acme'], undefined)).toBe('meeting-tenant');
    expect(authorizeByMeeting(undefined, undefined)).toBe('meeting-tenant');
  });

  it('asks a caller without tenants for a meeting that exists', () => {
    expect(authorizeByMeeting(undefined, { tenantIds: ['globex'] })).toBeUndefined();
    expect(authorizeByMeeting(undefined, { tenantIds: [] })).toBeUndefined();
  });
});

describe('the rules for a meeting', () => {
  const named = (claims: object) => self(claims as Record<string, unknown>);
  const entries: [string, Caller, Rule | undefined][] = [
    ['a delegate', delegate(), undefined],
    ['a delegate without a name of its own', delegate({ sub: undefined }), undefined],
    ['a self caller', self(), undefined],
    [
      'a caller for whom no capability is left',
      self({}, { ...RULES, ceilings: { 'attendees.create.self': MUTE } }),
      undefined,
    ],
    ['a caller without a scope', callerWith([]), 'scope'],
    ['a caller without a tenant', self({ tenant: undefined }), 'tenant-claim'],
    ['a caller of a foreign tenant', delegate({ tenant: 'globex' }), 'tenant-claim'],
    ['a caller of another meeting', delegate({ meetings: [OTHER_MEETING] }), 'meetings-claim'],
    ['a caller of no meeting', self({ meetings: undefined }), 'meetings-claim'],
    ['a self caller without a name', named({ sub: undefined }), 'self-own-name'],
    ['a self caller with an empty name', named({ sub: '' }), 'self-own-name'],
    ['a self caller with several names', named({ sub: ['alice', 'bob'] }), 'self-own-name'],
    ['a self caller with a name too long for Chime', named({ sub: 'x'.repeat(60) }), 'self-own-name'],
    ['a self caller with a name that Chime does not take', named({ sub: 'al*ice' }), 'self-own-name'],
    [
      'a self caller with a reserved name',
      self({ sub: 'aws:alice' }, { ...RULES, externalUserIdPrefix: '' }),
      'self-own-name',
    ],
  ];
  it.each(entries)('decide on %s', (_what, caller, rule) => {
    const decision = authorizeMeetingByToken(caller, MEETING);
    expect(decision.permitted ? undefined : decision.rule).toBe(rule);
  });

  it('return the tenants that the meeting must match', () => {
    expect(authorizeMeetingByToken(self(), MEETING)).toEqual({
      permitted: true,
      grant: { scope: 'attendees.create.self', tenants: ['acme'] },
    });
  });

  it('ignore the case of the meeting id, like the rules for attendees', () => {
    expect(authorizeMeetingByToken(self(), MEETING.toUpperCase()).permitted).toBe(true);
    const request = { meetingId: MEETING.toUpperCase(), attendees: [asks('acme-alice', WATCH)] };
    expect(authorizeByToken(self(), request).permitted).toBe(true);
  });
});

describe('the request to Chime', () => {
  const grantOf = (ceiling: Capabilities): Grant => ({
    scope: 'any',
    ceiling,
    tenants: undefined,
    missingMedia: [],
    releasesExisting: false,
  });
  const TALK: Capabilities = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'Receive' };
  const SEND: Capabilities = { ...ALL, Audio: 'Send' };

  it.each<[string, Capabilities, Capabilities | undefined, Medium[], Capabilities | undefined]>([
    ['what is asked for', WATCH, MUTE, [], MUTE],
    ['the ceiling where it is left out', WATCH, undefined, [], WATCH],
    ['nothing where it is left out and everything is allowed', ALL, undefined, [], undefined],
    ['nothing then either in a meeting without video', ALL, undefined, ['Video'], undefined],
    ['no content in a meeting without it', TALK, undefined, ['Content'], { ...TALK, Content: 'None' }],
    [
      'no video, and no content to receive, in a meeting without video',
      TALK,
      undefined,
      ['Video'],
      { ...TALK, Video: 'None', Content: 'None' },
    ],
    [
      'content to send in a meeting without video',
      SEND,
      undefined,
      ['Video'],
      { ...SEND, Video: 'None', Content: 'Send' },
    ],
    ['what is asked for in a meeting without it', TALK, TALK, ['Content'], TALK],
  ])('is %s', (_what, ceiling, asked, missingMedia, expected) => {
    const [sent] = requestsToSend({ ...grantOf(ceiling), missingMedia }, [asks('acme-alice', asked)]);
    expect(sent?.Capabilities).toEqual(expected);
  });

  it('leaves every request as it is where everything is allowed', () => {
    const requested = [asks('acme-alice'), asks('acme-bob', WATCH), asks('acme-carol')];
    expect(requestsToSend(grantOf(ALL), requested)).toStrictEqual(requested);
  });

  it('has the granted capabilities for a delegate and a self caller that omit them', () => {
    const rules = { ...RULES, ceilings: { 'attendees.create': WATCH, 'attendees.create.self': MUTE } };
    for (const scope of ['attendees.create', 'attendees.create.self']) {
      const caller = callerWith([scope], { sub: 'alice', tenant: 'acme', meetings: [MEETING] }, rules);
      expect(authorizeByToken(caller, batch(asks('acme-alice')))).toMatchObject({ permitted: true });
    }
  });
});

describe('a caller that exceeds its ceiling', () => {
  it('learns every excess medium and the most that is allowed', () => {
    const asked = { ...WATCH, Audio: 'Send', Content: 'SendReceive' } as const;
    const decision = authorizeByToken(self(), batch(asks('acme-alice', asked)));
    expect(decision).toMatchObject({ limits: 'Audio is at most Receive, Content is at most Receive' });
  });
});

describe('the text of a denial', () => {
  it.each<[string, Rule, string | undefined]>([
    ['Denied by the rule scope.', 'scope', undefined],
    [
      'Denied by the rule capability-ceiling: Video is at most Receive.',
      'capability-ceiling',
      'Video is at most Receive',
    ],
  ])('is %j', (text, rule, limits) => {
    expect(denialText(rule, limits)).toBe(text);
  });
});

describe('an existing attendee above the ceiling', () => {
  it.each<[string, Caller, boolean]>([
    [
      'is released to a self caller where the rules say so',
      self({}, { ...RULES, existing: 'release' }),
      true,
    ],
    ['is not to a self caller where they do not', self({}, { ...RULES, existing: 'withhold' }), false],
    ['is not to a delegate, whatever they say', delegate({}, { ...RULES, existing: 'release' }), false],
  ])('%s', (_what, caller, releasesExisting) => {
    expect(authorizeByToken(caller, batch(asks('acme-alice', MUTE)))).toMatchObject({
      grant: { releasesExisting },
    });
  });
});

describe('the judgement of an answer', () => {
  const grant: Grant = {
    scope: 'attendees.create.self',
    ceiling: WATCH,
    tenants: undefined,
    missingMedia: [],
    releasesExisting: false,
  };
  const releasing: Grant = { ...grant, releasesExisting: true };
  const attendee = (ExternalUserId: string, Capabilities: Capabilities): Attendee => ({
    ExternalUserId,
    AttendeeId: MEETING,
    JoinToken: `token of ${ExternalUserId}`,
    Capabilities,
  });

  it('releases a requested attendee within the ceiling', () => {
    const answer = [attendee('acme-alice', WATCH), attendee('acme-bob', MUTE)];
    const judged = judgeAnswer(grant, [asks('acme-alice', WATCH), asks('acme-bob', WATCH)], answer);
    expect(judged).toEqual({ released: answer.map((one) => ({ attendee: one })), withheld: [] });
  });

  it('withholds a name that was not requested', () => {
    const answer = attendee('acme-eve', MUTE);
    const { released, withheld } = judgeAnswer(grant, [asks('acme-alice')], [answer]);
    expect({ released, withheld }).toEqual({
      released: [],
      withheld: [{ attendee: answer, rule: 'answer-requested-name' }],
    });
  });

  it('withholds a name that is answered more often than requested', () => {
    const answer = [attendee('acme-alice', MUTE), attendee('acme-alice', MUTE), attendee('acme-alice', MUTE)];
    const { released, withheld } = judgeAnswer(grant, [asks('acme-alice'), asks('acme-alice')], answer);
    expect(released).toHaveLength(2);
    expect(withheld).toHaveLength(1);
  });

  it('withholds an existing attendee above the ceiling, and names the media', () => {
    const answer = attendee('acme-alice', { ...ALL, Audio: 'None' });
    const { released, withheld } = judgeAnswer(grant, [asks('acme-alice', WATCH)], [answer]);
    expect(released).toEqual([]);
    expect(withheld).toEqual([
      {
        attendee: answer,
        rule: 'capability-ceiling',
        limits: 'Video is at most Receive, Content is at most Receive',
      },
    ]);
  });

  it('releases and marks a self caller’s own existing attendee with more capabilities', () => {
    const answer = attendee('acme-alice', ALL);
    const judged = judgeAnswer(releasing, [asks('acme-alice', WATCH)], [answer]);
    expect(judged).toEqual({ released: [{ attendee: answer, above: 'ceiling' }], withheld: [] });
  });

  it('releases it under its own exact name only, and once', () => {
    const answer = [attendee('acme-Alice', ALL), attendee('acme-alice', ALL), attendee('acme-alice', ALL)];
    const { released, withheld } = judgeAnswer(releasing, [asks('acme-alice', WATCH)], answer);
    expect(released).toEqual([{ attendee: answer[1], above: 'ceiling' }]);
    expect(withheld.map(({ rule }) => rule)).toEqual(['answer-requested-name', 'answer-requested-name']);
  });

  it('marks capabilities above the request and within the ceiling', () => {
    const answer = attendee('acme-alice', WATCH);
    const judged = judgeAnswer(releasing, [asks('acme-alice', MUTE)], [answer]);
    expect(judged).toEqual({ released: [{ attendee: answer, above: 'asked' }], withheld: [] });
  });

  it('marks nothing if capabilities were omitted and everything is allowed', () => {
    const answer = attendee('acme-alice', ALL);
    const judged = judgeAnswer({ ...grant, ceiling: ALL }, [asks('acme-alice')], [answer]);
    expect(judged.released).toEqual([{ attendee: answer }]);
  });

  it.each([WATCH, ALL])('withholds an unknown capability, whatever the ceiling', (ceiling) => {
    const strange = { ...WATCH, Audio: 'Everything' as MediaCapability };
    const judged = judgeAnswer(
      { ...releasing, ceiling },
      [asks('acme-alice')],
      [attendee('acme-alice', strange)],
    );
    expect(judged.released).toEqual([]);
  });
});

describe('over any issuers, callers, meetings and requests', () => {
  const media = fc.constantFrom<MediaCapability>('SendReceive', 'Send', 'Receive', 'None');
  const capabilities = fc.record({ Audio: media, Video: media, Content: media });
  // Few values, so that collisions between issuers, tenants, names and meetings are common.
  const tenant = fc.constantFrom<string>('acme', 'globex', 'initech');
  const name = fc.constantFrom('alice', 'bob', 'a-alice', 'b-alice', 'a-bob', 'a-', '');
  const meeting = fc.constantFrom(MEETING, OTHER_MEETING);
  const rules = fc.record({
    scopes: fc.constantFrom<{ delegate?: string; self?: string }>(
      { delegate: 'd' },
      { self: 's' },
      { delegate: 'd', self: 's' },
      { delegate: 's', self: 'd' },
    ),
    externalUserIdPrefix: fc.constantFrom('', 'a-', 'b-'),
    externalUserIdClaim: fc.constantFrom('sub', 'name'),
    tenants: fc.option(fc.uniqueArray(tenant, { minLength: 1 }), { nil: undefined }),
    tenantClaim: fc.option(fc.constant('tenant'), { nil: undefined }),
    meetingsClaim: fc.option(fc.constant('meetings'), { nil: undefined }),
    meetingsClaimRequired: fc.boolean(),
    ceilings: fc.dictionary(fc.constantFrom('d', 's'), capabilities, { noNullPrototype: true }),
  });
  const odd = fc.constantFrom<unknown>(undefined, null, '', 7, {}, [], [null]);
  const claims = fc.record({
    sub: fc.oneof(name, odd),
    name: fc.oneof(name, odd),
    tenant: fc.oneof(tenant, fc.array(tenant), odd),
    meetings: fc.oneof(meeting, fc.array(meeting), odd),
  });
  const request = fc.record({
    meetingId: meeting,
    attendees: fc.array(
      fc.record({ ExternalUserId: name, Capabilities: capabilities }, { requiredKeys: ['ExternalUserId'] }),
      { minLength: 1, maxLength: 3 },
    ),
  });
  const world = fc.record({
    rules,
    claims,
    scopes: fc.uniqueArray(fc.constantFrom<string>('d', 's', 'x')),
    request,
    meetingTenants: fc.option(fc.uniqueArray(tenant), { nil: undefined }),
  });

  /**
   * The oracle: for each promise, what a permit must not be. It is written over the whole situation, in terms of what
   * would have gone wrong, and shares no code and no order with the rules.
   */
  const WEIGHT = { None: [0, 0], Send: [1, 0], Receive: [0, 1], SendReceive: [1, 1] } as const;
  const exceeds = (asked: Capabilities, ceiling: Capabilities): boolean =>
    (['Audio', 'Video', 'Content'] as const).some((medium) =>
      [0, 1].some((way) => (WEIGHT[asked[medium]][way] ?? 0) > (WEIGHT[ceiling[medium]][way] ?? 0)),
    );
  type World = typeof world extends fc.Arbitrary<infer W> ? W : never;
  const listed = (claim: unknown): unknown[] => (Array.isArray(claim) ? claim : [claim]);
  const wrongs: Record<string, (w: World) => boolean> = {
    'a caller without a scope of the issuer': (w) =>
      !w.scopes.some((s) => Object.values(w.rules.scopes).includes(s)),
    'a meeting of none of the caller’s tenants': (w) =>
      w.rules.tenantClaim !== undefined &&
      !listed(w.claims.tenant).some((t) => w.meetingTenants?.includes(t as string)),
    'a tenant that the issuer may not speak for': (w) =>
      w.rules.tenantClaim !== undefined &&
      w.rules.tenants !== undefined &&
      listed(w.claims.tenant).some((t) => !w.rules.tenants?.includes(t as string)),
    'a meeting that the token does not list': (w) =>
      w.rules.meetingsClaim !== undefined &&
      (w.claims.meetings !== undefined || w.rules.meetingsClaimRequired) &&
      !listed(w.claims.meetings).includes(w.request.meetingId),
    'another user’s name, by a caller that is no delegate': (w) =>
      !w.scopes.includes(w.rules.scopes.delegate ?? '-') &&
      w.request.attendees.some(
        (a) =>
          a.ExternalUserId !==
          `${w.rules.externalUserIdPrefix}${w.claims[w.rules.externalUserIdClaim as 'sub']}`,
      ),
    'more than one, by a caller that is no delegate': (w) =>
      !w.scopes.includes(w.rules.scopes.delegate ?? '-') && w.request.attendees.length > 1,
    'a name of another issuer’s users': (w) =>
      w.request.attendees.some((a) => !a.ExternalUserId.startsWith(w.rules.externalUserIdPrefix)),
    'more than the ceiling of every scope the caller has': (w) =>
      w.request.attendees.some((a) =>
        w.scopes
          .filter((s) => Object.values(w.rules.scopes).includes(s))
          .every((s) => a.Capabilities !== undefined && exceeds(a.Capabilities, w.rules.ceilings[s] ?? ALL)),
      ),
  };

  const callerOf = (w: World): Caller => {
    const { tenantClaim, meetingsClaim, tenants, ...rest } = w.rules;
    const issuerRules: IssuerRules = {
      ...without(RULES, 'tenantClaim', 'tenants', 'meetingsClaim'),
      ...rest,
      ...(tenantClaim === undefined ? {} : { tenantClaim }),
      ...(tenants === undefined ? {} : { tenants }),
      ...(meetingsClaim === undefined ? {} : { meetingsClaim }),
    };
    return {
      rules: issuerRules,
      clientId: '',
      subject: '',
      scopes: new Set(w.scopes),
      claims: w.claims,
    };
  };
  const factsOf = (w: World) =>
    w.meetingTenants === undefined ? undefined : { tenantIds: w.meetingTenants };
  const permits = (w: World): boolean => {
    const decision = authorizeByToken(callerOf(w), w.request);
    if (!decision.permitted) return false;
    return (
      decision.grant.tenants === undefined ||
      authorizeByMeeting(decision.grant.tenants, factsOf(w)) === undefined
    );
  };
  const permitsEntry = (w: World): boolean => {
    const decision = authorizeMeetingByToken(callerOf(w), w.request.meetingId);
    return decision.permitted && authorizeByMeeting(decision.grant.tenants, factsOf(w)) === undefined;
  };
  const wrongToEnter = [
    'a caller without a scope of the issuer',
    'a meeting of none of the caller’s tenants',
    'a tenant that the issuer may not speak for',
    'a meeting that the token does not list',
  ];

  it('permit the meeting exactly to callers who could be admitted as some attendee', () => {
    const seen = { entered: 0, kept: 0 };
    fc.assert(
      fc.property(world, (w) => {
        const enters = permitsEntry(w);
        seen[enters ? 'entered' : 'kept'] += 1;
        if (enters) expect(wrongToEnter.filter((wrong) => wrongs[wrong]?.(w))).toEqual([]);
        const { externalUserIdPrefix, externalUserIdClaim, scopes } = w.rules;
        const isDelegate = w.scopes.includes(scopes.delegate ?? '-');
        const own = `${externalUserIdPrefix}${w.claims[externalUserIdClaim as 'sub']}`;
        const attendees = [
          { ExternalUserId: isDelegate ? `${externalUserIdPrefix}zoe` : own, Capabilities: MUTE },
        ];
        const couldBeLetIn = permits({ ...w, request: { ...w.request, attendees } } as World);
        expect(enters).toBe(couldBeLetIn && w.meetingTenants !== undefined);
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.entered, seen.kept)).toBeGreaterThan(100);
  });

  it.each(Object.entries(wrongs))('never permits %s', (_what, isWrong) => {
    let wrong = 0;
    fc.assert(
      fc.property(world, (w) => {
        if (!isWrong(w)) return true;
        wrong += 1;
        return !permits(w);
      }),
      { numRuns: 3_000 },
    );
    // A property that never meets its case proves nothing.
    expect(wrong).toBeGreaterThan(100);
  });

  const isMalformed = (claim: unknown): boolean =>
    listed(claim).length === 0 || !listed(claim).every((v) => typeof v === 'string' && v !== '');
  const delegates = ({ scopes, rules }: World): boolean => scopes.includes(rules.scopes.delegate ?? '-');
  const hasMalformedClaim = (w: World): boolean =>
    (w.rules.tenantClaim !== undefined && isMalformed(w.claims.tenant)) ||
    (w.rules.meetingsClaim !== undefined &&
      w.claims.meetings !== undefined &&
      isMalformed(w.claims.meetings)) ||
    (!delegates(w) && isMalformed(w.claims[w.rules.externalUserIdClaim as 'sub']));

  it('permits some, and every request without these faults and without malformed parts', () => {
    let permitted = 0;
    fc.assert(
      fc.property(world, (w) => {
        if (Object.values(wrongs).some((isWrong) => isWrong(w)) || hasMalformedClaim(w)) return;
        // A delegate is judged by the delegate's ceiling alone.
        const scope = delegates(w) ? w.rules.scopes.delegate : w.rules.scopes.self;
        const ceiling = w.rules.ceilings[scope ?? ''] ?? ALL;
        if (w.request.attendees.some((a) => exceeds(a.Capabilities ?? ALL, ceiling))) return;
        permitted += 1;
        expect(permits(w)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(permitted).toBeGreaterThan(50);
  });
});
