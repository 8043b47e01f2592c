import { type Run, timeOf } from '../asked.ts';
import type { Batch } from '../batches.ts';
import { printable } from '../output/printable.ts';
import { type Forms, print } from '../print.ts';
import type { AdmissionQuestion, BatchQuestion } from '../questions.ts';
import { sealingOf } from '../seals/check.ts';
import type { Sealing } from '../seals/page.ts';
import type { ReportFacts } from './page.ts';
import { writePage } from './page-file.ts';
import { collect, makeReport } from './report.ts';

/**
 * Writes the page, whole or not at all, for its owner only; prints the same data if a form was given.
 *
 * @returns how many batches there were, and what the seals say, if that was asked
 */
export async function writeReport(
  file: string,
  found: AsyncIterable<Batch>,
  run: Run,
  { looksBack, forms }: { looksBack: number | undefined; forms: Forms<Batch> },
): Promise<{ printed: number; sealing?: Sealing }> {
  const { command, nowMs, place, typed, damages } = run;
  const question = command.question as BatchQuestion | AdmissionQuestion;
  const collected = await collect(found);
  const about = aboutOf(question);
  const requests = collected.batches.filter(({ state }) => state !== 'NO_RECORD');
  const sealing = command.verifies ? await sealingOf(requests, run) : undefined;
  const page = makeReport(
    collected,
    {
      title: titleOf(question, command.asked),
      time: `Requests that began ${timeOf(run, looksBack)}.`,
      madeAtMs: nowMs,
      command: typed,
      source: place,
      hasEvents: run.tables.eventTableName !== undefined,
      digestCommand: `${typed} --output ndjson | sha256sum`,
      notes: notesOn(question, command.range.sinceMs),
      ...(about && { about }),
      ...(sealing && { sealing }),
    },
    damages,
  );
  await writePage(file, page);
  const { batches, digest } = collected;
  for (const line of sealing?.lines ?? []) console.error(printable(line));
  console.error(printable(`Wrote ${file}: ${requests.length} requests, ${digest}.`));
  const all = async function* () {
    yield* batches;
  };
  const printed = command.output === undefined ? batches.length : await print(command.output, all(), forms);
  return { printed, ...(sealing && { sealing }) };
}

function titleOf(question: BatchQuestion | AdmissionQuestion, asked: string): string {
  switch (question.about) {
    case 'meeting':
      return `Meeting ${question.meetingId.toLowerCase()}`;
    case 'user':
      return `User ${question.externalUserId}`;
    case 'caller':
      return `Caller ${question.callerId}`;
    case 'attendee':
      return `Attendee ${question.attendeeId}`;
    case 'batch':
      return `Batch ${question.batchId}`;
    case 'day':
      return `Day ${question.day}`;
    default:
      return `Requests by ${asked}`;
  }
}

function aboutOf(question: BatchQuestion | AdmissionQuestion): ReportFacts['about'] {
  if (question.about === 'user') return { externalUserId: question.externalUserId };
  return question.about === 'attendee' ? { attendeeId: question.attendeeId } : undefined;
}

function notesOn(question: BatchQuestion | AdmissionQuestion, sinceMs: number | undefined): string[] {
  if (question.about === 'user' && sinceMs === undefined) {
    return [
      'Only admissions of this user were looked for: what was denied, refused or is unknown is in a report with --since.',
    ];
  }
  return question.about === 'attendee' ? ['Only admissions of this attendee were looked for.'] : [];
}
