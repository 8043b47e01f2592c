import { type Batch, callerIdOf, callerOf } from '../batches.ts';
import { attendeesOf, namesLeftOut } from '../results.ts';
import { STATES } from '../words.ts';

/** Characters that JSON keeps, but a terminal or an editor may interpret. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A value as one line of JSON that is safe to print: the same value, with more of its characters escaped. */
function jsonLine(value: unknown): string {
  return JSON.stringify(value, plain).replace(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** DynamoDB types that JSON lacks: only a person can have written them. */
function plain(_name: string, value: unknown): unknown {
  if (value instanceof Set) return [...value];
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

/** A batch with the result of each attendee, in the words of every output. */
export function withResults({ presenceOf, withoutRecord, ...batch }: Batch): object {
  const leftOut = namesLeftOut(batch);
  return {
    ...batch,
    callerId: callerIdOf(batch),
    caller: callerOf(batch),
    explanation: STATES[batch.state],
    attendees: attendeesOf({
      ...batch,
      ...(presenceOf && { presenceOf }),
      ...(withoutRecord && { withoutRecord }),
    }),
    ...(leftOut > 0 && { namesLeftOut: leftOut }),
  };
}

/** One line of JSON for each item (https://github.com/ndjson/ndjson-spec). */
export async function* toNdjson(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const item of items) yield `${jsonLine(item)}\n`;
}

/** One JSON array, with one item per line. */
export async function* toJson(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const item of items) {
    yield before + jsonLine(item);
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
