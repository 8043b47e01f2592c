import { type BlockList, isIP } from 'node:net';
import { type Batch, callerOf, externalMeetingIdOf } from './batches.ts';
import { namesLeftOut } from './results.ts';
import type { State } from './words.ts';

/** Which batches of a question's answer are shown. */
export interface BatchFilter {
  states?: ReadonlySet<State>;
  rules?: ReadonlySet<string>;
  clientId?: string;
  subject?: string;
  sources?: BlockList;
  externalMeetingId?: string;
  /** A requested ExternalUserId. */
  name?: string;
  /** A requested ExternalUserId, or the subject of a caller. */
  person?: string;
}

/** How much a filter had to read, and what it could not judge; updated along the way. */
export interface FilterCounts {
  read: number;
  /** Denials whose record omits names, if the filter is by name or person. */
  namesUnknown: number;
  /** Admissions whose batch has expired. */
  batchesGone: number;
}

export const NO_FILTER_COUNTS: FilterCounts = { read: 0, namesUnknown: 0, batchesGone: 0 };

export function isEmpty(filter: BatchFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** Whether the answer may contain a state; other records are not read. */
export function admits({ states }: BatchFilter, state: State): boolean {
  return states === undefined || states.has(state);
}

/** Whether the answer may contain anything but denials. */
export function admitsBatches({ states }: BatchFilter): boolean {
  return states === undefined || [...states].some((state) => state !== 'DENIED');
}

export async function* filtered(
  batches: AsyncIterable<Batch>,
  filter: BatchFilter,
  counts: FilterCounts,
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    counts.read += 1;
    if (!matches(batch, { ...filter, name: undefined, person: undefined })) continue;
    if (matches(batch, filter)) yield batch;
    else if (namesLeftOut(batch) > 0) counts.namesUnknown += 1;
  }
}

export function matches(
  batch: Batch,
  filter: { [Key in keyof BatchFilter]: BatchFilter[Key] | undefined },
): boolean {
  const { states, rules, clientId, subject, sources, externalMeetingId, name, person } = filter;
  const caller = callerOf(batch);
  return (
    (states === undefined || states.has(batch.state)) &&
    (rules === undefined || rulesIn(batch).some((rule) => rules.has(rule))) &&
    (clientId === undefined || caller?.clientId === clientId) &&
    (subject === undefined || caller?.subject === subject) &&
    (sources === undefined || isFrom(caller?.sourceIp ?? '', sources)) &&
    (externalMeetingId === undefined || externalMeetingIdOf(batch) === externalMeetingId) &&
    (name === undefined || names(batch, name)) &&
    (person === undefined || names(batch, person) || caller?.subject === person)
  );
}

function rulesIn({ denial, outcome }: Batch): string[] {
  return [denial?.rule ?? [], (outcome?.withheld ?? []).map(({ rule }) => rule)].flat();
}

function isFrom(address: string, sources: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && sources.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

function names({ intent, outcome, denial }: Batch, name: string): boolean {
  const { issued = [], withheld = [], errors = [] } = outcome ?? {};
  const asked = [...(intent?.requested ?? []), ...issued, ...withheld, ...errors];
  return asked.some(({ externalUserId }) => externalUserId === name) || (denial?.names ?? []).includes(name);
}
