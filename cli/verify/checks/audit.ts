import { setTimeout as pause } from 'node:timers/promises';
import { fingerprintOf } from '../../../lambda/model/token-fingerprint.ts';
import type { Batch } from '../../audit/batches.ts';
import { findAdmissions, findBatches } from '../../audit/questions.ts';
import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';
import type { AnsweredBatch, World } from '../world.ts';

/** How long an index may be behind its table. */
const INDEX_DELAY_MS = 15_000;
const RETRY_MS = 500;

/** The answers of `npm run audit` about the batches that were sent. */
export const audit: Check[] = [
  {
    name: 'has every batch as it was answered',
    run: async (world) => {
      const answered = allAnswered(world);
      const recorded = await recordedBatches(world, answered);
      for (const batch of answered) {
        const { outcome, state } = recorded.get(batch.batchId) ?? { state: 'not there' };
        expectThat(
          state === (batch.errors.length > 0 ? 'PARTIAL' : 'ISSUED'),
          `batch ${batch.batchId} is ${state}`,
        );
        expectSame(
          `of batch ${batch.batchId}, the attendees on record`,
          outcome?.issued.map(({ attendeeId }) => attendeeId),
          batch.attendees.map(({ AttendeeId }) => AttendeeId),
        );
      }
      return `${answered.length} batches`;
    },
  },
  {
    name: 'has a fingerprint of every JoinToken, and no JoinToken',
    run: async (world) => {
      const answered = allAnswered(world);
      const recorded = await recordedBatches(world, answered);
      for (const batch of answered) {
        const record = recorded.get(batch.batchId);
        const tokens = batch.attendees.map(({ JoinToken = '' }) => JoinToken);
        const text = JSON.stringify(record ?? {});
        expectThat(!tokens.some((token) => text.includes(token)), `batch ${batch.batchId} holds a JoinToken`);
        expectThat(
          tokens.every((token, i) => record?.outcome?.issued[i]?.tokenFingerprint === fingerprintOf(token)),
          `batch ${batch.batchId} has other fingerprints`,
        );
      }
      return undefined;
    },
  },
  {
    name: 'says which meeting a user was admitted to',
    run: async (world) => {
      const batch = largest(allAnswered(world));
      const externalUserId = batch.attendees.at(-1)?.ExternalUserId ?? '';
      await expectAdmission(world, { about: 'user', externalUserId }, batch);
      return undefined;
    },
  },
  {
    name: 'says who an attendee is',
    run: async (world) => {
      const batch = largest(allAnswered(world));
      const attendeeId = batch.attendees.at(-1)?.AttendeeId ?? '';
      await expectAdmission(world, { about: 'attendee', attendeeId }, batch);
      return undefined;
    },
  },
  {
    name: 'says what a caller issued',
    run: async (world) => {
      const { batchId, meetingId } = allAnswered(world)[0] as AnsweredBatch;
      const { intent } = await recordOf(world, meetingId, batchId);
      const callerId = intent?.callerId ?? '';
      await eventually(`batch ${batchId} by its caller`, async () => {
        const sinceMs = Date.now() - 60 * 60_000;
        for await (const found of findBatches(
          world.tables,
          { about: 'caller', callerId },
          { sinceMs },
          Date.now(),
        )) {
          if (found.batchId === batchId) return true;
        }
        return false;
      });
      return undefined;
    },
  },
  {
    name: 'says what was denied, and by which rule',
    run: async (world) => {
      if (world.guest === undefined) {
        throw new NotCheckable('nothing was denied by a rule: give --guest-token-command');
      }
      const recorded = await batchesOf(world, world.meetingId);
      const { denial } = recorded.find(({ state }) => state === 'DENIED') ?? {};
      expectThat(denial !== undefined, 'the denial of a guest is not on record');
      return denial.rule;
    },
  },
];

function allAnswered({ answered }: World): AnsweredBatch[] {
  if (answered.length === 0) throw new NotCheckable('no batch was admitted');
  return answered;
}

function largest(batches: AnsweredBatch[]): AnsweredBatch {
  return batches.reduce((a, b) => (b.attendees.length > a.attendees.length ? b : a));
}

async function recordedBatches(world: World, answered: AnsweredBatch[]): Promise<Map<string, Batch>> {
  const recorded = new Map<string, Batch>();
  for (const meetingId of new Set(answered.map((batch) => batch.meetingId))) {
    for (const batch of await batchesOf(world, meetingId)) recorded.set(batch.batchId, batch);
  }
  return recorded;
}

/** @throws if the table lacks it */
async function recordOf(world: World, meetingId: string, batchId: string): Promise<Batch> {
  const record = (await batchesOf(world, meetingId)).find((batch) => batch.batchId === batchId);
  expectThat(record !== undefined, `batch ${batchId} is not on record`);
  return record;
}

async function batchesOf({ tables }: World, meetingId: string): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of findBatches(tables, { about: 'meeting', meetingId }, {}, Date.now())) {
    batches.push(batch);
  }
  return batches;
}

async function expectAdmission(
  world: World,
  question: Parameters<typeof findAdmissions>[1],
  { batchId, meetingId }: AnsweredBatch,
): Promise<void> {
  const { tables } = world;
  // An item that is not in the table never gets into an index.
  await recordOf(world, meetingId, batchId);
  await eventually(`the admission by batch ${batchId}`, async () => {
    for await (const admission of findAdmissions(tables, question, {}, Date.now())) {
      if (admission.batchId === batchId) return true;
    }
    return false;
  });
}

/** @throws if an index does not get it in time */
async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + INDEX_DELAY_MS;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} is not on record`);
    await pause(RETRY_MS);
  }
}
