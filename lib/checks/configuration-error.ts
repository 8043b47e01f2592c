/**
 * Something that the person at the command line can put right, said in one line: `bin/usher.ts` prints the message
 * alone. Any other error is a bug and keeps its stack trace.
 */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';

  constructor(message: string) {
    // What is quoted from a file may hold line breaks.
    super(message.replace(/\s+/g, ' '));
  }
}
