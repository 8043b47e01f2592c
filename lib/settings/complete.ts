import { Token } from 'aws-cdk-lib';
import type { z } from 'zod';
import { throwProblems } from '../checks/configuration-error.ts';
import { problemsWithConfig, problemsWithSettings } from './checks.ts';
import type { CompleteConfig, CompleteSettings, FacadeSettings } from './props.ts';
import { configSchema, DEFAULT_RESOURCE_SERVER, facadeSchema, MAX_LOCK_DAYS } from './schema.ts';
import { INFINITE_DAYS, numberIn } from './time-span.ts';

/** Settings with every default filled in, or their problems. */
export type Checked<Complete> =
  | { readonly complete: Complete; readonly problems: readonly [] }
  | { readonly complete: undefined; readonly problems: readonly string[] };

/** Checks a facade's settings and fills in their defaults. Each problem is `path.of.the.key: sentence`. */
export function checkSettings(settings: FacadeSettings): Checked<CompleteSettings> {
  return check<CompleteSettings>(facadeSchema, asInFile(settings), problemsWithSettings);
}

/**
 * Checks settings and fills in their defaults.
 *
 * @param name names the settings in messages
 * @throws ConfigurationError with a line for each problem, as `name: path.of.the.key: sentence`
 */
export function completeSettings(settings: FacadeSettings, name: string): CompleteSettings {
  return completeOrThrow(checkSettings(settings), name);
}

/**
 * Checks a configuration and fills in its defaults.
 *
 * @param value what the JSON file holds
 * @param name the file's name, for messages
 * @throws ConfigurationError with a line for each problem, as `name: path.of.the.key: sentence`
 */
export function parseConfig(value: unknown, name: string): CompleteConfig {
  const checked = check<CompleteConfig>(configSchema, asInFile(value), (config) => [
    ...problemsWithSettings(config),
    ...problemsWithConfig(config),
  ]);
  return completeOrThrow(checked, name);
}

function completeOrThrow<Complete>({ complete, problems }: Checked<Complete>, name: string): Complete {
  throwProblems(name, problems);
  return complete as Complete;
}

function check<Complete>(
  schema: z.ZodType<Complete>,
  value: unknown,
  problemsWith: (complete: Complete) => string[],
): Checked<Complete> {
  const parsed = schema.safeParse(value, { error: messageOf });
  const problems = parsed.success
    ? problemsWith(parsed.data)
    : parsed.error.issues.map((issue) => describe(issue, value));
  return parsed.success && problems.length === 0
    ? { complete: parsed.data, problems: [] }
    : { complete: undefined, problems };
}

/** Settings in the form of a configuration file, which keeps audit records for ever by leaving the key out. */
function asInFile(value: unknown): unknown {
  const written = asWritten(value) as { audit?: { retentionDays?: unknown } };
  if (written?.audit?.retentionDays !== INFINITE_DAYS) return written;
  const { retentionDays, ...audit } = written.audit;
  return { ...written, audit };
}

/**
 * Turns settings in code into those of a configuration file: `key: condition ? value : undefined` leaves a key out, and
 * a duration becomes a number.
 */
function asWritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asWritten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, asWritten(numberIn(name, member))]),
  );
}

/** The firewall is on in production, unless the settings say otherwise. */
export function hasFirewall({
  firewall,
  production,
}: Pick<CompleteSettings, 'firewall' | 'production'>): boolean {
  return firewall.enabled ?? production;
}

/** Seals are made in production, unless the settings say otherwise, and not by default where the audit goes with its stack. */
export function hasSeals(
  { seals, production }: Pick<CompleteSettings, 'seals' | 'production'>,
  { isDestroyed }: { isDestroyed: boolean },
): boolean {
  return seals.enabled ?? (production && !isDestroyed);
}

const LOCK_BEYOND_RECORDS_DAYS = 30;
const DEFAULT_LOCK_DAYS = 3650;

/** How long a seal is locked, in days. */
export function lockDaysOf({ audit, seals }: Pick<CompleteSettings, 'audit' | 'seals'>): number {
  if (seals.lockDays !== undefined) return seals.lockDays;
  if (audit.retentionDays === undefined) return DEFAULT_LOCK_DAYS;
  return Math.min(audit.retentionDays + LOCK_BEYOND_RECORDS_DAYS, MAX_LOCK_DAYS);
}

/** The identifier of the resource server in Cognito. */
export function resourceServerOf({ cognito }: Pick<CompleteSettings, 'cognito'>): string {
  return cognito.resourceServer ?? DEFAULT_RESOURCE_SERVER;
}

/** The default message of a key, from its bounds. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  const given = textOf(issue.input);
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}, which would have no effect; correct the spelling, or remove it`;
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing; it must be ${nounOf(issue.expected)}`
        : `is ${given}; it must be ${nounOf(issue.expected)}`;
    case 'invalid_value':
      return `is ${given}; it must be ${oneOf(issue.values.map((value) => JSON.stringify(value)))}`;
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `is ${given}; it must be at least ${issue.minimum}`
        : 'is empty; at least one is required';
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `is ${given}; it must be at most ${issue.maximum}`
        : `is too long; at most ${issue.maximum} are allowed`;
    default:
      return undefined;
  }
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(JSON.stringify(value));
}

const NOUNS: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function nounOf(expected: string): string {
  return NOUNS[expected] ?? expected;
}

function oneOf(values: string[]): string {
  return values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function describe(issue: z.core.$ZodIssue, value: unknown): string {
  const path = pathOf(issue.path);
  const sentence = sentenceOf(issue, value);
  return path === '' ? sentence : `${path}: ${sentence}`;
}

function sentenceOf(issue: z.core.$ZodIssue, value: unknown): string {
  let refused = value;
  for (const key of issue.path) {
    refused = (refused as Record<PropertyKey, unknown> | undefined)?.[key];
    // If the text around a deploy-time part is invalid, the message says so.
    const isAllOfIt = Array.isArray(refused) || issue.code !== 'custom';
    if (isAllOfIt && Token.isUnresolved(refused)) {
      return 'is only known at deployment, so it cannot be checked now; use a value that is known at synthesis';
    }
  }
  return issue.message;
}

/** `['issuers', 0, 'scopes', 'self']` as `issuers[0].scopes.self`. */
function pathOf(path: PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}
