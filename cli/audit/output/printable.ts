/**
 * Everything that could move a cursor, break a row, hide, or pass for a plain space: control and format characters,
 * surrogates without a partner, private use, unassigned, and all separators but the space. Backslashes too, so that
 * what is shown is unambiguous.
 */
const UNSAFE = /[\p{C}\p{Z}\\]/gu;

/** A text as a terminal and a row can have it, with escapes in the manner of JavaScript. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === ' ') return character;
    const short = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}
