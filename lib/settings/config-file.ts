import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../checks/configuration-error.ts';
import { parseConfig } from './complete.ts';
import type { CompleteConfig } from './props.ts';

/**
 * Reads `config/<env>.json`, checks it and fills in its defaults.
 *
 * @throws ConfigurationError in one line that begins with the file's name: unreadable, not JSON, or refused by
 * `parseConfig`.
 */
export function loadConfig(file: string): CompleteConfig {
  return parseConfig(readConfigFile(file), file);
}

/**
 * Reads a configuration without checking it.
 *
 * @throws ConfigurationError in one line that begins with the file's name: unreadable, or not JSON.
 */
export function readConfigFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ConfigurationError(
      `${file}: ${missing ? 'the file does not exist' : `cannot be read: ${(error as Error).message}`}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`${file}: is not JSON: ${(error as Error).message}`);
  }
}
