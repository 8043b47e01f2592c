import { Token } from 'aws-cdk-lib';

/**
 * What CDK puts in place of a context value until the CLI has looked it up; the CLI then synthesizes again
 * (aws-cdk-lib: `StringParameter.valueFromLookup`, `HostedZone.fromLookup`, `Role.fromLookup`).
 */
const LOOKUP_PLACEHOLDER = /dummy-value-for-|role\/DUMMY_ARN$/;

/** Whether a value holds, at any depth, what CDK puts in place of a context value that is still to be looked up. */
export function holdsLookupPlaceholder(value: unknown): boolean {
  if (typeof value === 'string') return LOOKUP_PLACEHOLDER.test(value);
  if (typeof value !== 'object' || value === null || Token.isUnresolved(value)) return false;
  return Object.values(value).some(holdsLookupPlaceholder);
}

/** Whether a text is written out: neither a token, which only the deployment knows, nor a placeholder of a lookup. */
export function isKnown(text: string): boolean {
  return !Token.isUnresolved(text) && !LOOKUP_PLACEHOLDER.test(text);
}

/** Whether a Region, or an account, is certainly another. */
export function isElsewhere(place: string, here: string): boolean {
  return isKnown(place) && isKnown(here) && place !== here;
}
