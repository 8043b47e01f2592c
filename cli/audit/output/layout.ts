import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { getBorderCharacters, table } from 'table';
import { printable } from './printable.ts';

/** What is known of the output device. */
export interface Paper {
  /** Characters per line; Infinity if nothing cuts lines. */
  width: number;
  colours: boolean;
}

/**
 * A column. An `id` is never cut or broken, so that it can be copied; `text` is cut, visibly, if space is short;
 * `prose` continues on the next line.
 */
export interface Column {
  title: string;
  kind: 'id' | 'text' | 'prose';
}

/** The gap between two columns. */
const GAP = 2;
const MIN_WIDTHS = { id: Number.POSITIVE_INFINITY, text: 8, prose: 16 };

const COLOURS: Record<string, Parameters<typeof styleText>[0]> = {
  ISSUED: 'green',
  issued: 'green',
  PARTIAL: 'yellow',
  RECOVERED: 'yellow',
  'exists, token not delivered': 'yellow',
  NOT_ISSUED: 'yellow',
  'not issued': 'yellow',
  withheld: 'yellow',
  OPEN: 'cyan',
  unknown: 'red',
  FAILED: 'red',
  refused: 'red',
  UNRESOLVED: 'red',
  DAMAGED: 'red',
  DENIED: 'red',
  denied: 'red',
  NO_RECORD: 'red',
  'present without a record': 'red',
};

/** Rows in columns, or a block of lines for each row if the paper is too narrow. */
export function layOut(columns: readonly Column[], rows: readonly string[][], paper: Paper): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = columns.map(({ title }, index) =>
    Math.max(...[title, ...cells.map((row) => row[index] ?? '')].map((cell) => stringWidth(cell))),
  );
  const fitted = narrowed(columns, widths, paper.width - GAP * (columns.length - 1));
  return fitted === undefined ? inBlocks(columns, cells, paper) : inColumns(columns, cells, fitted, paper);
}

/** Narrows the widest column that can be narrower until all columns fit. @returns undefined if they do not */
function narrowed(columns: readonly Column[], widths: number[], available: number): number[] | undefined {
  const fitted = widths.map((width) => Math.max(1, width));
  for (let sum = fitted.reduce((a, b) => a + b, 0); sum > available; sum -= 1) {
    const spare = fitted.map((width, index) =>
      width > MIN_WIDTHS[columns[index]?.kind ?? 'id'] ? width : 0,
    );
    const widest = Math.max(...spare);
    if (widest === 0) return undefined;
    fitted[spare.indexOf(widest)] = widest - 1;
  }
  return fitted;
}

function inColumns(columns: readonly Column[], cells: string[][], widths: number[], paper: Paper): string {
  const fitted = cells.map((row) =>
    row.map((cell, index) => (columns[index]?.kind === 'text' ? cut(cell, widths[index] ?? 0) : cell)),
  );
  const header = columns.map(({ title }) => paint('bold', title, paper));
  return table([header, ...fitted.map((row) => row.map((cell) => coloured(cell, paper)))], {
    border: getBorderCharacters('void'),
    drawHorizontalLine: () => false,
    columnDefault: { paddingLeft: 0, paddingRight: GAP, wrapWord: true },
    columns: widths.map((width, index) => ({
      width,
      ...(index === columns.length - 1 && { paddingRight: 0 }),
    })),
  }).replace(/ +$/gm, '');
}

/** Each value whole, on its own line, which a terminal may wrap but which is copied as it is. */
function inBlocks(columns: readonly Column[], cells: string[][], paper: Paper): string {
  const margin = Math.max(...columns.map(({ title }) => title.length)) + GAP;
  const blocks = cells.map((row) =>
    columns
      .flatMap(({ title, kind }, index) => {
        const value = row[index] ?? '';
        if (value === '') return [];
        const available = paper.width - margin;
        const isWide = kind !== 'prose' && stringWidth(value) > available;
        if (isWide) return [paint('bold', title, paper), ' '.repeat(GAP) + coloured(value, paper)];
        const lines = kind === 'prose' ? wrap(value, available) : [value];
        const [first = '', ...rest] = lines.map((line) => coloured(line, paper));
        return [
          paint('bold', title.padEnd(margin), paper) + first,
          ...rest.map((line) => ' '.repeat(margin) + line),
        ];
      })
      .join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

/** Lines of whole words; a word longer than a line stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || stringWidth(`${last} ${word}`) > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** A user named like a state gets its colour too: no reader confuses the columns. */
export function coloured(cell: string, paper: Paper): string {
  const [word = ''] = cell.split(': ');
  const colour = Object.hasOwn(COLOURS, word) ? COLOURS[word] : undefined;
  return colour === undefined ? cell : paint(colour, word, paper) + cell.slice(word.length);
}

export function paint(style: Parameters<typeof styleText>[0], text: string, { colours }: Paper): string {
  return colours ? styleText(style, text, { validateStream: false }) : text;
}
