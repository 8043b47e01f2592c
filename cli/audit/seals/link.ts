import { createHash } from 'node:crypto';
import { type Seal, sealDueMs, sealOfText } from '../../../lambda/audit/seals.ts';
import type { Finding, FindingKind } from './findings.ts';
import type { SealVersion, StoredSeal } from './source.ts';

/** So long after it is due, a seal may be made: the sealer runs every hour, and may have to try again. */
export const SEAL_GRACE_MS = 90 * 60_000;
/** Two clocks, and the time between reading the facts and writing the object. */
const DATE_TOLERANCE_MS = 15 * 60_000;

/** A seal as it was found. */
export interface Link {
  hour: string;
  /** Of its bytes, in hexadecimal; undefined where the hour has no object left. */
  sha256: string | undefined;
  /** Undefined where it cannot be read. */
  seal: Seal | undefined;
  lastModifiedMs: number | undefined;
  /** Set where its lock has ended and its object is hidden or gone: how long the lock was, in milliseconds. */
  expired?: { lockMs: number };
  /** What is wrong with it. */
  findings: Finding[];
}

/** What decides whether a seal may be gone. */
export interface Expiry {
  nowMs: number;
  /** How long seals are locked, in milliseconds; undefined where it is not known. */
  lockMs(): Promise<number | undefined>;
}

/** A seal that is gone, and may be. */
export function expiredLink(hour: string, lockMs: number): Link {
  return {
    ...{ hour, sha256: undefined, seal: undefined, lastModifiedMs: undefined },
    ...{ expired: { lockMs }, findings: [] },
  };
}

/** Whether a seal of this hour, made as late as it may be, is locked no longer. */
export function hasLockEnded(hour: string, lockMs: number, nowMs: number): boolean {
  return sealDueMs(hour) + SEAL_GRACE_MS + lockMs <= nowMs;
}

/** Reads an hour's object by the oldest of its versions that is a seal of the hour. */
export async function readLink(stored: StoredSeal, expiry: Expiry): Promise<Link> {
  const { hour, versions, markedMs } = stored;
  const findings: Finding[] = [];
  const find = (finding: FindingKind, detail: string) => findings.push({ finding, hour, detail });
  const replaced = () =>
    find('seal replaced', `${versions.length} versions and ${markedMs.length} delete markers`);
  const found = await readableOf(stored);
  if (found === undefined) {
    const lockMs = await expiry.lockMs();
    if (lockMs !== undefined && hasLockEnded(hour, lockMs, expiry.nowMs)) return expiredLink(hour, lockMs);
    replaced();
    find('seal missing', `no version of it is left${lockMs === undefined ? UNKNOWN_LOCK : ''}`);
    return { hour, sha256: undefined, seal: undefined, lastModifiedMs: undefined, findings };
  }
  const { bytes, seal, problem, lastModifiedMs } = found;
  const lockMs = hiddenAfterLock(stored, found);
  if (lockMs === undefined && (versions.length > 1 || markedMs.length > 0)) replaced();
  if (problem !== undefined) find('seal unreadable', problem);
  if (seal !== undefined) checkDates(seal, lastModifiedMs, find);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    ...{ hour, sha256, seal, lastModifiedMs, findings },
    ...(lockMs !== undefined && { expired: { lockMs } }),
  };
}

/** What a finding adds where no lock is known. */
export const UNKNOWN_LOCK =
  '; how long seals are locked is not known, so it may have expired: --since leaves it out';

interface Readable {
  bytes: Buffer;
  seal: Seal | undefined;
  lastModifiedMs: number | undefined;
  lockedUntilMs: number | undefined;
  /** Of the oldest version that is no seal of its hour. */
  problem: string | undefined;
}

/** The oldest version that is a seal, or the oldest of all: what was at the key before the sealer was there does not count. */
async function readableOf({ hour, versions }: StoredSeal): Promise<Readable | undefined> {
  let oldest: Readable | undefined;
  for (const version of versions) {
    const read = await readVersion(hour, version);
    oldest ??= read;
    if (read.seal !== undefined) return { ...read, problem: oldest.problem };
  }
  return oldest;
}

async function readVersion(hour: string, { read, lastModifiedMs }: SealVersion): Promise<Readable> {
  const { bytes, lockedUntilMs } = await read();
  const parsed = sealOfText(bytes.toString('utf8'));
  const problem = problemOf(hour, parsed);
  const seal = problem === undefined ? parsed : undefined;
  return { bytes, seal, lastModifiedMs, lockedUntilMs, problem };
}

function problemOf(hour: string, seal: Seal | undefined): string | undefined {
  if (seal === undefined) return 'its text is not a seal';
  return seal.hour === hour ? undefined : `it says that it is of ${seal.hour}`;
}

/** How long the lock was, in milliseconds, where only a delete marker from after it hides the seal. */
function hiddenAfterLock({ versions, markedMs }: StoredSeal, found: Readable): number | undefined {
  const { lockedUntilMs, lastModifiedMs } = found;
  if (versions.length !== 1 || markedMs.length === 0) return undefined;
  if (lockedUntilMs === undefined || lastModifiedMs === undefined) return undefined;
  // S3's own dates are of whole seconds.
  return markedMs.every((timeMs) => timeMs + 1000 > lockedUntilMs)
    ? lockedUntilMs - lastModifiedMs
    : undefined;
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

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
