import { type Batch, callerIdOf, callerOf, externalMeetingIdOf, remarkOn, timeOfBatch } from '../batches.ts';
import { inShort, presenceIn } from '../output/table.ts';
import type { Damage } from '../readable.ts';
import { attendeesOf, excessOf, namesLeftOut } from '../results.ts';
import { type Sealing, sealingSection } from '../seals/page.ts';
import { grouped } from '../streams.ts';
import { type AttendeeLine, RESULTS, type Result, STATES, type State } from '../words.ts';
import { documentOf } from './document.ts';
import { type Cell, facts, type Html, html, id, name, table } from './html.ts';

/** What a report says of itself. */
export interface ReportFacts {
  /** For example `Meeting 5b1e…`. */
  title: string;
  /** Of the batches: `from … to …`, or that all are there. */
  time: string;
  madeAtMs: number;
  /** As it was typed. */
  command: string;
  /** The tables and where they are. */
  source: string;
  /** `sha256:` and the digest of the data, and how to get it again. */
  digest: string;
  digestCommand: string;
  /** Whether Chime's events are known. */
  hasEvents: boolean;
  damages: readonly Damage[];
  /** What was not looked for. */
  notes: readonly string[];
  /** The one user or attendee that the report is about: others of the same requests are counted, not named. */
  about?: { externalUserId: string } | { attendeeId: string };
  /** Whether the records are as they were sealed; undefined where that was not asked. */
  sealing?: Sealing;
}

/** One attendee with its batch. */
interface Entry {
  batch: Batch;
  line: AttendeeLine;
}

const TONES: Record<Result | State, 'good' | 'care' | 'bad'> = {
  ...{ issued: 'good', ISSUED: 'good' },
  ...{ withheld: 'care', 'exists, token not delivered': 'care', 'not issued': 'care' },
  ...{ PARTIAL: 'care', RECOVERED: 'care', NOT_ISSUED: 'care', OPEN: 'care' },
  ...{ refused: 'bad', unknown: 'bad', denied: 'bad', 'present without a record': 'bad', NO_RECORD: 'bad' },
  ...{ FAILED: 'bad', UNRESOLVED: 'bad', DENIED: 'bad', DAMAGED: 'bad' },
};

/** A section: a further one, such as a proof that nothing was changed, is a further entry of this list. */
type Section = (report: Report) => Html | undefined;

interface Report {
  facts: ReportFacts;
  batches: readonly Batch[];
  entries: readonly Entry[];
  /** Attendees of the same requests that the report is not about. */
  others: number;
}

const SECTIONS: readonly Section[] = [
  overview,
  lookAtThese,
  ({ facts: { sealing } }) => sealing && sealingSection(sealing),
  withoutRecord,
  letIn,
  (report) => attendeesSection(report, 'unknown', 'Unknown', ['unknown']),
  (report) =>
    attendeesSection(report, 'exists', 'Exists, token not delivered', ['exists, token not delivered']),
  denied,
  (report) =>
    attendeesSection(report, 'others', 'Refused, withheld, not issued', [
      'refused',
      'withheld',
      'not issued',
    ]),
  callers,
  requests,
  words,
  limits,
];

/** One self-contained page: no script, nothing from elsewhere, no token. */
export function reportPage(reportFacts: ReportFacts, found: readonly Batch[]): string {
  const batches = found.filter(({ state }) => state !== 'NO_RECORD');
  const all = found.flatMap((batch) => attendeesOf(batch).map((line) => ({ batch, line })));
  const entries = all.filter(({ line }) => isAbout(line, reportFacts.about));
  const report: Report = { facts: reportFacts, batches, entries, others: all.length - entries.length };
  return documentOf(
    reportFacts.title,
    SECTIONS.map((section) => section(report)),
  );
}

function isAbout(line: AttendeeLine, about: ReportFacts['about']): boolean {
  if (about === undefined) return true;
  return 'attendeeId' in about
    ? line.attendeeId === about.attendeeId
    : line.externalUserId === about.externalUserId;
}

