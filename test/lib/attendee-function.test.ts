import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../lambda/create-attendees/environment.ts';
import { flat, issuer, resourcesOf, synthesize, theResource } from '../support/synthesize.ts';

const configured = synthesize({
  region: 'eu-west-1',
  account: '123456789012',
  meetingsRegion: 'eu-central-1',
  issuers: [issuer],
  allowedOrigins: ['https://app.example.com'],
  audit: { retentionDays: 400 },
  logs: { retentionDays: 90, level: 'DEBUG' },
  limits: { memoryMb: 512, timeoutSeconds: 15, reservedConcurrency: 20, provisionedConcurrency: 2 },
});

const functionOf = (from: typeof configured) =>
  theResource(from, 'AWS::Lambda::Function', 'Attendees').Properties;
const variablesOf = (from: typeof configured) =>
  (functionOf(from)['Environment'] as { Variables: Record<string, string> }).Variables;

describe('the function', () => {
  it('has the memory and the time that are configured', () => {
    expect(functionOf(configured)).toMatchObject({ MemorySize: 512, Timeout: 15 });
    expect(functionOf(synthesize())).toMatchObject({ MemorySize: 1024, Timeout: 20 });
  });

  it('is given settings that the handler reads, and no other variable', () => {
    const variables = variablesOf(configured);
    expect(readSettings(variables)).toEqual({
      auditTableName: { Ref: 'AuditTable' },
      admissionTableName: { Ref: 'AdmissionTable' },
      issuers: [
        expect.objectContaining({
          issuer: 'https://login.example.com',
          jwksUris: ['https://login.example.com/.well-known/jwks.json'],
          tenantClaim: 'tenant',
          meetingsClaimRequired: true,
        }),
      ],
      allowedOrigins: ['https://app.example.com'],
      allowedHeaders: [],
      auditRetentionDays: 400,
      meetingsRegion: 'eu-central-1',
      inForce: { functionVersion: '$LATEST', rulesDigest: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(variables).toEqual({
      AUDIT_TABLE_NAME: { Ref: 'AuditTable' },
      ADMISSION_TABLE_NAME: { Ref: 'AdmissionTable' },
      ISSUERS: expect.any(String),
      ALLOWED_ORIGINS: '["https://app.example.com"]',
      AUDIT_RETENTION_DAYS: '400',
      MEETINGS_REGION: 'eu-central-1',
      POWERTOOLS_SERVICE_NAME: 'usher',
      POWERTOOLS_LOG_LEVEL: 'DEBUG',
      POWERTOOLS_METRICS_NAMESPACE: 'Usher/usher-test',
    });
  });

  it('keeps the audit for ever and uses its own Region by default', () => {
    expect(variablesOf(synthesize())).toMatchObject({
      AUDIT_RETENTION_DAYS: '',
      MEETINGS_REGION: { Ref: 'AWS::Region' },
    });
  });

  it('can be bounded, and kept started', () => {
    expect(functionOf(configured)['ReservedConcurrentExecutions']).toBe(20);
    expect(theResource(configured, 'AWS::Lambda::Alias', 'Attendees').Properties).toMatchObject({
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
    });
  });

  it('is neither unless asked for', () => {
    const plain = synthesize();
    expect(functionOf(plain)['ReservedConcurrentExecutions']).toBeUndefined();
    expect(theResource(plain, 'AWS::Lambda::Alias', 'Attendees').Properties).not.toHaveProperty(
      'ProvisionedConcurrencyConfig',
    );
  });
});

describe('the role', () => {
  it('has exactly these permissions', () => {
    const statements = resourcesOf(configured, 'AWS::IAM::Policy', 'Attendees').flatMap(
      ({ Properties }) =>
        (
          Properties['PolicyDocument'] as {
            Statement: { Effect: string; Action: string; Resource: unknown }[];
          }
        ).Statement,
    );
    const logs = theResource(configured, 'AWS::Logs::LogGroup', 'Attendees').id;
    expect(
      statements.map(({ Effect, Action, Resource }) => [Effect, Action, [Resource].flat().map(flat)]),
    ).toEqual([
      ['Allow', ['logs:CreateLogStream', 'logs:PutLogEvents'], [`<${logs}.Arn>`]],
      ['Allow', ['dynamodb:PartiQLInsert', 'dynamodb:GetItem'], ['<AuditTable.Arn>']],
      ['Allow', 'dynamodb:BatchWriteItem', ['<AdmissionTable.Arn>']],
      [
        'Allow',
        ['chime:BatchCreateAttendee', 'chime:GetMeeting'],
        [
          'arn:<AWS::Partition>:chime:eu-central-1:123456789012:meeting/*',
          'arn:<AWS::Partition>:chime::123456789012:meeting/*',
        ],
      ],
    ]);
  });
});
