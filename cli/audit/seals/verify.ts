import { beginningOfBatch, dayOfBatch, isBatchId } from '../../../lambda/audit/batch-id.ts';
import {
  beginningOfHour,
  HOUR_MS,
  hourAfter,
  hourAt,
  hourOfBatch,
  LATE_HOURS,
} from '../../../lambda/audit/seals.ts';
import type { AskedTables } from '../tables.ts';
import { batchIdBounds, DAY_MS, daysIn, type Range } from '../times.ts';
import { readChain } from './chain.ts';
import { allFacts, type Fact, factsOfMeeting, factWithKey, meetingsOfDay } from './facts.ts';
import { FINDINGS, type Finding, type FindingKind } from './findings.ts';
import { hoursAfter } from './hours.ts';
import { hasExpired, hourOf, Ledger, type Sealed } from './ledger.ts';
import type { Link } from './link.ts';
import type { SealSource } from './source.ts';

/** What is to be verified. */
export interface VerifyRequest {
  tables: AskedTables;
  seals: SealSource;
  /** Of the batches; without a start, all since sealing began. */
  range: Range;
  nowMs: number;
  /** Whether to read the whole table, for records that no index and no seal names. */
  scan: boolean;
  /** Only these; all, if left out. */
  meetings?: ReadonlySet<string>;
}

/** What was verified; counted along the way. */
export interface VerifyCounts {
  seals: number;
  /** Records that are as they were sealed. */
  same: number;
  /** Records that a seal has, and that DynamoDB may have deleted by now. */
  expired: number;
  /** Records of hours that have no seal yet, and outcomes of batches that were open. */
  notSealedYet: number;
  /** Records of hours whose seal is missing or cannot be read. */
  uncovered: number;
  beforeSealing: number;
  /** Records of hours whose seals expired. */
  sealExpired: number;
  /** Seals whose lock has ended and whose objects are hidden or gone; of those before the chain's beginning, the last. */
  expiredSeals: number;
  /** The shortest lock of these, in milliseconds. */
  lockMs?: number;
  findings: Record<FindingKind, number>;
  /** The first seal that was read, when it was made, and the date of its object. */
  first?: {
    hour: string;
    sealedAt: string | undefined;
    lastModifiedMs: number | undefined;
    isEarliest: boolean;
  };
  lastHour?: string;
}

export function noVerifyCounts(): VerifyCounts {
  const findings = Object.fromEntries(Object.keys(FINDINGS).map((kind) => [kind, 0]));
  return {
    ...{ seals: 0, same: 0, expired: 0, notSealedYet: 0, uncovered: 0, beforeSealing: 0 },
    ...{ sealExpired: 0, expiredSeals: 0 },
    findings: findings as VerifyCounts['findings'],
  };
}

/** So many meetings are read at once. */
const MEETINGS_AT_ONCE = 16;

/**
 * Compares the table of facts with its seals, a day at a time.
 *
 * @param counts counted up along the way
 */
export async function* verifySeals(request: VerifyRequest, counts: VerifyCounts): AsyncGenerator<Finding> {
  for await (const finding of new Verification(request, counts).run()) {
    counts.findings[finding.finding] += 1;
    yield finding;
  }
}

class Verification {
  readonly #request: VerifyRequest;
  readonly #counts: VerifyCounts;
  readonly #ledger = new Ledger();
  /** From when on seals have all there was, in milliseconds since the epoch. */
  #sealedFromMs = Number.POSITIVE_INFINITY;
  /** The first day that is not verified yet. */
  #nextDay: string | undefined;
  /** Outcomes that no seal has yet, of batches that were open. */
  readonly #awaited = new Map<string, Fact>();
  /** Meetings and days whose records were read; kept for a scan only. */
  readonly #visited = new Set<string>();

  constructor(request: VerifyRequest, counts: VerifyCounts) {
    this.#request = request;
    this.#counts = counts;
  }

  async *run(): AsyncGenerator<Finding> {
    const { seals, range, nowMs, scan } = this.#request;
    const from = range.sinceMs === undefined ? undefined : hourAt(range.sinceMs);
    for await (const link of readChain(seals, from, nowMs)) {
      if (this.#isPast(link.hour)) break;
      yield* link.findings;
      yield* this.#take(link);
      yield* this.#daysThrough(hoursAfter(link.hour, -LATE_HOURS));
    }
    yield* this.#daysThrough(undefined);
    yield* this.#future();
    this.#countAwaited();
    if (scan) yield* this.#scan();
  }

  get #startMs(): number {
    return this.#request.range.sinceMs ?? this.#sealedFromMs;
  }

