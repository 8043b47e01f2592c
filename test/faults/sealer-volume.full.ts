import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mintBatchId } from '../../lambda/audit/batch-id.ts';
import { recordId } from '../../lambda/audit/records.ts';
import {
  HOUR_MS,
  hourAt,
  LATE_HOURS,
  type SealedRow,
  type SealReference,
  sealDueMs,
  sealOfText,
  sha256,
  textOfSeal,
} from '../../lambda/audit/seals.ts';
import type { FactKey, Facts, IndexedFact } from '../../lambda/sealer/ports.ts';
import { sealDueHours } from '../../lambda/sealer/seal.ts';

const BATCHES = 100_000;
/** So many batches an hour make 10 a second, Chime's quota for BatchCreateAttendee. */
const BATCHES_OF_QUOTA = 36_000;
const PAGE = 4_000;
const START_MS = Date.parse('2026-11-23T00:00:00Z');

describe('the sealer', () => {
  let peakBytes = 0;
  let timer: NodeJS.Timeout;
  beforeAll(() => {
    timer = setInterval(measure, 50);
  });
  afterAll(() => clearInterval(timer));
  const measure = () => {
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
  };

  it.each([
    ['an hour of 100,000 batches after two quiet days', BATCHES, 1],
    ["an hour after twelve at the whole of Chime's quota", BATCHES_OF_QUOTA, 13],
  ])(
    'seals %s within its time and memory',
    async (what, batches, busyHours) => {
      const objects = new Map<string, string>();
      const facts = factsOf(batches, busyHours);
      const lastMs = START_MS + LATE_HOURS * HOUR_MS;
      await sealBefore(facts, objects);
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      peakBytes = 0;
      const startMs = performance.now();
      const summary = await seal(lastMs, facts, objects);
      measure();
      const seconds = (performance.now() - startMs) / 1000;
      console.log(
        `${what}: ${seconds.toFixed(1)} s, ${Math.round(peakBytes / 2 ** 20)} MiB at most, ${Math.round(before / 2 ** 20)} before, ${Math.round((objects.get(hourAt(lastMs))?.length ?? 0) / 1e6)} MB`,
      );
      expect(summary).toMatchObject({ sealed: 1, unsealed: 0, late: 0, broken: 0 });
      expect(sealOfText(objects.get(hourAt(lastMs)) ?? '')?.records).toHaveLength(2 * batches);
      expect(seconds).toBeLessThan(300);
    },
    600_000,
  );
});

/** The seals of the two days before, as the sealer makes them. */
async function sealBefore(facts: Facts, objects: Map<string, string>): Promise<void> {
  let previous: SealReference | null = null;
  for (let index = 0; index < LATE_HOURS; index += 1) {
    const hour = hourAt(START_MS + index * HOUR_MS);
    const records: SealedRow[] = [];
    for await (const page of facts.indexed(hour, hour)) {
      for (const row of await facts.rows(page.flatMap(keysOf))) records.push(row);
    }
    const sealedAt = new Date(sealDueMs(hour)).toISOString();
    const lists = { records, open: [], late: [] };
    const text = textOfSeal({ version: 1, table: 'facts', hour, sealedAt, previous, ...lists });
    objects.set(hour, text);
    previous = { hour, sha256: sha256(text) };
  }
}

function keysOf({ meetingId, batchId }: IndexedFact): FactKey[] {
  return (['intent', 'outcome'] as const).map((kind) => ({ meetingId, recordId: recordId(batchId, kind) }));
}

function seal(hourMs: number, facts: Facts, objects: Map<string, string>) {
  const nowMs = hourMs + 3 * HOUR_MS;
  return sealDueHours(nowMs + HOUR_MS, {
    facts,
    seals: {
      newest: async (upTo) => [...objects.keys()].filter((hour) => hour <= upTo).at(-1),
      read: async (hour) => objects.get(hour),
      write: async (hour, text) => {
        objects.set(hour, text);
        return true;
      },
    },
    auditTableName: 'facts',
    clock: { now: () => nowMs },
    addMetrics: () => {},
    report: () => {},
  });
}

/** So many batches in each of the last hours, made as they are asked for. */
function factsOf(batches: number, busyHours: number): Facts {
  const firstBusy = hourAt(START_MS + (LATE_HOURS + 1 - busyHours) * HOUR_MS);
  const digest = 'a'.repeat(64);
  return {
    async *indexed(first, last) {
      for (let hour = first; hour <= last; hour = hourAt(Date.parse(`${hour.slice(0, 13)}:00Z`) + HOUR_MS)) {
        if (hour < firstBusy) continue;
        const beginMs = Date.parse(`${hour.slice(0, 13)}:00Z`);
        for (let from = 0; from < batches; from += PAGE) {
          yield Array.from({ length: PAGE }, (_, index) => factOf(beginMs, from + index, batches));
        }
      }
    },
    rows: async (keys) =>
      keys.map(({ meetingId, recordId: id }): SealedRow => [meetingId, id, digest, 1_800_000_000]),
  };
}

function factOf(beginMs: number, index: number, batches: number): IndexedFact {
  const batchId = mintBatchId(
    beginMs + Math.floor((index * HOUR_MS) / batches),
    index.toString(16).padStart(16, '0'),
  );
  const meetingId = `6d0a1f6e-9c2b-4e87-b1d3-${String(index % 1000).padStart(12, '0')}`;
  return { meetingId, batchId, recordId: recordId(batchId, 'intent'), index: 'byDay' };
}
