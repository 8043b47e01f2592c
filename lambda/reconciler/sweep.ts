import { beginningOfBatch, isBatchId } from '../audit/batch-id.ts';
import type { BatchKey, Cursor, Mark, SeenAttendee, Unreadable } from '../audit/ports.ts';
import { SLOW_LAG_MS } from '../audit/schema.ts';
import { UnreadableRecord } from '../audit/unreadable-record.ts';
import type { ReconcilerStep } from '../model/log-events.ts';
import { inParallel, isoTime, type Run } from './run.ts';

/** The first position of a cursor. */
const FIRST_SWEEP_MS = 30 * 24 * 60 * 60_000;
/** How far back a cursor restarts if its mark is not trustworthy: no clock was off by a day. */
const AGAIN_MS = 25 * 60 * 60_000;
/** The most difference between the ends of two concurrent runs. */
const MAX_AHEAD_MS = 60_000;
/** The share of a run after which each cursor stops at the end of a page. */
const SHARES = { fast: 0.4, slow: 0.6 } as const;
/** How many items of an earlier version's list are moved at a time, and until which share of a run. */
const EARLIER_AT_ONCE = 50;
const EARLIER_SHARE = 0.5;

/** Puts open and incomplete batches under their meetings: all batches behind a cursor are complete or on the list. */
export class Sweeper {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Moves a cursor back to a time, if it is beyond. */
  async sweepAgainFrom(sinceMs: number): Promise<void> {
    const { openIntents } = this.#run.dependencies;
    // The slow cursor passes everything older, without delaying decisions.
    const cursor = sinceMs < this.#endOf('slow') ? 'slow' : 'fast';
    const mark = await openIntents.mark(cursor);
    if (mark !== undefined && Date.parse(mark.through) <= sinceMs) return;
    await openIntents.moveMark(cursor, mark, { through: isoTime(sinceMs) });
  }

  /** Moves a cursor towards its end, by at least one page. @returns its position, and whether that is the end */
  async sweep(cursor: Cursor): Promise<{ sweptMs: number; toEnd: boolean }> {
    const { audit, openIntents } = this.#run.dependencies;
    const endMs = this.#endOf(cursor);
    let mark = await openIntents.mark(cursor);
    let from = await this.#beginningOf(cursor, mark);
    for await (const page of audit.intentsBegun(from, endMs)) {
      await this.#notice(page, cursor);
      const to = markAfter(page, from);
      // Another run is ahead: it continues, and this one would only repeat its work.
      if (!(await openIntents.moveMark(cursor, mark, to))) return { sweptMs: timeOf(from), toEnd: false };
      mark = to;
      from = to;
      if (this.#run.isOver(SHARES[cursor])) return { sweptMs: timeOf(to), toEnd: false };
    }
    const end = { through: isoTime(Math.max(endMs, timeOf(from))) };
    const moved = await openIntents.moveMark(cursor, mark, end);
    return { sweptMs: timeOf(moved ? end : from), toEnd: moved };
  }

  /** Moves the list of an earlier version to the current form. @returns whether all of it is moved */
  async drainEarlierList(): Promise<boolean> {
    const { openIntents } = this.#run.dependencies;
    for (let after: string | undefined; ; ) {
      const earlier = await openIntents.earlierList(after, EARLIER_AT_ONCE);
      const entries = this.#readable(earlier, 'list');
      await inParallel(entries, (entry) => this.#noticeOne({ ...entry, settled: false }));
      await inParallel(entries, ({ batchId }) => openIntents.removeEarlier(batchId));
      after = earlier.at(-1)?.batchId;
      if (earlier.length < EARLIER_AT_ONCE) return true;
      if (this.#run.isOver(EARLIER_SHARE)) return false;
    }
  }

  /** Puts a listed batch under its meeting again, in case a run died between the two writes. */
  async noticeAgain(key: BatchKey | undefined, settled: boolean): Promise<void> {
    if (key !== undefined) await this.#noticeOne({ ...key, settled });
  }

  #endOf(cursor: Cursor): number {
    const { startMs, dependencies } = this.#run;
    return startMs - (cursor === 'fast' ? dependencies.settings.marginMs : SLOW_LAG_MS);
  }

  /** Where a cursor continues. A mark in the future comes from a wrong clock, here or there. */
  async #beginningOf(cursor: Cursor, mark: Mark | undefined): Promise<Mark> {
    const endMs = this.#endOf(cursor);
    if (mark === undefined) return { through: isoTime(this.#run.startMs - FIRST_SWEEP_MS) };
    if (timeOf(mark) <= endMs + MAX_AHEAD_MS) return mark;
    this.#run.dependencies.report('mark in the future', { cursor });
    if (cursor === 'slow') return { through: isoTime(endMs - AGAIN_MS) };
    const slow = await this.#run.dependencies.openIntents.mark('slow');
    return this.#beginningOf('slow', slow);
  }

  async #notice(page: readonly (BatchKey | Unreadable)[], cursor: Cursor): Promise<void> {
    const keys = this.#readable(page, 'sweep');
    if (keys.length === 0) return;
    const noted = await this.#run.dependencies.audit.admissionsNoted(keys);
    await inParallel(keys, async (key) => {
      const admissions = noted.get(key.batchId);
      if (admissions === 'written') return;
      const isNew = await this.#noticeOne({ ...key, settled: admissions !== undefined });
      if (cursor === 'slow' && isNew && admissions === undefined) this.#foundLate(key);
    });
  }

  /** The fast cursor passed it before it was in the index: its handler's clock was behind, or the index late. */
  #foundLate({ batchId }: BatchKey): void {
    if (beginningOfBatch(batchId) > this.#run.sweptMs) return;
    this.#run.summary.foundLate += 1;
    this.#run.dependencies.report('found late', { batch: batchId });
  }

  #noticeOne(key: BatchKey & { settled: boolean; seen?: SeenAttendee[] }): Promise<boolean> {
    const now = isoTime(this.#run.startMs);
    const entry = { seen: [], ...key, noticedAt: now, looks: 0 };
    return this.#run.dependencies.openIntents.notice(entry, now);
  }

  #readable<Key extends BatchKey>(keys: readonly (Key | Unreadable)[], step: ReconcilerStep): Key[] {
    const readable: Key[] = [];
    for (const key of keys) {
      if ('unreadable' in key) this.#run.skip(step, new UnreadableRecord(key.batchId));
      else readable.push(key);
    }
    return readable;
  }
}

/** The mark behind a page, whose last key may have been written by a person and have no time. */
function markAfter(page: readonly (BatchKey | Unreadable)[], from: Mark): Mark {
  const last = page.at(-1)?.batchId;
  const timed = page.findLast(({ batchId }) => isBatchId(batchId))?.batchId;
  const throughMs = timed === undefined ? timeOf(from) : beginningOfBatch(timed);
  return { through: isoTime(throughMs), ...(last !== undefined && { afterBatch: last }) };
}

function timeOf({ through }: Mark): number {
  return Date.parse(through);
}
