import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Construct } from 'constructs';
import { nameOf } from '../../lib/facade-name.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createApp, createForeignStack, theResource } from '../support/synthesize.ts';

describe('the name of a facade', () => {
  const longest = 'x'.repeat(192);
  const named = (id: string) => nameOf(new Construct(createForeignStack(), id));

  it('is unchanged up to a length', () => {
    expect(named('x'.repeat(193))).toBe(`Theirs-${'x'.repeat(193)}`);
  });

  it('is cut beyond that, with a digest of the removed part', () => {
    const names = [named(`${longest}ab`), named(`${longest}ac`)];
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^Theirs-x{184}-[0-9a-f]{8}$/);
  });

  it('keeps the names and ids derived from it within their bounds', () => {
    const stack = createForeignStack();
    const facade = addFacade(stack, {}, longest + longest);
    const template = Template.fromStack(stack);
    const name = theResource(template, 'AWS::ApiGateway::RestApi').Properties['Name'] as string;
    expect(name).toHaveLength(200);
    expect(facade.metricIssued().namespace).toBe(`Usher/${name}`);
    for (const id of Object.keys(facade.metricDenied().usingMetrics)) {
      expect(id.length).toBeLessThanOrEqual(255);
    }
  });
});

describe('a namespace for metrics', () => {
  const problemWith = (metricsNamespace: string) =>
    problemOf(() => addFacade(createForeignStack(), { metricsNamespace }));

  it.each(['Theirs', 'Our Meetings/a.b_c-d#e:f', 'x'.repeat(255)])('may be %s', (namespace) => {
    expect(problemWith(namespace)).toBeUndefined();
  });

  it.each(['', ' ', ':a', 'Räume', 'a\tb', 'x'.repeat(256)])('cannot be "%s"', (namespace) => {
    expect(problemWith(namespace)).toMatch(
      /^Theirs\/Facade: metricsNamespace: ".*" is not a valid CloudWatch namespace, so .*; use /,
    );
  });

  it("cannot be one of AWS's own", () => {
    expect(problemWith('AWS/Lambda')).toMatch(
      /^Theirs\/Facade: metricsNamespace: "AWS\/Lambda" starts with AWS\/, .*; /,
    );
  });
});

describe('two facades of one name', () => {
  const problemWith = (env: object, otherEnv = env, otherName = 'usher-dev') => {
    const app = createApp();
    addFacade(new Stack(app, 'usher', { env }), {}, 'dev');
    return problemOf(() =>
      addFacade(new Stack(app, 'Other', { stackName: otherName, env: otherEnv }), {}, 'Default'),
    );
  };
  const eu = { region: 'eu-central-1', account: '123456789012' };
  const us = { ...eu, region: 'us-east-1' };

  it.each<[string, object]>([
    ['one place', eu],
    ['a place that is only known at deployment', {}],
  ])('are rejected in %s', (_what, env) => {
    expect(problemWith(env)).toBe(
      "Other/Default: id: leads to the name usher-dev, which usher/dev also has, so each would count the other's requests and alarms; change one of the ids",
    );
  });

  it('are rejected in one stack', () => {
    const stack = createForeignStack();
    addFacade(stack, {}, 'a b');
    expect(problemOf(() => addFacade(stack, {}, 'a-b'))).toMatch(
      /^Theirs\/a-b: id: leads to the name Theirs-a-b, /,
    );
  });

  it('may be in two places', () => {
    expect(problemWith(eu, us)).toBeUndefined();
    expect(problemWith(us, eu)).toBeUndefined();
  });

  it('may be in stacks of one name, which are certainly in two places', () => {
    const app = createApp();
    for (const id of ['One', 'Two']) addFacade(new Stack(app, id, { stackName: 'usher' }), {}, 'Default');
  });
});
