import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../lambda/reconciler/environment.ts';
import { flat, issuer, resourcesOf, synthesize, theResource } from '../support/synthesize.ts';

const template = synthesize({
  region: 'eu-west-1',
  account: '123456789012',
  meetingsRegion: 'eu-central-1',
  issuers: [issuer],
  reconciler: { marginSeconds: 30, secondLookSeconds: 90 },
  logs: { retentionDays: 90, level: 'DEBUG' },
});

describe('the reconciler', () => {
  const { Properties: properties } = theResource(template, 'AWS::Lambda::Function', 'Reconciler');

  it('ends before it is run again', () => {
    expect(properties).toMatchObject({ MemorySize: 512, Timeout: 55 });
  });

  it('is given settings that it reads, and no other variable', () => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, string> };
    expect(readSettings({ ...variables, ...names(variables) })).toEqual({
      auditTableName: 'AuditTable',
      admissionTableName: 'AdmissionTable',
      openIntentTableName: 'OpenIntentTable',
      meetingsRegion: 'eu-central-1',
      marginMs: 30_000,
      secondLookMs: 90_000,
    });
    expect(variables).toEqual({
      AUDIT_TABLE_NAME: { Ref: 'AuditTable' },
      ADMISSION_TABLE_NAME: { Ref: 'AdmissionTable' },
      OPEN_INTENT_TABLE_NAME: { Ref: 'OpenIntentTable' },
      MEETINGS_REGION: 'eu-central-1',
      RECONCILE_MARGIN_SECONDS: '30',
      RECONCILE_SECOND_LOOK_SECONDS: '90',
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: 'DEBUG',
      POWERTOOLS_METRICS_NAMESPACE: 'Usher/usher-test',
    });
  });

  /** References of a template stand for what they refer to. */
  const names = (variables: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(variables).flatMap(([name, value]) =>
        typeof value === 'object' ? [[name, (value as { Ref: string }).Ref]] : [],
      ),
    );

  it('is run every minute, once, whatever comes of it', () => {
    const alias = theResource(template, 'AWS::Lambda::Alias', 'Reconciler');
    const rule = theResource(template, 'AWS::Events::Rule', 'Reconciler');
    expect(rule.Properties).toEqual({
      Description: 'Usher: runs the reconciler',
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ Id: 'Target0', Input: '{}', Arn: { Ref: alias.id } }],
    });
    expect(theResource(template, 'AWS::Lambda::Permission', 'Reconciler').Properties).toEqual({
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      FunctionName: { Ref: alias.id },
      SourceArn: { 'Fn::GetAtt': [rule.id, 'Arn'] },
    });
  });

  it('is not repeated by Lambda, neither by the alias nor after the next run has begun', () => {
    const alias = theResource(template, 'AWS::Lambda::Alias', 'Reconciler');
    expect(theResource(template, 'AWS::Lambda::EventInvokeConfig', 'Reconciler').Properties).toEqual({
      FunctionName: { Ref: theResource(template, 'AWS::Lambda::Function', 'Reconciler').id },
      // The part of the alias's ARN after its function's, which is what a schedule invokes.
      Qualifier: { 'Fn::Select': [7, { 'Fn::Split': [':', { Ref: alias.id }] }] },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it('has exactly these permissions', () => {
    const statements = resourcesOf(template, 'AWS::IAM::Policy', 'Reconciler').flatMap(
      ({ Properties }) =>
        (
          Properties['PolicyDocument'] as {
            Statement: { Effect: string; Action: string; Resource: unknown }[];
          }
        ).Statement,
    );
    const logs = theResource(template, 'AWS::Logs::LogGroup', 'Reconciler').id;
    expect(
      statements.map(({ Effect, Action, Resource }) => [Effect, Action, [Resource].flat().map(flat)]),
    ).toEqual([
      ['Allow', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`<${logs}.Arn>`]],
      [
        'Allow',
        ['dynamodb:PartiQLInsert', 'dynamodb:GetItem', 'dynamodb:BatchGetItem'],
        ['<AuditTable.Arn>'],
      ],
      ['Allow', 'dynamodb:Query', ['<AuditTable.Arn>/index/by-day']],
      ['Allow', ['dynamodb:BatchWriteItem', 'dynamodb:Query'], ['<AdmissionTable.Arn>']],
      ['Allow', 'dynamodb:Query', ['<AdmissionTable.Arn>/index/by-attendee']],
      [
        'Allow',
        [
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:DeleteItem',
          'dynamodb:Query',
        ],
        ['<OpenIntentTable.Arn>'],
      ],
      [
        'Allow',
        'chime:ListAttendees',
        [
          'arn:<AWS::Partition>:chime:eu-central-1:123456789012:meeting/*',
          'arn:<AWS::Partition>:chime::123456789012:meeting/*',
        ],
      ],
    ]);
  });

  it.each(['RECONCILE_MARGIN_SECONDS', 'OPEN_INTENT_TABLE_NAME'])('does not start without %s', (name) => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, string> };
    expect(() => readSettings({ ...variables, [name]: '' })).toThrow(name);
  });

  it('does not start with a margin that is no number', () => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, string> };
    expect(() => readSettings({ ...variables, RECONCILE_MARGIN_SECONDS: 'soon' })).toThrow(
      'number of seconds',
    );
  });
});
