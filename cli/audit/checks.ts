import { compareAdmissions, NO_COUNTS, rebuildAdmissions } from './admission-check.ts';
import type { Run } from './asked.ts';
import { compareCalls, NO_CALL_COUNTS, readCalls, spanOf } from './cloudtrail.ts';
import { EXIT } from './exit-codes.ts';
import type { Check } from './options.ts';
import { callsToCsv, differencesToCsv } from './output/csv.ts';
import { printable } from './output/printable.ts';
import { callsToTable, differencesToTable } from './output/table.ts';
import { type OutputForm, paperOf, print } from './print.ts';
import { startOf } from './questions.ts';
import { checkSeals } from './seals/check.ts';
import { withAdmissions } from './tables.ts';

interface CheckRun extends Run {
  output: OutputForm;
}

/** The last minute is not compared: an index may not have it yet. */
const COMPARISON_MARGIN_MS = 60_000;

/** Prints the differences, and says on stderr how many there are. @returns the exit code */
export function check(question: Check, run: CheckRun): Promise<number> {
  if (question.about === 'verify') return checkSeals(question.scan, run);
  return question.about === 'cloudtrail'
    ? checkCalls(question.files, run)
    : checkAdmissions(question.about, run);
}

async function checkAdmissions(about: 'compare' | 'rebuild', run: CheckRun): Promise<number> {
  const { command, nowMs, output } = run;
  const tables = withAdmissions(run.tables);
  const { range } = command;
  const settled = {
    sinceMs: startOf(range, nowMs),
    untilMs: Math.min(range.untilMs ?? nowMs, nowMs - COMPARISON_MARGIN_MS),
  };
  if (settled.sinceMs >= settled.untilMs) {
    console.error(
      `usher: Nothing can be compared from ${timestamp(settled.sinceMs)} on: the last minute is left out.`,
    );
    return EXIT.wrongUse;
  }
  const counts = { ...NO_COUNTS };
  const differences = compareAdmissions(tables, settled, nowMs, counts);
  const paper = paperOf(process.stdout);
  await print(
    output,
    about === 'compare' ? differences : rebuildAdmissions(tables, differences),
    { table: (items) => differencesToTable(items, paper), csv: differencesToCsv },
    () => counts.batches,
  );
  const { batches, admissions, missing, different, extra } = counts;
  const span = `${timestamp(settled.sinceMs)} to ${timestamp(settled.untilMs)}`;
  console.error(`Compared ${admissions} admissions of ${batches} batches, ${span}.`);
  console.error(`missing ${missing}, different ${different}, extra ${extra}`);
  if (about === 'rebuild') console.error(`Wrote ${missing + different}.`);
  const left = about === 'rebuild' ? extra : missing + different + extra;
  return left > 0 ? EXIT.different : EXIT.found;
}

async function checkCalls(
  files: readonly string[],
  { command, tables, nowMs, output }: CheckRun,
): Promise<number> {
  const { range, role } = command;
  const calls = await readCalls(files, role);
  const span = spanOf(calls, range);
  if (span === undefined) {
    console.error(
      printable(
        `usher: There is no BatchCreateAttendee${role === undefined ? '' : ` of the role ${role}`} in ${files.join(', ')}, so nothing says which time to compare: give --since and --until.`,
      ),
    );
    return EXIT.wrongUse;
  }
  const roles = [...new Set(calls.map((call) => call.role ?? 'no role'))];
  if (role === undefined && roles.length > 1) {
    console.error(printable(`Calls of ${roles.join(', ')}: choose the handler's with --role.`));
  }
  const counts = { ...NO_CALL_COUNTS };
  const differences = compareCalls(tables, calls, span, nowMs, counts);
  const paper = paperOf(process.stdout);
  await print(
    output,
    differences,
    { table: (items) => callsToTable(items, paper), csv: callsToCsv },
    () => counts.matched,
  );
  const { calls: all, records, matched, withoutRecord, withoutCall, unfinished } = counts;
  console.error(
    `Compared ${all} calls with ${records} records, ${timestamp(span.sinceMs)} to ${timestamp(span.untilMs)}: ${matched} match.`,
  );
  console.error(
    `calls without a record ${withoutRecord}, records without a call ${withoutCall}, calls of unfinished batches ${unfinished}`,
  );
  return withoutRecord + withoutCall > 0 ? EXIT.different : EXIT.found;
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