  get #endMs(): number {
    const { range, nowMs } = this.#request;
    return Math.min(range.untilMs ?? nowMs, nowMs);
  }

  /** Whether a seal can say nothing more of the range. */
  #isPast(hour: string): boolean {
    if (hour <= hoursAfter(hourAt(this.#endMs), LATE_HOURS)) return false;
    return ![...this.#ledger.openBatches].some(({ batchId }) => this.#isInRange(batchId));
  }

  async *#take(link: Link): AsyncGenerator<Finding> {
    const counts = this.#counts;
    const { hour, seal, sha256, lastModifiedMs, expired } = link;
    if (expired !== undefined) {
      counts.expiredSeals += 1;
      counts.lockMs = Math.min(counts.lockMs ?? expired.lockMs, expired.lockMs);
    }
    const isEarliest = counts.first === undefined && seal?.previous === null;
    if (sha256 !== undefined) {
      counts.seals += 1;
      counts.lastHour = hour;
      counts.first ??= { hour, sealedAt: seal?.sealedAt, lastModifiedMs, isEarliest };
    }
    if (this.#nextDay === undefined) {
      this.#sealedFromMs = beginningOfHour(isEarliest ? hoursAfter(hour, -LATE_HOURS) : hour);
      this.#nextDay = dayAt(this.#startMs);
    }
    const { rows, findings } = this.#ledger.add(link, isEarliest);
    yield* findings.filter(({ meetingId = '', recordId = '' }) => this.#isAsked(meetingId, recordId));
    for (const row of rows) yield* this.#takeBehind(row);
  }

  /** A row of a day that was verified already, or of none, is compared at once. */
  async *#takeBehind(row: Sealed): AsyncGenerator<Finding> {
    const { meetingId, recordId } = row;
    const day = dayOfBatch(recordId);
    const isBehind = day < (this.#nextDay ?? '');
    if (hourOf(recordId) !== '' && !isBehind) return;
    if (isBehind) this.#ledger.takeDay(day);
    if (!this.#isAsked(meetingId, recordId)) return;
    this.#awaited.delete(keyOf(row));
    yield* this.#compare(row, await factWithKey(this.#request.tables, row));
  }

  /** @param hour days that end before it; undefined for all */
  async *#daysThrough(hour: string | undefined): AsyncGenerator<Finding> {
    if (this.#nextDay === undefined || Date.parse(this.#nextDay) >= this.#endMs) return;
    for (const day of daysIn(Date.parse(this.#nextDay), this.#endMs)) {
      if (hour !== undefined && `${day}T23Z` >= hour) return;
      yield* this.#verifyDay(day);
      this.#nextDay = dayAt(Date.parse(day) + DAY_MS);
    }
  }

  async *#verifyDay(day: string): AsyncGenerator<Finding> {
    const { tables, scan, meetings: asked } = this.#request;
    const sealed = this.#ledger.takeDay(day);
    const named = asked ?? new Set([...sealed.keys(), ...(await meetingsOfDay(tables, day))]);
    const meetings = [...named];
    const sinceMs = Math.max(Date.parse(day), this.#startMs);
    const span = batchIdBounds({ sinceMs, untilMs: Math.min(Date.parse(day) + DAY_MS, this.#endMs) });
    for (let start = 0; start < meetings.length; start += MEETINGS_AT_ONCE) {
      const some = meetings.slice(start, start + MEETINGS_AT_ONCE);
      const facts = await Promise.all(some.map((meetingId) => factsOfMeeting(tables, meetingId, span)));
      for (const [index, meetingId] of some.entries()) {
        if (scan) this.#visited.add(`${meetingId}\n${day}`);
        yield* this.#verifyMeeting(sealed.get(meetingId) ?? new Map(), facts[index] ?? new Map());
      }
    }
  }

  /** What is dated later than a clock that is off would: such a record waits to be sealed as it is. */
  async *#future(): AsyncGenerator<Finding> {
    const { tables, scan, meetings: asked, nowMs } = this.#request;
    if (this.#nextDay === undefined || this.#endMs < nowMs) return;
    const meetings = new Set(asked);
    if (asked === undefined) {
      for (const day of [dayAt(nowMs), dayAt(nowMs + DAY_MS)]) {
        for (const meetingId of await meetingsOfDay(tables, day)) meetings.add(meetingId);
      }
    }
    const span = batchIdBounds({ sinceMs: this.#futureMs });
    for (const meetingId of meetings) {
      if (scan) this.#visited.add(`${meetingId}\nfuture`);
      const facts = await factsOfMeeting(tables, meetingId, span);
      for (const fact of facts.values()) yield* this.#judgeUnsealed(fact);
    }
  }

  *#verifyMeeting(sealed: Map<string, Sealed>, facts: Map<string, Fact>): Generator<Finding> {
    for (const row of sealed.values()) {
      // A key that says no time was looked at with its seal.
      if (hourOf(row.recordId) !== '' && this.#isInRange(row.recordId))
        yield* this.#compare(row, facts.get(row.recordId));
    }
    for (const fact of facts.values()) if (!sealed.has(fact.recordId)) yield* this.#judgeUnsealed(fact);
  }

  *#compare(row: Sealed, fact: Fact | undefined): Generator<Finding> {
    const { expiresAt, sealedIn, sha256, isLate } = row;
    if (fact === undefined) {
      if (hasExpired(expiresAt, this.#request.nowMs)) this.#counts.expired += 1;
      else yield finding('removed', row, `sealed in ${sealedIn}; ${expiryOf(expiresAt)}`);
      return;
    }
    if (fact.sha256 !== sha256) {
      yield finding('changed', row, `sealed as ${sha256} in ${sealedIn}, now ${fact.sha256}`);
    } else this.#counts.same += 1;
    if (isLate) yield finding('late', row, `first sealed in ${sealedIn}; ${this.#whatItSays(fact)}`);
  }

  /** What a record says of itself that no seal has. */
  *#judgeUnsealed(fact: Fact): Generator<Finding> {
    const { meetingId, recordId } = fact;
    const ledger = this.#ledger;
    const [batchId = '', kind] = recordId.split('/');
    if (!isBatchId(batchId)) yield finding('added', fact, 'its key is none that Usher makes');
    else if (this.#isFuture(batchId)) yield finding('added', fact, 'dated in the future');
    else if (ledger.hasSealExpired(hourOfBatch(batchId))) this.#counts.sealExpired += 1;
    else if (beginningOfBatch(batchId) < this.#sealedFromMs) this.#counts.beforeSealing += 1;
    else if (hourOfBatch(batchId) > (ledger.lastHour ?? '')) this.#counts.notSealedYet += 1;
    else if (kind === 'outcome' && ledger.isOpen(meetingId, batchId)) this.#awaited.set(keyOf(fact), fact);
    else if (ledger.isUncovered(meetingId, batchId)) this.#counts.uncovered += 1;
    else if (ledger.mayStillSeal(hourOfBatch(batchId))) {
      yield finding('late', fact, `in no seal yet; ${this.#whatItSays(fact)}`);
    } else yield finding('added', fact, `in no seal; ${this.#whatItSays(fact)}`);
  }

  /** What a record's own fields say of how it came to be late. */
  #whatItSays({ recordId, recordedAt }: Fact): string {
    const hour = hourOf(recordId);
    const { first } = this.#counts;
    const sealedAt = this.#ledger.sealedAt(hour) ?? (first && this.#ledger.sealedAt(first.hour));
    if (hour === '' || sealedAt === undefined || !isTime(recordedAt)) {
      return `its recordedAt is ${recordedAt ?? 'missing'}`;
    }
    return Date.parse(recordedAt) > Date.parse(sealedAt)
      ? `its recordedAt ${recordedAt} is after its hour was sealed (${sealedAt}), its batch id before: a clock that was behind, or a record that was put there later`
      : `its recordedAt ${recordedAt} is before its hour was sealed (${sealedAt}): an index that was behind, or a record that was put there later`;
  }

  #countAwaited(): void {
    for (const { meetingId, recordId } of this.#awaited.values()) {
      const [batchId = ''] = recordId.split('/');
      if (this.#ledger.isOpen(meetingId, batchId)) this.#counts.notSealedYet += 1;
      else if (this.#ledger.isUncovered(meetingId, batchId)) this.#counts.uncovered += 1;
    }
  }

  async *#scan(): AsyncGenerator<Finding> {
    const { tables, range } = this.#request;
    for await (const fact of allFacts(tables)) {
      const { meetingId, recordId } = fact;
      const isKey = hourOf(recordId) !== '';
      const isFuture = isKey && this.#isFuture(recordId) && this.#endMs === this.#request.nowMs;
      const part = isFuture ? 'future' : dayOfBatch(recordId);
      if (isKey && this.#visited.has(`${meetingId}\n${part}`)) continue;
      const isAsked = !isKey || isFuture || range.sinceMs === undefined || this.#isInRange(recordId);
      const isEnded = isKey && !isFuture && beginningOfBatch(recordId) >= this.#endMs;
      if (isAsked && !isEnded) yield* this.#judgeUnsealed(fact);
    }
  }

  /** The first hour that begins more than an hour from now, in milliseconds since the epoch. */
  get #futureMs(): number {
    return beginningOfHour(hourAfter(hourAt(this.#request.nowMs + HOUR_MS)));
  }

  #isFuture(id: string): boolean {
    return beginningOfBatch(id) >= this.#futureMs;
  }

  #isAsked(meetingId: string, recordId: string): boolean {
    const { meetings } = this.#request;
    if (meetings !== undefined && !meetings.has(meetingId)) return false;
    return hourOf(recordId) === '' || this.#isInRange(recordId);
  }

  #isInRange(id: string): boolean {
    const beganMs = beginningOfBatch(id);
    return beganMs >= this.#startMs && beganMs < this.#endMs;
  }
}

function finding(
  kind: FindingKind,
  { meetingId, recordId }: Pick<Fact, 'meetingId' | 'recordId'>,
  detail: string,
): Finding {
  return { finding: kind, hour: hourOf(recordId), meetingId, recordId, detail };
}

function expiryOf(expiresAt: number | null): string {
  return expiresAt === null ? 'it never expires' : `it expires ${new Date(expiresAt * 1000).toISOString()}`;
}

function isTime(text: string | undefined): text is string {
  return text !== undefined && Number.isFinite(Date.parse(text));
}

function keyOf({ meetingId, recordId }: Pick<Fact, 'meetingId' | 'recordId'>): string {
  return `${meetingId}\n${recordId}`;
}

function dayAt(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
