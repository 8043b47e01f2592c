import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../lambda/reconciler/environment.ts';
import { issuer, synthesize } from './synthesize.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:on-call';

const template = synthesize({
  region: 'eu-west-1',
  account: '123456789012',
  meetingsRegion: 'eu-central-1',
  issuers: [issuer],
  reconciler: { marginSeconds: 30, secondLookSeconds: 90 },
  alarms: { topicArn: TOPIC },
  logs: { retentionDays: 90, level: 'WARN' },
});

function resources(type: string, idPrefix: string): Record<string, unknown>[] {
  return Object.entries(template.findResources(type))
    .filter(([id]) => id.startsWith(idPrefix))
    .map(([, { Properties }]) => Properties as Record<string, unknown>);
}

describe('the reconciler', () => {
  const [properties] = resources('AWS::Lambda::Function', 'Reconciler') as [Record<string, unknown>];

  it('ends before it is run again, and logs to a group of its own that forgets', () => {
    expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Handler: 'index.handler', Timeout: 55 });
    expect(resources('AWS::Logs::LogGroup', 'Reconciler')).toEqual([{ RetentionInDays: 90 }]);
  });

  it('is given settings that it reads', () => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, string> };
    expect(readSettings({ ...variables, ...names(variables) })).toEqual({
      auditTableName: 'AuditTable',
      admissionTableName: 'AdmissionTable',
      openIntentTableName: 'OpenIntentTable',
      meetingsRegion: 'eu-central-1',
      marginMs: 30_000,
      secondLookMs: 90_000,
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
    const [rule] = resources('AWS::Events::Rule', 'Reconciler');
    expect(rule).toMatchObject({
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        { Input: '{}', Arn: { 'Fn::GetAtt': [expect.stringMatching(/^ReconcilerFunction/), 'Arn'] } },
      ],
    });
    expect(resources('AWS::Lambda::EventInvokeConfig', 'Reconciler')).toMatchObject([
      { MaximumRetryAttempts: 0 },
    ]);
  });

  it('may do this and nothing else', () => {
    const [policy] = resources('AWS::IAM::Policy', 'Reconciler') as [
      { PolicyDocument: { Statement: { Effect: string; Action: string[]; Resource: unknown }[] } },
    ];
    const meetings = (region: string) => ({
      'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:chime:${region}:123456789012:meeting/*`]],
    });
    const table = (id: unknown) => ({ 'Fn::GetAtt': [id, 'Arn'] });
    expect(
      policy.PolicyDocument.Statement.map(({ Effect, Action, Resource }) => [Effect, Action, Resource]),
    ).toEqual([
      [
        'Allow',
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        table(expect.stringMatching(/^ReconcilerLogs/)),
      ],
      [
        'Allow',
        ['dynamodb:PutItem', 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
        table('AuditTable'),
      ],
      ['Allow', 'dynamodb:Query', { 'Fn::Join': ['', [table('AuditTable'), '/index/by-day']] }],
      ['Allow', ['dynamodb:BatchWriteItem', 'dynamodb:Query'], table('AdmissionTable')],
      [
        'Allow',
        [
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
          'dynamodb:DeleteItem',
          'dynamodb:Query',
        ],
        table('OpenIntentTable'),
      ],
      ['Allow', 'chime:ListAttendees', [meetings('eu-central-1'), meetings('')]],
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

describe('the alarms', () => {
  const [first, second] = resources('AWS::CloudWatch::Alarm', 'Alarms');
  const alarms = [first, second].toSorted((a) => (a?.['MetricName'] === 'IntentsUnresolved' ? 1 : -1));
  const dimensions = [{ Name: 'service', Value: 'usher' }];

  it('tell of an intent that is open for long, and of a reconciler that cannot tell', () => {
    expect(alarms[0]).toMatchObject({
      MetricName: 'OldestOpenIntentAge',
      Namespace: 'Usher/usher-test',
      Dimensions: dimensions,
      Statistic: 'Maximum',
      Threshold: 900,
      TreatMissingData: 'breaching',
      AlarmActions: [TOPIC],
    });
  });

  it('tell of an intent that can never be told', () => {
    expect(alarms[1]).toMatchObject({
      MetricName: 'IntentsUnresolved',
      Namespace: 'Usher/usher-test',
      Dimensions: dimensions,
      Statistic: 'Sum',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [TOPIC],
    });
  });
});
