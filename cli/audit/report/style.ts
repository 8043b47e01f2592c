/** The style of the page: light and dark, for a phone, a desk and paper. It fetches nothing. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #17202a; --soft: #5a6675; --paper: #ffffff; --panel: #f3f5f8; --line: #d5dbe3;
  --good: #12703a; --care: #8a5200; --bad: #b3261e; --accent: #1b4f9c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b7; --paper: #12161c; --panel: #1b212a;
  --line: #333d4a; --good: #67d08f; --care: #f0b45b; --bad: #ff8f86; --accent: #8ab8ff; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 82rem; padding: 2rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: .35rem 0 .75rem; max-width: 62rem; }
.lead, .note { color: var(--soft); }
a { color: var(--accent); }
code { font: .92em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
bdi { overflow-wrap: anywhere; }
.counts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin: 1.25rem 0; padding: 0; }
.counts li { list-style: none; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.counts b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.look { padding-left: 1.2rem; }
.look li { margin: .3rem 0; }
dl { display: grid; gap: .3rem 1.5rem; margin: .75rem 0; }
dl > div { display: grid; grid-template-columns: 9.5rem 1fr; gap: 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td { min-width: 5.5rem; }
.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
@media (min-width: 46rem) { .whole code { overflow-wrap: normal; white-space: nowrap; } }
small { color: var(--soft); font-size: .88em; display: block; }
.good { color: var(--good); } .care { color: var(--care); } .bad { color: var(--bad); }
.word { font-weight: 600; }
article { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; margin: .8rem 0; }
article dl { font-size: .9rem; }
@media (min-width: 60rem) { article dl { grid-template-columns: 1fr 1fr; } }
@media (max-width: 46rem) {
  body { padding: 1.1rem .9rem 3rem; }
  .counts { grid-template-columns: 1fr 1fr; }
  dl > div { grid-template-columns: 1fr; gap: 0; }
  thead { position: absolute; left: -999rem; }
  table, tbody, tr, td { display: block; }
  tr { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; margin: .6rem 0; background: var(--panel); }
  td { display: grid; grid-template-columns: 6rem 1fr; gap: .75rem; border: 0; padding: .2rem 0; min-width: 0; }
  td::before { content: attr(data-label); color: var(--soft); }
  article table tr { background: var(--paper); }
  .time { white-space: normal; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --panel: #fff; --line: #bbb;
    --good: #0b5a2c; --care: #704200; --bad: #96130c; --accent: #000; }
  @page { size: A4; margin: 14mm 12mm; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  table { font-size: 8pt; }
  h2 { margin-top: 1.5rem; break-after: avoid; }
  h3 { break-after: avoid; }
  thead { display: table-header-group; }
  tr, .counts li, dl > div { break-inside: avoid; }
  article { border-radius: 0; border-width: 1px 0 0; padding: .6rem 0; break-inside: auto; }
  a { text-decoration: none; }
}
`;