function overview({ facts: { title, time, madeAtMs, command, source }, batches, entries }: Report): Html {
  const distinct = (values: (string | undefined)[]) => new Set(values.filter(Boolean)).size;
  const counts: [string, number][] = [
    ['requests', batches.length],
    ['meetings', distinct(batches.map(({ meetingId }) => meetingId))],
    ['callers', distinct(batches.map(callerIdOf))],
    ['users named', distinct(entries.map(({ line }) => line.externalUserId))],
    ['denied requests', batches.filter(({ state }) => state === 'DENIED').length],
  ];
  const results = Object.keys(RESULTS).filter((result) => result !== 'denied') as Result[];
  const tiles = [
    ...counts.map(([label, count]) => html`<li><b>${count}</b>${label}</li>`),
    ...results.map((result) => {
      const count = of(entries, [result]).length;
      return html`<li><b class="${count > 0 ? TONES[result] : undefined}">${count}</b>${result}</li>`;
    }),
  ];
  return html`<header>
<h1>${title}</h1>
<p class="lead">Usher audit report: who was let in by whom, when, from where and with which rights. ${time}</p>
${facts([
  ['Made', html`<span class="time">${isoTime(madeAtMs)}</span>`],
  ['From', source],
  ['Command', id(command)],
])}
<ul class="counts">${tiles}</ul>
</header>`;
}

function lookAtThese({ facts: { damages, notes }, batches, entries }: Report): Html {
  const inState = (...states: State[]) => batches.filter(({ state }) => states.includes(state)).length;
  const lines: [number, Html][] = [
    [
      of(entries, ['present without a record']).length,
      html`attendees whom no record explains: <a href="#without-record">who</a>`,
    ],
    [damages.length, html`records that cannot be read and were skipped: <a href="#limits">which</a>`],
    [
      inState('UNRESOLVED'),
      html`requests whose result stays unknown, since the meeting ended first (UNRESOLVED)`,
    ],
    [inState('OPEN'), html`requests without an outcome yet (OPEN): ask again later`],
    [of(entries, ['unknown']).length, html`attendees of whom nothing is known: <a href="#unknown">who</a>`],
    [
      of(entries, ['exists, token not delivered']).length,
      html`attendees that exist without a delivered token: <a href="#exists">who</a>`,
    ],
    [inState('DENIED'), html`denied requests: <a href="#denied">which</a>`],
    [
      of(entries, ['withheld']).length,
      html`attendees whose token a rule kept back: <a href="#others">who</a>`,
    ],
    [
      entries.filter(({ line }) => line.above === 'ceiling').length,
      html`attendees with more rights than the scope of their caller gives: they existed before`,
    ],
    [
      batches.filter(({ outcome }) => outcome?.attribution === 'ambiguous').length,
      html`requests whose attendees another request may have made (attribution ambiguous)`,
    ],
  ];
  const found = lines.filter(([count]) => count > 0);
  const items = [
    ...found.map(([count, text]) => html`<li><b>${count}</b> ${text}</li>`),
    ...notes.map((note) => html`<li>${note}</li>`),
  ];
  return html`<section><h2>Look at these first</h2>
${items.length === 0 ? html`<p>Nothing is unknown, denied, withheld or unfinished in this report.</p>` : html`<ul class="look">${items}</ul>`}
</section>`;
}

/** Who came in by another door, as Chime's events say. */
function withoutRecord({ entries }: Report): Html | undefined {
  const found = of(entries, ['present without a record']);
  if (found.length === 0) return undefined;
  const rows = found.map((entry) => [
    ...whoAndWhen(entry),
    cell('Joined', html`${presenceIn(entry.line)}<small>${entry.line.reason}</small>`),
    cell('Meeting', meetingOf(entry.batch)),
  ]);
  return html`<section id="without-record"><h2>Present without a record: ${rows.length}</h2>
<p class="note">${RESULTS['present without a record']}</p>
${table(rows)}</section>`;
}

function joinedCells({ line }: Entry, { facts: { hasEvents } }: Report): Cell[] {
  return hasEvents ? [cell('Joined', html`${presenceIn(line)}`)] : [];
}

function letIn(report: Report): Html {
  const { entries, others } = report;
  const rows = of(entries, ['issued']).map((entry) => [
    ...whoAndWhen(entry),
    cell('Rights', html`${rightsOf(entry.line)}`),
    ...joinedCells(entry, report),
    ...byWhom(entry.batch),
    cell('Meeting', meetingOf(entry.batch)),
  ]);
  return html`<section id="let-in"><h2>Let in: ${rows.length}</h2>
<p class="note">${RESULTS.issued}</p>
${rows.length === 0 ? html`<p>No one.</p>` : table(rows)}
${others > 0 ? html`<p class="note">${others} other attendees of the same requests are left out.</p>` : undefined}
</section>`;
}

