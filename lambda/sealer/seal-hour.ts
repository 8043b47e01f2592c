import { isBatchId } from '../audit/batch-id.ts';
import { recordId } from '../audit/records.ts';
import { batchPrefix, LATE_HOURS, type Seal, type SealedOpen, type SealedRow } from '../audit/seals.ts';
import { hoursBefore, type Link } from './chain.ts';
import type { KnownRecords } from './known-records.ts';
import type { FactKey, Facts, IndexedFact } from './ports.ts';

/** So many late records are taken into one seal, the oldest intents first: the next ones take the rest. */
const MAX_LATE = 200_000;

/** Where a seal goes in its chain. */
export interface Place {
  hour: string;
  previous: Link | undefined;
  known: KnownRecords;
}

/** A seal's lists, and how many late records had no place in them. */
export type Lists = Pick<Seal, 'records' | 'open' | 'late'> & { left: number };

/** Reads what the seal of an hour says. */
export async function readHour({ hour, previous, known }: Place, facts: Facts): Promise<Lists> {
  const { ofHour, late, left } = await namedByIndexes({ hour, previous, known }, facts);
  const now = await readRecords(ofHour, facts);
  const found = await readRecords(late, facts);
  const carried = await readRecords((previous?.seal.open ?? []).map(asIndexed), facts);
  // The intents of those that were open are in a seal.
  const outcomes = carried.rows.filter(([, id]) => id.endsWith('/outcome'));
  const records = byKey(now.rows);
  return {
    records: sorted(records.values()),
    open: sorted(byKey([...now.open, ...found.open, ...carried.open]).values()),
    late: sorted(
      [...byKey([...found.rows, ...outcomes])].filter(([key]) => !records.has(key)).map(([, row]) => row),
    ),
    left,
  };
}

/** What the indexes have of the hour, and of those before it what no seal has. */
async function namedByIndexes({ hour, known }: Place, facts: Facts) {
  const prefix = batchPrefix(hour);
  const ofHour: IndexedFact[] = [];
  const late: IndexedFact[] = [];
  let left = 0;
  for await (const page of facts.indexed(hoursBefore(hour, LATE_HOURS), hour)) {
    for (const fact of page) {
      if (fact.batchId.startsWith(prefix)) ofHour.push(fact);
      else if (known.has(fact, hourNamed(fact.batchId))) continue;
      else if (late.length < MAX_LATE) late.push(fact);
      else left += 1;
    }
  }
  return { ofHour, late, left };
}

/** Reads records by their keys, those of a batch together. */
async function readRecords(named: readonly IndexedFact[], facts: Facts) {
  const rows = await facts.rows(named.flatMap(keysOf));
  const found = new Set(rows.map(keyText));
  const open = named.filter(isIntent).filter((fact) => {
    return found.has(keyText([fact.meetingId, fact.recordId])) && !found.has(keyText(outcomeOf(fact)));
  });
  return { rows, open: open.map(({ meetingId, batchId }): SealedOpen => [meetingId, batchId]) };
}

function keysOf(fact: IndexedFact): FactKey[] {
  const { meetingId, recordId: id, index } = fact;
  const [, outcome] = outcomeOf(fact);
  return [{ meetingId, recordId: id }, ...(index === 'byDay' ? [{ meetingId, recordId: outcome }] : [])];
}

/** What a person put into the index is sealed as it is, but no outcome is waited for. */
function isIntent({ recordId: id, batchId, index }: IndexedFact): boolean {
  return index === 'byDay' && isBatchId(batchId) && id === recordId(batchId, 'intent');
}

function outcomeOf({ meetingId, batchId }: IndexedFact): [meetingId: string, recordId: string] {
  return [meetingId, recordId(batchId, 'outcome')];
}

function asIndexed([meetingId, batchId]: SealedOpen): IndexedFact {
  return { meetingId, batchId, recordId: recordId(batchId, 'intent'), index: 'byDay' };
}

/** `20261123T13…` as `2026-11-23T13Z`. */
function hourNamed(batchId: string): string {
  return batchId.replace(/^(\d{4})(\d\d)(\d\dT\d\d).*$/s, '$1-$2-$3Z');
}

type Keyed = SealedRow | SealedOpen;

function keyText([meetingId, id]: readonly [string, string, ...unknown[]]): string {
  return `${meetingId}\n${id}`;
}

function byKey<Row extends Keyed>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [keyText(row), row]));
}

function sorted<Row extends Keyed>(rows: Iterable<Row>): Row[] {
  return [...rows].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
