/**
 * The problems of a configuration, a line each, as `where: prop: problem; remedy`. `bin/usher.ts` prints the message
 * alone. Any other error is a bug and keeps its stack trace.
 */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
  /** One line each, at least one. */
  readonly problems: readonly string[];

  constructor(...problems: [string, ...string[]]) {
    // A quoted value may contain line breaks.
    const lines = problems.map((problem) => problem.replace(/\s+/g, ' '));
    super(lines.join('\n'));
    this.problems = lines;
  }
}

/** @throws ConfigurationError with every problem, if any */
export function throwProblems(where: string, problems: Iterable<string>): void {
  const [first, ...others] = [...new Set(problems)].map((problem) => `${where}: ${problem}`);
  if (first !== undefined) throw new ConfigurationError(first, ...others);
}
