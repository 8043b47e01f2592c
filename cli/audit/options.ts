import { Command, CommanderError, InvalidArgumentError, Option, type OutputConfiguration } from 'commander';
import { type BatchFilter, isEmpty } from './filters.ts';
import { batchId, caller, externalUserId, meetingId, rules, some, sources, states } from './inputs.ts';
import type { AdmissionQuestion, BatchQuestion } from './questions.ts';
import type { NamedSeals } from './seals/place.ts';
import type { NamedTables } from './tables.ts';
import { parseDay, parseTime, type Range } from './times.ts';

/** A question about the admission table, about CloudTrail, or about the seals. */
export type Check =
  | { about: 'compare' }
  | { about: 'rebuild' }
  | { about: 'cloudtrail'; files: string[] }
  | { about: 'verify'; scan: boolean };

/** What a command line asks for. */
export interface AuditCommand {
  question: BatchQuestion | AdmissionQuestion | Check;
  range: Range;
  filter: BatchFilter;
  /** Undefined where none was given: a table, or with a report nothing. */
  output: 'table' | 'json' | 'ndjson' | 'csv' | undefined;
  /** The file of the report. */
  report?: string;
  /** Whether the report says if its records are as they were sealed. */
  verifies: boolean;
  /** Of the events in CloudTrail; their role's name. */
  role?: string;
  named: NamedTables & NamedSeals;
  /** For people: the question, range and filter as they were given. */
  asked: string;
}

interface Options extends NamedTables, NamedSeals {
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
  compareCloudtrail?: string[];
  role?: string;
  verify?: true;
  scan?: true;
  since?: number;
  until?: number;
  state?: BatchFilter['states'];
  rule?: BatchFilter['rules'];
  client?: string;
  subject?: string;
  sourceIp?: BatchFilter['sources'];
  externalMeetingId?: string;
  name?: string;
  person?: string;
  output?: AuditCommand['output'];
  report?: string;
}

type OptionName = keyof Options;

/** Which question each option asks. */
const QUESTIONS: { [Name in OptionName]?: (options: Options) => AuditCommand['question'] } = {
  meeting: ({ meeting = '' }) => ({ about: 'meeting', meetingId: meeting }),
  user: ({ user = '' }) => ({ about: 'user', externalUserId: user }),
  caller: (options) => ({ about: 'caller', callerId: options.caller ?? '' }),
  batch: ({ batch = '' }) => ({ about: 'batch', batchId: batch }),
  attendee: ({ attendee = '' }) => ({ about: 'attendee', attendeeId: attendee }),
  day: ({ day = '' }) => ({ about: 'day', day }),
  denied: () => ({ about: 'denied' }),
  open: () => ({ about: 'open' }),
  compare: () => ({ about: 'compare' }),
  rebuild: () => ({ about: 'rebuild' }),
  compareCloudtrail: ({ compareCloudtrail: files = [] }) => ({ about: 'cloudtrail', files }),
  verify: ({ scan = false }) => ({ about: 'verify', scan }),
};

const RANGE: OptionName[] = ['since', 'until'];
const FILTERS: OptionName[] = [
  ...(['state', 'rule', 'client', 'subject', 'sourceIp', 'externalMeetingId', 'name', 'person'] as const),
];
const CHECKS = ['compare', 'rebuild', 'compareCloudtrail', 'verify'];
/** Where seals are, in place of those of the stack or the local system. */
const SEALS: OptionName[] = ['sealBucket', 'sealPrefix', 'seals'];

const EXPLANATION = `
Without a question, --since, --until or a filter asks for everything in that time.
Times are in UTC: 30m, 2h, 7d (ago), 2026-11-23, 2026-11-23T13:45:00Z. --until a day includes that day.
Where a default is 24 hours, they end now, or at --until.
Exit codes: 0 found, 1 failure, 2 wrong use, 3 nothing found, 4 different or not as sealed.
Everything is explained in docs/audit-guide.md.`;

/**
 * @param args without the interpreter and the script
 * @param output where commander prints, if not on stdout and stderr
 * @param name of the command, as people call it
 * @throws CommanderError with the exit code, once commander has printed help or what is wrong
 */
