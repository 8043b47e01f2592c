import { DAY_MS } from '../times.ts';
import type { FindingKind } from './findings.ts';
import type { SealSource } from './source.ts';
import type { VerifyCounts, VerifyRequest } from './verify.ts';

const COUNTED: FindingKind[] = ['changed', 'removed', 'added', 'late', 'dropped'];

/** What was verified, a sentence a line; what it does not show, too. */
export function summaryOf(
  counts: VerifyCounts,
  { range, nowMs, seals: source, scan, meetings }: VerifyRequest,
): string[] {
  const { seals, same, expired, notSealedYet, uncovered, sealExpired, beforeSealing } = counts;
  const { findings, first, lastHour } = counts;
  const of = (kinds: FindingKind[]) => kinds.map((kind) => `${kind} ${findings[kind]}`).join(', ');
  const others = (Object.keys(findings) as FindingKind[]).filter((kind) => !COUNTED.includes(kind));
  const until = timestamp(Math.min(range.untilMs ?? nowMs, nowMs));
  const since = range.sinceMs === undefined ? 'since sealing began' : `from ${timestamp(range.sinceMs)}`;
  return [
    `Verified ${same} records ${since} to ${until} by ${seals} seals, ${first?.hour} to ${lastHour}.`,
    of(COUNTED),
    of(others),
    `expired ${expired}, not sealed yet ${notSealedYet}, without a seal ${uncovered}, seal expired ${sealExpired}, before sealing began ${beforeSealing}`,
    beginningOf(counts, source),
    ...expiryOf(counts),
    ...(source.hasDates
      ? []
      : ["A copy does not have the objects' own dates and versions: they were not checked."]),
    ...(scan || meetings !== undefined
      ? []
      : ['Records that neither a seal nor an index names were not looked for: --scan does.']),
  ];
}

function beginningOf({ first }: VerifyCounts, { hasDates }: SealSource): string {
  if (first === undefined) return '';
  const { hour, sealedAt = 'unreadable', lastModifiedMs, isEarliest } = first;
  const date =
    hasDates && lastModifiedMs !== undefined ? `, its object is of ${timestamp(lastModifiedMs)}` : '';
  return isEarliest
    ? `The chain begins with ${hour}, sealed ${sealedAt}${date}. A chain that was written anew from there on would show by these dates only.`
    : `The first seal that was read is of ${hour}, sealed ${sealedAt}${date}; the chain begins before it.`;
}

function expiryOf({ expiredSeals, lockMs = 0, first }: VerifyCounts): string[] {
  if (expiredSeals === 0) return [];
  const days = Math.round(lockMs / DAY_MS);
  return [`${expiredSeals} seals expired (locked for ${days} d); the chain is known from ${first?.hour}.`];
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
