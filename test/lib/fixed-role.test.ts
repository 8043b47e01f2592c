import { describe, expect, it } from '@jest/globals';
import { ManagedPolicy, Policy, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createForeignStack } from '../support/synthesize.ts';

describe("a function's role", () => {
  const stack = createForeignStack();
  const facade = addFacade(stack);
  const { function: handler, alias } = facade.attendees;
  const bucket = new Bucket(stack, 'Bucket');
  const statement = new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] });

  it.each<[string, () => unknown]>([
    ['a grant to the function', () => bucket.grantRead(handler)],
    ['a grant to its alias', () => bucket.grantRead(alias)],
    ['a grant of a key', () => new Key(stack, 'Key').grantDecrypt(handler)],
    ['the audit, which is for people', () => facade.grantReadAudit(handler)],
    ['a statement', () => handler.addToRolePolicy(statement)],
    [
      'a policy',
      () => new Policy(stack, 'Policy', { statements: [statement] }).attachToRole(handler.role as never),
    ],
    [
      'a managed policy',
      () => handler.role?.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('ReadOnlyAccess')),
    ],
  ])('rejects %s, instead of forgetting it', (_what, grant) => {
    expect(problemOf(grant)).toBe(
      'Theirs/Facade/Attendees: accepts no grants: it has exactly the permissions that Usher needs; grant them to your own function or role',
    );
  });

  it('does not keep others from being let in to call it', () => {
    const other = new LambdaFunction(stack, 'Other', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('//'),
    });
    expect(() => facade.reconciler.function.grantInvoke(other).assertSuccess()).not.toThrow();
    const principal = new ServicePrincipal('events.amazonaws.com');
    expect(() => facade.reconciler.function.grantInvoke(principal).assertSuccess()).not.toThrow();
  });
});