export function parseCommand(
  args: string[],
  nowMs: number,
  output: OutputConfiguration = {},
  name = 'npm run --silent audit --',
): AuditCommand {
  const command = createCommand(name, nowMs).configureOutput(output).exitOverride();
  const given: string[] = [];
  for (const option of command.options) {
    if (![...Object.keys(QUESTIONS), ...RANGE, ...FILTERS].includes(option.attributeName())) continue;
    command.on(`option:${option.name()}`, (value: string) => {
      given.push(`--${option.name()}`, ...(option.required ? [shellWord(value)] : []));
    });
  }
  try {
    const options = command.parse(args, { from: 'user' }).opts<Options>();
    const { report, role } = options;
    return {
      ...check(options, command),
      output: options.output,
      named: options,
      verifies: options.verify === true,
      asked: given.join(' '),
      ...(report !== undefined && { report }),
      ...(role !== undefined && { role }),
    };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new CommanderError(error.exitCode === 0 ? 0 : 2, error.code, error.message);
  }
}

function createCommand(name: string, nowMs: number): Command {
  const command = new Command(name)
    .usage('<one question, a time or a filter> [options]')
    .description(
      "Queries Usher's audit tables: those of the local system, of a --stack, or those given by name.",
    );
  addQuestions(command);
  command
    .optionsGroup('Which of them:')
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
    .option('--state <states>', 'only batches in these states, separated by commas', single(states))
    .option('--rule <rules>', 'only what these rules denied or withheld, separated by commas', single(rules))
    .option(
      '--client <id>',
      'only of callers with this client id',
      single((text) => text),
    )
    .option('--subject <subject>', 'only of callers with this subject', single(some))
    .option('--source-ip <address>', 'only from this address or network', single(sources))
    .option('--external-meeting-id <id>', 'only of meetings that were created under this name', single(some))
    .option(
      '--name <externalUserId>',
      'only what names this user, denied requests included',
      single(externalUserId),
    )
    .option(
      '--person <name>',
      'only what names this user or was requested by this subject: all that is held about a person',
      single(some),
    )
    .optionsGroup('How to answer:')
    .addOption(
      new Option('--output <form>', 'how to print it (default: table)').choices([
        'table',
        'json',
        'ndjson',
        'csv',
      ]),
    )
    .option(
      '--report <file.html>',
      'writes a page for an auditor, and prints nothing without --output',
      single(some),
    )
    .optionsGroup('Where to ask:')
    .option('--stack <name>', 'the tables of this CloudFormation stack', single(some))
    .option('--table <name>', 'the audit table of a deployment (stack output AuditTableName)', single(some))
    .option('--admission-table <name>', 'its admission table (stack output AdmissionTableName)', single(some))
    .option(
      '--open-intent-table <name>',
      'its open-intent table (stack output OpenIntentTableName)',
      single(some),
    )
    .option('--event-table <name>', 'its table of Chime events (stack output EventTableName)', single(some))
    .option('--region <region>', 'the Region of the stack or the tables', single(some))
    .option('--seal-bucket <name>', 'the bucket of the seals (stack output SealBucketName)', single(some))
    .option('--seal-prefix <prefix>', 'what their keys begin with (stack output SealPrefix)', single(some))
    .option(
      '--seals <directory>',
      'a copy of the seals in place of the bucket, which then is not asked',
      single(some),
    )
    .addHelpText('after', EXPLANATION)
    .showSuggestionAfterError(false);
  return command;
}

function addQuestions(command: Command): void {
  command
    .optionsGroup('Questions:')
    .option(
      '--meeting <id>',
      'who was admitted to this meeting, by whom, and what was denied',
      single(meetingId),
    )
    .option('--user <externalUserId>', 'the meetings that this user was admitted to', single(externalUserId))
    .option(
      '--caller <callerId>',
      'what this caller issued and was denied: issuer|client id|subject',
      single(caller),
    )
    .option('--batch <id>', 'what this batch did', single(batchId))
    .option('--attendee <id>', 'who this attendee is', single(some))
    .option('--day <day>', 'what happened on this day, denials included', single(parseDay))
    .option('--denied', 'what was denied and why (default: in 24 hours)')
    .option('--open', 'what has no outcome yet')
    .option('--compare', 'whether the admissions match the outcomes (default: in 24 hours)')
    .option('--rebuild', 'writes the admissions that are missing (default: in 24 hours)')
    .option(
      '--compare-cloudtrail <files...>',
      'whether each call in CloudTrail has its record, and each record its call',
    )
    .option('--role <name>', 'only calls of this role, with --compare-cloudtrail', single(some))
    .option(
      '--verify',
      'whether the records are as they were sealed (default: since sealing began); beside a question with --report, a part of it',
    )
    .option('--scan', 'with --verify: reads the whole table, for records that no index names');
}

