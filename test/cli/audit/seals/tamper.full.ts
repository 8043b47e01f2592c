import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { batchIdAt, denialOf, intentOf, issuedTo, outcomeOf } from '../../../support/audit-command.ts';
import { startDatabase } from '../../../support/database.ts';
import { createSealedTable, type Item, namesOf, type SealedTable } from '../../../support/sealed-table.ts';
import { tamperingsOf } from '../../../support/tampering.ts';

const FIRST = '2026-11-23T13Z';
const OTHER_MEETING = '7c0a4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const IN_FORCE = { rulesDigest: '0123456789abcdef', functionVersion: '42' };
const expiresAt = Date.parse('2027-11-23T00:00:00Z') / 1000;

const batchId = batchIdAt('2026-11-23T13:45:58.123Z');
const reconciled = batchIdAt('2026-11-23T13:50:00Z');
const attendees = [issuedTo('alice', 'attendee-alice'), issuedTo('bob', 'attendee-bob')];

/** One record of each kind, with all that a record of its kind can have. */
const RECORDS = {
  'an intent': intentOf(batchId, {
    ...IN_FORCE,
    ...{ expiresAt, externalMeetingId: 'board', meetingsRegion: 'us-east-1' },
    requested: attendees.map(({ externalUserId, capabilities }) => ({ externalUserId, capabilities })),
  }),
  "a handler's outcome": outcomeOf(batchId, {
    ...{ expiresAt, state: 'PARTIAL', chimeRequestId: 'chime-1' },
    issued: attendees.map((attendee) => ({ ...attendee, above: 'asked' as const })),
    withheld: [{ ...issuedTo('carol', 'attendee-carol'), rule: 'capability-ceiling' }],
    errors: [{ externalUserId: 'dave', errorCode: 'Throttling', errorMessage: 'Slow down' }],
    refusal: { code: 'Forbidden', message: 'No' },
  }),
  "a reconciler's outcome": outcomeOf(reconciled, {
    ...{ expiresAt, writtenBy: 'reconciler', state: 'RECOVERED', attribution: 'ambiguous', delivered: false },
    heldElsewhere: [{ externalUserId: 'alice', attendeeId: 'attendee-alice', batchId }],
  }),
  'a denial': denialOf(batchIdAt('2026-11-23T13:55:00Z'), {
    ...IN_FORCE,
    ...{ expiresAt, externalMeetingId: 'board', operation: 'BatchCreateAttendee', names: ['alice', 'bob'] },
  }),
};

let database: Awaited<ReturnType<typeof startDatabase>>;
let world: SealedTable;

beforeAll(async () => {
  database = await startDatabase();
  world = await createSealedTable(database.url, FIRST);
  for (const record of [...Object.values(RECORDS), intentOf(reconciled)]) {
    await world.put(marshall(record, { removeUndefinedValues: true }));
  }
  await world.sealThrough('2026-11-23T14Z');
});

afterAll(async () => {
  await world.close();
  await database.close();
});

const named = async () => namesOf((await world.verify()).findings);

describe.each(Object.entries(RECORDS))('%s', (_what, record) => {
  const { recordId } = record;
  const original: Item = marshall(record, { removeUndefinedValues: true });
  const tamperings = tamperingsOf(original);

  it(`is named after each of ${tamperings.length} changes, and no more once it is as it was`, async () => {
    expect(tamperings.length).toBeGreaterThan(100);
    const unnoticed: string[] = [];
    for (const { what, item } of tamperings) {
      const refusal: Error | undefined = await world.put(item).catch((error) => error);
      if (refusal !== undefined) {
        // DynamoDB takes no item with an index's key of another type.
        expect([refusal.name, what]).toEqual([
          'ValidationException',
          expect.stringMatching(/^(callerId|batchId|day|denialDay) made /),
        ]);
        continue;
      }
      const names = await named();
      if (names.length !== 1 || names[0] !== `changed ${recordId}`) unnoticed.push(`${what}: ${names}`);
    }
    expect(unnoticed).toEqual([]);
    await world.put(original);
    expect(await named()).toEqual([]);
  }, 600_000);

  it('is named where it is removed, and where it is moved to another key', async () => {
    await world.remove(original);
    expect(await named()).toEqual([`removed ${recordId}`]);
    const moved = { ...original, meetingId: { S: OTHER_MEETING } };
    await world.put(moved);
    const names = (await namesAfterScan()).sort();
    expect(names).toEqual([`late ${recordId}`, `removed ${recordId}`]);
    await world.remove(moved);
    await world.put(original);
    expect(await named()).toEqual([]);
  });
});

it('names both of any two records of a kind and meeting that are swapped', async () => {
  const items = await world.items();
  const keyOf = ({ meetingId, recordId }: Item) => ({ meetingId, recordId }) as Item;
  for (const [n, one] of items.entries()) {
    for (const other of items.slice(n + 1)) {
      await world.put({ ...one, ...keyOf(other) });
      await world.put({ ...other, ...keyOf(one) });
      expect((await named()).sort()).toEqual(
        [one, other].map(({ recordId }) => `changed ${recordId?.S}`).sort(),
      );
      await world.put(one);
      await world.put(other);
    }
  }
}, 120_000);

async function namesAfterScan(): Promise<string[]> {
  return namesOf((await world.verify({ scan: true })).findings);
}
