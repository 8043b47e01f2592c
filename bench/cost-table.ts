import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { AttendeeEvent } from '../lambda/audit/attendee-events.ts';
import { TABLES } from '../lambda/audit/schema.ts';
import { rowOfItem } from '../lambda/audit/seals.ts';
import { observe } from '../lambda/observer/observe.ts';
import { PRICES } from './prices.ts';
import { entriesOf, INDEXES, itemBytes } from './request-units.ts';
import { createSetting, HANDLER_DIRECTORY, type Setting } from './setting.ts';
import type { Item } from './stand-in.ts';
import type { Block, BlockResult } from './worker.ts';

// Prints the tables of docs/cost.md: unit prices times what one batch was measured to take. Nothing in them is typed in
// by hand but the prices and what stands here, with where it comes from.

const SIZES = [1, 10, 100];
const BY_DAY = TABLES.audit.indexes.byDay.name;
const INDEX_NAMES = INDEXES.map(({ name }) => name);

/** Lambda's own two lines of an invocation, `platform.start` and `platform.report`: estimated from AWS's examples. */
const LAMBDA_LINES_BYTES = 400;
/** The gateway's line of a request, in the form of lib/attendee-api.ts. */
const ACCESS_LINE_BYTES = JSON.stringify({
  time: '23/Nov/2026:17:19:31 +0000',
  extendedRequestId: 'JKJaXmPLvHcESHA=',
  functionRequestId: '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34',
  method: 'POST',
  resource: '/meetings/{MeetingId}/attendees',
  status: '200',
  responseBytes: '12345',
  responseMs: '123',
  functionMs: '120',
  tlsVersion: 'TLSv1.3',
  firewall: '200',
}).length;
/** What the reconciler logs in a run that finds nothing, as `npm start` shows it. */
const IDLE_RUN_LOG_BYTES = 650;
/** Assumed of a run that finds nothing: it makes four calls to DynamoDB, one after the other. */
const IDLE_RUN_MS = 100;
/** Two marks, five lists, each read consistently, and two ends of an index, which are not; two marks and the run (lambda/reconciler/). */
const IDLE_RUN_READS = 8;
const IDLE_RUN_WRITES = 3;
const RECONCILER_GB = 0.5;
const RUNS_A_MONTH = 30 * 24 * 60;
/** By the fast cursor and by the slow one. */
const SWEEPS_OF_A_BATCH = 2;
/** DynamoDB's own of every item, and of every entry of an index, in what it bills as storage. */
const ITEM_OVERHEAD_BYTES = 100;
const FIREWALL_RULES = 4;
/** One for each metric that an alarm looks at: 5xx less throttles, eight rules of denials, two ways in which the reconciler fails. */
const ALARM_METRICS = 9 + 2 + 8 + 2;
/** Those without a reason: four of answers, six of the reconciler, one of the observer's schedule. */
const METRICS_WITHOUT_REASON = { handler: 4, reconciler: 6, judging: 1 };
/** The handler uses two tables, the reconciler and the observer three: a key is asked for every five minutes for each of these pairs. */
const KEY_REQUESTS_A_MONTH = 8 * 12 * 24 * 30;
/** The observer judges each quarter of an hour: one query that finds nothing, two lines. */
const JUDGINGS_A_MONTH = 30 * 24 * 4;
const JUDGING_LOG_BYTES = 500;
/** Assumed of an event: two or three calls to DynamoDB, one after the other. */
const EVENT_MS = 20;
const OBSERVER_GB = 0.5;
/** What the observer logs of an event, its metric included, as `npm start` shows it. */
const EVENT_LOG_BYTES = 650;

const SEALER_RUNS_A_MONTH = 30 * 24;
const SEALER_GB = 1;
/** Assumed of a run that finds nothing to seal but an empty hour: 48 objects are read one after the other. */
const IDLE_SEAL_MS = 2_000;
/** Both indexes, of each of the three days on which 49 hours lie: half a unit for a page. */
const IDLE_SEAL_READS = 3;
const SEALS_READ = 48;
/** Those of the sealer; each of its two alarms looks at one. */
const SEAL_METRICS = 4;
const SEAL_ALARMS = 2;
/** In its own hour, and in the 48 seals after it. */
const SEALED_HOURS = 49;

/** The rates at which something refuses, a second. */
const LIMITS = {
  chime: 10,
  gateway: 100,
  firewallOfOneAddress: 3_000 / 300,
  tableGuardUnits: 4_000,
  partitionUnits: 1_000,
  concurrency: 1_000,
  concurrencyOfNewAccounts: 10,
  /** The longest that one request may take, in seconds. */
  longestRequest: 15,
};

