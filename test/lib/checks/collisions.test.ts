import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { DomainName, type IDomainName } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import type { AttendeeFacadeProps } from '../../../lib/facade-props.ts';
import { problemOf } from '../../support/configuration-error.ts';
import { addFacade, createApp } from '../../support/synthesize.ts';

const eu = { region: 'eu-central-1', account: '123456789012' };
const us = { ...eu, region: 'us-east-1' };

/** What is said to a second facade, in one stack with the first or in another of its app. */
function problemOfSecond(
  propsIn: (stack: Stack) => AttendeeFacadeProps,
  { env = eu, otherEnv }: { env?: object; otherEnv?: object } = {},
) {
  const app = createApp();
  const stack = new Stack(app, 'One', { env });
  const other = otherEnv === undefined ? stack : new Stack(app, 'Two', { env: otherEnv });
  const props = propsIn(stack);
  addFacade(stack, props, 'First');
  return problemOf(() => addFacade(other, other === stack ? props : propsIn(other), 'Second'));
}

describe('a resource server of one user pool', () => {
  const inPool = (resourceServer?: string) => (stack: Stack) => ({
    userPool: UserPool.fromUserPoolId(stack, 'Pool', 'eu-central-1_abc123'),
    ...(resourceServer === undefined ? {} : { cognito: { resourceServer } }),
  });

  it.each([[undefined], ['theirs']])('cannot be that of two facades: %s', (resourceServer) => {
    for (const otherEnv of [undefined, eu]) {
      expect(problemOfSecond(inPool(resourceServer), { ...(otherEnv && { otherEnv }) })).toMatch(
        /\/Second: cognito\.resourceServer: "(usher|theirs)" is also used by One\/First in the same userPool, so .*; /,
      );
    }
  });

  it('is its own in each of two pools', () => {
    let pools = 0;
    const pool = (stack: Stack) => ({ userPool: new UserPool(stack, `Pool${pools++}`) });
    expect(problemOfSecond(pool, { otherEnv: eu })).toBeUndefined();
  });
});

describe('what a facade has', () => {
  it('is free again once the facade is removed', () => {
    const stack = new Stack(createApp(), 'One', { env: eu });
    const add = () => addFacade(stack, { metricsNamespace: 'Theirs' }, 'Facade');
    add();
    stack.node.tryRemoveChild('Facade');
    expect(problemOf(add)).toBeUndefined();
  });

  it('by default cannot equal what another one is given', () => {
    const stack = new Stack(createApp(), 'One', { env: eu });
    addFacade(stack, {}, 'First');
    expect(problemOf(() => addFacade(stack, { metricsNamespace: 'Usher/One-First' }, 'Second'))).toMatch(
      /^One\/Second: metricsNamespace: "Usher\/One-First" is also used by One\/First, so /,
    );
  });
});

describe('the root of a domain name', () => {
  const certificate = (stack: Stack) =>
    Certificate.fromCertificateArn(
      stack,
      'Certificate',
      `arn:aws:acm:${stack.region}:123456789012:certificate/5678efab-56ef-78ab-90cd-567890abcdef`,
    );
  const made = (stack: Stack) => ({
    domain: new DomainName(stack, 'Name', {
      domainName: 'meetings.example.com',
      certificate: certificate(stack),
    }) as IDomainName,
  });
  const toBeMade = (stack: Stack) => ({
    domain: { name: 'meetings.example.com', certificate: certificate(stack) },
  });

  it.each([
    ['that there is', made],
    ['that is to be made', toBeMade],
  ])('cannot be that of two facades, for one %s', (_what, props) => {
    expect(problemOfSecond(props)).toMatch(
      /^One\/Second: domain: its root is already mapped to One\/First, so .*; /,
    );
  });

  it('can be that of two in two Regions', () => {
    expect(problemOfSecond(toBeMade, { otherEnv: eu })).toMatch(/^Two\/Second: domain: /);
    expect(problemOfSecond(toBeMade, { otherEnv: us })).toBeUndefined();
  });
});

describe('a namespace for metrics', () => {
  const inOne = () => ({ metricsNamespace: 'Theirs' });

  it('cannot be that of two facades', () => {
    expect(problemOfSecond(inOne)).toMatch(
      /^One\/Second: metricsNamespace: "Theirs" is also used by One\/First, so .*; /,
    );
  });

  it('can be that of two in two Regions', () => {
    expect(problemOfSecond(inOne, { otherEnv: us })).toBeUndefined();
  });
});

describe("the account's role for logs", () => {
  const withRole = () => ({ logs: { access: true, accountRole: true } });

  it.each<[string, object, object | undefined]>([
    ['one stack', {}, undefined],
    ['two stacks of one place', eu, eu],
  ])('cannot be asked for twice in %s', (_what, env, otherEnv) => {
    expect(problemOfSecond(withRole, { env, ...(otherEnv && { otherEnv }) })).toMatch(
      /\/Second: logs\.accountRole: is also set for One\/First, so .*; /,
    );
  });

  it.each<[string, object, object]>([
    ['two Regions', eu, us],
    ['two stacks that may go anywhere', {}, {}],
  ])('can be asked for in each of %s', (_what, env, otherEnv) => {
    expect(problemOfSecond(withRole, { env, otherEnv })).toBeUndefined();
  });
});
