import { AspectPriority, Aspects, CfnDeletionPolicy, CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { CfnUserPool } from 'aws-cdk-lib/aws-cognito';
import type { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import type { IConstruct } from 'constructs';

/** The problem of a removal policy, as `prop: problem`, if any. */
export function* problemWithRemovalPolicy(policy: RemovalPolicy | undefined): Generator<string> {
  if (policy === undefined || [RemovalPolicy.RETAIN, RemovalPolicy.DESTROY].includes(policy)) return;
  yield `removalPolicy: is ${policy}, which some of these resources do not support, so the deployment would fail halfway; use RemovalPolicy.RETAIN or RemovalPolicy.DESTROY`;
}

/**
 * Removes the deletion protection of resources that are deleted with their stack, whether by a prop, by
 * `applyRemovalPolicy`, or by `RemovalPolicies` of the app. Otherwise deleting them, and so the stack, would fail.
 */
export function protectOnlyWhatIsKept(scope: IConstruct): void {
  Aspects.of(scope).add(
    {
      visit(node) {
        if (!CfnResource.isCfnResource(node)) return;
        if (node.cfnOptions.deletionPolicy !== CfnDeletionPolicy.DELETE) return;
        const { cfnResourceType: type } = node;
        if (type === 'AWS::DynamoDB::Table' && (node as CfnTable).deletionProtectionEnabled) {
          (node as CfnTable).deletionProtectionEnabled = false;
        }
        if (type === 'AWS::Cognito::UserPool' && (node as CfnUserPool).deletionProtection === 'ACTIVE') {
          (node as CfnUserPool).deletionProtection = 'INACTIVE';
        }
      },
    },
    // Runs after every aspect that may change the removal policy.
    { priority: AspectPriority.READONLY },
  );
}
