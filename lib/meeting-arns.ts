import { type Stack, Token } from 'aws-cdk-lib';

/**
 * The account's meetings, in both forms of their ARN: older copies of AWS's service authorization reference have no
 * Region in it, and which of the two matches is not documented. Neither reaches beyond the account.
 */
export function meetingArns(stack: Stack, meetingsRegion: string): string[] {
  return [meetingsRegion, ''].map(
    (region) => `arn:${stack.partition}:chime:${region}:${stack.account}:meeting/*`,
  );
}

/** The same ARNs as cdk-nag writes them, with deploy-time values in angle brackets. */
export function meetingArnsForNag({ partition, account }: Stack, meetingsRegion: string): string[] {
  const known = (value: string, name: string) => (Token.isUnresolved(value) ? `<AWS::${name}>` : value);
  return [known(meetingsRegion, 'Region'), ''].map(
    (region) =>
      `arn:${known(partition, 'Partition')}:chime:${region}:${known(account, 'AccountId')}:meeting/*`,
  );
}
