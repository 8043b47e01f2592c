import { beginningOfHour, HOUR_MS, hourAfter, hourAt, SEAL_LAG_MS } from '../../../lambda/audit/seals.ts';
import type { Finding } from './findings.ts';
import { hourBefore } from './hours.ts';
import {
  type Expiry,
  expiredLink,
  hasLockEnded,
  type Link,
  readLink,
  SEAL_GRACE_MS,
  UNKNOWN_LOCK,
} from './link.ts';
import type { SealSource, StoredSeal } from './source.ts';

/** So many seals are read at once. */
const READS_AT_ONCE = 16;

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
  const expiry = createExpiry(source, fromHour, nowMs);
  let before: Link | undefined =
    fromHour === undefined ? undefined : await sealOf(source, hourBefore(fromHour), expiry);
  let expected = fromHour;
  let isFirst = true;
  for await (const link of ahead(source.list(fromHour), expiry)) {
    const start: string | undefined = isFirst ? startOf(link, before, expected) : expected;
    if (start !== undefined && link.hour > start) yield* expiredOf(start, link, expiry);
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

/** The lock is that of the first seal that is left: those that are gone were its neighbours. */
function createExpiry(source: SealSource, fromHour: string | undefined, nowMs: number): Expiry {
  let lock: Promise<number | undefined> | undefined;
  return {
    nowMs,
    lockMs() {
      lock ??= lockLengthOf(source, fromHour);
      return lock;
    },
  };
}

async function lockLengthOf(source: SealSource, fromHour: string | undefined): Promise<number | undefined> {
  for await (const { versions } of source.list(fromHour)) {
    const [oldest] = versions;
    if (oldest === undefined) continue;
    const { lockedUntilMs } = await oldest.read();
    if (lockedUntilMs === undefined || oldest.lastModifiedMs === undefined) return undefined;
    return lockedUntilMs - oldest.lastModifiedMs;
  }
  return undefined;
}

/** The hours without an object before a seal that have expired; the others are named with that seal. */
async function* expiredOf(start: string, link: Link, { nowMs, lockMs }: Expiry): AsyncGenerator<Link> {
  const length = await lockMs();
  let hour = start;
  for (
    ;
    length !== undefined && hour < link.hour && hasLockEnded(hour, length, nowMs);
    hour = hourAfter(hour)
  ) {
    yield expiredLink(hour, length);
  }
  if (hour === link.hour) return;
  link.findings.unshift(missing(hour, hourBefore(link.hour), length === undefined ? UNKNOWN_LOCK : ''));
}

/** From where on seals have to be there: the first one may be the beginning of all. */
function startOf(first: Link, before: Link | undefined, asked: string | undefined): string | undefined {
  if (before !== undefined) return asked;
  const previous = first.seal?.previous;
  if (previous === undefined || previous === null) return undefined;
  // Where the first seal names an earlier one, the chain began before it.
  return asked === undefined || previous.hour < asked ? (asked ?? previous.hour) : previous.hour;
}

async function sealOf(source: SealSource, hour: string, expiry: Expiry): Promise<Link | undefined> {
  for await (const stored of source.list(hour)) {
    return stored.hour === hour ? readLink(stored, expiry) : undefined;
  }
  return undefined;
}

/** Reads some objects ahead: what is waited for is the way to S3. */
async function* ahead(stored: AsyncIterable<StoredSeal>, expiry: Expiry): AsyncGenerator<Link> {
  const reading: Promise<Link>[] = [];
  for await (const each of stored) {
    const link = readLink(each, expiry);
    // Awaited in its turn; until then a failure is not unhandled.
    link.catch(() => {});
    reading.push(link);
    if (reading.length === READS_AT_ONCE) yield await (reading.shift() as Promise<Link>);
  }
  for (const each of reading) yield await each;
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
    // Where no version is left, that hour has expired, or says so itself.
    if (before.sha256 !== undefined && previous.sha256 !== before.sha256) {
      find(`it names ${previous.hour} by ${previous.sha256}, which is ${before.sha256}`);
    }
  } else if (previous.hour !== hourBefore(hour)) find(`it names ${previous.hour} as the one before it`);
}

function missing(first: string, last: string, why = ''): Finding {
  const hours = (beginningOfHour(last) - beginningOfHour(first)) / HOUR_MS + 1;
  const what = hours === 1 ? 'no object' : `no object, nor for any hour to ${last}: ${hours} hours`;
  return { finding: 'seal missing', hour: first, detail: `${what}${why}` };
}