function attendeesSection(
  { entries }: Report,
  anchor: string,
  title: string,
  results: Result[],
): Html | undefined {
  const found = of(entries, results);
  if (found.length === 0) return undefined;
  const rows = found.map((entry) => [
    ...whoAndWhen(entry),
    cell('Result', html`${word(entry.line.result)}<small>${entry.line.reason}</small>`),
    ...byWhom(entry.batch),
    cell('Meeting', meetingOf(entry.batch)),
  ]);
  return html`<section id="${anchor}"><h2>${title}: ${rows.length}</h2>
${results.map((result) => html`<p class="note">${word(result)}: ${RESULTS[result]}</p>`)}
${table(rows)}</section>`;
}

function denied({ facts: { about }, batches }: Report): Html | undefined {
  const denials = batches.filter(({ state }) => state === 'DENIED');
  if (denials.length === 0) return undefined;
  const rows = denials.map((batch) => {
    const leftOut = namesLeftOut(batch);
    const names = attendeesOf(batch).filter((line) => isAbout(line, about));
    return [
      cell('Time', timeCell(batch)),
      cell(
        'For',
        html`${names.map(({ externalUserId }) => html`<div>${name(externalUserId)}</div>`)}${
          leftOut > 0 ? html`<small>${leftOut} more, not on record</small>` : undefined
        }`,
      ),
      cell('Rule', html`<span class="word bad">${batch.denial?.rule}</span>`),
      ...byWhom(batch),
      cell('Meeting', meetingOf(batch)),
    ];
  });
  return html`<section id="denied"><h2>Denied requests: ${rows.length}</h2>
<p class="note">${RESULTS.denied} Requests without a valid token leave no record.</p>
${table(rows)}</section>`;
}

function callers({ batches }: Report): Html {
  const groups = grouped(batches, (batch) => callerIdOf(batch) ?? 'not on record');
  const rows = [...groups]
    .toSorted(([, one], [, other]) => other.length - one.length)
    .map(([caller, own]) => {
      const lines = own.flatMap((batch) => attendeesOf(batch));
      const addresses = [...new Set(own.map((batch) => callerOf(batch)?.sourceIp ?? ''))].filter(Boolean);
      return [
        cell('Caller', id(caller)),
        cell('Requests', html`${own.length}`),
        cell('Issued', html`${lines.filter(({ result }) => result === 'issued').length}`),
        cell('Denied', html`${own.filter(({ state }) => state === 'DENIED').length}`),
        cell('From', html`${addresses.map((address) => html`<div>${id(address)}</div>`)}`),
      ];
    });
  return html`<section><h2>Callers: ${rows.length}</h2>
<p class="note">Issuer, client id and subject of the token. All of their requests in this report are counted.</p>
${rows.length === 0 ? html`<p>None.</p>` : table(rows)}</section>`;
}

function requests({ facts: { about }, batches }: Report): Html {
  return html`<section><h2>Every request, by time: ${batches.length}</h2>
${batches.map((batch) => requestCard(batch, about))}</section>`;
}

