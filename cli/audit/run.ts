import { CommanderError } from 'commander';
import { type Run, timeOf } from './asked.ts';
import type { Admission, Batch } from './batches.ts';
import { check } from './checks.ts';
import { EXIT } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import { filtered, isEmpty, matches, NO_FILTER_COUNTS } from './filters.ts';
import { isGuid } from './inputs.ts';
import { type AuditCommand, parseCommand, shellWord } from './options.ts';
import { admissionsToCsv, batchesToCsv } from './output/csv.ts';
import { withResults } from './output/json.ts';
import { printable } from './output/printable.ts';
import { admissionsToTable, batchesInFull, batchesToTable } from './output/table.ts';
import {
  admissionsWithPresence,
  batchesWithPresence,
  meetingsSeenIn,
  type StrangersOf,
  withEvents,
} from './presence.ts';
import { paperOf, print } from './print.ts';
import {
  type AdmissionQuestion,
  type BatchQuestion,
  batchesAbout,
  findAdmissions,
  findBatches,
  startOf,
} from './questions.ts';
import type { Damage } from './readable.ts';
import { writeReport } from './report/write.ts';
import { type AskedTables, describePlace, findTables, withAdmissions } from './tables.ts';

/**
 * Answers one question on stdout; what it says of itself is on stderr.
 *
 * @param commandName what people type before the arguments
 * @returns the exit code
 */
export async function runAudit(args: string[], env: NodeJS.ProcessEnv, commandName: string): Promise<number> {
  const nowMs = Date.now();
  let tables: AskedTables | undefined;
  try {
    const command = parseCommand(args, nowMs, {}, commandName);
    quitWhenNobodyReads(command);
    tables = await findTables(command.named, env);
    if (tables === undefined) {
      console.error(
        'usher: No local system runs here: start one with `npm start`, or give --table or --stack.',
      );
      return EXIT.wrongUse;
    }
    const damages: Damage[] = [];
    tables.onDamage = (damage) => {
      if (damages.some(({ item }) => item === damage.item)) return;
      damages.push(damage);
      say(`Skipped a record that cannot be read: ${damage.item}: ${damage.problem}.`);
    };
    const names = [
      tables.auditTableName,
      tables.admissionTableName,
      tables.openIntentTableName,
      tables.eventTableName,
    ];
    const place = `${names.filter(Boolean).join(', ')} in ${await describePlace(tables)}`;
    say(`Asking ${place}.`);
    const typed = [commandName, ...args.map(shellWord)].join(' ');
    return await answer({ command, tables, place, nowMs, damages, env, typed });
  } catch (error) {
    // Commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode;
    console.error(`usher: ${describeFailure(error)}`);
    return EXIT.failure;
  } finally {
    tables?.client.destroy();
  }
}

function say(text: string): void {
  console.error(printable(text));
}

/** A reader may have had enough (`| head`): that is an answer, but not a check, which has to be finished. */
function quitWhenNobodyReads({ question: { about }, report }: AuditCommand): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      const isUnfinished =
        ['compare', 'rebuild', 'cloudtrail', 'verify'].includes(about) || report !== undefined;
      process.exit(isUnfinished ? EXIT.failure : EXIT.found);
    }
    console.error(`usher: ${describeFailure(error)}`);
    process.exit(EXIT.failure);
  });
}

function answer(run: Run): Promise<number> {
  const { question, output = 'table', report } = run.command;
  switch (question.about) {
    case 'compare':
    case 'rebuild':
    case 'cloudtrail':
    case 'verify':
      return check(question, { ...run, output });
    case 'user':
    case 'attendee':
      return report === undefined ? answerAdmissions(question, run) : answerBatches(question, run);
    default:
      return answerBatches(question, run);
  }
}

async function answerAdmissions(question: AdmissionQuestion, run: Run): Promise<number> {
  const { command, tables, nowMs } = run;
  const { range, filter, output = 'table' } = command;
  const counts = { ...NO_FILTER_COUNTS };
  if (tables.openIntentTableName === undefined) {
    say(
      'Without --open-intent-table, admissions that are pending are looked for in the last 5 minutes only.',
    );
  }
  if (question.about === 'user') {
    const name = shellWord(question.externalUserId);
    say(
      `These are admissions only: --name ${name} --since TIME also finds what was denied, refused or is unknown.`,
    );
  }
  async function* chosen(): AsyncGenerator<Admission> {
    for await (const admission of findAdmissions(withAdmissions(tables), question, range, nowMs)) {
      counts.read += 1;
      const { batch } = admission;
      if (isEmpty(filter) || (batch !== undefined && matches(batch, filter))) yield admission;
      else if (batch === undefined) counts.batchesGone += 1;
    }
  }
  const paper = paperOf(process.stdout);
  const events = withEvents(tables);
  if (events !== undefined) say(BEST_EFFORT);
  const items = events === undefined ? chosen() : admissionsWithPresence(events, chosen(), nowMs);
  const printed = await print(output, items, {
    table: (items) => admissionsToTable(items, paper, events !== undefined),
    csv: admissionsToCsv,
    toPlain: ({ batch, ...admission }) => admission,
  });
  if (printed === 0 && question.about === 'attendee' && events !== undefined) {
    for (const meetingId of await meetingsSeenIn(events, question.attendeeId))
      say(`Chime's events name it in the meeting ${meetingId}: ask --meeting ${meetingId}.`);
  }
  return conclude(printed, counts, run, undefined);
}

