import { ConfigurationError } from '../../lib/checks/configuration-error.ts';

/** What is refused, in its one line, or undefined. Anything else than a refusal is a bug and fails the test. */
export function refusal(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}
