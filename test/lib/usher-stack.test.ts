import { describe, expect, it } from '@jest/globals';
import { Aws } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { createStack, fullProduction, issuer, resourcesOf, synthesize } from '../support/synthesize.ts';

interface Statement {
  Effect: string;
  Action?: string | string[];
  NotAction?: unknown;
  Resource?: unknown;
  NotResource?: unknown;
}

/** What a role may do with the facts: add one, and look. */
const HARMLESS_TO_FACTS = [
  'dynamodb:PartiQLInsert',
  'dynamodb:GetItem',
  'dynamodb:BatchGetItem',
  'dynamodb:Query',
];

/** Every permission of a template that is wider than the audit allows, in words. */
function excesses(template: Template): string[] {
  const excess: string[] = [];
  for (const [id, { Type, Properties }] of Object.entries(template.toJSON()['Resources'] as Resources)) {
    if (!Type.startsWith('AWS::IAM::')) continue;
    if (Properties['ManagedPolicyArns'] !== undefined) excess.push(`${id} has a managed policy`);
    const documents = [Properties['PolicyDocument'], ...(Properties['Policies'] ?? []).map(inlineDocument)];
    for (const statement of documents.flatMap((document) => document?.Statement ?? [])) {
      excess.push(...excessesOf(statement).map((words) => `${id} ${words}`));
    }
  }
  return excess;
}

interface Resources {
  [id: string]: {
    Type: string;
    Properties: {
      PolicyDocument?: { Statement: Statement[] };
      Policies?: { PolicyDocument: { Statement: Statement[] } }[];
      ManagedPolicyArns?: unknown;
    };
  };
}

const inlineDocument = (policy: { PolicyDocument: { Statement: Statement[] } }) => policy.PolicyDocument;

function excessesOf(statement: Statement): string[] {
  if (statement.Effect !== 'Allow') return [];
  const excess: string[] = [];
  const actions = [statement.Action ?? []].flat();
  const resources = [statement.Resource ?? []].flat();
  if (statement.NotAction !== undefined || statement.NotResource !== undefined) {
    excess.push('allows all but something');
  }
  if (actions.some((action) => action.includes('*'))) excess.push('allows a wildcard of actions');
  if (resources.includes('*')) excess.push('allows a wildcard of resources');
  if (JSON.stringify(resources).includes('"AuditTable"')) {
    const harmful = actions.filter((action) => !HARMLESS_TO_FACTS.includes(action));
    if (harmful.length > 0) excess.push(`allows ${harmful.join(', ')} on the facts`);
  }
  return excess;
}

