import { ArnFormat, Aspects, Stack } from 'aws-cdk-lib';
import { type PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnTopicPolicy, ITopic } from 'aws-cdk-lib/aws-sns';
import { resourceOf } from './checks/cfn-resources.ts';

/**
 * Lets the alarms of one stack publish to a topic, as far as the app creates the topic's policy and key. A topic
 * without a policy accepts every principal of its own account, alarms included; the first policy replaces that by the
 * principals it names. So alarms are added to an existing policy, whenever it is made, and no policy is created for
 * them: it would lock out all others that rely on the default.
 *
 * Required permissions: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html (CloudWatch alarms)
 * and https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (event sources and encrypted topics).
 */
export function letAlarmsPublish(topic: ITopic, alarmsStack: Stack): void {
  const allowed = (actions: string[], resource: string) =>
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions,
      resources: [resource],
      conditions: {
        StringEquals: { 'aws:SourceAccount': alarmsStack.account },
        ArnLike: {
          'aws:SourceArn': alarmsStack.formatArn({
            service: 'cloudwatch',
            resource: 'alarm',
            resourceName: '*',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        },
      },
    });
  Aspects.of(Stack.of(topic)).add({
    visit(node) {
      if (resourceOf(node, 'AWS::SNS::TopicPolicy') !== node) return;
      const { policyDocument, topics } = node as CfnTopicPolicy;
      // A document written as JSON, not made of statements, says itself who may publish.
      if (!isPolicyDocument(policyDocument)) return;
      const written = (arn: string) => JSON.stringify(Stack.of(node).resolve(arn));
      if (!topics.map(written).includes(written(topic.topicArn))) return;
      policyDocument.addStatements(allowed(['sns:Publish'], topic.topicArn));
    },
  });
  topic.masterKey?.addToResourcePolicy(allowed(['kms:Decrypt', 'kms:GenerateDataKey*'], '*'));
}

/** Whether a document accepts statements; one of another copy of aws-cdk-lib has another class. */
function isPolicyDocument(document: unknown): document is PolicyDocument {
  return typeof (document as Partial<PolicyDocument> | undefined)?.addStatements === 'function';
}
