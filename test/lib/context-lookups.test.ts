import { describe, expect, it } from '@jest/globals';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DomainName, type IDomainName } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createForeignStack, issuer } from '../support/synthesize.ts';

const env = { region: 'eu-central-1', account: '999999999999' };
const CERTIFICATE_ARN = 'arn:aws:acm:eu-central-1:999999999999:certificate/5678efab';

type PropsWith = (value: string, stack: Stack) => AttendeeFacadeProps;

const issuerWith = (rules: object): AttendeeFacadeProps => ({ issuers: [{ ...issuer, ...rules }] });

/** Every prop that takes a text, with one that is looked up while the app is synthesized. */
const props: [string, PropsWith][] = [
  ['meetingsRegion', (value) => ({ meetingsRegion: value })],
  ['stageName', (value) => ({ stageName: value })],
  ['metricsNamespace', (value) => ({ metricsNamespace: value })],
  ['allowedOrigins', (value) => ({ allowedOrigins: [value, `https://${value}`] })],
  ['cognito.domainPrefix', (value) => ({ cognito: { domainPrefix: value } })],
  ['cognito.resourceServer', (value) => ({ cognito: { resourceServer: value } })],
  ['alarms.runbookUrl', (value) => ({ alarms: { runbookUrl: value } })],
  ['logs.level', (value) => ({ logs: { level: value as 'INFO' } })],
  ['issuers[].issuer', (value) => issuerWith({ issuer: value })],
  ['issuers[].issuer, in part', (value) => issuerWith({ issuer: `https://${value}/oauth2` })],
  ['issuers[].jwksUri', (value) => issuerWith({ jwksUri: value })],
  ['issuers[].audience', (value) => issuerWith({ audience: [value] })],
  ['issuers[].clientIds', (value) => issuerWith({ clientIds: value.split(',') })],
  [
    'issuers[].accessTokenMark',
    (value) => issuerWith({ accessTokenMark: { claim: 'use', values: [value] } }),
  ],
  ['issuers[].provider', (value) => issuerWith({ provider: value })],
  ['issuers[].scopes', (value) => issuerWith({ scopes: { delegate: `${value} of` } })],
  ['issuers[].tenants', (value) => issuerWith({ tenants: [value] })],
  ['issuers[].externalUserIdPrefix', (value) => issuerWith({ externalUserIdPrefix: value.repeat(9) })],
  [
    'issuers, two of them',
    (value) => ({
      issuers: ['one', 'two'].map((name) => ({
        ...issuer,
        issuer: `https://${name}.example.com`,
        externalUserIdPrefix: value,
        tenants: [name],
      })),
    }),
  ],
  [
    'tables',
    (value, stack) => ({
      tables: {
        audit: Table.fromTableName(stack, 'Audit', `${value}-audit`),
        admissions: Table.fromTableName(stack, 'Admissions', `${value}-admissions`),
      },
    }),
  ],
  ['userPool', (value, stack) => ({ userPool: UserPool.fromUserPoolId(stack, 'Pool', value) })],
  [
    'domain.name',
    (value, stack) => ({
      domain: {
        name: value,
        certificate: Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE_ARN),
      },
    }),
  ],
  [
    'domain.certificate',
    (value, stack) => ({
      domain: {
        name: 'meetings.example.com',
        certificate: Certificate.fromCertificateArn(stack, 'Certificate', value),
      },
    }),
  ],
  [
    'domain.hostedZone',
    (value, stack) => ({
      domain: {
        name: `meetings.${value}`,
        certificate: Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE_ARN),
        hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', {
          hostedZoneId: value,
          zoneName: value,
        }),
      },
    }),
  ],
  [
    'domain.hostedZone, by HostedZone.fromLookup',
    (_value, stack) => ({
      domain: {
        name: 'meetings.example.com',
        certificate: Certificate.fromCertificateArn(stack, 'Certificate', CERTIFICATE_ARN),
        hostedZone: HostedZone.fromLookup(stack, 'Zone', { domainName: 'example.com' }),
      },
    }),
  ],
  [
    'domain, existing',
    (value, stack) => ({
      domain: DomainName.fromDomainNameAttributes(stack, 'Name', {
        domainName: value,
        domainNameAliasTarget: value,
        domainNameAliasHostedZoneId: value,
      }) as IDomainName,
    }),
  ],
  [
    'encryptionKey, by Key.fromLookup',
    (_value, stack) => ({ encryptionKey: Key.fromLookup(stack, 'Key', { aliasName: 'alias/theirs' }) }),
  ],
];

describe('the first pass of a synthesis, in which context is still to be looked up', () => {
  it.each(props)('goes through with a placeholder in %s', (_prop, propsWith) => {
    const stack = createForeignStack({ env });
    const value = StringParameter.valueFromLookup(stack, '/platform/value');
    expect(value).toBe('dummy-value-for-/platform/value');
    expect(problemOf(() => addFacade(stack, propsWith(value, stack)))).toBeUndefined();
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  it('still reports problems that no lookup will change', () => {
    const stack = createForeignStack({ env });
    const value = StringParameter.valueFromLookup(stack, '/platform/value');
    const facade = { stageName: value, meetingsRegion: 'eu-north-1', limits: { memoryMb: 1 } };
    expect(problemOf(() => addFacade(stack, facade))).toMatch(
      /limits\.memoryMb: .*\n.*meetingsRegion: eu-north-1/,
    );
  });

  it('grants a role that is still to be looked up', () => {
    const stack = createForeignStack({ env });
    const auditor = Role.fromLookup(stack, 'Auditor', { roleName: 'auditor' });
    expect(problemOf(() => addFacade(stack).grantReadAudit(auditor))).toBeUndefined();
  });
});

describe('the second pass, in which context is known', () => {
  it('refuses looked-up values like written ones', () => {
    const stack = createForeignStack({ env });
    const key = 'ssm:account=999999999999:parameterName=/platform/value:region=eu-central-1';
    stack.node.setContext(key, 'v 1');
    const value = StringParameter.valueFromLookup(stack, '/platform/value');
    expect(value).toBe('v 1');
    expect(problemOf(() => addFacade(stack, { stageName: value }))).toContain('Theirs/Facade: stageName: ');
  });
});