describe('permissions', () => {
  it.each([
    ['with a pool', {}, 4],
    ['with issuers', { issuers: [issuer] }, 4],
    ['outside production', { production: false }, 3],
  ])('are nowhere wider than the audit allows %s', (_what, config, policies) => {
    const template = synthesize(config);
    template.resourceCountIs('AWS::IAM::Policy', policies);
    expect(excesses(template)).toEqual([]);
  });

  it('are complete except for those that AWS wrote for its own services', () => {
    expect(excesses(synthesize(fullProduction))).toEqual([
      expect.stringMatching(/^AttendeeApiRestApiCloudWatchRole\w* has a managed policy$/),
      expect.stringMatching(/^DeploymentGroupServiceRole\w* has a managed policy$/),
    ]);
  });

  it.each<[string, (role: Role, facts: Table) => void, string]>([
    [
      'a role that deletes facts',
      (role, facts) => facts.grant(role, 'dynamodb:DeleteItem'),
      'allows dynamodb:DeleteItem on',
    ],
    ['a role that does anything to facts', (role, facts) => facts.grantFullAccess(role), 'dynamodb:*'],
    ['a batch writer', (role, facts) => facts.grantWriteData(role), 'dynamodb:BatchWriteItem'],
    [
      'a role for every table',
      (role) => role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:UpdateItem'], resources: ['*'] })),
      'allows a wildcard of resources',
    ],
    [
      'a ready-made policy',
      (role) => role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonDynamoDBFullAccess')),
      'has a managed policy',
    ],
  ])('would not be passed by this test for %s', (_what, widen, words) => {
    const stack = createStack();
    const role = new Role(stack, 'Other', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    widen(role, stack.facade.tables.audit as Table);
    expect(excesses(Template.fromStack(stack)).join('\n')).toContain(words);
  });
});

describe('outputs', () => {
  const values = (template: Template): Record<string, unknown> =>
    Object.fromEntries(Object.entries(template.findOutputs('*')).map(([name, { Value }]) => [name, Value]));

  it('have the URL of the API, without a trailing slash', () => {
    const template = synthesize({ region: 'eu-central-1', issuers: [issuer] });
    const [apiId] = Object.keys(template.findResources('AWS::ApiGateway::RestApi'));
    const { ApiUrl: url, ...others } = values(template);
    expect(url).toEqual({
      'Fn::Join': [
        '',
        ['https://', { Ref: apiId }, '.execute-api.eu-central-1.', { Ref: 'AWS::URLSuffix' }, '/v1'],
      ],
    });
    expect(others).toEqual({
      AuditTableName: { Ref: 'AuditTable' },
      AdmissionTableName: { Ref: 'AdmissionTable' },
      OpenIntentTableName: { Ref: 'OpenIntentTable' },
      EventTableName: { Ref: 'EventTable' },
      ReconcilerFunctionName: { Ref: expect.stringMatching(/^ReconcilerFunction/) },
      // Under another logical id it would be a new, empty bucket, and the chain would begin anew.
      SealBucketName: { Ref: 'SealsBucketE93CAD23' },
      SealPrefix: 'usher-test/',
      SealerFunctionName: { Ref: expect.stringMatching(/^SealerFunction/) },
      Issuer: 'https://login.example.com',
    });
  });

  it('have the token endpoint if there is a pool', () => {
    const template = synthesize({ region: 'eu-central-1' });
    const [clientId] = Object.keys(template.findResources('AWS::Cognito::UserPoolClient'));
    const [domainId] = Object.keys(template.findResources('AWS::Cognito::UserPoolDomain'));
    expect(values(template)).toMatchObject({
      Issuer: { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': ['CallerPool', 'ProviderName'] }]] },
      ClientId: { Ref: clientId },
      TokenEndpoint: {
        'Fn::Join': [
          '',
          ['https://', { Ref: domainId }, '.auth.eu-central-1.amazoncognito.com/oauth2/token'],
        ],
      },
    });
  });
});

describe('the stack', () => {
  it('deploys to the configured place, with its tags', () => {
    const stack = createStack({
      region: 'eu-central-1',
      account: '123456789012',
      tags: { team: 'doors' },
    });
    expect([stack.region, stack.account]).toEqual(['eu-central-1', '123456789012']);
    // CloudFormation hands a stack's tags on to its resources.
    expect(stack.tags.tagValues()).toEqual({ team: 'doors' });
  });

  it('deploys anywhere without a configured place', () => {
    const stack = createStack();
    expect(stack.resolve([stack.region, stack.account])).toEqual(stack.resolve([Aws.REGION, Aws.ACCOUNT_ID]));
  });

  it('has only these resource types, which the local system can run', () => {
    const types = (config: object) => [...new Set(resourcesOf(synthesize(config)).map(({ Type }) => Type))];
    const everyone = [
      'AWS::ApiGateway::Deployment',
      'AWS::ApiGateway::GatewayResponse',
      'AWS::ApiGateway::Method',
      'AWS::ApiGateway::Resource',
      'AWS::ApiGateway::RestApi',
      'AWS::ApiGateway::Stage',
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::DynamoDB::Table',
      'AWS::Events::Rule',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::Lambda::Alias',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::Function',
      'AWS::Lambda::Permission',
      'AWS::Lambda::Version',
      'AWS::Logs::LogGroup',
      'AWS::SQS::Queue',
      'AWS::SQS::QueuePolicy',
    ];
    expect(types({ production: false }).toSorted()).toEqual(
      [
        ...everyone,
        'AWS::Cognito::UserPool',
        'AWS::Cognito::UserPoolClient',
        'AWS::Cognito::UserPoolDomain',
        'AWS::Cognito::UserPoolResourceServer',
      ].toSorted(),
    );
    expect(types(fullProduction).toSorted()).toEqual(
      [
        ...everyone,
        'AWS::ApiGateway::Account',
        'AWS::ApiGateway::BasePathMapping',
        'AWS::ApiGateway::DomainName',
        'AWS::CodeDeploy::Application',
        'AWS::CodeDeploy::DeploymentGroup',
        'AWS::Route53::RecordSet',
        'AWS::S3::Bucket',
        'AWS::S3::BucketPolicy',
        'AWS::WAFv2::WebACL',
        'AWS::WAFv2::WebACLAssociation',
      ].toSorted(),
    );
  });

  it('is only a facade: its outputs come from it', () => {
    const stack = createStack({ ...fullProduction, issuers: [] });
    const { facade } = stack;
    const outputs = synthesize({ ...fullProduction, issuers: [] }).findOutputs('*');
    const values = Object.fromEntries(Object.entries(outputs).map(([name, { Value }]) => [name, Value]));
    expect(values).toEqual(
      stack.resolve({
        ApiUrl: facade.url,
        AuditTableName: facade.tables.audit.tableName,
        AdmissionTableName: facade.tables.admissions.tableName,
        OpenIntentTableName: facade.tables.openIntents.tableName,
        EventTableName: facade.tables.events?.tableName,
        ReconcilerFunctionName: facade.reconciler.function.functionName,
        SealBucketName: facade.sealBucket?.bucketName,
        SealPrefix: `${facade.facadeName}/`,
        SealerFunctionName: facade.sealer?.function.functionName,
        Issuer: facade.issuers[0],
        ClientId: facade.cognitoIssuer?.client.userPoolClientId,
        TokenEndpoint: facade.cognitoIssuer?.tokenEndpoint,
      }),
    );
  });
});
