import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import {
  addFacade,
  createForeignStack,
  flat,
  fullProduction,
  resourcesOf,
  synthesize,
} from '../support/synthesize.ts';

/**
 * The property of each type that is the resource's own name, where it has one. What is named cannot be replaced (the new
 * one is made before the old one goes), nor be there twice in an account, so that nothing gets a name that could do
 * without.
 */
const NAME: Record<string, string | undefined> = {
  'AWS::ApiGateway::Account': undefined,
  'AWS::ApiGateway::BasePathMapping': 'BasePath',
  'AWS::ApiGateway::Deployment': 'StageName',
  'AWS::ApiGateway::DomainName': 'DomainName',
  'AWS::ApiGateway::GatewayResponse': undefined,
  'AWS::ApiGateway::Method': undefined,
  'AWS::ApiGateway::Resource': undefined,
  'AWS::ApiGateway::RestApi': 'Name',
  'AWS::ApiGateway::Stage': 'StageName',
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::CodeDeploy::Application': 'ApplicationName',
  'AWS::CodeDeploy::DeploymentGroup': 'DeploymentGroupName',
  'AWS::Cognito::UserPool': 'UserPoolName',
  'AWS::Cognito::UserPoolClient': 'ClientName',
  'AWS::Cognito::UserPoolDomain': 'Domain',
  'AWS::Cognito::UserPoolResourceServer': 'Identifier',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::Policy': 'PolicyName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Alias': 'Name',
  'AWS::Lambda::EventInvokeConfig': undefined,
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Lambda::Permission': undefined,
  'AWS::Lambda::Version': undefined,
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::Route53::RecordSet': 'Name',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SQS::QueuePolicy': undefined,
  'AWS::S3::Bucket': 'BucketName',
  'AWS::S3::BucketPolicy': undefined,
  'AWS::WAFv2::WebACL': 'Name',
  'AWS::WAFv2::WebACLAssociation': undefined,
};

/** Every name that a template gives, as `type: name`. */
function names(template: Template): string[] {
  return resourcesOf(template).flatMap(({ id, Type, Properties }) => {
    if (!(Type in NAME)) throw new Error(`Which property of ${Type} is its name is not known here.`);
    const name = Properties[NAME[Type] ?? ''];
    // CDK names a policy, which has to have a name, by its logical id.
    return name === undefined || name === id ? [] : [`${Type}: ${flat(name)}`];
  });
}

function aFacade(): Template {
  const stack = createForeignStack();
  addFacade(stack);
  return Template.fromStack(stack);
}

describe('what has a name', () => {
  it.each<[string, Template, string[]]>([
    [
      'the stack',
      synthesize(),
      [
        'AWS::ApiGateway::RestApi: usher-test',
        'AWS::ApiGateway::Stage: v1',
        'AWS::Cognito::UserPoolDomain: usher-test-<AWS::AccountId>',
        'AWS::Cognito::UserPoolResourceServer: usher',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
      ],
    ],
    [
      'the stack with all there is',
      synthesize(fullProduction),
      [
        'AWS::ApiGateway::DomainName: meetings.example.com',
        'AWS::ApiGateway::RestApi: usher-test',
        'AWS::ApiGateway::Stage: v1',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Route53::RecordSet: meetings.example.com.',
      ],
    ],
    [
      "a facade in another app's stack",
      aFacade(),
      [
        'AWS::ApiGateway::RestApi: Theirs-Facade',
        'AWS::ApiGateway::Stage: v1',
        'AWS::Cognito::UserPoolDomain: theirs-facade-<AWS::AccountId>',
        'AWS::Cognito::UserPoolResourceServer: usher',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
        'AWS::Lambda::Alias: live',
      ],
    ],
  ])(
    'in %s is this alone: by its stack, its configuration, or unique where it is',
    (_what, template, expected) => {
      expect(names(template).toSorted()).toEqual(expected);
      const outputs = Object.values(template.findOutputs('*'));
      expect(outputs.filter(({ Export }) => Export !== undefined)).toEqual([]);
    },
  );
});
