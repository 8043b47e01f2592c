import { describe, expect, it } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { readSettings } from '../../lambda/environment.ts';
import { parseConfig } from '../../lib/config.ts';
import { UsherStack } from '../../lib/usher-stack.ts';
import { issuer, synthesize } from './synthesize.ts';

const configured = synthesize({
  region: 'eu-west-1',
  account: '123456789012',
  meetingsRegion: 'eu-central-1',
  issuers: [issuer],
  allowedOrigins: ['https://app.example.com'],
  audit: { retentionDays: 400 },
  logs: { retentionDays: 90, level: 'WARN' },
  limits: { memoryMb: 512, timeoutSeconds: 15 },
});

/** The function's own resource of a type; the reconciler has its own of each. */
function onlyResource(template: typeof configured, type: string): Record<string, unknown> {
  const [resource, ...others] = Object.entries(template.findResources(type))
    .filter(([id]) => id.startsWith('Attendees'))
    .map(([, found]) => found);
  expect(others).toEqual([]);
  return resource?.['Properties'];
}

describe('the function', () => {
  const properties = onlyResource(configured, 'AWS::Lambda::Function');

  it('runs the bundle as configured', () => {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 512,
      Timeout: 15,
    });
  });

  it('is given settings that the handler reads', () => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, string> };
    expect(readSettings(variables)).toEqual({
      auditTableName: { Ref: 'AuditTable' },
      admissionTableName: { Ref: 'AdmissionTable' },
      issuers: [
        expect.objectContaining({
          issuer: 'https://login.example.com',
          jwksUri: 'https://login.example.com/.well-known/jwks.json',
          tenantClaim: 'tenant',
          meetingsClaimRequired: true,
        }),
      ],
      allowedOrigins: ['https://app.example.com'],
      auditRetentionDays: 400,
      meetingsRegion: 'eu-central-1',
    });
    expect(variables).toMatchObject({
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: 'WARN',
      POWERTOOLS_METRICS_NAMESPACE: 'Usher/usher-test',
    });
  });

  it('keeps the audit for ever and meets in its own Region unless told otherwise', () => {
    const { Variables: variables } = onlyResource(synthesize(), 'AWS::Lambda::Function')['Environment'] as {
      Variables: Record<string, string>;
    };
    expect(variables).toMatchObject({ AUDIT_RETENTION_DAYS: '', MEETINGS_REGION: { Ref: 'AWS::Region' } });
  });

  it('logs JSON to a group of its own that forgets', () => {
    expect(properties['LoggingConfig']).toMatchObject({ LogFormat: 'JSON', ApplicationLogLevel: 'WARN' });
    expect(onlyResource(configured, 'AWS::Logs::LogGroup')).toEqual({ RetentionInDays: 90 });
  });
});

describe('the role', () => {
  it('may do this and nothing else', () => {
    const { PolicyDocument: document } = onlyResource(configured, 'AWS::IAM::Policy') as {
      PolicyDocument: { Statement: { Effect: string; Action: string[]; Resource: unknown }[] };
    };
    const allowed = document.Statement.map(({ Effect, Action, Resource }) => [Effect, Action, Resource]);
    const meetings = (region: string) => ({
      'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:chime:${region}:123456789012:meeting/*`]],
    });
    expect(allowed).toEqual([
      [
        'Allow',
        ['logs:CreateLogStream', 'logs:PutLogEvents'],
        { 'Fn::GetAtt': [expect.stringMatching(/^AttendeesLogs/), 'Arn'] },
      ],
      ['Allow', ['dynamodb:PutItem', 'dynamodb:GetItem'], { 'Fn::GetAtt': ['AuditTable', 'Arn'] }],
      ['Allow', ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'], { 'Fn::GetAtt': ['AdmissionTable', 'Arn'] }],
      ['Allow', ['chime:BatchCreateAttendee', 'chime:GetMeeting'], [meetings('eu-central-1'), meetings('')]],
    ]);
  });
});

describe('a missing bundle', () => {
  it('is said in one line', () => {
    const config = parseConfig({ stackName: 'usher-test' }, 'config/test.json');
    expect(() => new UsherStack(new App(), 'usher-test', { config, bundlesDirectory: '/nowhere' })).toThrow(
      /nowhere\/create-attendees\/index\.js: the function is not built; run `npm run build` first$/,
    );
  });
});