/** What one batch of one size takes. */
interface Measured {
  gbSeconds: number;
  intent: number;
  outcome: number;
  indexes: Record<string, number>;
  admissions: number;
  sweptReads: number;
  sealReads: number;
  sealBytes: number;
  storedBytes: number;
  recoverableBytes: number;
  logBytes: number;
  answerBytes: number;
}

const setting = await createSetting();
try {
  const measured: Measured[] = [];
  for (const attendees of SIZES) measured.push(await measure(setting, attendees));
  console.log(
    [
      ...section('A million batches, in dollars', costRows(measured)),
      ...section('What one batch takes', measuredRows(measured)),
      ...section('A month without a request, in dollars', idleRows()),
      ...section('A million events of attendees, in dollars', eventRows(await eventItem())),
      ...section('Batches a second, at most', limitRows(measured)),
    ].join('\n'),
  );
} finally {
  await setting.close();
}

function costRows(measured: Measured[]): [string, ...number[]][] {
  const rows: [string, ...number[]][] = [
    ['API Gateway, requests', ...measured.map(() => PRICES.gatewayMillionRequests)],
    ['AWS WAF, requests', ...measured.map(() => PRICES.firewallMillionRequests)],
    ['Lambda, requests', ...measured.map(() => PRICES.lambdaMillionRequests)],
    ['Lambda, GB-seconds', ...measured.map(({ gbSeconds }) => gbSeconds * 1e6 * PRICES.lambdaGbSecond)],
    ['DynamoDB, writes: intent', ...measured.map(({ intent }) => writes(intent))],
    ['DynamoDB, writes: outcome', ...measured.map(({ outcome }) => writes(outcome))],
    ['DynamoDB, writes: admissions', ...measured.map(({ admissions }) => writes(admissions))],
    ...INDEX_NAMES.map((name): [string, ...number[]] => [
      `DynamoDB, writes: index \`${name}\``,
      ...measured.map(({ indexes }) => writes(indexes[name] ?? 0)),
    ]),
    [
      "DynamoDB, reads: the reconciler's sweeps",
      ...measured.map(({ sweptReads }) => sweptReads * PRICES.dynamodbMillionReads),
    ],
    [
      'DynamoDB, reads: the sealer',
      ...measured.map(({ sealReads }) => sealReads * PRICES.dynamodbMillionReads),
    ],
    ['CloudWatch Logs, the function', ...measured.map(({ logBytes }) => perMillion(logBytes, PRICES.logsGb))],
    [
      'CloudWatch Logs, access logs where they are on',
      ...measured.map(() => perMillion(ACCESS_LINE_BYTES, PRICES.logsGb)),
    ],
    [
      'data transfer, bodies of answers',
      ...measured.map(({ answerBytes }) => perMillion(answerBytes, PRICES.transferGb)),
    ],
  ];
  return [
    ...rows,
    ['**together**', ...SIZES.map((_, column) => sum(rows.map((row) => row[column + 1] as number)))],
    [
      'each month that they are kept: storage',
      ...measured.map(({ storedBytes }) => perMillion(storedBytes, PRICES.dynamodbGbMonth)),
    ],
    [
      'each month that they are kept: point-in-time recovery',
      ...measured.map(({ recoverableBytes }) => perMillion(recoverableBytes, PRICES.recoveryGbMonth)),
    ],
    [
      'each month that they are kept: seals',
      ...measured.map(({ sealBytes }) => perMillion(sealBytes, PRICES.s3GbMonth)),
    ],
  ];
}

