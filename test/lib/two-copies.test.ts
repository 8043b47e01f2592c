import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AttendeeFacadeProps } from '../../lib/facade-props.ts';
import { problemOf } from '../support/configuration-error.ts';
import { addFacade, createForeignStack, flat, resourcesOf, theResource } from '../support/synthesize.ts';

type Library = typeof import('aws-cdk-lib');

const require = createRequire(import.meta.url);
let theirs: Library;

beforeAll(() => {
  // What a workspace with links has: the same files, evaluated twice, so two classes of each name.
  jest.resetModules();
  theirs = require('../../node_modules/aws-cdk-lib');
});

/** A stack of the app's own copy of the library, and the props that it gives. */
function inTheirStack(props: (stack: Stack, library: Library) => AttendeeFacadeProps): {
  stack: Stack;
  add: () => void;
} {
  const app = new theirs.App({ builtinCloudFormationValidation: false }) as App;
  const stack = new theirs.Stack(app, 'Theirs', {
    env: { region: 'eu-central-1', account: '123456789012' },
  }) as Stack;
  return { stack, add: () => void addFacade(stack, props(stack, theirs)) };
}

describe('an app with another copy of aws-cdk-lib', () => {
  it('has classes that are not those of this package', () => {
    expect(theirs.Stack).not.toBe(Stack);
    expect(new theirs.App() instanceof App).toBe(false);
  });

  it('lets alarms publish to its topic with enforceSSL', () => {
    const { stack, add } = inTheirStack((scope, { aws_sns: sns }) => ({
      alarmTopic: new sns.Topic(scope, 'OnCall', { enforceSSL: true }),
    }));
    add();
    const template = Template.fromStack(stack);
    const { Properties: policy } = theResource(template, 'AWS::SNS::TopicPolicy');
    const { Statement: statements } = policy['PolicyDocument'] as { Statement: object[] };
    expect(statements).toHaveLength(2);
    expect(statements[1]).toMatchObject({
      Action: 'sns:Publish',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
    });
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeGreaterThan(5);
    for (const { Properties } of alarms) {
      expect([Properties['AlarmActions']].flat().map(flat)).toEqual([expect.stringMatching(/^<OnCall/)]);
    }
  });

  it.each<[string, (stack: Stack, library: Library) => AttendeeFacadeProps]>([
    [
      'tables.audit: has the key id S,',
      (scope, { aws_dynamodb: dynamodb }) => ({
        tables: {
          audit: new dynamodb.Table(scope, 'Table', {
            partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
          }) as never,
        },
      }),
    ],
    [
      'tables.audit: has the key id S,',
      (scope, { aws_dynamodb: dynamodb }) => ({
        tables: {
          audit: new dynamodb.TableV2(scope, 'Table', {
            partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
          }) as never,
        },
      }),
    ],
    [
      'domain: accepts TLS 1.0,',
      (scope, { aws_apigateway: apigateway, aws_certificatemanager: acm }) => ({
        domain: new apigateway.DomainName(scope, 'Name', {
          domainName: 'meetings.example.com',
          certificate: acm.Certificate.fromCertificateArn(
            scope,
            'Certificate',
            'arn:aws:acm:eu-central-1:123456789012:certificate/5678efab',
          ),
          securityPolicy: apigateway.SecurityPolicy.TLS_1_0,
        }) as never,
      }),
    ],
  ])('gets the same refusals as any app: %s', (sentence, props) => {
    expect(problemOf(inTheirStack(props).add)).toContain(`Theirs/Facade: ${sentence}`);
  });

  it('may pass every prop of a facade', () => {
    const { stack, add } = inTheirStack((scope, library) => ({
      encryptionKey: new library.aws_kms.Key(scope, 'Key'),
      userPool: new library.aws_cognito.UserPool(scope, 'Pool') as never,
      alarmTopic: new library.aws_sns.Topic(scope, 'OnCall', {
        masterKey: new library.aws_kms.Key(scope, 'TopicKey'),
      }),
      domain: {
        name: 'meetings.example.com',
        certificate: library.aws_certificatemanager.Certificate.fromCertificateArn(
          scope,
          'Certificate',
          'arn:aws:acm:eu-central-1:123456789012:certificate/5678efab',
        ),
        hostedZone: library.aws_route53.HostedZone.fromHostedZoneAttributes(scope, 'Zone', {
          hostedZoneId: 'Z0123456789EXAMPLE',
          zoneName: 'example.com',
        }),
      },
    }));
    add();
    // What this package's own copy makes of the same, in a stack of its own copy.
    const ours = createForeignStack({ env: { region: 'eu-central-1', account: '123456789012' } });
    addFacade(ours, { alarms: { latencyMs: Duration.seconds(5).toMilliseconds() } });
    const types = (template: Template) => new Set(resourcesOf(template).map(({ Type }) => Type));
    expect([...types(Template.fromStack(stack))]).toEqual(
      expect.arrayContaining(
        [...types(Template.fromStack(ours))].filter((type) => !/UserPoolDomain/.test(type)),
      ),
    );
  });
});