function requestCard(batch: Batch, about: ReportFacts['about']): Html {
  const { intent, outcome, denial } = batch;
  const caller = callerOf(batch);
  const asking = intent ?? denial;
  const lines = attendeesOf(batch);
  const shown = lines.filter((line) => isAbout(line, about));
  const rows = shown.map((line) => [
    cell('User', name(line.externalUserId)),
    cell('Result', html`${word(line.result)}<small>${line.reason}</small>`),
    cell('Rights', html`${rightsOf(line)}`),
    cell('Attendee', id(line.attendeeId)),
    cell('Token fingerprint', id(line.tokenFingerprint)),
  ]);
  const others = lines.length - shown.length + namesLeftOut(batch);
  return html`<article>
<h3><span class="time">${timeOfBatch(batch.batchId)}</span> <span class="word ${TONES[batch.state]}">${batch.state}</span></h3>
${facts([
  ['Batch', id(batch.batchId)],
  ['Meeting', meetingOf(batch)],
  ['Caller', caller && html`${name(caller.clientId)} / ${name(caller.subject)}`],
  ['Issuer', caller?.issuer],
  ['Scope', caller && (caller.scope ?? 'none')],
  ['From', caller && id(caller.sourceIp)],
  ['User agent', caller?.userAgent],
  [
    'Rules',
    asking?.rulesDigest && html`${id(asking.rulesDigest)}, function version ${asking.functionVersion}`,
  ],
  ['Token id', caller?.tokenId && id(caller.tokenId)],
  ['Gateway request', caller?.gatewayRequestId && id(caller.gatewayRequestId)],
  ['Chime request', outcome?.chimeRequestId && id(outcome.chimeRequestId)],
  ['Outcome', outcome && html`${outcome.recordedAt}, by the ${outcome.writtenBy}`],
  ['Remark', remarkOn(batch)],
  ['Kept until', asking?.expiresAt === undefined ? undefined : isoTime(asking.expiresAt * 1000)],
])}
${rows.length > 0 ? table(rows) : undefined}
${others > 0 ? html`<p class="note">${others} more attendees are not shown here.</p>` : undefined}
</article>`;
}

function words(): Html {
  const states = Object.entries(STATES).map(([state, sentence]) => [word(state as State), sentence] as const);
  const results = Object.entries(RESULTS).map(
    ([result, sentence]) => [word(result as Result), sentence] as const,
  );
  const listed = [...results, ...states].map(
    ([term, sentence]) => html`<div><dt>${term}</dt><dd>${sentence}</dd></div>`,
  );
  return html`<section><h2>What the words mean</h2>
<p>Words in small letters are of one attendee, words in capitals of one request.</p>
<dl>${listed}</dl></section>`;
}

function limits({ facts: { damages, digest, digestCommand, hasEvents } }: Report): Html {
  return html`<section id="limits"><h2>What this page does not know, and how to check it</h2>
<p>It has what Usher recorded before it answered. Whether an answer arrived is not in it. ${
    hasEvents
      ? "Who joined, and who is present without a record, is what Chime's events say, in meetings that Usher knew by then. Events are best effort: a missing one proves nothing."
      : 'Whether anyone joined is not in it, nor are attendees that were created with AWS credentials, past Usher.'
  } Requests without a valid token leave no record. Join tokens
are not in it: a fingerprint is the beginning of a token's SHA-256. Names and subjects that hold control characters are shown
with escapes.</p>
${facts([
  ['Digest of the data', id(digest)],
  ['Get it again', id(digestCommand)],
])}
${
  damages.length > 0
    ? html`<p><b>Records that cannot be read, and were skipped:</b></p><ul>${damages.map(
        ({ item, problem }) => html`<li>${id(item)}: ${problem}</li>`,
      )}</ul>`
    : undefined
}</section>`;
}

function of(entries: readonly Entry[], results: readonly Result[]): Entry[] {
  return entries.filter(({ line }) => results.includes(line.result));
}

const cell = (label: string, value: Html): Cell => ({ label, value });

function whoAndWhen({ batch, line }: Entry): Cell[] {
  return [
    cell('Time', timeCell(batch, line.firstSeenAt)),
    cell('User', html`${name(line.externalUserId)}<small>${id(line.attendeeId)}</small>`),
  ];
}

function timeCell({ batchId }: Batch, firstSeenAt?: string): Html {
  return html`<span class="time">${(firstSeenAt ?? timeOfBatch(batchId))
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC')}</span>`;
}

function byWhom(batch: Batch): Cell[] {
  const caller = callerOf(batch);
  return [
    cell('By', html`${name(caller?.clientId)}<small>${name(caller?.subject)}</small>`),
    cell('From', html`<span class="whole">${id(caller?.sourceIp)}</span>`),
    cell('Scope', html`${caller && (caller.scope ?? 'none')}`),
  ];
}

function meetingOf(batch: Batch): Html {
  const external = externalMeetingIdOf(batch);
  return html`${id(batch.meetingId)}${external === undefined ? undefined : html`<small>${name(external)}</small>`}`;
}

function rightsOf(attendee: AttendeeLine): Html {
  const excess = excessOf(attendee);
  return html`${inShort(attendee.capabilities)}${excess && html`<small>${excess}</small>`}`;
}

function word(term: Result | State): Html {
  return html`<span class="word ${TONES[term]}">${term}</span>`;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