function measuredRows(measured: Measured[]): [string, ...number[]][] {
  return [
    ['GB-seconds of a million, with 1,024 MB', ...measured.map(({ gbSeconds }) => gbSeconds * 1e6)],
    ['write units: intent', ...measured.map(({ intent }) => intent)],
    ['write units: outcome', ...measured.map(({ outcome }) => outcome)],
    ['write units: admissions', ...measured.map(({ admissions }) => admissions)],
    ...INDEX_NAMES.map((name): [string, ...number[]] => [
      `write units: index \`${name}\``,
      ...measured.map(({ indexes }) => indexes[name] ?? 0),
    ]),
    [
      'write units together',
      ...measured.map(
        ({ intent, outcome, admissions, indexes }) =>
          intent + outcome + admissions + sum(Object.values(indexes)),
      ),
    ],
    ['read units of the sweeps', ...measured.map(({ sweptReads }) => sweptReads)],
    ['read units of the sealer', ...measured.map(({ sealReads }) => sealReads)],
    ['bytes of its seals', ...measured.map(({ sealBytes }) => sealBytes)],
    ['bytes stored, indexes included', ...measured.map(({ storedBytes }) => storedBytes)],
    ['bytes stored, without indexes', ...measured.map(({ recoverableBytes }) => recoverableBytes)],
    ["bytes of the function's log", ...measured.map(({ logBytes }) => logBytes)],
    ["bytes of the gateway's log", ...measured.map(() => ACCESS_LINE_BYTES)],
    ["bytes of the answer's body", ...measured.map(({ answerBytes }) => answerBytes)],
  ];
}

function idleRows(): [string, number][] {
  const reconciler: [string, number][] = [
    [
      'reconciler: Lambda',
      (RUNS_A_MONTH / 1e6) * PRICES.lambdaMillionRequests +
        RUNS_A_MONTH * (IDLE_RUN_MS / 1000) * RECONCILER_GB * PRICES.lambdaGbSecond,
    ],
    [
      'reconciler: DynamoDB',
      (RUNS_A_MONTH / 1e6) *
        (IDLE_RUN_WRITES * PRICES.dynamodbMillionWrites + IDLE_RUN_READS * PRICES.dynamodbMillionReads),
    ],
    ['reconciler: logs', (RUNS_A_MONTH * (IDLE_RUN_LOG_BYTES + LAMBDA_LINES_BYTES) * PRICES.logsGb) / 1e9],
    ['its six metrics', METRICS_WITHOUT_REASON.reconciler * PRICES.metricMonth],
    ['observer: Lambda, DynamoDB, logs', judgingDollars()],
    ['its one metric', METRICS_WITHOUT_REASON.judging * PRICES.metricMonth],
    ['twelve alarms, on 21 metrics', ALARM_METRICS * PRICES.alarmMetricMonth],
    ['dashboard', PRICES.dashboardMonth],
    ['requests for the key of the tables', (KEY_REQUESTS_A_MONTH / 1e4) * PRICES.kmsTenThousandRequests],
  ];
  const firewall = PRICES.firewallMonth + FIREWALL_RULES * PRICES.firewallRuleMonth;
  const sealer =
    SEALER_RUNS_A_MONTH *
    (PRICES.lambdaMillionRequests / 1e6 +
      (IDLE_SEAL_MS / 1000) * SEALER_GB * PRICES.lambdaGbSecond +
      (IDLE_SEAL_READS * PRICES.dynamodbMillionReads) / 1e6 +
      // A PUT and a LIST, which cost the same.
      (2 * PRICES.s3ThousandWrites + SEALS_READ * PRICES.s3ThousandReads) / 1e3);
  const sealMetrics = SEAL_METRICS * PRICES.metricMonth + SEAL_ALARMS * PRICES.alarmMetricMonth;
  const always = sum(reconciler.map(([, dollars]) => dollars));
  return [
    ...reconciler,
    ['**not production**', always],
    ['firewall, one web ACL of four rules', firewall],
    ['sealer: Lambda, reads, S3', sealer],
    ['its four metrics, and two alarms on two of them', sealMetrics],
    ['**production**', always + firewall + sealer + sealMetrics],
    ['a Cognito machine client', PRICES.cognitoClientMonth],
    ['a token an hour for it', 24 * 30 * PRICES.cognitoToken],
    ['a customer-managed key', PRICES.kmsKeyMonth],
    [
      "the handler's four metrics, once there is traffic",
      METRICS_WITHOUT_REASON.handler * PRICES.metricMonth,
    ],
    ['each reason that occurs, of denials, bad tokens or failed requests', PRICES.metricMonth],
  ];
}

function judgingDollars(): number {
  const millions = JUDGINGS_A_MONTH / 1e6;
  return (
    millions * PRICES.lambdaMillionRequests +
    JUDGINGS_A_MONTH * (EVENT_MS / 1000) * OBSERVER_GB * PRICES.lambdaGbSecond +
    (millions / 2) * PRICES.dynamodbMillionReads +
    perMillion(millions * (JUDGING_LOG_BYTES + LAMBDA_LINES_BYTES), PRICES.logsGb)
  );
}

