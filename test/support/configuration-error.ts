import { ConfigurationError } from '../../lib/checks/configuration-error.ts';

/** The one line of the ConfigurationError that `attempt` throws, or undefined. Any other error is a bug and fails the test. */
export function problemOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}
