import { isDeepStrictEqual } from 'node:util';
import { type AdmissionRecord, admissionsOf, type OutcomeRecord } from '../../lambda/audit/records.ts';
import { keysOfBatches, queryOf, TABLES } from '../../lambda/audit/schema.ts';
import { BATCH_WRITE_LIMIT } from '../../lambda/aws/dynamodb-batches.ts';
import type { Batch } from './batches.ts';
import { putItems, queryItems } from './dynamodb.ts';
import { batchesWithKeys, keysOver, WRITTEN_WITHIN_MS } from './questions.ts';
import { inGroups } from './streams.ts';
import type { AskedTables } from './tables.ts';
import type { Range } from './times.ts';

/** An item of the admission table that differs from the outcomes. */
export interface Difference extends AdmissionRecord {
  /** `different`: exists with other content; reported with the content that it should have. */
  difference: 'missing' | 'different' | 'extra';
}

/** The counts of the comparison, updated while the differences are read. */
export interface ComparisonCounts {
  batches: number;
  admissions: number;
  missing: number;
  different: number;
  extra: number;
}

export const NO_COUNTS: ComparisonCounts = { batches: 0, admissions: 0, missing: 0, different: 0, extra: 0 };

/** How many batches are compared at once, and how many of their users are queried at a time. */
const BATCHES_AT_ONCE = 25;
const USERS_AT_ONCE = 20;

/**
 * Compares the admission table with the outcomes of a range. Finds extra items only for users that the range's batches
 * name.
 *
 * @param counts updated along the way
 */
export async function* compareAdmissions(
  tables: AskedTables & { admissionTableName: string },
  range: Range & { sinceMs: number },
  nowMs: number,
  counts: ComparisonCounts,
): AsyncGenerator<Difference> {
  const batches = batchesWithKeys(tables, keysOver(tables, range, nowMs));
  for await (const group of inGroups(batches, BATCHES_AT_ONCE)) {
    const decided = group.filter(({ outcome }) => outcome !== undefined && isDecided(outcome, nowMs));
    const undecided = new Set(
      group.filter((batch) => !decided.includes(batch)).map(({ batchId }) => batchId),
    );
    const expected = new Map(
      decided
        .flatMap(({ outcome }) => (outcome === undefined ? [] : admissionsOf(outcome)))
        .map((admission) => [keyOf(admission), admission]),
    );
    counts.batches += decided.length;
    counts.admissions += expected.size;

    for await (const found of admissionsOfUsers(tables, group)) {
      const wanted = expected.get(keyOf(found));
      expected.delete(keyOf(found));
      // DynamoDB may delete an expired intent, by which the batch is found, before the other records.
      const isExplained = wanted !== undefined || undecided.has(found.batchId) || hasExpired(found, nowMs);
      if (!isExplained) yield counted('extra', found, counts);
      else if (wanted !== undefined && !isDeepStrictEqual(found, wanted))
        yield counted('different', wanted, counts);
    }
    for (const admission of expected.values()) yield counted('missing', admission, counts);
  }
}

function counted(
  difference: Difference['difference'],
  admission: AdmissionRecord,
  counts: ComparisonCounts,
): Difference {
  counts[difference] += 1;
  return { difference, ...admission };
}

/**
 * Whether the outcome determines the table: not while the reconciler is still writing the admissions, nor once DynamoDB
 * may expire them.
 */
function isDecided(outcome: OutcomeRecord, nowMs: number): boolean {
  return !isPending(outcome, nowMs) && !hasExpired(outcome, nowMs);
}

/**
 * Writes what is missing or different, and passes on every difference afterwards. Extra items stay: the truth does not
 * explain them, so a person should look at them first.
 */
export async function* rebuildAdmissions(
  tables: AskedTables & { admissionTableName: string },
  differences: AsyncIterable<Difference>,
): AsyncGenerator<Difference> {
  for await (const group of inGroups(differences, BATCH_WRITE_LIMIT)) {
    const wanted = group
      .filter(({ difference }) => difference !== 'extra')
      .map(({ difference, ...admission }) => admission);
    await putItems(tables.client, tables.admissionTableName, wanted);
    yield* group;
  }
}

function isPending({ admissions, recordedAt }: OutcomeRecord, nowMs: number): boolean {
  return admissions !== 'written' && Date.parse(recordedAt) > nowMs - WRITTEN_WITHIN_MS;
}

function hasExpired({ expiresAt }: { expiresAt?: number }, nowMs: number): boolean {
  return expiresAt !== undefined && expiresAt * 1000 <= nowMs;
}

function keyOf({ externalUserId, admissionId }: AdmissionRecord): string {
  return JSON.stringify([externalUserId, admissionId]);
}

/** All items in the time span of these batches, for the users that they name. */
async function* admissionsOfUsers(
  { client, admissionTableName }: AskedTables & { admissionTableName: string },
  batches: Batch[],
): AsyncGenerator<AdmissionRecord> {
  const users = [...new Set(batches.flatMap((batch) => [...namesIn(batch)]))];
  const first = batches[0]?.batchId ?? '';
  const last = batches.at(-1)?.batchId ?? '';
  for (let start = 0; start < users.length; start += USERS_AT_ONCE) {
    const answers = users.slice(start, start + USERS_AT_ONCE).map(async (externalUserId) => {
      const admissions: AdmissionRecord[] = [];
      for await (const admission of queryItems<AdmissionRecord>(client, {
        TableName: admissionTableName,
        ...queryOf(TABLES.admissions, externalUserId, keysOfBatches(first, last)),
        ConsistentRead: true,
      })) {
        admissions.push(admission);
      }
      return admissions;
    });
    yield* (await Promise.all(answers)).flat();
  }
}

function* namesIn({ intent, outcome }: Batch): Generator<string> {
  for (const { externalUserId } of [
    ...(intent?.requested ?? []),
    ...(outcome?.issued ?? []),
    ...(outcome?.withheld ?? []),
  ]) {
    yield externalUserId;
  }
}