/** What the observer keeps of an event: its own code makes it. */
async function eventItem(): Promise<Item> {
  const kept = Promise.withResolvers<AttendeeEvent>();
  await observe(
    {
      source: 'aws.chime',
      'detail-type': 'Chime Meeting State Change',
      detail: {
        eventType: 'chime:AttendeeJoined',
        timestamp: Date.now(),
        meetingId: randomUUID(),
        attendeeId: randomUUID(),
        externalUserId: randomUUID(),
      },
    },
    {
      events: {
        keptOf: async () => [],
        insert: async (event) => {
          kept.resolve(event);
          return true;
        },
        async *arrivedIn() {},
      },
      facts: { knowsMeeting: async () => true, isAdmitted: async () => true, batchesOf: async () => [] },
      retentionDays: 365,
      clock: { now: Date.now },
      addMetrics: () => {},
      report: () => {},
    },
  );
  return marshall(await kept.promise) as Item;
}

function eventRows(item: Item): [string, number][] {
  const entries = entriesOf(
    item,
    Object.values(TABLES.events.indexes).map((index) => ({ ...index, table: TABLES.events })),
  );
  const items = [item, ...entries.map(({ entry }) => entry)];
  const rows: [string, number][] = [
    ['Lambda, requests', PRICES.lambdaMillionRequests],
    ['Lambda, GB-seconds', (EVENT_MS / 1000) * 1e6 * OBSERVER_GB * PRICES.lambdaGbSecond],
    ['DynamoDB, writes: the event and its two index entries', writes(units(items))],
    // What is kept of the attendee, consistently; in the quarter, its entry and the one of its admission.
    ['DynamoDB, reads', 2 * PRICES.dynamodbMillionReads],
    ['CloudWatch Logs', perMillion(EVENT_LOG_BYTES + LAMBDA_LINES_BYTES, PRICES.logsGb)],
  ];
  const bytes = (of: Item[]) => sum(of.map((one) => itemBytes(one) + ITEM_OVERHEAD_BYTES));
  return [
    ...rows,
    ['**together**', sum(rows.map(([, dollars]) => dollars))],
    ['each month that they are kept: storage', perMillion(bytes(items), PRICES.dynamodbGbMonth)],
    [
      'each month that they are kept: point-in-time recovery',
      perMillion(bytes([item]), PRICES.recoveryGbMonth),
    ],
  ];
}

function limitRows(measured: Measured[]): [string, ...number[]][] {
  const same = (rate: number) => measured.map(() => rate);
  const guard = LIMITS.tableGuardUnits;
  // 1,024 MB, so that a GB-second is a second.
  const byDuration = (concurrency: number) => measured.map(({ gbSeconds }) => concurrency / gbSeconds);
  const rows: [string, ...number[]][] = [
    ["Chime's BatchCreateAttendee, of the account", ...same(LIMITS.chime)],
    ["Chime's GetMeeting, of the account, where no look-up is remembered", ...same(LIMITS.chime)],
    ['firewall, from one address, on average over five minutes', ...same(LIMITS.firewallOfOneAddress)],
    [
      'one partition of the table of facts: one meeting',
      ...measured.map(({ intent, outcome }) => LIMITS.partitionUnits / (intent + outcome)),
    ],
    ['guard of the admission table', ...measured.map(({ admissions }) => guard / admissions)],
    [
      "Lambda's concurrency of 1,000, every request taking its longest",
      ...same(LIMITS.concurrency / LIMITS.longestRequest),
    ],
    ["Lambda's concurrency of 10, of a new account", ...byDuration(LIMITS.concurrencyOfNewAccounts)],
    ["the gateway's throttle", ...same(LIMITS.gateway)],
    ['guard of the audit table', ...measured.map(({ intent, outcome }) => guard / (intent + outcome))],
    [
      'one partition of the index `by-day`: the day',
      ...measured.map(({ indexes }) => LIMITS.partitionUnits / (indexes[BY_DAY] ?? Number.NaN)),
    ],
    ["Lambda's concurrency of 1,000", ...byDuration(LIMITS.concurrency)],
  ];
  return rows.toSorted((a, b) => Number(a.at(-1)) - Number(b.at(-1)));
}

