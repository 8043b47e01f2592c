import { beginningOfBatch } from '../../../lambda/audit/batch-id.ts';
import type { Run } from '../asked.ts';
import type { Batch } from '../batches.ts';
import { EXIT } from '../exit-codes.ts';
import { findingsToCsv } from '../output/csv.ts';
import { printable } from '../output/printable.ts';
import { findingsToTable } from '../output/table.ts';
import { type OutputForm, paperOf, print } from '../print.ts';
import { writePage } from '../report/page-file.ts';
import type { Range } from '../times.ts';
import type { Finding } from './findings.ts';
import { type Sealing, sealPage } from './page.ts';
import { findSeals } from './place.ts';
import type { SealSource } from './source.ts';
import { summaryOf } from './summary.ts';
import { noVerifyCounts, type VerifyCounts, type VerifyRequest, verifySeals } from './verify.ts';

/** More than people read. */
const MAX_PAGE_FINDINGS = 10_000;

/** Prints what is not as it was sealed, and says on stderr what was verified. @returns the exit code */
export async function checkSeals(scan: boolean, run: Run & { output: OutputForm }): Promise<number> {
  const { range, report } = run.command;
  return withSeals(run, async (seals) => {
    const counts = noVerifyCounts();
    const request = { tables: run.tables, seals, range, nowMs: run.nowMs, scan };
    const findings = verifySeals(request, counts);
    const paper = paperOf(process.stdout);
    if (report === undefined) {
      const table = (items: AsyncIterable<Finding>) => findingsToTable(items, paper);
      await print(run.output, findings, { table, csv: findingsToCsv }, () => counts.same);
      if (counts.seals > 0) sayAll(summaryOf(counts, request));
    } else {
      const sealing = await collect(findings, counts, request);
      const source = `${run.place}; ${seals.name}`;
      await writePage(report, sealPage(sealing, { source, nowMs: run.nowMs, command: run.typed }));
      sayAll([...sealing.lines, `Wrote ${report}.`]);
    }
    if (counts.seals > 0) return foundIn(counts) > 0 ? EXIT.different : EXIT.found;
    sayAll([`There are no seals in ${seals.name}.`]);
    return EXIT.nothingFound;
  });
}

/** Whether the records of these batches, and the others of their meetings at that time, are as they were sealed. */
export async function sealingOf(batches: readonly Batch[], run: Run): Promise<Sealing> {
  const times = batches.map(({ batchId }) => beginningOfBatch(batchId));
  const range: Range =
    times.length === 0 ? run.command.range : { sinceMs: Math.min(...times), untilMs: Math.max(...times) + 1 };
  const meetings = new Set(batches.map(({ meetingId }) => meetingId));
  return withSeals(run, (seals) => {
    const counts = noVerifyCounts();
    const request = { tables: run.tables, seals, range, nowMs: run.nowMs, scan: false, meetings };
    return collect(verifySeals(request, counts), counts, request);
  });
}

async function collect(
  findings: AsyncIterable<Finding>,
  counts: VerifyCounts,
  request: VerifyRequest,
): Promise<Sealing> {
  const held: Finding[] = [];
  for await (const finding of findings) if (held.length < MAX_PAGE_FINDINGS) held.push(finding);
  const lines =
    counts.seals > 0 ? summaryOf(counts, request) : [`There are no seals in ${request.seals.name}.`];
  return { lines, findings: held, found: foundIn(counts), isSealed: counts.seals > 0 };
}

async function withSeals<Answer>(run: Run, use: (seals: SealSource) => Promise<Answer>): Promise<Answer> {
  const { source, close } = await findSeals(run.command.named, run.env);
  try {
    sayAll([`Reading the seals in ${source.name}.`]);
    return await use(source);
  } finally {
    close();
  }
}

function foundIn({ findings }: VerifyCounts): number {
  return Object.values(findings).reduce((sum, count) => sum + count, 0);
}

function sayAll(lines: readonly string[]): void {
  for (const line of lines) console.error(printable(line));
}
