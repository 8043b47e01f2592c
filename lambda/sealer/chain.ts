import type { SealStore } from '../audit/seal-store.ts';
import {
  beginningOfHour,
  HOUR_MS,
  hourAfter,
  hourAt,
  LATE_HOURS,
  type Seal,
  sealOfText,
  sha256,
} from '../audit/seals.ts';
import { BrokenSeal } from './broken-seal.ts';
import { KnownRecords } from './known-records.ts';

/** A seal, and the digest of its bytes. */
export interface Link {
  seal: Seal;
  sha256: string;
}

/** The chain of seals, as far back as a new seal has to know it. */
export class Chain {
  readonly known = new KnownRecords();
  readonly #seals: SealStore;
  readonly #reportBroken: (hour: string) => void;
  #newest: Link | undefined;

  constructor(seals: SealStore, reportBroken: (hour: string) => void) {
    this.#seals = seals;
    this.#reportBroken = reportBroken;
  }

  /** What the next seal follows; undefined before the first. */
  get newest(): Link | undefined {
    return this.#newest;
  }

  /**
   * Goes on from an hour's seal. A broken one before it is reported, and what it has is sealed again.
   *
   * @throws BrokenSeal where the hour's own object is no seal of it: nothing is chained to that
   */
  async goOnFrom(hour: string): Promise<void> {
    const link = await this.#read(hour);
    if (link === undefined) throw new BrokenSeal(hour);
    this.#newest = link;
    this.known.add(link.seal);
    await this.#rememberBefore(link);
  }

  /**
   * Adds a seal. Where the hour has an object already, of another sealer or of an attempt whose answer was lost, that one is
   * the hour's.
   *
   * @returns whether this very seal is the hour's
   * @throws BrokenSeal where the hour's object does not follow the chain
   */
  async add(seal: Seal, text: string): Promise<boolean> {
    const digest = sha256(text);
    const isFirst = await this.#seals.write(seal.hour, text);
    const link = isFirst ? { seal, sha256: digest } : await this.#read(seal.hour);
    if (link === undefined || !follows(link.seal, this.#newest)) throw new BrokenSeal(seal.hour);
    this.#newest = link;
    this.known.add(link.seal);
    this.known.forgetBefore(hoursBefore(hourAfter(seal.hour), LATE_HOURS));
    return link.sha256 === digest;
  }

  async #rememberBefore(newest: Link): Promise<void> {
    let later: Seal | undefined = newest.seal;
    for (let back = 1; back < LATE_HOURS; back += 1) {
      const hour = hoursBefore(newest.seal.hour, back);
      if (later?.previous === null) {
        // Only the first says so.
        if ((await this.#seals.read(hour)) !== undefined) this.#reportBroken(later.hour);
        return;
      }
      const link = await this.#read(hour);
      if (link !== undefined && (later === undefined || isNamed(link, later))) {
        this.known.add(link.seal);
        later = link.seal;
        continue;
      }
      // Behind a seal that is missing, no one knows where the chain began.
      if (later !== undefined) this.#reportBroken(hour);
      later = undefined;
    }
  }

  /** @returns undefined where the hour has no object, or one that is no seal of it */
  async #read(hour: string): Promise<Link | undefined> {
    const text = await this.#seals.read(hour);
    const seal = text === undefined ? undefined : sealOfText(text);
    return text === undefined || seal?.hour !== hour ? undefined : { seal, sha256: sha256(text) };
  }
}

function follows({ previous }: Seal, before: Link | undefined): boolean {
  return previous?.hour === before?.seal.hour && previous?.sha256 === before?.sha256;
}

function isNamed(link: Link, { previous }: Seal): boolean {
  return previous?.hour === link.seal.hour && previous.sha256 === link.sha256;
}

export function hoursBefore(hour: string, count: number): string {
  return hourAt(beginningOfHour(hour) - count * HOUR_MS);
}
