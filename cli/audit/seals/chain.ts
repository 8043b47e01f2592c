import { createHash } from 'node:crypto';
import {
  beginningOfHour,
  HOUR_MS,
  hourAfter,
  hourAt,
  SEAL_LAG_MS,
  type Seal,
  sealDueMs,
  sealOfText,
} from '../../../lambda/audit/seals.ts';
import type { Finding, FindingKind } from './findings.ts';
import { hourBefore } from './hours.ts';
import type { SealSource, StoredSeal } from './source.ts';

/** So long after it is due, a seal may be made: the sealer runs every hour, and may have to try again. */
export const SEAL_GRACE_MS = 90 * 60_000;
/** Two clocks, and the time between reading the facts and writing the object. */
const DATE_TOLERANCE_MS = 15 * 60_000;
/** So many seals are read at once. */
const READS_AT_ONCE = 16;

/** A seal as it was found. */
export interface Link {
  hour: string;
  /** Of its bytes, in hexadecimal; undefined where the hour has no object left. */
  sha256: string | undefined;
  /** Undefined where it cannot be read. */
  seal: Seal | undefined;
  lastModifiedMs: number | undefined;
  /** What is wrong with it. */
  findings: Finding[];
}

/**
 * Every seal from an hour on, in order, checked against the one before it.
 *
 * @param fromHour undefined for the whole chain
 */
export async function* readChain(
  source: SealSource,
  fromHour: string | undefined,
  nowMs: number,
): AsyncGenerator<Link> {
  let before: Link | undefined =
    fromHour === undefined ? undefined : await sealOf(source, hourBefore(fromHour));
  let expected = fromHour;
  let isFirst = true;
  for await (const link of ahead(source.list(fromHour))) {
    const start: string | undefined = isFirst ? startOf(link, before, expected) : expected;
    if (start !== undefined && link.hour > start)
      link.findings.unshift(missing(start, hourBefore(link.hour)));
    checkFollows(link, before, isFirst);
    yield link;
    before = link;
    expected = hourAfter(link.hour);
    isFirst = false;
  }
  const lastDue = hourAt(nowMs - HOUR_MS - SEAL_LAG_MS - SEAL_GRACE_MS);
  if (expected !== undefined && expected <= lastDue) {
    yield {
      hour: lastDue,
      sha256: undefined,
      seal: undefined,
      lastModifiedMs: undefined,
      findings: [missing(expected, lastDue)],
    };
  }
}

/** From where on seals have to be there: the first one may be the beginning of all. */
function startOf(first: Link, before: Link | undefined, asked: string | undefined): string | undefined {
  if (before !== undefined) return asked;
  const previous = first.seal?.previous;
  if (previous === undefined || previous === null) return undefined;
  // Where the first seal names an earlier one, the chain began before it.
  return asked === undefined || previous.hour < asked ? (asked ?? previous.hour) : previous.hour;
}

async function sealOf(source: SealSource, hour: string): Promise<Link | undefined> {
  for await (const stored of source.list(hour)) return stored.hour === hour ? read(stored) : undefined;
  return undefined;
}

/** Reads some objects ahead: what is waited for is the way to S3. */
async function* ahead(stored: AsyncIterable<StoredSeal>): AsyncGenerator<Link> {
  const reading: Promise<Link>[] = [];
  for await (const each of stored) {
    const link = read(each);
    // Awaited in its turn; until then a failure is not unhandled.
    link.catch(() => {});
    reading.push(link);
    if (reading.length === READS_AT_ONCE) yield await (reading.shift() as Promise<Link>);
  }
  for (const each of reading) yield await each;
}

async function read(stored: StoredSeal): Promise<Link> {
  const { hour, lastModifiedMs, versions, deleteMarkers } = stored;
  const bytes = await stored.read();
  const parsed = bytes && sealOfText(bytes.toString('utf8'));
  const problem = problemOf(hour, parsed, bytes);
  const seal = problem === undefined ? parsed : undefined;
  const findings: Finding[] = [];
  const find = (finding: FindingKind, detail: string) => findings.push({ finding, hour, detail });
  if (versions > 1 || deleteMarkers > 0) {
    find('seal replaced', `${versions} versions and ${deleteMarkers} delete markers`);
  }
  if (bytes === undefined) find('seal missing', 'no version of it is left');
  else if (problem !== undefined) find('seal unreadable', problem);
  if (seal !== undefined) checkDates(seal, lastModifiedMs, find);
  return {
    hour,
    sha256: bytes && createHash('sha256').update(bytes).digest('hex'),
    seal,
    lastModifiedMs,
    findings,
  };
}

function problemOf(hour: string, seal: Seal | undefined, bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  if (seal === undefined) return 'its text is not a seal';
  return seal.hour === hour ? undefined : `it says that it is of ${seal.hour}`;
}

function checkDates(
  { hour, sealedAt }: Seal,
  lastModifiedMs: number | undefined,
  find: (finding: FindingKind, detail: string) => void,
): void {
  const sealedMs = Date.parse(sealedAt);
  if (lastModifiedMs !== undefined && Math.abs(lastModifiedMs - sealedMs) > DATE_TOLERANCE_MS) {
    find('other date', `sealedAt ${sealedAt}, the object is of ${timestamp(lastModifiedMs)}`);
  }
  const laterMs = Math.max(sealedMs, lastModifiedMs ?? sealedMs);
  if (sealedMs < sealDueMs(hour)) find('sealed early', `sealedAt ${sealedAt}`);
  if (laterMs > sealDueMs(hour) + SEAL_GRACE_MS) {
    find('sealed late', `due ${timestamp(sealDueMs(hour))}, made ${timestamp(laterMs)}`);
  }
}

function checkFollows(link: Link, before: Link | undefined, isFirst: boolean): void {
  const { seal, hour, findings } = link;
  if (seal === undefined) return;
  const { previous } = seal;
  const find = (detail: string) => findings.push({ finding: 'chain broken', hour, detail });
  if (before === undefined) {
    // Before the first that is there: what it names is missing, which is named as such.
    if (!isFirst && previous === null) find('it begins a chain of its own');
    return;
  }
  if (previous === null) find(`it begins a chain of its own, though ${before.hour} has a seal`);
  else if (previous.hour === before.hour) {
    if (previous.sha256 !== before.sha256) {
      find(`it names ${previous.hour} by ${previous.sha256}, which is ${before.sha256 ?? 'gone'}`);
    }
  } else if (previous.hour !== hourBefore(hour)) find(`it names ${previous.hour} as the one before it`);
}

function missing(first: string, last: string): Finding {
  const hours = (beginningOfHour(last) - beginningOfHour(first)) / HOUR_MS + 1;
  return {
    finding: 'seal missing',
    hour: first,
    detail: hours === 1 ? 'no object' : `no object, nor for any hour to ${last}: ${hours} hours`,
  };
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
