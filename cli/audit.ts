import { once } from 'node:events';
import { styleText } from 'node:util';
import { CommanderError } from 'commander';
import { compareAdmissions, NO_COUNTS, rebuildAdmissions } from './audit/admission-check.ts';
import { describeFailure } from './audit/failure.ts';
import { type AuditCommand, parseCommand } from './audit/options.ts';
import { admissionsToCsv, batchesToCsv, differencesToCsv } from './audit/output/csv.ts';
import { toJson, toNdjson } from './audit/output/json.ts';
import { printable } from './audit/output/printable.ts';
import {
  admissionsToTable,
  batchesInFull,
  batchesToTable,
  differencesToTable,
  type Paper,
} from './audit/output/table.ts';
import { startProgress } from './audit/progress.ts';
import { findAdmissions, findBatches, startOf } from './audit/questions.ts';
import { type AskedTables, describePlace, findTables } from './audit/tables.ts';

const EXIT = { found: 0, failure: 1, wrongUse: 2, nothingFound: 3, different: 4 };

/** The last minute is not compared: an index may not have it yet. */
const COMPARISON_MARGIN_MS = 60_000;

/** Answers one question on stdout. @returns the exit code */
async function main(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const nowMs = Date.now();
  let tables: AskedTables | undefined;
  try {
    const command = parseCommand(args, nowMs);
    quitWhenNobodyReads(command);
    tables = findTables(command.named, env);
    if (tables === undefined) {
      console.error('usher: No local system runs here: start one with `npm start`, or name a --table.');
      return EXIT.wrongUse;
    }
    const names = [tables.auditTableName, tables.admissionTableName, tables.openIntentTableName];
    console.error(printable(`Asking ${names.filter(Boolean).join(', ')} in ${await describePlace(tables)}.`));
    return await answer(command, tables, nowMs);
  } catch (error) {
    // Commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode;
    console.error(`usher: ${describeFailure(error)}`);
    return EXIT.failure;
  } finally {
    tables?.client.destroy();
  }
}

/** Whoever reads may have had enough (`| head`): that is an answer, but not a comparison, which has to be finished. */
function quitWhenNobodyReads({ question: { about } }: AuditCommand): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      process.exit(about === 'compare' || about === 'rebuild' ? EXIT.failure : EXIT.found);
    }
    console.error(`usher: ${describeFailure(error)}`);
    process.exit(EXIT.failure);
  });
}

/** Prints the answer to a question. @returns the exit code */
async function answer(command: AuditCommand, tables: AskedTables, nowMs: number): Promise<number> {
  const { question, range, output } = command;
  const paper = paperOf(process.stdout);
  switch (question.about) {
    case 'compare':
    case 'rebuild':
      return check(question.about, command, withAdmissions(tables), nowMs);
    case 'user':
    case 'attendee':
      if (tables.openIntentTableName === undefined) {
        console.error(
          'Without --open-intent-table, admissions that are pending are looked for in the last 5 minutes only.',
        );
      }
      return exitCodeOf(
        await print(output, findAdmissions(withAdmissions(tables), question, range, nowMs), {
          table: (items) => admissionsToTable(items, paper),
          csv: admissionsToCsv,
        }),
      );
    default: {
      const listed = question.about === 'open' && tables.openIntentTableName !== undefined;
      if (question.about === 'denied' || (question.about === 'open' && !listed)) {
        console.error(`Looking back to ${timestamp(startOf(range, nowMs))}.`);
      }
      const inFull = question.about === 'meeting' || question.about === 'batch';
      return exitCodeOf(
        await print(output, findBatches(tables, question, range, nowMs), {
          table: (items) => (inFull ? batchesInFull(items, paper) : batchesToTable(items, paper)),
          csv: batchesToCsv,
        }),
      );
    }
  }
}

/** Compares or rebuilds, prints the differences, and says on stderr how many there are. @returns the exit code */
async function check(
  about: 'compare' | 'rebuild',
  { range, output }: AuditCommand,
  tables: AskedTables & { admissionTableName: string },
  nowMs: number,
): Promise<number> {
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

/**
 * Prints items as they arrive, no faster than they are read.
 *
 * @param total how much has been read, where that is not the number of items
 * @returns how many items there were
 */
async function print<Item>(
  output: AuditCommand['output'],
  items: AsyncIterable<Item>,
  forms: Record<'table' | 'csv', (items: AsyncIterable<Item>) => AsyncIterable<string>>,
  total?: () => number,
): Promise<number> {
  let count = 0;
  async function* counted(): AsyncGenerator<Item> {
    for await (const item of items) {
      count += 1;
      yield item;
    }
  }
  const progress = startProgress(process.stderr, total ?? (() => count));
  try {
    const toText = { json: toJson, ndjson: toNdjson, ...forms }[output];
    for await (const text of toText(counted())) {
      progress.clear();
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    }
  } finally {
    progress.stop();
  }
  return count;
}

function exitCodeOf(count: number): number {
  if (count > 0) return EXIT.found;
  console.error('Nothing found.');
  return EXIT.nothingFound;
}

function withAdmissions(tables: AskedTables): AskedTables & { admissionTableName: string } {
  const { admissionTableName } = tables;
  if (admissionTableName === undefined) throw new Error('The name of the admission table is not known.');
  return { ...tables, admissionTableName };
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** `styleText` knows of terminals and of NO_COLOR. */
function paperOf(stream: NodeJS.WriteStream): Paper {
  return {
    width: stream.columns ?? Number.POSITIVE_INFINITY,
    colours: styleText('bold', 'x', { stream }) !== 'x',
  };
}

process.exitCode = await main(process.argv.slice(2), process.env);
