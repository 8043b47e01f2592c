import { once } from 'node:events';
import { styleText } from 'node:util';
import { toJson, toNdjson } from './output/json.ts';
import type { Paper } from './output/layout.ts';
import { startProgress } from './progress.ts';

export type OutputForm = 'table' | 'json' | 'ndjson' | 'csv';

/** How an item is written in each form that depends on its type. */
export interface Forms<Item> {
  table(items: AsyncIterable<Item>): AsyncIterable<string>;
  csv(items: AsyncIterable<Item>): AsyncIterable<string>;
  /** The JSON of an item; by default the item itself. */
  toPlain?(item: Item): unknown;
}

/**
 * Prints items as they arrive, no faster than they are read.
 *
 * @param total how much has been read, if that is not the number of items
 * @returns how many items there were
 */
export async function print<Item>(
  output: OutputForm,
  items: AsyncIterable<Item>,
  forms: Forms<Item>,
  total?: () => number,
): Promise<number> {
  let count = 0;
  async function* counted(): AsyncGenerator<Item> {
    for await (const item of items) {
      count += 1;
      yield item;
    }
  }
  async function* plain(): AsyncGenerator<unknown> {
    for await (const item of counted()) yield forms.toPlain ? forms.toPlain(item) : item;
  }
  const progress = startProgress(process.stderr, total ?? (() => count));
  const texts = {
    json: () => toJson(plain()),
    ndjson: () => toNdjson(plain()),
    table: () => forms.table(counted()),
    csv: () => forms.csv(counted()),
  }[output]();
  try {
    for await (const text of texts) {
      progress.clear();
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    }
  } finally {
    progress.stop();
  }
  return count;
}

/** `styleText` respects terminals and NO_COLOR. */
export function paperOf(stream: NodeJS.WriteStream): Paper {
  return {
    width: stream.columns ?? Number.POSITIVE_INFINITY,
    colours: styleText('bold', 'x', { stream }) !== 'x',
  };
}
