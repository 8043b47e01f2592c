import { documentOf } from '../report/document.ts';
import { type Cell, facts, type Html, html, id, table } from '../report/html.ts';
import { FINDINGS, type Finding } from './findings.ts';

/** What a page says of the seals. */
export interface Sealing {
  /** What was verified, in sentences. */
  lines: readonly string[];
  findings: readonly Finding[];
  /** How many there are; a page need not show all. */
  found: number;
  /** Whether there is any seal. */
  isSealed: boolean;
}

/** The page of `--verify`. */
export function sealPage(
  sealing: Sealing,
  { source, command, nowMs }: { source: string; command: string; nowMs: number },
): string {
  const header = html`<header>
<h1>Are the records as they were sealed?</h1>
<p class="lead">Usher audit report: the table of facts, compared with the seals of each hour.</p>
${facts([
  ['Made', html`<span class="time">${new Date(nowMs).toISOString()}</span>`],
  ['From', source],
  ['Command', id(command)],
])}
</header>`;
  return documentOf('seals', [header, sealingSection(sealing)]);
}

/** A section with the result. */
export function sealingSection({ lines, findings, found, isSealed }: Sealing): Html {
  const kinds = [...new Set(findings.map(({ finding }) => finding))];
  const rows = findings.map((finding) => [
    cell('Finding', html`<span class="word bad">${finding.finding}</span>`),
    cell('Hour', html`<span class="time">${finding.hour}</span>`),
    cell('Meeting', id(finding.meetingId)),
    cell('Record', id(finding.recordId)),
    cell('What shows it', html`${finding.detail}`),
  ]);
  return html`<section id="sealed"><h2>${isSealed ? html`Not as it was sealed: ${found}` : html`Not verified: there are no seals`}</h2>
${lines.map((line) => html`<p class="note">${line}</p>`)}
${kinds.map((kind) => html`<p class="note"><span class="word bad">${kind}</span>: ${FINDINGS[kind]}</p>`)}
${found > 0 ? table(rows) : isSealed ? html`<p>Nothing: every record that was compared is as it was sealed.</p>` : undefined}
${found > rows.length ? html`<p class="note">${found - rows.length} more are not shown here: take --output csv.</p>` : undefined}
</section>`;
}

const cell = (label: string, value: Html): Cell => ({ label, value });
