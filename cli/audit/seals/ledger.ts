import { dayOfBatch, isBatchId } from '../../../lambda/audit/batch-id.ts';
import { recordId } from '../../../lambda/audit/records.ts';
import { hourOfBatch, LATE_HOURS, type SealedRow } from '../../../lambda/audit/seals.ts';
import type { Finding } from './findings.ts';
import { hourBefore, hoursAfter } from './hours.ts';
import type { Link } from './link.ts';

/** A record as the first seal that has it says. */
export interface Sealed {
  meetingId: string;
  recordId: string;
  /** Of the record, in hexadecimal. */
  sha256: string;
  /** In seconds since the epoch; null where the record never expires. */
  expiresAt: number | null;
  /** The hour of the seal. */
  sealedIn: string;
  /** Whether a seal of an earlier hour should have had it. */
  isLate: boolean;
}

interface OpenBatch {
  meetingId: string;
  batchId: string;
  /** Of its intent, in seconds since the epoch. */
  expiresAt: number | null;
}

/** The rows of one day, by meeting and record. */
export type SealedDay = Map<string, Map<string, Sealed>>;

/**
 * What seals say of the records, read in order. It holds the days that later seals may add to, the open batches, and of each
 * hour when it was sealed; so memory is bounded by a few days, however long the chain is.
 */
export class Ledger {
  readonly #days = new Map<string, SealedDay>();
  /** By hour; unreadable seals are left out. */
  readonly #sealedAt = new Map<string, string>();
  /** Hours whose seals expired. */
  readonly #expired = new Set<string>();
  #open = new Map<string, OpenBatch>();
  /** Open until their intents expired, or until a seal that may have had their outcomes was missing. */
  readonly #lost = new Set<string>();
  #first: string | undefined;
  #last: string | undefined;
  #before: string | undefined;

  /** The first hour that was read. */
  get firstHour(): string | undefined {
    return this.#first;
  }

  /** The last hour that was read, or that should have been there. */
  get lastHour(): string | undefined {
    return this.#last;
  }

  get openBatches(): Iterable<OpenBatch> {
    return this.#open.values();
  }

  /** When an hour was sealed, as its seal says. */
  sealedAt(hour: string): string | undefined {
    return this.#sealedAt.get(hour);
  }

