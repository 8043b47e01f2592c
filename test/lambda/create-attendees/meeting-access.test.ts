import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  createMeetingAccess,
  FAILED_LOOKUPS,
  type MeetingAccess,
} from '../../../lambda/create-attendees/meeting-access.ts';
import type { MeetingFacts } from '../../../lambda/model/ports.ts';
import type { Rule } from '../../../lambda/model/rules.ts';

let nowMs: number;
let looked: string[];
let meetings: Record<string, Omit<MeetingFacts, 'meeting'>>;
let access: MeetingAccess;

beforeEach(() => {
  nowMs = 1_000_000;
  looked = [];
  meetings = { ours: { tenantIds: ['acme'] }, theirs: { tenantIds: ['globex'] }, nobodys: { tenantIds: [] } };
  access = accessWithin();
});

function accessWithin(budget?: typeof FAILED_LOOKUPS): MeetingAccess {
  return createMeetingAccess(
    {
      findMeeting: async (meetingId) => {
        looked.push(meetingId);
        const facts = meetings[meetingId];
        return facts && { ...facts, meeting: { MeetingId: meetingId } };
      },
      createAttendees: async () => {
        throw new Error('is not for this to call');
      },
    },
    { now: () => nowMs },
    budget,
  );
}

/** The rule against it, if there is one. */
async function ask(meetingId: string, tenants = ['acme'], callerId = 'alice'): Promise<Rule | undefined> {
  const decision = await access.check(callerId, tenants, meetingId, { timeoutMs: 1_000 });
  return 'rule' in decision ? decision.rule : undefined;
}

async function askWithoutTenants(meetingId: string): Promise<Rule | undefined> {
  const decision = await access.check('carol', undefined, meetingId, { timeoutMs: 1_000 });
  return 'rule' in decision ? decision.rule : undefined;
}

describe('access to a meeting', () => {
  it('returns the meeting and its missing media, from the cache too', async () => {
    meetings['ours'] = { tenantIds: ['acme'], missingMedia: ['Video'] };
    const check = () => access.check('alice', ['acme'], 'ours', { timeoutMs: 1_000 });
    const permit = { missingMedia: ['Video'], meeting: { MeetingId: 'ours' } };
    expect(await check()).toEqual(permit);
    expect(await check()).toEqual(permit);
    expect(looked).toEqual(['ours']);
  });

  it('is for its tenants, and cached for a while', async () => {
    expect(await ask('ours')).toBeUndefined();
    nowMs += 299_999;
    expect(await ask('ours')).toBeUndefined();
    expect(looked).toEqual(['ours']);
    nowMs += 1;
    await ask('ours');
    expect(looked).toEqual(['ours', 'ours']);
  });

  it('is denied alike for a foreign, an untenanted and an absent meeting, look-up by look-up', async () => {
    const seen: Record<string, unknown[]> = {};
    for (const meetingId of ['theirs', 'nobodys', 'absent']) {
      // A permitted caller is in the foreign meeting all the while.
      await ask(meetingId, ['globex'], 'greta');
      looked = [];
      const trace: unknown[] = [];
      for (const waitMs of [0, 0, 4_999, 1, 1, 60_000]) {
        nowMs += waitMs;
        trace.push(await ask(meetingId), looked.length);
      }
      seen[meetingId] = trace;
    }
    expect(seen['theirs']).toEqual([
      'meeting-tenant',
      1,
      'meeting-tenant',
      1,
      'meeting-tenant',
      1,
      'meeting-tenant',
      2,
      'meeting-tenant',
      2,
      'meeting-tenant',
      3,
    ]);
    expect(seen['nobodys']).toEqual(seen['theirs']);
    expect(seen['absent']).toEqual(seen['theirs']);
  });

  it('is granted soon after the meeting is created', async () => {
    expect(await ask('new')).toBe('meeting-tenant');
    meetings['new'] = { tenantIds: ['acme'] };
    nowMs += 5_000;
    expect(await ask('new')).toBeUndefined();
  });

  it('is not granted to one tenant by the access of another', async () => {
    await ask('ours');
    expect(await ask('ours', ['globex'])).toBe('meeting-tenant');
    expect(await ask('ours', ['globex', 'acme'])).toBeUndefined();
  });
});

describe('a meeting that has ended', () => {
  it('is dropped for every tenant and spelling, and no other meeting is', async () => {
    meetings['0a'] = meetings['0b'] = { tenantIds: ['acme', 'globex'] };
    for (const meetingId of ['0a', '0b']) {
      await ask(meetingId, ['acme']);
      await ask(meetingId, ['globex']);
      await askWithoutTenants(meetingId);
    }
    delete meetings['0a'];
    looked = [];
    access.forget('0A');
    expect(await ask('0a', ['acme'])).toBe('meeting-tenant');
    expect(await ask('0a', ['globex'])).toBe('meeting-tenant');
    expect(await askWithoutTenants('0a')).toBe('meeting-tenant');
    for (const tenant of ['acme', 'globex']) expect(await ask('0b', [tenant])).toBeUndefined();
    expect(looked).toEqual(['0a', '0a', '0a']);
  });
});

describe('a caller whose issuer has no tenant claim', () => {
  it('may join any existing meeting, cached for a while', async () => {
    for (const meetingId of ['ours', 'theirs', 'nobodys']) {
      expect(await askWithoutTenants(meetingId)).toBeUndefined();
      expect(await askWithoutTenants(meetingId)).toBeUndefined();
    }
    expect(looked).toEqual(['ours', 'theirs', 'nobodys']);
  });

  it('does not open a meeting for callers with tenants', async () => {
    await askWithoutTenants('theirs');
    expect(await ask('theirs')).toBe('meeting-tenant');
  });

  it('spends the same budget on meetings that do not exist', async () => {
    const outcomes = [];
    for (let i = 0; i < 20; i += 1) {
      outcomes.push(await askWithoutTenants(`random-${i}`).then(String, (error) => error.code));
    }
    expect(outcomes).toEqual([...Array(5).fill('meeting-tenant'), ...Array(15).fill('Throttling')]);
    expect(looked).toHaveLength(5);
  });
});

