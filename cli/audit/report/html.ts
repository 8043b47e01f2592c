import { printable } from '../output/printable.ts';

/** Markup, as opposed to a text. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Value = string | number | Html | readonly Html[] | undefined;

/** Markup with values in it. Values are escaped: anything that could hide, reorder or break something is shown as an escape. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.map((part, index) => part + markupOf(values[index])).join(''));
}

function markupOf(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(({ markup }) => markup).join('');
  return printable(String(value)).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Cell {
  label: string;
  value: Html;
}

/** A table that a narrow screen shows as a block per row. */
export function table(rows: readonly (readonly Cell[])[]): Html {
  const [first = []] = rows;
  const head = first.map(({ label }) => html`<th scope="col">${label}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>${row.map(({ label, value }) => html`<td data-label="${label}"><div>${value}</div></td>`)}</tr>\n`,
  );
  return html`<table><thead><tr>${head}</tr></thead>\n<tbody>\n${body}</tbody></table>\n`;
}

/** Names and their values; names without a value are left out. */
export function facts(entries: readonly (readonly [string, Html | string | undefined])[]): Html {
  const known = entries.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>\n`;
}

/** An id: may wrap on the screen, and is copied whole. */
export function id(text: string | undefined): Html {
  return html`<code>${text ?? ''}</code>`;
}

/** A name that people or clients chose: its text direction stays within it. */
export function name(text: string | undefined): Html {
  return html`<bdi>${text ?? ''}</bdi>`;
}
