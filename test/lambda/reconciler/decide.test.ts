import { describe, expect, it } from '@jest/globals';
import type { SeenAttendee } from '../../../lambda/audit/ports.ts';
import { DEFAULT_CAPABILITIES } from '../../../lambda/model/attendees.ts';
import { decide, type Evidence } from '../../../lambda/reconciler/decide.ts';

function attendee(externalUserId: string, attendeeId = `id-of-${externalUserId}`): SeenAttendee {
  return {
    externalUserId,
    attendeeId,
    capabilities: DEFAULT_CAPABILITIES,
    tokenFingerprint: 'sha256:0',
    seenAt: '2026-11-23T13:46:00.000Z',
  };
}

const asked = (...names: string[]) => names.map((externalUserId) => ({ externalUserId }));
const issued = (...attendees: SeenAttendee[]) => attendees.map(({ seenAt: _, ...rest }) => rest);

/** Evidence about a batch that asked for alice and bob, alone in its meeting. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    intent: { requested: asked('alice', 'bob') },
    gone: false,
    seen: [],
    holders: new Map(),
    isContested: () => false,
    ...changes,
  };
}

const [alice, bob] = [attendee('alice'), attendee('bob')];
const another = attendee('alice', 'another');
const held = (batchId: string, ...attendees: SeenAttendee[]) =>
  new Map(attendees.map(({ attendeeId }) => [attendeeId, batchId]));

describe('the outcome of an intent', () => {
  it.each<[string, Partial<Evidence>, object]>([
    ['all', { seen: [bob, alice] }, { state: 'RECOVERED', issued: issued(bob, alice), attribution: 'sole' }],
    ['some', { seen: [alice] }, { state: 'RECOVERED', issued: issued(alice), attribution: 'sole' }],
    ['none', {}, { state: 'NOT_ISSUED', issued: [] }],
    ['none, and the meeting is gone', { gone: true }, { state: 'UNRESOLVED', issued: [] }],
    [
      'some, and the meeting is gone',
      { gone: true, seen: [alice] },
      { state: 'UNRESOLVED', issued: issued(alice), attribution: 'sole' },
    ],
    [
      'all, and the meeting is gone',
      { gone: true, seen: [alice, bob] },
      { state: 'RECOVERED', issued: issued(alice, bob), attribution: 'sole' },
    ],
    [
      'one of a name that was asked for twice, and the meeting is gone',
      { intent: { requested: asked('alice', 'alice') }, gone: true, seen: [alice] },
      { state: 'UNRESOLVED', issued: issued(alice), attribution: 'sole' },
    ],
  ])('follows from the attendees that were seen: %s', (_what, changes, expected) => {
    expect(decide(evidence(changes))).toEqual({ heldElsewhere: [], ...expected });
  });

  it('is ambiguous if more attendees of a name exist than requested, and omits none', () => {
    expect(decide(evidence({ seen: [alice, another, bob] }))).toMatchObject({
      issued: issued(alice, another, bob),
      attribution: 'ambiguous',
    });
  });

  it('is ambiguous if another batch may have created one of them', () => {
    const isContested = ({ externalUserId }: SeenAttendee) => externalUserId === 'bob';
    expect(decide(evidence({ seen: [alice], isContested })).attribution).toBe('sole');
    expect(decide(evidence({ seen: [alice, bob], isContested })).attribution).toBe('ambiguous');
  });

  it('omits attendees in the outcome of another batch, and points to it', () => {
    expect(decide(evidence({ seen: [alice, bob], holders: held('batch-1', alice) }))).toEqual({
      state: 'RECOVERED',
      issued: issued(bob),
      attribution: 'sole',
      heldElsewhere: [{ externalUserId: 'alice', attendeeId: 'id-of-alice', batchId: 'batch-1' }],
    });
  });

  it('is empty if other batches hold all attendees', () => {
    expect(decide(evidence({ seen: [alice, bob], holders: held('batch-1', alice, bob) }))).toMatchObject({
      state: 'NOT_ISSUED',
      issued: [],
    });
  });

  it('is not ambiguous for an attendee that another batch holds', () => {
    const holders = held('batch-1', another);
    const isContested = ({ attendeeId }: SeenAttendee) => attendeeId === 'another';
    expect(decide(evidence({ seen: [alice, another, bob], holders, isContested }))).toMatchObject({
      attribution: 'sole',
    });
  });
});