describe('a caller that asks for random meetings', () => {
  it('spends its own budget only', async () => {
    const outcomes = [];
    for (let i = 0; i < 500; i += 1) {
      outcomes.push(await ask(`random-${i}`).then(String, (error) => error.code));
    }
    expect(looked).toHaveLength(5);
    expect(outcomes.slice(5).every((code) => code === 'Throttling')).toBe(true);
    expect(await ask('ours', ['acme'], 'bob')).toBeUndefined();
  });

  it('gets a Retry-After', async () => {
    for (let i = 0; i < 5; i += 1) await ask(`random-${i}`);
    await expect(ask('ours')).rejects.toMatchObject({
      message: 'Too many of the meetings that were asked for could not be found.',
      details: { retryAfterSeconds: 1, reason: 'unknown-meetings' },
    });
    nowMs += 1_000;
    expect(await ask('ours')).toBeUndefined();
  });

  it('waits whole seconds, rounded up', async () => {
    access = accessWithin({ ...FAILED_LOOKUPS, capacity: 1, perSecond: 0.4 });
    await ask('random');
    await expect(ask('ours')).rejects.toMatchObject({ details: { retryAfterSeconds: 3 } });
    nowMs += 3_000;
    expect(await ask('ours')).toBeUndefined();
  });

  it('can still join its own meetings', async () => {
    await ask('ours');
    for (let i = 0; i < 6; i += 1) await ask(`random-${i}`).catch(() => {});
    expect(await ask('ours')).toBeUndefined();
  });

  it('may spell the id of its own meeting in any case, for one look-up', async () => {
    meetings['0a'] = meetings['0A'] = { tenantIds: ['acme'] };
    await ask('0A');
    for (let i = 0; i < 100; i += 1) expect(await ask(i % 2 === 0 ? '0a' : '0A')).toBeUndefined();
    expect(looked).toEqual(['0A']);
  });

  it('cannot lock others out of a meeting by another spelling of its id', async () => {
    meetings['0a'] = { tenantIds: ['acme'] };
    expect(await ask('0A')).toBe('meeting-tenant');
    expect(await ask('0a', ['acme'], 'bob')).toBeUndefined();
  });

  it('also pays for failed look-ups', async () => {
    meetings = new Proxy(meetings, {
      get: () => {
        throw new Error('down');
      },
    });
    for (let i = 0; i < 500; i += 1) await ask('ours').catch(() => {});
    expect(looked).toHaveLength(5);
    nowMs += 1_000;
    await expect(ask('ours')).rejects.toThrow('down');
  });

  it('is not a caller that looks up many of its own meetings', async () => {
    for (let i = 0; i < 100; i += 1) {
      meetings[`ours-${i}`] = { tenantIds: ['acme'] };
      expect(await ask(`ours-${i}`)).toBeUndefined();
    }
  });
});

describe('a backend that many users share', () => {
  /** Requests that are evenly spread over a second each, for a minute: how many of them are too many. */
  async function throttledOf({ junk, honest }: { junk: number; honest: number }) {
    const throttled = { junk: 0, honest: 0 };
    const send = async (kind: 'junk' | 'honest', meetingId: string) => {
      if (kind === 'honest') meetings[meetingId] = { tenantIds: ['acme'] };
      await ask(meetingId, ['acme'], 'backend').catch(() => {
        throttled[kind] += 1;
      });
    };
    for (let second = 0; second < 60; second += 1) {
      for (let each = 0; each < junk; each += 1) await send('junk', `junk-${second}-${each}`);
      for (let each = 0; each < honest; each += 1) await send('honest', `new-${second}-${each}`);
      nowMs += 1_000;
    }
    return throttled;
  }

  it.each([
    { junk: 1, honest: 1 },
    { junk: 1, honest: 30 },
    { junk: 2, honest: 1 },
    { junk: 3, honest: 2 },
  ])(
    'has no honest request throttled because of one user who asks for anything: %j a second',
    async (rates) => {
      expect(await throttledOf(rates)).toEqual({ junk: expect.any(Number), honest: 0 });
    },
  );

  it('earns no more failed look-ups than there are permitted ones, and a second each', async () => {
    await throttledOf({ junk: 50, honest: 2 });
    const failed = looked.filter((meetingId) => meetingId.startsWith('junk')).length;
    const permitted = looked.length - failed;
    const { capacity, perSecond, earnedByPermitted } = FAILED_LOOKUPS;
    expect(failed).toBeLessThanOrEqual(capacity + 60 * perSecond + permitted * earnedByPermitted);
    expect(failed).toBeGreaterThanOrEqual(60 * perSecond);
  });

  it('earns once by a meeting, however often it is asked for', async () => {
    meetings['0a'] = meetings['0A'] = { tenantIds: ['acme'] };
    for (let i = 0; i < 5; i += 1) await ask(`junk-${i}`, ['acme'], 'backend');
    nowMs += 1_000;
    for (let i = 0; i < 20; i += 1) await ask(i % 2 === 0 ? '0a' : '0A', ['acme'], 'backend');
    const outcomes = [];
    for (let i = 0; i < 5; i += 1) {
      outcomes.push(
        await ask(`more-${i}`, ['acme'], 'backend').then(
          () => true,
          () => false,
        ),
      );
    }
    expect(outcomes).toEqual([true, true, false, false, false]);
  });
});
