import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mintBatchId } from '../../lambda/audit/batch-id.ts';
import { DEFAULT_CAPABILITIES } from '../../lambda/model/attendees.ts';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { type Lane, LOOK_SHIFTS_MS, namesFor, startLane } from '../support/faults/lane.ts';

/** Far less than what the records below take when all of them are held at once; the reconciler itself starts with half. */
const HEAP_MB = 40;
const BATCHES = 600;

let lane: Lane;
beforeAll(async () => {
  lane = await startLane();
}, 60_000);
afterAll(() => lane.close());

/** Batches of one meeting that were answered, each with 100 attendees. */
async function writeHistory(meetingId: string): Promise<void> {
  const names = namesFor('participant-of-a-long-meeting', 100);
  const requested = names.map((externalUserId) => ({ externalUserId, capabilities: DEFAULT_CAPABILITIES }));
  const issued = requested.map((attendee, index) => ({
    ...attendee,
    attendeeId: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    tokenFingerprint: `sha256:${'0'.repeat(32)}`,
  }));
  const records = Array.from({ length: BATCHES }, (_, index) => {
    const batchId = mintBatchId(Date.now() - 3_600_000 + index, index.toString(16).padStart(16, '0'));
    const base = { meetingId, batchId };
    const deadline = new Date().toISOString();
    const written = { state: 'ISSUED', writtenBy: 'handler', admissions: 'written', withheld: [] };
    return [
      { ...base, recordId: `${batchId}/intent`, kind: 'intent', requested, deadline },
      { ...base, recordId: `${batchId}/outcome`, kind: 'outcome', issued, ...written },
    ];
  }).flat();
  for (let start = 0; start < records.length; start += 25) {
    const writes = records
      .slice(start, start + 25)
      .map((record) => ({ PutRequest: { Item: marshall(record) } }));
    await lane.client.send(new BatchWriteItemCommand({ RequestItems: { [lane.tableNames.audit]: writes } }));
  }
}

it('a meeting with more records than fit into memory is reconciled all the same', async () => {
  const meetingId = await lane.createMeeting('large');
  await writeHistory(meetingId);
  const handler = await lane.startActor('handler');
  handler.intercept(async ({ name }, act) => {
    const reply = await act();
    return name === 'BatchCreateAttendee' ? 'reset' : reply;
  });
  await handler.invoke(lane.eventFor(meetingId, ['alice']));
  await handler.close();

  const reconciler = await lane.startActor('reconciler', LOOK_SHIFTS_MS[0], HEAP_MB);
  const done = (await reconciler.invoke({})) as ReconcileSummary;
  expect(done).toMatchObject({ recovered: 1, failures: 0, open: 0 });
  await reconciler.close();
}, 120_000);
