import { describe, expect, it } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { parseConfig } from '../../lib/settings/complete.ts';
import { UsherStack } from '../../lib/usher-stack.ts';
import { flat, fullProduction, resourcesOf, synthesize, theResource } from '../support/synthesize.ts';

const template = synthesize({
  ...fullProduction,
  logs: { retentionDays: 90, level: 'DEBUG' },
});
const functions = ['Attendees', 'Reconciler', 'Observer'];

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** What a function's role may do, in all its policies. */
function statementsOf(name: string, from = template): Statement[] {
  return resourcesOf(from, 'AWS::IAM::Policy', name).flatMap(
    ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  );
}

describe.each(functions)('the function %s', (name) => {
  const deployed = theResource(template, 'AWS::Lambda::Function', name);

  it("runs on Lambda's own Node 24, from its bundle, without layers, tracing or anything else", () => {
    expect(deployed.Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Code: { S3Key: expect.stringMatching(/^[0-9a-f]{64}\.zip$/) },
    });
    const { ReservedConcurrentExecutions: _, ...others } = deployed.Properties;
    expect(Object.keys(others).toSorted()).toEqual([
      'Architectures',
      'Code',
      'Description',
      'Environment',
      'Handler',
      'LoggingConfig',
      'MemorySize',
      'Role',
      'Runtime',
      'Timeout',
    ]);
  });

  it('logs JSON to its own group with a retention, and may write there only', () => {
    const group = theResource(template, 'AWS::Logs::LogGroup', name);
    expect(group.Properties).toEqual({ RetentionInDays: 90 });
    expect(deployed.Properties['LoggingConfig']).toEqual({
      LogFormat: 'JSON',
      ApplicationLogLevel: 'DEBUG',
      LogGroup: { Ref: group.id },
    });
    const ofLogs = statementsOf(name).filter(({ Action }) =>
      [Action].flat().some((a) => a.startsWith('logs:')),
    );
    expect(ofLogs.map(({ Action, Resource }) => [Action, flat(Resource)])).toEqual([
      [['logs:CreateLogStream', 'logs:PutLogEvents'], `<${group.id}.Arn>`],
    ]);
  });

  it('has its own role, for Lambda only, without a managed policy', () => {
    const role = theResource(template, 'AWS::IAM::Role', name);
    expect(flat(deployed.Properties['Role'])).toBe(`<${role.id}.Arn>`);
    expect(role.Properties).toEqual({
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
        ],
      },
      Description: expect.any(String),
    });
    const users = resourcesOf(template).filter(({ Properties }) =>
      JSON.stringify(Properties ?? {}).includes(`"Ref":"${role.id}"`),
    );
    expect(users.map(({ Type }) => Type)).toEqual(['AWS::IAM::Policy', 'AWS::IAM::Policy']);
  });

  it('may use the key of the tables before they have it', () => {
    const { id } = theResource(template, 'AWS::IAM::Policy', `${name}TableKeys`);
    const waiting = template.findResources('AWS::DynamoDB::Table', {
      DependsOn: Match.arrayWith([id]),
    });
    expect(Object.keys(waiting).toSorted()).toEqual([
      'AdmissionTable',
      'AuditTable',
      // The others never call them.
      ...(name === 'Observer' ? ['EventTable'] : []),
      ...(name === 'Reconciler' ? ['OpenIntentTable'] : []),
    ]);
  });

  it('is reached by an alias on its newest version; earlier versions stay', () => {
    const version = theResource(template, 'AWS::Lambda::Version', name);
    expect(version).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    expect(flat(version.Properties['FunctionName'])).toBe(`<${deployed.id}>`);
    const { ProvisionedConcurrencyConfig: _, ...alias } = theResource(
      template,
      'AWS::Lambda::Alias',
      name,
    ).Properties;
    expect(alias).toEqual({
      Name: 'live',
      FunctionName: { Ref: deployed.id },
      FunctionVersion: { 'Fn::GetAtt': [version.id, 'Version'] },
    });
  });

  it('gets a new version if its settings change, and keeps its version otherwise', () => {
    const versionOf = (config: object) => theResource(synthesize(config), 'AWS::Lambda::Version', name).id;
    expect(versionOf({})).toBe(versionOf({}));
    expect(versionOf({ logs: { level: 'DEBUG' } })).not.toBe(versionOf({}));
  });

  it('may be invoked by its alias only', () => {
    const alias = theResource(template, 'AWS::Lambda::Alias', name);
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission', name);
    // The observer is run by events and by a schedule.
    expect(permissions).toHaveLength(name === 'Observer' ? 2 : 1);
    for (const { Properties } of permissions) {
      expect(flat(Properties['FunctionName'])).toBe(`<${alias.id}>`);
      expect(Properties['SourceArn']).toBeDefined();
    }
  });

  it("may use the tables' own key through DynamoDB only, and otherwise no key", () => {
    const ofKeys = (from = template) =>
      statementsOf(name, from).filter(({ Action }) => [Action].flat().some((a) => a.startsWith('kms:')));
    expect(ofKeys()).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'kms:Decrypt',
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
        Resource: fullProduction.encryptionKeyArn,
        Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' } },
      },
    ]);
    expect(ofKeys(synthesize())).toEqual([]);
  });

  it("asks Chime about this account's meetings only, or nothing", () => {
    const ofChime = statementsOf(name).filter(({ Action }) =>
      [Action].flat().some((a) => a.startsWith('chime:')),
    );
    const meetings = [
      'arn:<AWS::Partition>:chime:eu-central-1:123456789012:meeting/*',
      'arn:<AWS::Partition>:chime::123456789012:meeting/*',
    ];
    expect(ofChime.flatMap(({ Resource }) => Resource).map(flat)).toEqual(
      name === 'Observer' ? [] : meetings,
    );
  });
});

describe('a missing bundle', () => {
  it('is reported in one line', () => {
    const config = parseConfig({ stackName: 'usher-test' }, 'config/test.json');
    expect(() => new UsherStack(new App(), 'usher-test', { config, bundlesDirectory: '/nowhere' })).toThrow(
      /nowhere\/create-attendees\/index\.mjs: the function is not built; run `npm run build`$/,
    );
  });
});
