import { describe, expect, it } from '@jest/globals';
import { RemovalPolicies, RemovalPolicy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AttendeeFacade } from '../../lib/attendee-facade.ts';
import { AuditTables } from '../../lib/audit-tables.ts';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createApp, createForeignStack, resourcesOf, synthesize } from '../support/synthesize.ts';

const everything: AttendeeFacadeProps = {
  logs: { access: true, accountRole: true },
  deployment: { canaryMinutes: 5 },
};

/** What a deleted stack leaves behind, or cannot delete. */
function left(template: Template): string[] {
  return resourcesOf(template)
    .filter(
      ({ DeletionPolicy = 'Delete', UpdateReplacePolicy = 'Delete', Properties = {} }) =>
        DeletionPolicy !== 'Delete' ||
        UpdateReplacePolicy !== 'Delete' ||
        Properties['DeletionProtectionEnabled'] === true ||
        Properties['DeletionProtection'] === 'ACTIVE',
    )
    .map(({ Type }) => Type);
}

const KEPT = [
  'AWS::ApiGateway::Account',
  'AWS::Cognito::UserPool',
  'AWS::DynamoDB::Table',
  'AWS::IAM::Role',
  'AWS::Lambda::Version',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
];

/** What always stays: S3 deletes no bucket that has locked objects. */
const SEALS = ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'];

describe('the removal policy', () => {
  it('retains and protects stored data by default', () => {
    const stack = createForeignStack();
    addFacade(stack, everything);
    expect([...new Set(left(Template.fromStack(stack)))].toSorted()).toEqual(KEPT);
  });

  it.each<[string, AttendeeFacadeProps, (facade: AttendeeFacade) => void, string[]]>([
    ['the prop', { removalPolicy: RemovalPolicy.DESTROY }, () => {}, []],
    [
      'the prop, with seals',
      { removalPolicy: RemovalPolicy.DESTROY, seals: { enabled: true } },
      () => {},
      SEALS,
    ],
    ['RemovalPolicies of the app', {}, ({ node }) => RemovalPolicies.of(node.root).destroy(), SEALS],
    ['RemovalPolicies of the facade', {}, (facade) => RemovalPolicies.of(facade).destroy(), SEALS],
  ])(
    'DESTROY deletes everything but seals, deletion protection included, by %s',
    (_how, props, change, kept) => {
      for (const context of [{}, { '@aws-cdk/core:aspectPrioritiesMutating': true }]) {
        const stack = createForeignStack({}, createApp(context));
        change(addFacade(stack, { ...everything, ...props }));
        expect(left(Template.fromStack(stack))).toEqual(kept);
      }
    },
  );

  it('DESTROY of one table removes only its protection', () => {
    const stack = createForeignStack();
    const { admissions } = addFacade(stack).tables;
    admissions.applyRemovalPolicy(RemovalPolicy.DESTROY);
    const tables = resourcesOf(Template.fromStack(stack), 'AWS::DynamoDB::Table');
    const isProtected = (name: string) =>
      tables.find(({ id }) => id.includes(name))?.Properties['DeletionProtectionEnabled'];
    expect(isProtected('Admissions')).toBe(false);
    expect(isProtected('Audit')).toBe(true);
  });

  it('DESTROY also applies to tables in a separate stack, and can be set in a configuration file', () => {
    const stack = createForeignStack();
    new AuditTables(stack, 'Tables', { removalPolicy: RemovalPolicy.DESTROY });
    expect(left(Template.fromStack(stack))).toEqual([]);
    expect(left(synthesize({ removalPolicy: 'destroy', logs: { access: true } }))).toEqual([]);
  });

  it('rejects a policy that not all resources have', () => {
    const stack = createForeignStack();
    expect(problemOf(() => addFacade(stack, { removalPolicy: RemovalPolicy.SNAPSHOT }))).toMatch(
      /^Theirs\/Facade: removalPolicy: is snapshot, .*; use RemovalPolicy\.RETAIN or RemovalPolicy\.DESTROY$/,
    );
  });
});
