import { describe, expect, it } from '@jest/globals';
import type { Template } from 'aws-cdk-lib/assertions';
import { apiDocument, synthesize } from './synthesize.ts';

const template = synthesize({
  stageName: 'live',
  limits: { requestsPerSecond: 50, burst: 70, timeoutSeconds: 15 },
});

/** The one resource of a type, leaving out what is the reconciler's. */
function onlyResource(from: Template, type: string): { id: string; properties: Record<string, unknown> } {
  const [resource, ...others] = Object.entries(from.findResources(type)).filter(
    ([id]) => !id.startsWith('Reconciler'),
  );
  expect(others).toEqual([]);
  return { id: resource?.[0] ?? '', properties: resource?.[1]['Properties'] };
}

const api = onlyResource(template, 'AWS::ApiGateway::RestApi');
const body = api.properties['Body'] as typeof apiDocument;
const isOperation = (member: string) =>
  /^(get|put|post|delete|options|head|patch|x-amazon-apigateway-any-method)$/.test(member);

describe('the API', () => {
  it('is the contract as it stands, and integrations', () => {
    const withoutIntegrations = JSON.parse(
      JSON.stringify(body, (key, value) => (key === 'x-amazon-apigateway-integration' ? undefined : value)),
    );
    expect(withoutIntegrations).toEqual(apiDocument);
  });

  const operations = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([member]) => isOperation(member))
      .map(([member, operation]): [string, unknown] => [`${member} ${path}`, operation]),
  );

  it('has the operations that let the handler shape nearly every answer', () => {
    expect(operations.map(([name]) => name).sort()).toEqual([
      'options /meetings/{MeetingId}/attendees',
      'post /meetings/{MeetingId}/attendees',
      'x-amazon-apigateway-any-method /',
      'x-amazon-apigateway-any-method /meetings/{MeetingId}/attendees',
      'x-amazon-apigateway-any-method /{proxy+}',
    ]);
  });

  it.each(operations)('has the function answer %s', (_name, operation) => {
    const [functionId] = Object.keys(template.findResources('AWS::Lambda::Function'));
    expect(operation).toMatchObject({
      'x-amazon-apigateway-integration': {
        type: 'aws_proxy',
        httpMethod: 'POST',
        timeoutInMillis: 16_000,
        uri: {
          'Fn::Join': [
            '',
            [
              'arn:',
              { Ref: 'AWS::Partition' },
              ':apigateway:',
              { Ref: 'AWS::Region' },
              ':lambda:path/2015-03-31/functions/',
              { 'Fn::GetAtt': [functionId, 'Arn'] },
              '/invocations',
            ],
          ],
        },
      },
    });
  });

  it('is regional', () => {
    expect(api.properties['EndpointConfiguration']).toEqual({ Types: ['REGIONAL'] });
  });

  it('may call the function, through its one stage only', () => {
    expect(onlyResource(template, 'AWS::Lambda::Permission').properties).toMatchObject({
      Principal: 'apigateway.amazonaws.com',
      SourceArn: {
        'Fn::Join': [
          '',
          [
            'arn:',
            { Ref: 'AWS::Partition' },
            ':execute-api:',
            { Ref: 'AWS::Region' },
            ':',
            { Ref: 'AWS::AccountId' },
            ':',
            { Ref: api.id },
            '/live/*/*',
          ],
        ],
      },
    });
  });

  it('is deployed anew when the contract changes, and only then', () => {
    const deployment = (from: Template) => onlyResource(from, 'AWS::ApiGateway::Deployment').id;
    const changed = { ...apiDocument, paths: { ...apiDocument.paths, '/more': { get: { responses: {} } } } };
    expect(deployment(synthesize())).toBe(deployment(synthesize()));
    expect(deployment(synthesize({}, changed))).not.toBe(deployment(synthesize()));
  });
});

describe('the stage', () => {
  const stage = onlyResource(template, 'AWS::ApiGateway::Stage').properties;

  it('is throttled, and logs neither bodies nor headers', () => {
    expect(stage['StageName']).toBe('live');
    expect(stage['MethodSettings']).toEqual([
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'OFF',
        ThrottlingRateLimit: 50,
        ThrottlingBurstLimit: 70,
      },
    ]);
  });

  it("does not touch the account's API Gateway settings", () => {
    template.resourceCountIs('AWS::ApiGateway::Account', 0);
    expect(stage['AccessLogSetting']).toBeUndefined();
  });

  it('writes access logs without personal data where they are asked for', () => {
    const logged = synthesize({ logs: { access: true, retentionDays: 7 } });
    const { AccessLogSetting: setting } = onlyResource(logged, 'AWS::ApiGateway::Stage').properties as {
      AccessLogSetting: { Format: string; DestinationArn: { 'Fn::GetAtt': [string, string] } };
    };
    const line = JSON.parse(setting.Format);
    expect(Object.values(line).sort()).toEqual([
      '$context.extendedRequestId',
      '$context.httpMethod',
      '$context.integration.requestId',
      '$context.integrationLatency',
      '$context.requestTime',
      '$context.resourcePath',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.status',
    ]);
    const [logGroupId] = setting.DestinationArn['Fn::GetAtt'];
    expect(logged.findResources('AWS::Logs::LogGroup')[logGroupId]).toMatchObject({
      Properties: { RetentionInDays: 7 },
    });
    logged.resourceCountIs('AWS::ApiGateway::Account', 0);
  });
});
