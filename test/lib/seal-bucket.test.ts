import { describe, expect, it } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { readSettings } from '../../lambda/sealer/environment.ts';
import { hasSeals } from '../../lib/settings/complete.ts';
import type { FacadeSettings } from '../../lib/settings/props.ts';
import { problemOf } from '../support/configuration-error.ts';
import {
  addFacade,
  createForeignStack,
  flat,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';

const template = synthesize({ audit: { retentionDays: 400 } });
const bucketIn = (from: Template) => theResource(from, 'AWS::S3::Bucket').Properties;

describe('the bucket of seals', () => {
  it('is locked for longer than records are kept, versioned, encrypted and closed', () => {
    expect(bucketIn(template)).toEqual({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'ExpireAfterTheLock',
            Status: 'Enabled',
            ExpirationInDays: 430,
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          },
          { Id: 'RemoveMarkers', Status: 'Enabled', ExpiredObjectDeleteMarker: true },
        ],
      },
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 430 } },
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: 'Enabled' },
    });
  });

  it('takes an object once, over TLS 1.2 or later, and hides none', () => {
    const { PolicyDocument } = theResource(template, 'AWS::S3::BucketPolicy').Properties as {
      PolicyDocument: { Statement: { Effect: string; Action: string; Condition?: object }[] };
    };
    expect(
      PolicyDocument.Statement.map(({ Effect, Action, Condition }) => [Effect, Action, Condition]),
    ).toEqual([
      ['Deny', 's3:*', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Deny', 's3:*', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ['Deny', 's3:PutObject', { Null: { 's3:if-none-match': 'true' } }],
      ['Deny', 's3:DeleteObject', undefined],
    ]);
  });

  it.each<[string, FacadeSettings, object | undefined, number | undefined]>([
    ['ten years where records are kept for ever', {}, { Mode: 'GOVERNANCE', Days: 3650 }, undefined],
    [
      'as long as it is asked to be, in the mode that it is asked for',
      { audit: { retentionDays: 7 }, seals: { lock: 'compliance', lockDays: 7 } },
      { Mode: 'COMPLIANCE', Days: 7 },
      7,
    ],
    ['not at all for a preview', { audit: { retentionDays: 7 }, seals: { lock: 'none' } }, undefined, 37],
    [
      'no longer than S3 can',
      { audit: { retentionDays: 36_500 } },
      { Mode: 'GOVERNANCE', Days: 36_500 },
      36_500,
    ],
  ])('is locked %s', (_what, settings, retention, expiry) => {
    const { ObjectLockConfiguration: lock, LifecycleConfiguration: lifecycle } = bucketIn(
      synthesize(settings),
    ) as {
      ObjectLockConfiguration?: { Rule: { DefaultRetention: object } };
      LifecycleConfiguration?: { Rules: { ExpirationInDays: number }[] };
    };
    expect(lock?.Rule.DefaultRetention).toEqual(retention);
    expect(lifecycle?.Rules[0]?.ExpirationInDays).toBe(expiry);
  });

  it('is refused a lock that ends before the records', () => {
    expect(problemOf(() => synthesize({ audit: { retentionDays: 400 }, seals: { lockDays: 399 } }))).toMatch(
      /seals\.lockDays: is 399, but audit records are kept for 400 days, .*; make it 400 at least/,
    );
  });

  it('stays without a lock too, and has a policy then that lets it be emptied', () => {
    const preview = synthesize({ seals: { lock: 'none' } });
    expect(theResource(preview, 'AWS::S3::Bucket').DeletionPolicy).toBe('Retain');
    expect(JSON.stringify(theResource(preview, 'AWS::S3::BucketPolicy'))).not.toContain('DeleteObject');
  });
});

