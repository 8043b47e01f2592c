import { mintBatchId } from '../../lambda/audit/batch-id.ts';
import { recordId } from '../../lambda/audit/records.ts';
import type { SealStore } from '../../lambda/audit/seal-store.ts';
import {
  batchPrefix,
  hourAfter,
  hourOfBatch,
  type Seal,
  type SealedRow,
  sealOfText,
  sha256,
} from '../../lambda/audit/seals.ts';
import type { LogEvent } from '../../lambda/model/log-events.ts';
import type { MetricName } from '../../lambda/model/metrics.ts';
import type { Facts, IndexedFact } from '../../lambda/sealer/ports.ts';
import { type SealSummary, sealDueHours } from '../../lambda/sealer/seal.ts';
import type { Intercept, Reply, Step } from './faults/wire.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** A record of the world, from when it can be read, and from when it is in its index. */
interface Fact extends IndexedFact {
  /** Undefined for an outcome, which is in no index. */
  indexedMs: number | undefined;
  writtenMs: number;
}

export interface Sealer {
  /** What happens to each of its calls from now on. */
  intercept(how: Intercept): void;
  run(options?: { clockShiftMs?: number; stopsAfterMs?: number }): Promise<SealSummary>;
  reports: [LogEvent, Record<string, unknown>][];
  metrics: Partial<Record<MetricName, number>>[];
}

export type SealerWorld = ReturnType<typeof createSealerWorld>;

/** Facts and seals in memory, with a clock of their own. */
export function createSealerWorld(startMs = Date.parse('2026-11-23T00:00:00Z')) {
  let nowMs = startMs;
  let count = 0;
  const facts: Fact[] = [];
  const objects = new Map<string, string>();

  function batchAt(
    beginMs: number,
    { outcomeMs, indexedMs }: { outcomeMs?: number; indexedMs?: number } = {},
  ) {
    const batchId = mintBatchId(beginMs, (count++).toString(16).padStart(16, '0'));
    const meetingId = `meeting-${count % 3}`;
    const base = { meetingId, batchId, writtenMs: beginMs };
    facts.push({
      ...base,
      recordId: recordId(batchId, 'intent'),
      index: 'byDay',
      indexedMs: indexedMs ?? beginMs,
    });
    const outcome = { recordId: recordId(batchId, 'outcome'), index: 'byDay' as const, indexedMs: undefined };
    if (outcomeMs !== Number.POSITIVE_INFINITY)
      facts.push({ ...base, ...outcome, writtenMs: outcomeMs ?? beginMs });
    return { meetingId, batchId };
  }

  const createSealer = () => sealerOf(facts, objects, () => nowMs);

  return {
    objects,
    facts,
    now: () => nowMs,
    pass(ms: number) {
      nowMs += ms;
    },

    /** A batch that begins at an instant; its outcome is there at once, or later, or never (infinity). */
    batchAt,

    denialAt(beginMs: number): void {
      const batchId = mintBatchId(beginMs, (count++).toString(16).padStart(16, '0'));
      facts.push({
        meetingId: 'denied',
        recordId: recordId(batchId, 'denial'),
        batchId,
        index: 'denialsByDay',
        indexedMs: beginMs,
        writtenMs: beginMs,
      });
    },

    createSealer,

    seals: () => sealsIn(objects),

    /** What is wrong with the seals, once every hour with a record is sealed and two more days are. */
    problems(): string[] {
      const seals = sealsIn(objects);
      return [
        ...problemsOfChain(seals, objects),
        ...problemsOfPlaces(seals, facts),
        ...problemsOfOpen(seals, facts),
      ];
    },

    /** Runs a sealer every hour, for some hours. */
    async sealFor(hours: number, sealer: Sealer = createSealer()): Promise<void> {
      for (let hour = 0; hour < hours; hour += 1) {
        nowMs += HOUR_MS;
        await sealer.run();
      }
    },

    /** Runs one sealer after some hours. */
    async sealThrough(hours: number): Promise<void> {
      nowMs += hours * HOUR_MS;
      await createSealer().run();
    },
  };
}

function sealerOf(facts: Fact[], objects: Map<string, string>, now: () => number): Sealer {
  let how: Intercept = (_, act) => act();
  const intercept = () => how;
  const sealer: Sealer = {
    reports: [],
    metrics: [],
    intercept(next) {
      how = next;
    },
    run({ clockShiftMs = 0, stopsAfterMs = 14 * MINUTE_MS } = {}) {
      const clock = { now: () => now() + clockShiftMs };
      return sealDueHours(clock.now() + stopsAfterMs, {
        facts: factsOf(facts, now, intercept),
        seals: storeOf(objects, intercept),
        auditTableName: 'facts',
        clock,
        addMetrics: (values) => sealer.metrics.push(values),
        report: (event, details) => sealer.reports.push([event, details]),
      });
    },
  };
  return sealer;
}

