import { ArnFormat, Aspects, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicPolicy, type ITopic } from 'aws-cdk-lib/aws-sns';

/**
 * Lets the alarms of one stack publish to a topic, where the app makes what stands in their way: the topic's policy and
 * its key. A topic without a policy lets in whatever acts for its own account, alarms among it; the first policy takes
 * that place and lets in whom it names. So alarms are added to a policy, whenever it is made, and none is made for them:
 * it would shut out all others that rely on there being none.
 *
 * What it takes: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html (CloudWatch alarms) and
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (event sources and encrypted topics).
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
      if (!(node instanceof CfnTopicPolicy && node.policyDocument instanceof PolicyDocument)) return;
      const written = (arn: string) => JSON.stringify(Stack.of(node).resolve(arn));
      if (!node.topics.map(written).includes(written(topic.topicArn))) return;
      node.policyDocument.addStatements(allowed(['sns:Publish'], topic.topicArn));
    },
  });
  topic.masterKey?.addToResourcePolicy(allowed(['kms:Decrypt', 'kms:GenerateDataKey*'], '*'));
}