  /**
   * Adds a seal.
   *
   * @param isEarliest whether it begins its chain, so that what is late in it was there before sealing began
   * @returns its rows that are new, and what is wrong with it
   */
  add({ hour, seal, expired }: Link, isEarliest: boolean): { rows: Sealed[]; findings: Finding[] } {
    this.#first ??= hour;
    this.#last = hour;
    if (seal === undefined) {
      if (expired !== undefined) this.#expired.add(hour);
      return { rows: [], findings: [] };
    }
    const findings: Finding[] = [];
    const rows: Sealed[] = [];
    const take = (row: SealedRow, isLate: boolean) => {
      const sealed = sealedRow(row, hour, isLate);
      const known = this.#rowOf(sealed);
      if (known === undefined) {
        this.#keep(sealed);
        rows.push(sealed);
      } else if (known.sha256 !== sealed.sha256) findings.push(sealedTwice(known, sealed));
    };
    for (const row of seal.records) take(row, hourOf(row[1]) !== hour);
    for (const row of seal.late) take(row, !isEarliest && !this.#isExpected(row));
    findings.push(...this.#takeOpen(seal.open, seal.late, { hour, sealedAt: seal.sealedAt }));
    this.#sealedAt.set(hour, seal.sealedAt);
    this.#before = hour;
    return { rows, findings };
  }

  /** The rows of a day, which are then forgotten. */
  takeDay(day: string): SealedDay {
    const rows = this.#days.get(day) ?? new Map();
    this.#days.delete(day);
    return rows;
  }

  isOpen(meetingId: string, batchId: string): boolean {
    return this.#open.has(keyOf(meetingId, batchId));
  }

  /** Whether the seal that would have a record is missing. */
  isUncovered(meetingId: string, batchId: string): boolean {
    const hour = hourOfBatch(batchId);
    const isInChain = hour >= (this.#first ?? '') && hour <= (this.#last ?? '');
    return (isInChain && !this.#sealedAt.has(hour)) || this.#lost.has(keyOf(meetingId, batchId));
  }

  /** Whether the seal of an hour expired, or those from where on the chain is known did. */
  hasSealExpired(hour: string): boolean {
    const first = this.#first ?? '';
    return this.#expired.has(hour < first ? first : hour);
  }

  /** Whether a seal could still take up a record of this hour as late. */
  mayStillSeal(hour: string): boolean {
    return hoursAfter(hour, LATE_HOURS) > (this.#last ?? '');
  }

  /** Whether a record that is late has its reason in what earlier seals say, or in one that is missing. */
  #isExpected([meetingId, id]: SealedRow): boolean {
    const [batchId = '', kind] = id.split('/');
    if (!isBatchId(batchId)) return false;
    if (kind === 'outcome' && this.isOpen(meetingId, batchId)) return true;
    return this.isUncovered(meetingId, batchId);
  }

  #takeOpen(
    open: readonly (readonly [string, string])[],
    late: readonly SealedRow[],
    { hour, sealedAt }: { hour: string; sealedAt: string },
  ): Finding[] {
    const before = this.#open;
    const settled = new Set(late.map(([meetingId, id]) => keyOf(meetingId, id)));
    this.#open = new Map(
      open.map(([meetingId, batchId]) => {
        const key = keyOf(meetingId, batchId);
        const intent = this.#rowOf({ meetingId, recordId: recordId(batchId, 'intent') });
        const expiresAt = before.get(key)?.expiresAt ?? intent?.expiresAt ?? null;
        return [key, { meetingId, batchId, expiresAt }];
      }),
    );
    const gone = [...before].filter(
      ([key, { meetingId, batchId }]) =>
        !this.#open.has(key) && !settled.has(keyOf(meetingId, recordId(batchId, 'outcome'))),
    );
    // An intent that has expired is waited for no longer, and a missing seal may have had the outcome.
    const isExplained = ([, { expiresAt }]: [string, OpenBatch]) =>
      this.#before !== hourBefore(hour) || hasExpired(expiresAt, Date.parse(sealedAt));
    for (const [key] of gone.filter(isExplained)) this.#lost.add(key);
    const dropped = gone.filter((entry) => !isExplained(entry));
    return dropped.map(([, { meetingId, batchId }]) => ({
      finding: 'dropped',
      hour: hourOfBatch(batchId),
      meetingId,
      recordId: recordId(batchId, 'outcome'),
      detail: `open in the seal of ${hourBefore(hour)}, gone from that of ${hour}`,
    }));
  }

  #rowOf({ meetingId, recordId: id }: Pick<Sealed, 'meetingId' | 'recordId'>): Sealed | undefined {
    return this.#days.get(dayOfBatch(id))?.get(meetingId)?.get(id);
  }

  #keep(sealed: Sealed): void {
    const { meetingId, recordId: id } = sealed;
    const day = dayOfBatch(id);
    const meetings = this.#days.get(day) ?? new Map<string, Map<string, Sealed>>();
    this.#days.set(day, meetings);
    const rows = meetings.get(meetingId) ?? new Map<string, Sealed>();
    meetings.set(meetingId, rows);
    rows.set(id, sealed);
  }
}

/** The hour of a record, as its key says; empty for a key that says none. */
export function hourOf(id: string): string {
  const [batchId = ''] = id.split('/');
  return isBatchId(batchId) ? hourOfBatch(batchId) : '';
}

export function hasExpired(expiresAt: number | null, nowMs: number): boolean {
  return expiresAt !== null && expiresAt * 1000 <= nowMs;
}

function sealedRow([meetingId, id, sha256, expiresAt]: SealedRow, sealedIn: string, isLate: boolean): Sealed {
  return { meetingId, recordId: id, sha256, expiresAt, sealedIn, isLate };
}

function sealedTwice(known: Sealed, again: Sealed): Finding {
  const { meetingId, recordId: id } = known;
  return {
    finding: 'changed',
    hour: hourOf(id),
    meetingId,
    recordId: id,
    detail: `sealed as ${known.sha256} in ${known.sealedIn}, and as ${again.sha256} in ${again.sealedIn}`,
  };
}

function keyOf(meetingId: string, id: string): string {
  return `${meetingId}\n${id}`;
}
