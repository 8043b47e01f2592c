import { createHash } from 'node:crypto';
import type { Batch } from '../batches.ts';
import { toNdjson, withResults } from '../output/json.ts';
import type { Damage } from '../readable.ts';
import { attendeesOf } from '../results.ts';
import { type ReportFacts, reportPage } from './page.ts';

/** More than people read, and than a browser shows smoothly. */
export const MAX_REPORT_ATTENDEES = 20_000;

/** The collected items of a page. */
export interface Collected {
  batches: Batch[];
  /** The digest of the batches in NDJSON, as `--output ndjson` prints them. */
  digest: string;
}

/** @throws if there is more than a page can hold */
export async function collect(found: AsyncIterable<Batch>): Promise<Collected> {
  const batches: Batch[] = [];
  const digest = createHash('sha256');
  let attendees = 0;
  for await (const batch of found) {
    attendees += Math.max(1, attendeesOf(batch).length);
    if (attendees > MAX_REPORT_ATTENDEES) {
      throw new Error(
        `A report holds ${MAX_REPORT_ATTENDEES} attendees at most: narrow it with --since and --until, or take --output csv.`,
      );
    }
    batches.push(batch);
    for await (const line of toNdjson(each(withResults(batch)))) digest.update(line);
  }
  return { batches, digest: `sha256:${digest.digest('hex')}` };
}

/** The page of the collected items. */
export function makeReport(
  { batches, digest }: Collected,
  about: Omit<ReportFacts, 'digest' | 'damages'>,
  damages: readonly Damage[],
): string {
  return reportPage({ ...about, digest, damages }, batches);
}

async function* each<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}
