import { Token } from 'aws-cdk-lib';

/**
 * CDK's placeholders for context values until the CLI has looked them up; the CLI then synthesizes again (aws-cdk-lib:
 * `StringParameter.valueFromLookup`, `HostedZone.fromLookup`, `Role.fromLookup`).
 */
const LOOKUP_PLACEHOLDER = /dummy-value-for-|role\/DUMMY_ARN$/;

/** Whether a value contains, at any depth, a placeholder for a context value. */
export function holdsLookupPlaceholder(value: unknown): boolean {
  if (typeof value === 'string') return LOOKUP_PLACEHOLDER.test(value);
  if (typeof value !== 'object' || value === null || Token.isUnresolved(value)) return false;
  return Object.values(value).some(holdsLookupPlaceholder);
}

/** Whether a text is known: neither a token, which only the deployment knows, nor a placeholder for a context value. */
export function isKnown(text: string): boolean {
  return !Token.isUnresolved(text) && !LOOKUP_PLACEHOLDER.test(text);
}

/** Whether a Region, or an account, is certainly a different one. */
export function isElsewhere(place: string, here: string): boolean {
  return isKnown(place) && isKnown(here) && place !== here;
}
