/**
 * Something that the person at the command line can put right, said in one line: `bin/usher.ts` prints the message
 * alone. Any other error is a bug and keeps its stack trace.
 */
export class Refusal extends Error {
  override name = 'Refusal';

  constructor(message: string) {
    // What is quoted from a file may hold line breaks.
    super(message.replace(/\s+/g, ' '));
  }
}
