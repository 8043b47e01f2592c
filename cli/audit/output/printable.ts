/**
 * Everything that could move a cursor, break a row, hide, or look like a plain space: control and format characters,
 * surrogates without a partner, private use, unassigned, and all separators but the space. Backslashes too, so that the
 * output is unambiguous.
 */
const UNSAFE = /[\p{C}\p{Z}\\]/gu;

/** A text that is safe in a terminal and a row, with escapes like JavaScript's. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === ' ') return character;
    const short = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}
