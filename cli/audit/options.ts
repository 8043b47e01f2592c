import { Command, CommanderError, InvalidArgumentError, Option, type OutputConfiguration } from 'commander';
import { isBatchId } from '../../lambda/audit/batch-id.ts';
import type { AdmissionQuestion, BatchQuestion } from './questions.ts';
import type { NamedTables } from './tables.ts';
import { parseDay, parseTime, type Range } from './times.ts';

/** What a command line asks for. */
export interface AuditCommand {
  question: BatchQuestion | AdmissionQuestion | { about: 'compare' } | { about: 'rebuild' };
  range: Range;
  output: 'table' | 'json' | 'ndjson' | 'csv';
  named: NamedTables;
}

interface Options extends NamedTables {
  meeting?: string;
  user?: string;
  caller?: string;
  batch?: string;
  attendee?: string;
  day?: string;
  denied?: true;
  open?: true;
  compare?: true;
  rebuild?: true;
  since?: number;
  until?: number;
  output: AuditCommand['output'];
}

/** Which question each option asks. */
const QUESTIONS: { [Name in keyof Options]?: (value: string) => AuditCommand['question'] } = {
  meeting: (meetingId) => ({ about: 'meeting', meetingId }),
  user: (externalUserId) => ({ about: 'user', externalUserId }),
  caller: (callerId) => ({ about: 'caller', callerId }),
  batch: (batchId) => ({ about: 'batch', batchId }),
  attendee: (attendeeId) => ({ about: 'attendee', attendeeId }),
  day: (day) => ({ about: 'day', day }),
  denied: () => ({ about: 'denied' }),
  open: () => ({ about: 'open' }),
  compare: () => ({ about: 'compare' }),
  rebuild: () => ({ about: 'rebuild' }),
};

const EXPLANATION = `
Times are in UTC: 30m, 2h, 7d (ago), 2026-11-23, 2026-11-23T13:45:00Z. --until a day includes that day.
The 24 hours end now, or at --until.
Exit codes: 0 found, 1 failure, 2 wrong use, 3 nothing found, 4 admissions differ.
Everything is explained in docs/audit-guide.md.`;

/**
 * @param args without the interpreter and the script
 * @param output where commander prints, if not on stdout and stderr
 * @throws CommanderError with the exit code, once commander has printed help or what is wrong
 */
export function parseCommand(args: string[], nowMs: number, output: OutputConfiguration = {}): AuditCommand {
  const command = new Command('npm run --silent audit --')
    .usage('<one question> [options]')
    .description("Asks Usher's audit tables: those of the local system, or the ones that are named.")
    .option('--meeting <id>', 'who was admitted to this meeting, by whom, and what was denied', single(some))
    .option('--user <externalUserId>', 'the meetings that this user was admitted to', single(some))
    .option('--caller <callerId>', 'what this caller issued: issuer|client id|subject', single(some))
    .option('--batch <id>', 'what this batch did', single(batchId))
    .option('--attendee <id>', 'who this attendee is', single(some))
    .option('--day <day>', 'what happened on this day, denials included', single(parseDay))
    .option('--denied', 'what was denied and why (default: in 24 hours)')
    .option('--open', 'what has no outcome yet')
    .option('--compare', 'whether the admissions are as the outcomes have them (default: in 24 hours)')
    .option('--rebuild', 'writes the admissions that are missing (default: in 24 hours)')
    .option(
      '--since <time>',
      'only what began then or later',
      single((text) => parseTime(text, nowMs, false)),
    )
    .option(
      '--until <time>',
      'only what began before',
      single((text) => parseTime(text, nowMs, true)),
    )
    .addOption(
      new Option('--output <form>', 'how to print it')
        .choices(['table', 'json', 'ndjson', 'csv'])
        .default('table'),
    )
    .option('--table <name>', 'the audit table of a deployment (stack output AuditTableName)', single(some))
    .option('--admission-table <name>', 'its admission table (stack output AdmissionTableName)', single(some))
    .option(
      '--open-intent-table <name>',
      'its open-intent table (stack output OpenIntentTableName)',
      single(some),
    )
    .option('--region <region>', 'the Region of the tables', single(some))
    .addHelpText('after', EXPLANATION)
    .showSuggestionAfterError(false)
    .configureOutput(output)
    .exitOverride();
  try {
    const options = command.parse(args, { from: 'user' }).opts<Options>();
    return { ...check(options, command), output: options.output, named: options };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new CommanderError(error.exitCode === 0 ? 0 : 2, error.code, error.message);
  }
}

/** @throws CommanderError for options that don't go together */
function check(options: Options, command: Command): Pick<AuditCommand, 'question' | 'range'> {
  const asked = Object.entries(QUESTIONS).filter(([name]) => name in options);
  const [first, ...others] = asked;
  if (first === undefined || others.length > 0) {
    const names = Object.keys(QUESTIONS).map((name) => `--${name}`);
    command.error(`error: ask exactly one question: ${names.join(', ')}`);
  }
  const [name, questionOf] = first;
  const { since, until } = options;
  if ((name === 'batch' || name === 'day') && (since ?? until) !== undefined) {
    command.error(`error: --${name} says the time already; --since and --until don't go with it`);
  }
  if (since !== undefined && until !== undefined && since >= until) {
    command.error('error: --since has to be before --until');
  }
  const { table, admissionTable, openIntentTable, region } = options;
  if (table === undefined && (admissionTable ?? openIntentTable ?? region) !== undefined) {
    command.error('error: --admission-table, --open-intent-table and --region go with --table only');
  }
  const needsAdmissions = ['user', 'attendee', 'compare', 'rebuild'].includes(name);
  if (needsAdmissions && table !== undefined && admissionTable === undefined) {
    command.error(`error: --${name} needs --admission-table beside --table`);
  }
  return {
    question: questionOf(String(options[name as keyof Options])),
    range: {
      ...(since !== undefined && { sinceMs: since }),
      ...(until !== undefined && { untilMs: until }),
    },
  };
}

/** Of an option that is given twice, commander would forget the first without a word. */
function single<Value>(parse: (text: string) => Value): (text: string, earlier: unknown) => Value {
  return (text, earlier) => {
    if (earlier !== undefined) throw new InvalidArgumentError('It is given twice.');
    return parse(text);
  };
}

function some(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

function batchId(text: string): string {
  if (!isBatchId(text)) {
    throw new InvalidArgumentError('A batch id is like 20261123T134558123Z-6f1c2a9b4d3e5f70.');
  }
  return text;
}
