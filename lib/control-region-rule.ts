import { CfnResource, CfnRule, Fn, Reference, Stack, Token, Tokenization } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CONTROL_REGIONS, notAControlRegion } from './settings/regions.ts';

/**
 * Makes CloudFormation refuse a Region without meetings before it creates anything, if only the deployment knows the
 * Region: the stack's own, or a parameter. The rules of a template can read nothing else
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html).
 */
export function assertControlRegion(scope: Construct, meetingsRegion: string): void {
  if (!Token.isUnresolved(meetingsRegion) || !isParameter(meetingsRegion, Stack.of(scope))) return;
  new CfnRule(scope, 'ControlRegion', {
    assertions: [
      {
        assert: Fn.conditionContains([...CONTROL_REGIONS], meetingsRegion),
        assertDescription: notAControlRegion('The Region'),
      },
    ],
  });
}

function isParameter(text: string, stack: Stack): boolean {
  if (stack.resolve(text)?.Ref === 'AWS::Region') return true;
  const token = Tokenization.reverseCompleteString(text);
  if (!Reference.isReference(token) || Stack.of(token.target) !== stack) return false;
  return 'valueAsString' in token.target && !CfnResource.isCfnResource(token.target);
}