describe('seals', () => {
  it.each([
    [true, {}, false],
    [false, {}, true],
    [false, { production: false }, false],
    [true, { production: false, seals: { enabled: true } }, true],
    [false, { seals: { enabled: false } }, false],
  ])('are made: %p, for %p, where the audit goes with its stack: %p', (made, settings, isDestroyed) => {
    expect(hasSeals({ production: true, seals: {}, ...settings }, { isDestroyed })).toBe(made);
    const config = { ...settings, ...(isDestroyed && { removalPolicy: 'destroy' }) };
    expect(resourcesOf(synthesize(config), 'AWS::Lambda::Function', 'Sealer')).toHaveLength(made ? 1 : 0);
  });

  it('go to a bucket of another account, of which nothing is created', () => {
    const given = synthesize({ seals: { bucketArn: 'arn:aws:s3:::their-seals' } });
    expect(resourcesOf(given, 'AWS::S3::Bucket')).toEqual([]);
    const { Environment } = theResource(given, 'AWS::Lambda::Function', 'Sealer').Properties as {
      Environment: { Variables: Record<string, string> };
    };
    expect(Environment.Variables).toMatchObject({
      SEAL_BUCKET_NAME: 'their-seals',
      SEAL_PREFIX: 'usher-test/',
    });
    expect(JSON.stringify(theResource(given, 'AWS::IAM::Policy', 'Sealer'))).toContain(
      'arn:aws:s3:::their-seals/usher-test/*',
    );
  });

  it('have separate prefixes for two facades that share tables', () => {
    const stack = createForeignStack();
    const { tables, sealBucket } = addFacade(stack, {}, 'One');
    addFacade(stack, { tables, ...(sealBucket && { sealBucket }) }, 'Two');
    const prefixes = resourcesOf(Template.fromStack(stack), 'AWS::Lambda::Function')
      .filter(({ id }) => id.includes('Sealer'))
      .map(({ Properties }) => (Properties['Environment'] as { Variables: object }).Variables);
    expect(prefixes).toMatchObject([{ SEAL_PREFIX: 'Theirs-One/' }, { SEAL_PREFIX: 'Theirs-Two/' }]);
  });

  it('can be read by who may read the audit', () => {
    const stack = createForeignStack();
    const reader = new Role(stack, 'Reader', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    addFacade(stack).grantReadAudit(reader);
    const { Statement: statements } = theResource(Template.fromStack(stack), 'AWS::IAM::Policy', 'Reader')
      .Properties['PolicyDocument'] as { Statement: { Action: string[]; Resource: unknown }[] };
    const ofSeals = statements.filter(({ Action }) => [Action].flat().some((name) => name.startsWith('s3:')));
    expect(ofSeals.map(({ Action, Resource }) => [Action, flat(Resource)])).toEqual([
      [
        ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention'],
        expect.stringMatching(/\.Arn>\/Theirs-Facade\/\*$/),
      ],
      [['s3:ListBucket', 's3:ListBucketVersions'], expect.stringMatching(/\.Arn>$/)],
    ]);
  });

  const given = (stack: Stack) => Bucket.fromBucketName(stack, 'Given', 'seals');
  it.each<[string, (stack: Stack) => Parameters<typeof addFacade>[1], RegExp]>([
    [
      'a lock for a given bucket',
      (stack) => ({ sealBucket: given(stack), seals: { lock: 'compliance' } }),
      /seals\.lock: is for a bucket that is created/,
    ],
    [
      'a bucket where none is needed',
      (stack) => ({ sealBucket: given(stack), seals: { enabled: false } }),
      /sealBucket: is given, but seals\.enabled is false/,
    ],
    [
      'a bucket of another Region',
      (stack) => ({
        sealBucket: Bucket.fromBucketAttributes(stack, 'Far', { bucketName: 'far', region: 'eu-west-1' }),
      }),
      /sealBucket: is in eu-west-1, but the stack deploys to us-east-1/,
    ],
    [
      'a bucket with a key',
      (stack) => ({
        sealBucket: new Bucket(stack, 'Own', { encryptionKey: new Key(stack, 'Key') }) as IBucket,
      }),
      /sealBucket: is encrypted by a key that the sealer may not use/,
    ],
  ])('are refused %s', (_what, props, message) => {
    const stack = createForeignStack({ env: { region: 'us-east-1', account: '123456789012' } });
    expect(problemOf(() => addFacade(stack, props(stack)))).toMatch(message);
  });
});

describe('the sealer', () => {
  const { Properties: properties } = theResource(template, 'AWS::Lambda::Function', 'Sealer');

  it('is given settings that it reads, and no other variable', () => {
    const { Variables: variables } = properties['Environment'] as { Variables: Record<string, unknown> };
    const texts = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, flat(value)]));
    expect(readSettings(texts)).toEqual({
      auditTableName: '<AuditTable>',
      bucketName: `<${theResource(template, 'AWS::S3::Bucket').id}>`,
      prefix: 'usher-test/',
    });
    expect(Object.keys(variables).filter((name) => !name.startsWith('POWERTOOLS_'))).toEqual([
      'AUDIT_TABLE_NAME',
      'SEAL_BUCKET_NAME',
      'SEAL_PREFIX',
    ]);
    expect(() => readSettings({ ...texts, SEAL_PREFIX: '' })).toThrow('SEAL_PREFIX is missing');
  });

  it('runs every hour, and again within minutes where it fails', () => {
    expect(properties).toMatchObject({ MemorySize: 1024, Timeout: 840 });
    expect(theResource(template, 'AWS::Events::Rule', 'Sealer').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 hour)',
    });
    expect(theResource(template, 'AWS::Lambda::EventInvokeConfig', 'Sealer').Properties).toMatchObject({
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3000,
    });
  });
});
