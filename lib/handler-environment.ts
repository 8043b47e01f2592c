import { type Stack, Token, Tokenization } from 'aws-cdk-lib';
import type { HandlerEnvironment } from '../lambda/create-attendees/environment.ts';
import { compactIssuerRules, type IssuerRules } from '../lambda/model/issuer-rules.ts';
import type { CompleteSettings } from './settings/props.ts';

/** The configuration of the handler. Each text may be, or contain, a token. */
export interface HandlerConfiguration {
  settings: Pick<CompleteSettings, 'allowedHeaders' | 'allowedOrigins' | 'audit' | 'logs'>;
  issuers: IssuerRules[];
  meetingsRegion: string;
  auditTableName: string;
  admissionTableName: string;
  metricsNamespace: string;
}

/**
 * Lambda's limit: 4 KB, measured on the compact JSON of all variables, escapes included
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
 */
export const MAX_ENVIRONMENT_BYTES = 4096;

/** A DynamoDB table has the longest CloudFormation name of all that a variable holds. */
const MAX_NAME_LENGTH = 255;

/** The longest values of these tokens, in any partition. */
const MAX_PSEUDO_PARAMETER_LENGTHS: Record<string, number> = {
  'AWS::AccountId': 12,
  'AWS::Partition': 12,
  'AWS::Region': 24,
  'AWS::StackName': 128,
  'AWS::URLSuffix': 24,
};

const TOKEN = /[$#]\{Token\[[^\]]*\]\}/g;

/** @param stack writes the tokens so that the JSON is valid once they are resolved */
export function handlerEnvironment(configuration: HandlerConfiguration, stack: Stack): HandlerEnvironment {
  return environmentOf(configuration, isInFile(configuration, stack), (value) => stack.toJsonString(value));
}

/**
 * The file of the issuers beside the function's code; undefined if they fit into its environment, where they are
 * readable. Only the environment can hold values that are known at deployment only.
 */
export function issuersFile(configuration: HandlerConfiguration, stack: Stack): string | undefined {
  if (!isInFile(configuration, stack)) return undefined;
  return JSON.stringify(configuration.issuers.map(compactIssuerRules));
}

/** The problem of an environment that Lambda would refuse, as `prop: problem`. */
export function* problemsWithEnvironment(
  configuration: HandlerConfiguration,
  stack: Stack,
): Generator<string> {
  const isApart = isInFile(configuration, stack);
  const bytes = maxEnvironmentBytes(configuration, stack, isApart);
  if (bytes <= MAX_ENVIRONMENT_BYTES) return;
  const { settings, issuers } = configuration;
  const lengths = {
    allowedOrigins: JSON.stringify(settings.allowedOrigins).length,
    allowedHeaders: JSON.stringify(settings.allowedHeaders).length,
    issuers: isApart ? 0 : JSON.stringify(issuers).length,
  };
  const [[prop] = ['allowedOrigins']] = Object.entries(lengths).toSorted(([, a], [, b]) => b - a);
  const remedy =
    prop === 'issuers'
      ? 'use values that are known at synthesis, so that a file can hold the issuers, or list fewer'
      : 'list fewer';
  yield `${prop}: would make the function's environment ${bytes} bytes long, but Lambda allows ${MAX_ENVIRONMENT_BYTES}, so the deployment would fail halfway; ${remedy}`;
}

function isInFile(configuration: HandlerConfiguration, stack: Stack): boolean {
  if (maxEnvironmentBytes(configuration, stack, false) <= MAX_ENVIRONMENT_BYTES) return false;
  return !Token.isUnresolved(JSON.stringify(configuration.issuers));
}

/** The bytes of an environment in which every token has its longest value. */
export function maxEnvironmentBytes(
  configuration: HandlerConfiguration,
  stack: Stack,
  isApart: boolean,
): number {
  const variables = environmentOf(configuration, isApart, (value) => JSON.stringify(value));
  const longest = Object.entries(variables).map(([name, value]) => [
    name,
    value.replace(TOKEN, (token: string) => longestOf(stack.resolve(tokenOf(token)))),
  ]);
  // Lambda does not document whether it keeps non-ASCII characters: escaped, they are longest.
  const json = JSON.stringify(Object.fromEntries(longest));
  return json.replace(/[^\x20-\x7e]/g, '\\u0000').length;
}

function environmentOf(
  { settings, issuers, ...configuration }: HandlerConfiguration,
  isApart: boolean,
  toJson: (value: unknown) => string,
): HandlerEnvironment {
  return {
    AUDIT_TABLE_NAME: configuration.auditTableName,
    ADMISSION_TABLE_NAME: configuration.admissionTableName,
    ...(isApart ? {} : { ISSUERS: toJson(issuers.map(compactIssuerRules)) }),
    ALLOWED_ORIGINS: toJson(settings.allowedOrigins),
    ...(settings.allowedHeaders.length > 0 && { ALLOWED_HEADERS: toJson(settings.allowedHeaders) }),
    AUDIT_RETENTION_DAYS: String(settings.audit.retentionDays ?? ''),
    MEETINGS_REGION: configuration.meetingsRegion,
    POWERTOOLS_SERVICE_NAME: 'usher',
    POWERTOOLS_LOG_LEVEL: settings.logs.level,
    POWERTOOLS_METRICS_NAMESPACE: configuration.metricsNamespace,
  };
}

function tokenOf(text: string): unknown {
  return Tokenization.reverseCompleteString(text) ?? Tokenization.reverseList([text]);
}

/** The longest value of a token. */
function longestOf(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  const { Ref: ref, 'Fn::Join': join } = (resolved ?? {}) as { Ref?: string; 'Fn::Join'?: [string, unknown] };
  if (join !== undefined && Array.isArray(join[1])) return join[1].map(longestOf).join(join[0]);
  return 'x'.repeat(MAX_PSEUDO_PARAMETER_LENGTHS[ref ?? ''] ?? MAX_NAME_LENGTH);
}
