import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { type CfnTopic, CfnTopicPolicy, type ITopic, Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import {
  addFacade,
  createApp,
  createForeignStack,
  flat,
  resourcesOf,
  theResource,
} from '../support/synthesize.ts';

const env = { region: 'eu-central-1', account: '123456789012' };

const ofAlarms = {
  Effect: 'Allow',
  Principal: { Service: 'cloudwatch.amazonaws.com' },
  Condition: {
    StringEquals: { 'aws:SourceAccount': '123456789012' },
    ArnLike: {
      'aws:SourceArn': {
        'Fn::Join': [
          '',
          ['arn:', { Ref: 'AWS::Partition' }, ':cloudwatch:eu-central-1:123456789012:alarm:*'],
        ],
      },
    },
  },
};

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Principal: unknown;
}

/** What is allowed to CloudWatch in the policies of a type. */
function allowedIn(template: Template, type: string, document: string): Statement[] {
  return resourcesOf(template, type)
    .flatMap(({ Properties }) => (Properties[document] as { Statement: Statement[] }).Statement)
    .filter(({ Principal }) => JSON.stringify(Principal).includes('cloudwatch'));
}

/** A facade with a topic, and what CloudFormation would be given; what is done `after` comes after the facade. */
function withTopic(make: (stack: Stack) => ITopic, after: (topic: ITopic, stack: Stack) => void = () => {}) {
  const stack = createForeignStack({ env });
  const topic = make(stack);
  addFacade(stack, { alarmTopic: topic });
  after(topic, stack);
  return Template.fromStack(stack);
}

const publishing = (template: Template) => allowedIn(template, 'AWS::SNS::TopicPolicy', 'PolicyDocument');

const anotherStatement = (topic: ITopic) =>
  new PolicyStatement({
    principals: [new ServicePrincipal('s3.amazonaws.com')],
    actions: ['sns:Publish'],
    resources: [topic.topicArn],
  });

describe('the policy of the topic for alarms', () => {
  it('lets in the alarms of this account and Region if it enforces TLS', () => {
    const template = withTopic((stack) => new Topic(stack, 'OnCall', { enforceSSL: true }));
    const topic = theResource(template, 'AWS::SNS::Topic').id;
    expect(publishing(template)).toEqual([
      { ...ofAlarms, Sid: expect.any(String), Action: 'sns:Publish', Resource: { Ref: topic } },
    ]);
  });

  it.each<[string, (topic: ITopic, stack: Stack) => void]>([
    ['is added to by others later', (topic) => topic.addToResourcePolicy(anotherStatement(topic))],
    [
      'is a construct of its own',
      (topic, stack) =>
        new TopicPolicy(stack, 'Policy', { topics: [topic] }).document.addStatements(anotherStatement(topic)),
    ],
    [
      'names the topic in another way',
      (topic, stack) => {
        const { ref } = topic.node.defaultChild as CfnTopic;
        const policyDocument = new PolicyDocument({ statements: [anotherStatement(topic)] });
        new CfnTopicPolicy(stack, 'Policy', { topics: [ref], policyDocument });
      },
    ],
  ])('lets them in if it %s', (_what, after) => {
    const template = withTopic((stack) => new Topic(stack, 'OnCall'), after);
    template.resourceCountIs('AWS::SNS::TopicPolicy', 1);
    expect(publishing(template)).toHaveLength(1);
  });

  it('is not created for them, since without one the whole account may publish', () => {
    const template = withTopic((stack) => new Topic(stack, 'OnCall'));
    template.resourceCountIs('AWS::SNS::TopicPolicy', 0);
  });

  it('is left alone if it belongs to another topic', () => {
    const template = withTopic((stack) => {
      new Topic(stack, 'Other', { enforceSSL: true });
      return new Topic(stack, 'OnCall');
    });
    expect(publishing(template)).toEqual([]);
  });

  it('lets them in once for two facades, in the stack of the topic', () => {
    const app = createApp();
    const shared = new Stack(app, 'Shared', { env });
    const alarmTopic = new Topic(shared, 'OnCall', { enforceSSL: true });
    const stack = createForeignStack({ env }, app);
    addFacade(stack, { alarmTopic }, 'One');
    addFacade(stack, { alarmTopic }, 'Two');
    expect(publishing(Template.fromStack(shared))).toHaveLength(1);
    Template.fromStack(stack).resourceCountIs('AWS::SNS::TopicPolicy', 0);
  });
});

describe('the key of the topic for alarms', () => {
  const using = (template: Template) => allowedIn(template, 'AWS::KMS::Key', 'KeyPolicy');

  it.each<[string, (stack: Stack) => Key | Alias]>([
    ['itself', (stack) => new Key(stack, 'Key')],
    [
      'by an alias',
      (stack) => new Alias(stack, 'Alias', { aliasName: 'topic', targetKey: new Key(stack, 'Key') }),
    ],
  ])('lets them use an existing one, %s', (_what, masterKey) => {
    const template = withTopic((stack) => new Topic(stack, 'OnCall', { masterKey: masterKey(stack) }));
    expect(using(template)).toEqual([
      { ...ofAlarms, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'], Resource: '*' },
    ]);
  });

  it('is for its owner to open if it was created elsewhere', () => {
    const arn = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const template = withTopic(
      (stack) => new Topic(stack, 'OnCall', { masterKey: Key.fromKeyArn(stack, 'Key', arn) }),
    );
    template.resourceCountIs('AWS::KMS::Key', 0);
    expect(flat(theResource(template, 'AWS::SNS::Topic').Properties['KmsMasterKeyId'])).toContain('1234abcd');
  });
});
