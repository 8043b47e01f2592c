import type { Stack } from 'aws-cdk-lib';

/**
 * The account's meetings, in both forms that their ARNs may have: older copies of AWS's service authorization reference
 * have no Region in them, and which of the two is matched is not documented. Neither reaches beyond the account.
 */
export function meetingArns(stack: Stack, meetingsRegion: string): string[] {
  return [meetingsRegion, ''].map(
    (region) => `arn:${stack.partition}:chime:${region}:${stack.account}:meeting/*`,
  );
}
