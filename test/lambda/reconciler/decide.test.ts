import { describe, expect, it } from '@jest/globals';
import type { IssuedAttendee } from '../../../lambda/audit-records.ts';
import { decide, type Evidence } from '../../../lambda/reconciler/decide.ts';

const OURS = 'batch-2';

function attendee(externalUserId: string, attendeeId = `id-of-${externalUserId}`): IssuedAttendee {
  return {
    externalUserId,
    attendeeId,
    capabilities: { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' },
    tokenFingerprint: 'sha256:0',
  };
}

const asked = (...names: string[]) => names.map((externalUserId) => ({ externalUserId }));

/** Evidence about a batch that asked for alice and bob, alone in its meeting. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    intent: { batchId: OURS, requested: asked('alice', 'bob') },
    found: [],
    gone: false,
    seen: [],
    secondLook: false,
    records: { intents: [{ batchId: OURS, requested: asked('alice', 'bob') }], outcomes: [] },
    ...changes,
  };
}

const [alice, bob] = [attendee('alice'), attendee('bob')];

describe('at the first look', () => {
  it('all that was asked for is enough', () => {
    expect(decide(evidence({ found: [attendee('carol'), bob, alice] }))).toEqual({
      kind: 'settle',
      state: 'RECOVERED',
      issued: [bob, alice],
      attribution: 'sole',
      heldElsewhere: [],
    });
  });

  it.each<[string, Partial<Evidence>]>([
    ['nobody', {}],
    ['some', { found: [alice] }],
    [
      'one of a name that was asked for twice',
      {
        intent: { batchId: OURS, requested: asked('alice', 'alice') },
        found: [alice],
      },
    ],
    ['more of a name than were asked for', { found: [alice, attendee('alice', 'another'), bob] }],
    [
      'all, where another batch holds one',
      {
        found: [alice, bob],
        records: { intents: [], outcomes: [{ batchId: 'batch-1', issued: [bob], withheld: [] }] },
      },
    ],
    [
      'all, where another open batch asks for one',
      {
        found: [alice, bob],
        records: { intents: [{ batchId: 'batch-3', requested: asked('bob') }], outcomes: [] },
      },
    ],
  ])('%s calls for another', (_what, changes) => {
    const decision = decide(evidence(changes));
    expect(decision).toEqual({ kind: 'look again', seen: changes.found ?? [] });
  });
});

describe('at the second look', () => {
  const second = (changes: Partial<Evidence>) => decide(evidence({ secondLook: true, ...changes }));

  it('nobody is NOT_ISSUED', () => {
    expect(second({})).toEqual({ kind: 'settle', state: 'NOT_ISSUED', issued: [], heldElsewhere: [] });
  });

  it('some are RECOVERED, with those that only the first look saw', () => {
    expect(second({ found: [bob], seen: [alice, bob] })).toMatchObject({
      state: 'RECOVERED',
      issued: [alice, bob],
      attribution: 'sole',
    });
  });

  it.each(['issued', 'withheld'] as const)('who was %s by another batch is only pointed to', (list) => {
    const other = { batchId: 'batch-1', issued: [], withheld: [], [list]: [alice] };
    expect(second({ found: [alice, bob], records: { intents: [], outcomes: [other] } })).toEqual({
      kind: 'settle',
      state: 'RECOVERED',
      issued: [bob],
      attribution: 'sole',
      heldElsewhere: [{ externalUserId: 'alice', attendeeId: 'id-of-alice', batchId: 'batch-1' }],
    });
  });

  it('NOT_ISSUED says whose the attendees are that exist', () => {
    const other = { batchId: 'batch-1', issued: [alice, bob], withheld: [] };
    expect(second({ found: [alice, bob], records: { intents: [], outcomes: [other] } })).toMatchObject({
      state: 'NOT_ISSUED',
      heldElsewhere: [{ attendeeId: 'id-of-alice' }, { attendeeId: 'id-of-bob' }],
    });
  });

  it.each<[string, Partial<Evidence>]>([
    [
      'another open batch asks for',
      {
        found: [alice],
        records: { intents: [{ batchId: 'batch-3', requested: asked('alice') }], outcomes: [] },
      },
    ],
    ['there are more of than were asked for', { found: [alice, attendee('alice', 'another')] }],
  ])('a name that %s is ambiguous, and nobody is left out', (_what, changes) => {
    expect(second(changes)).toMatchObject({
      state: 'RECOVERED',
      issued: changes.found,
      attribution: 'ambiguous',
    });
  });

  it('an open batch that asks for others is no rival, nor is one that has its outcome', () => {
    const records = {
      intents: [
        { batchId: 'batch-3', requested: asked('carol') },
        { batchId: 'batch-4', requested: asked('alice') },
      ],
      outcomes: [{ batchId: 'batch-4', issued: [], withheld: [] }],
    };
    expect(second({ found: [alice], records })).toMatchObject({ attribution: 'sole' });
  });
});

describe('a meeting that is gone', () => {
  it('leaves UNRESOLVED at any look, with those that were seen', () => {
    expect(decide(evidence({ gone: true }))).toMatchObject({ state: 'UNRESOLVED', issued: [] });
    expect(decide(evidence({ gone: true, secondLook: true, seen: [alice] }))).toMatchObject({
      state: 'UNRESOLVED',
      issued: [alice],
      attribution: 'sole',
    });
  });

  it('hides nothing where all had been seen', () => {
    expect(decide(evidence({ gone: true, seen: [alice], found: [bob] }))).toMatchObject({
      state: 'RECOVERED',
      issued: [alice, bob],
    });
  });
});