function sealsIn(objects: Map<string, string>): Seal[] {
  return [...objects]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([hour, text]) => {
      const seal = sealOfText(text);
      if (seal?.hour !== hour) throw new Error(`The object of ${hour} is no seal of it.`);
      return seal;
    });
}

function* problemsOfChain(seals: Seal[], objects: Map<string, string>): Generator<string> {
  for (const [index, seal] of seals.entries()) {
    const before = seals[index - 1];
    const expected =
      before === undefined ? null : { hour: before.hour, sha256: sha256(objects.get(before.hour) as string) };
    if (JSON.stringify(seal.previous) !== JSON.stringify(expected))
      yield `${seal.hour} does not follow ${before?.hour}`;
    const isNext = before === undefined || hourAfter(before.hour) === seal.hour;
    if (!isNext) yield `${before?.hour} is followed by ${seal.hour}`;
  }
}

/** Every record is in one seal: in its hour's, or late in a later one's. */
function* problemsOfPlaces(seals: Seal[], facts: Fact[]): Generator<string> {
  const places = new Map<string, string[]>();
  for (const { hour, records, late } of seals) {
    for (const [meetingId, id] of [...records, ...late]) {
      const key = `${meetingId} ${id}`;
      const isLate = !records.some((row) => `${row[0]} ${row[1]}` === key);
      const itsHour = hourOfBatch(id);
      if (isLate ? itsHour >= hour : itsHour !== hour) yield `${id} is in the wrong part of ${hour}`;
      places.set(key, [...(places.get(key) ?? []), hour]);
    }
  }
  for (const { meetingId, recordId: id } of facts) {
    const where = places.get(`${meetingId} ${id}`) ?? [];
    if (where.length !== 1) yield `${id} is sealed in [${where.join(', ')}]`;
  }
}

function* problemsOfOpen(seals: Seal[], facts: Fact[]): Generator<string> {
  const ids = new Set(facts.map(({ recordId: id }) => id));
  const open = facts
    .filter(({ batchId, recordId: id }) => id.endsWith('/intent') && !ids.has(recordId(batchId, 'outcome')))
    .map(({ batchId }) => batchId);
  const listed = (seals.at(-1)?.open ?? []).map(([, batchId]) => batchId);
  if (listed.toSorted().join() !== open.toSorted().join())
    yield `open at the end: [${listed}], not [${open}]`;
}

function rowOf({ meetingId, recordId: id }: Fact): SealedRow {
  return [meetingId, id, sha256(`${meetingId} ${id}`), null];
}

function later(one: string | undefined, other: string): string {
  return one === undefined || other > one ? other : one;
}

/** A call as a step, so that what kills and interleaves processes can do so with a sealer in this one. */
async function call<Answer>(
  intercept: Intercept,
  step: Pick<Step, 'name' | 'resource' | 'writes'>,
  act: () => Answer,
): Promise<Answer> {
  let answer: Answer | undefined;
  await intercept({ service: 'dynamodb', body: undefined, ...step }, async (): Promise<Reply> => {
    answer = act();
    return { status: 200, headers: {}, body: Buffer.alloc(0) };
  });
  return answer as Answer;
}

/** The store of objects that a sealer reaches through its intercept. */
function storeOf(objects: Map<string, string>, intercept: () => Intercept): SealStore {
  const through = <Answer>(name: string, writes: boolean, act: () => Answer) =>
    call(intercept(), { name, resource: 'seals', writes }, act);
  return {
    newest: (upTo) =>
      through('ListObjects', false, () =>
        [...objects.keys()].filter((hour) => hour <= upTo).reduce<string | undefined>(later, undefined),
      ),
    read: (hour) => through('GetObject', false, () => objects.get(hour)),
    write: (hour, text) =>
      through('PutObject', true, () => {
        if (objects.has(hour)) return false;
        objects.set(hour, text);
        return true;
      }),
  };
}

/** The facts that a sealer reaches, as far as they are there and in their indexes. */
function factsOf(facts: Fact[], now: () => number, intercept: () => Intercept): Facts {
  const through = <Answer>(name: string, act: () => Answer) =>
    call(intercept(), { name, resource: 'facts', writes: false }, act);
  return {
    async *indexed(first, last) {
      const [from, to] = [batchPrefix(first), `${batchPrefix(last)}~`];
      for (const index of ['byDay', 'denialsByDay']) {
        yield await through(`Query ${index}`, () =>
          facts.filter(
            (fact) =>
              fact.index === index &&
              (fact.indexedMs ?? Number.POSITIVE_INFINITY) <= now() &&
              fact.batchId >= from &&
              fact.batchId <= to,
          ),
        );
      }
    },
    async rows(keys) {
      if (keys.length === 0) return [];
      return through('BatchGetItem', () => {
        const asked = new Set(keys.map((key) => `${key.meetingId} ${key.recordId}`));
        return facts
          .filter((fact) => fact.writtenMs <= now() && asked.has(`${fact.meetingId} ${fact.recordId}`))
          .map(rowOf);
      });
    },
  };
}