/** Sends one batch to the bundle, and takes what it wrote, logged and answered. */
async function measure(setting: Setting, attendees: number): Promise<Measured> {
  const { lines, answer } = await runOnce(setting, await setting.eventFor(attendees));
  const { records, admissions } = await setting.standIn.take();
  const ofKind = (kind: string) => records.filter((record) => record['kind']?.S === kind);
  const all = [...records, ...admissions];
  const entries = all.flatMap((item) => entriesOf(item));
  const bytes = (items: Item[]) => sum(items.map((item) => itemBytes(item) + ITEM_OVERHEAD_BYTES));
  const [swept] = entries.filter(({ index }) => index === BY_DAY);
  const [outcome] = ofKind('outcome');
  if (swept === undefined || outcome === undefined) throw new Error('A batch without intent or outcome.');
  return {
    gbSeconds: publishedGbSeconds(attendees),
    intent: units(ofKind('intent')),
    outcome: units(ofKind('outcome')),
    admissions: units(admissions),
    indexes: Object.fromEntries(
      INDEX_NAMES.map((name) => [
        name,
        units(entries.filter(({ index }) => index === name).map(({ entry }) => entry)),
      ]),
    ),
    // Half a unit for 4 KB begun, since neither read is consistent: a page of keys is read as one, outcomes one by one.
    sweptReads:
      SWEEPS_OF_A_BATCH * (itemBytes(swept.entry) / 8192 + Math.ceil(itemBytes(outcome) / 4096) / 2),
    // The key of an intent is read from the index 49 times; then both records are read consistently, a unit for 4 KB begun.
    sealReads:
      (SEALED_HOURS * itemBytes(swept.entry)) / 8192 +
      sum(records.map((record) => Math.ceil(itemBytes(record) / 4096))),
    sealBytes: sum(records.map((record) => JSON.stringify(rowOfItem(record as never)).length + 2)),
    storedBytes: bytes(all) + bytes(entries.map(({ entry }) => entry)),
    recoverableBytes: bytes(all),
    // In fifties: the line's duration has a digit more or less each time.
    logBytes: Math.round((lines + LAMBDA_LINES_BYTES) / 50) * 50,
    answerBytes: Buffer.byteLength(answer),
  };
}

/** @returns the bytes that the function logged, and the body that it answered */
async function runOnce(setting: Setting, event: unknown): Promise<{ lines: number; answer: string }> {
  const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [HANDLER_DIRECTORY, 'all'], {
    env: setting.env,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let lines = 0;
  const logged = child.stdout as Readable;
  logged.on('data', (chunk: Buffer) => {
    lines += chunk.length;
  });
  await once(child, 'message');
  const block: Block = { event, requests: 1 };
  child.send(block);
  const [result] = (await once(child, 'message')) as [BlockResult];
  const ended = Promise.all([once(child, 'exit'), once(logged, 'end')]);
  child.disconnect();
  await ended;
  return { lines, answer: result.answers[0]?.body ?? '' };
}

/**
 * What `npm run bench` measured, as published: this machine may be busy now. With 1,024 MB a second is a GB-second.
 *
 * @throws where the page has no such row
 */
function publishedGbSeconds(attendees: number): number {
  const page = readFileSync(new URL('../docs/performance.md', import.meta.url), 'utf8');
  const [, ...figures] = /\| warm, the function, ms \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|/.exec(page) ?? [];
  const figure = figures[SIZES.indexOf(attendees)];
  if (figure === undefined) throw new Error('docs/performance.md has no row "warm, the function, ms".');
  return Number(figure) / 1e3;
}

/** Write request units: one for each kilobyte begun of each item. */
function units(items: Item[]): number {
  return sum(items.map((item) => Math.ceil(itemBytes(item) / 1024)));
}

function writes(unitsOfOne: number): number {
  return unitsOfOne * PRICES.dynamodbMillionWrites;
}

/** Dollars for a million times so many bytes, at a price for a GB. */
function perMillion(bytes: number, dollarsOfGb: number): number {
  return ((bytes * 1e6) / 1e9) * dollarsOfGb;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A table in Markdown, whose columns are the sizes of a batch where there is more than one. */
function section(title: string, rows: [string, ...number[]][]): string[] {
  const columns = (rows[0]?.length ?? 1) - 1;
  const heads = columns === 1 ? [''] : SIZES.map((size) => `n = ${size}`);
  return [
    `### ${title}`,
    '',
    `| | ${heads.join(' | ')} |`,
    `| --- | ${heads.map(() => '---:').join(' | ')} |`,
    ...rows.map(([what, ...values]) => `| ${what} | ${values.map(figure).join(' | ')} |`),
    '',
  ];
}

/** Two decimals below a hundred, where there are any; a dash for what has no limit. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value >= 100 || Number.isInteger(value) ? 0 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