/** @throws CommanderError for options that don't go together */
function check(options: Options, command: Command): Pick<AuditCommand, 'question' | 'range' | 'filter'> {
  const asked = Object.entries(QUESTIONS).filter(([name]) => name in options);
  // Beside a question with a report, it is a part of the report.
  const isPart = asked.length > 1 && options.report !== undefined;
  const [first, ...others] = asked.filter(([name]) => !(isPart && name === 'verify'));
  const isAboutTime = [...RANGE, ...FILTERS].some((name) => name in options);
  if (others.length > 0 || (first === undefined && !isAboutTime)) {
    const flags = Object.keys(QUESTIONS).map((name) => flagOf(name));
    command.error(
      `error: ask exactly one question: ${flags.join(', ')}; or give --since, --until or a filter, such as --since 2h --state unresolved,recovered`,
    );
  }
  const [name, questionOf] = first ?? ['since', () => ({ about: 'time' as const })];
  const { since, until } = options;
  if (since !== undefined && until !== undefined && since >= until) {
    command.error('error: --since must be before --until');
  }
  const filter = filterOf(options);
  checkTogether(options, name, filter, command);
  checkPlace(options, name, command);
  return {
    question: questionOf(options),
    range: {
      ...(since !== undefined && { sinceMs: since }),
      ...(until !== undefined && { untilMs: until }),
    },
    filter,
  };
}

/** @throws CommanderError for options that don't go with the question */
function checkTogether(options: Options, question: string, filter: BatchFilter, command: Command): void {
  const isCheck = CHECKS.includes(question);
  if (isCheck && !isEmpty(filter))
    command.error(`error: filters cannot be combined with ${flagOf(question)}`);
  if (isCheck && question !== 'verify' && options.report !== undefined) {
    command.error(`error: --report cannot be combined with ${flagOf(question)}`);
  }
  if (options.role !== undefined && question !== 'compareCloudtrail') {
    command.error('error: --role needs --compare-cloudtrail');
  }
  if (options.scan && question !== 'verify') command.error('error: --scan needs --verify alone');
  const ofSeals = SEALS.find((each) => each in options);
  if (ofSeals !== undefined && options.verify === undefined) {
    command.error(`error: ${flagOf(ofSeals)} needs --verify`);
  }
}

/** @throws CommanderError */
function checkPlace(options: Options, question: string, command: Command): void {
  const { stack, table, admissionTable, openIntentTable, eventTable, region } = options;
  if (stack !== undefined && (table ?? admissionTable ?? openIntentTable ?? eventTable) !== undefined) {
    command.error(
      'error: --stack finds the tables itself: remove --table, --admission-table, --open-intent-table and --event-table',
    );
  }
  const place = stack ?? table;
  if (place === undefined && (admissionTable ?? openIntentTable ?? eventTable ?? region) !== undefined) {
    command.error(
      'error: --admission-table, --open-intent-table, --event-table and --region need --table or --stack',
    );
  }
  checkSeals(options, command);
  const needsAdmissions = ['user', 'attendee', 'compare', 'rebuild'].includes(question);
  if (needsAdmissions && table !== undefined && admissionTable === undefined) {
    command.error(`error: --${question} needs --admission-table beside --table`);
  }
}

/** @throws CommanderError */
function checkSeals(options: Options, command: Command): void {
  const { stack, table, sealBucket, sealPrefix, seals } = options;
  if (seals !== undefined && (sealBucket !== undefined || sealPrefix?.includes('/'))) {
    command.error(
      'error: --seals has the copy of a bucket: name no --seal-bucket beside it, and as --seal-prefix only what the names of files begin with',
    );
  }
  if (sealBucket !== undefined && stack === undefined && table === undefined) {
    command.error('error: --seal-bucket needs --table or --stack');
  }
  if (sealPrefix !== undefined && sealBucket === undefined && seals === undefined) {
    command.error('error: --seal-prefix needs --seal-bucket or --seals');
  }
  if (options.verify && table !== undefined && sealBucket === undefined && seals === undefined) {
    command.error('error: --verify needs --seal-bucket or --seals beside --table');
  }
}

function filterOf(options: Options): BatchFilter {
  const { state, rule, client, subject, sourceIp, externalMeetingId, name, person } = options;
  return {
    ...(state && { states: state }),
    ...(rule && { rules: rule }),
    ...(client !== undefined && { clientId: client }),
    ...(subject !== undefined && { subject }),
    ...(sourceIp && { sources: sourceIp }),
    ...(externalMeetingId !== undefined && { externalMeetingId }),
    ...(name !== undefined && { name }),
    ...(person !== undefined && { person }),
  };
}

/** A word of a command line as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Of an option that is given twice, commander would forget the first without a word. */
function single<Value>(parse: (text: string) => Value): (text: string, earlier: unknown) => Value {
  return (text, earlier) => {
    if (earlier !== undefined) throw new InvalidArgumentError('It is given twice.');
    return parse(text);
  };
}