/** What every answer with events says. */
const BEST_EFFORT =
  "Who joined is what Chime's events say. They are best effort: a missing one proves nothing.";

/** Adds what events say, if they are known, to what is shown attendee by attendee. */
function withPresence(
  batches: AsyncGenerator<Batch>,
  question: BatchQuestion | AdmissionQuestion,
  { command: { range, filter }, tables, nowMs }: Run,
): AsyncGenerator<Batch> {
  const events = withEvents(tables);
  if (events === undefined) return batches;
  say(BEST_EFFORT);
  return batchesWithPresence(events, batches, strangersOf(), nowMs);

  function strangersOf(): StrangersOf | undefined {
    if (question.about === 'meeting' && isEmpty(filter)) return { meetingId: question.meetingId, range };
    const { person, ...others } = filter;
    if (question.about !== 'time' || person === undefined || !isEmpty(others)) return undefined;
    return { person, range: { ...range, sinceMs: startOf(range, nowMs) } };
  }
}

async function answerBatches(question: BatchQuestion | AdmissionQuestion, run: Run): Promise<number> {
  const { command, tables, nowMs } = run;
  const { range, filter, output, report } = command;
  const counts = { ...NO_FILTER_COUNTS };
  const looksBack = looksBackFrom(question, run);
  if (looksBack !== undefined) say(`Looking back to ${timestamp(looksBack)}.`);
  const found =
    question.about === 'user' || question.about === 'attendee'
      ? batchesAbout(withAdmissions(tables), question, range, nowMs)
      : findBatches(tables, question, range, nowMs, filter);
  const paper = paperOf(process.stdout);
  const inFull = question.about === 'meeting' || question.about === 'batch';
  const chosen = filtered(found, filter, counts);
  const isByAttendee = inFull || report !== undefined || filter.person !== undefined;
  const batches = isByAttendee ? withPresence(chosen, question, run) : chosen;
  const forms = {
    table: (items: AsyncIterable<Batch>) =>
      inFull ? batchesInFull(items, paper) : batchesToTable(items, paper),
    csv: batchesToCsv,
    toPlain: withResults,
  };
  if (report === undefined)
    return conclude(await print(output ?? 'table', batches, forms), counts, run, looksBack);
  const { printed, sealing } = await writeReport(report, batches, run, { looksBack, forms });
  const exitCode = conclude(printed, counts, run, looksBack);
  if (exitCode !== EXIT.found || sealing === undefined) return exitCode;
  if (!sealing.isSealed) return EXIT.nothingFound;
  return sealing.found > 0 ? EXIT.different : EXIT.found;
}

/** Where a question looks back only so far, though nothing said so. */
function looksBackFrom(
  { about }: BatchQuestion | AdmissionQuestion,
  { command: { range }, tables, nowMs }: Run,
): number | undefined {
  const isListed = about === 'open' && tables.openIntentTableName !== undefined;
  const looksBack = about === 'denied' || about === 'time' || (about === 'open' && !isListed);
  return looksBack && range.sinceMs === undefined ? startOf(range, nowMs) : undefined;
}

/** Says what the answer cost and what it left out. @returns the exit code */
function conclude(
  printed: number,
  { read, namesUnknown, batchesGone }: typeof NO_FILTER_COUNTS,
  run: Run,
  looksBack: number | undefined,
): number {
  const { damages } = run;
  if (read > printed) {
    say(
      `Read ${read} to show ${printed}: filters choose from what was read. Narrow --since and --until to read less.`,
    );
  }
  if (namesUnknown > 0)
    say(`${namesUnknown} denials have more names than their records: these may be among them.`);
  if (batchesGone > 0)
    say(`${batchesGone} admissions were left out: their batches have expired, so no filter can judge them.`);
  if (damages.length > 0) say(`Skipped ${damages.length} records that cannot be read: they are named above.`);
  if (printed > 0) return EXIT.found;
  say(`Nothing found for ${run.command.asked}, ${timeOf(run, looksBack)}, in ${run.place}.`);
  for (const hint of hintsFor(run)) say(hint);
  return EXIT.nothingFound;
}

function* hintsFor({ command: { question, range }, nowMs }: Run): Generator<string> {
  if ((range.sinceMs ?? 0) > nowMs) yield 'That time is in the future.';
  if (question.about === 'day' && Date.parse(question.day) > nowMs) yield 'That day is in the future.';
  if (question.about === 'attendee' && !isGuid(question.attendeeId)) {
    yield 'Check the id: an attendee id of Chime looks like 5d0a1f6e-9c2b-4e87-b1d3-0f6a7c8e9d21.';
  }
  if (question.about === 'batch' || question.about === 'attendee') {
    yield 'Indexes follow the table with a short delay: for the last few seconds, ask by meeting.';
  }
  if (question.about === 'caller') {
    yield 'The caller must be exactly as recorded: copy it from the answer to --meeting or --day. See also --client and --subject.';
  }
}

function timestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
