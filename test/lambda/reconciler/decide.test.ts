import { describe, expect, it } from '@jest/globals';
import type { IssuedAttendee } from '../../../lambda/model/attendees.ts';
import { decide, type Evidence } from '../../../lambda/reconciler/decide.ts';
import { MeetingRecords } from '../../../lambda/reconciler/meeting-records.ts';

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

/** What is on record beside the batch itself. */
interface Others {
  open?: Parameters<MeetingRecords['addIntent']>[0][];
  settled?: Parameters<MeetingRecords['addOutcome']>[0][];
}
type Changes = Partial<Omit<Evidence, 'records'>> & { others?: Others };

/** Evidence about a batch that asked for alice and bob, alone in its meeting. */
function evidence({ others: { open = [], settled = [] } = {}, ...changes }: Changes = {}): Evidence {
  const intent = { batchId: OURS, requested: asked('alice', 'bob') };
  const { found = [], seen = [] } = changes;
  const records = new MeetingRecords([...found, ...seen]);
  records.addIntent(changes.intent ?? intent);
  for (const other of open) records.addIntent(other);
  for (const other of settled) records.addOutcome(other);
  return { intent, found, gone: false, seen, secondLook: false, records, ...changes };
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

  it.each<[string, Changes]>([
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
        others: { settled: [{ batchId: 'batch-1', issued: [bob], withheld: [] }] },
      },
    ],
    [
      'all, where another open batch asks for one',
      {
        found: [alice, bob],
        others: { open: [{ batchId: 'batch-3', requested: asked('bob') }] },
      },
    ],
  ])('%s calls for another', (_what, changes) => {
    const decision = decide(evidence(changes));
    expect(decision).toEqual({ kind: 'look again', seen: changes.found ?? [] });
  });
});

describe('at the second look', () => {
  const second = (changes: Changes) => decide(evidence({ secondLook: true, ...changes }));

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
    expect(second({ found: [alice, bob], others: { settled: [other] } })).toEqual({
      kind: 'settle',
      state: 'RECOVERED',
      issued: [bob],
      attribution: 'sole',
      heldElsewhere: [{ externalUserId: 'alice', attendeeId: 'id-of-alice', batchId: 'batch-1' }],
    });
  });

  it('NOT_ISSUED says whose the attendees are that exist', () => {
    const other = { batchId: 'batch-1', issued: [alice, bob], withheld: [] };
    expect(second({ found: [alice, bob], others: { settled: [other] } })).toMatchObject({
      state: 'NOT_ISSUED',
      heldElsewhere: [{ attendeeId: 'id-of-alice' }, { attendeeId: 'id-of-bob' }],
    });
  });

  it.each<[string, Changes]>([
    [
      'another open batch asks for',
      {
        found: [alice],
        others: { open: [{ batchId: 'batch-3', requested: asked('alice') }] },
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
    const others = {
      open: [
        { batchId: 'batch-3', requested: asked('carol') },
        { batchId: 'batch-4', requested: asked('alice') },
      ],
      settled: [{ batchId: 'batch-4', issued: [], withheld: [] }],
    };
    expect(second({ found: [alice], others })).toMatchObject({ attribution: 'sole' });
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
