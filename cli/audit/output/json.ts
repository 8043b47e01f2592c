/** What JSON itself leaves as it is, but a terminal or an editor may act upon. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A value as one line of JSON that is safe to print: the same value, with more of its characters escaped. */
function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** One line of JSON for each item (https://github.com/ndjson/ndjson-spec). */
export async function* toNdjson(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const item of items) yield `${jsonLine(item)}\n`;
}

/** One JSON array, with one item a line. */
export async function* toJson(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const item of items) {
    yield before + jsonLine(item);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
