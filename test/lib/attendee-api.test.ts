import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { DomainName } from 'aws-cdk-lib/aws-apigateway';
import type { ApiDocument } from '../../lib/attendee-api.ts';
import {
  addFacade,
  apiDocument,
  createForeignStack,
  flat,
  fullProduction,
  resourcesOf,
  synthesize,
  theResource,
} from '../support/synthesize.ts';

const template = synthesize({
  production: false,
  stageName: 'live',
  limits: {
    requestsPerSecond: 50,
    burst: 70,
    preflightsPerSecond: 20,
    preflightBurst: 30,
    timeoutSeconds: 15,
  },
});
const api = theResource(template, 'AWS::ApiGateway::RestApi');

/** What is deployed: the contract and what API Gateway is told beside it. */
const body = api.Properties['Body'] as ApiDocument & {
  security: unknown;
  components: { securitySchemes: Record<string, object> };
  'x-amazon-apigateway-gateway-responses': Record<
    string,
    { statusCode: number; responseParameters: Record<string, string> }
  >;
};
const alias = theResource(template, 'AWS::Lambda::Alias', 'Attendees');

const METHOD = /^(get|put|post|delete|options|head|patch|trace|x-amazon-apigateway-any-method)$/;
const operations = Object.entries(body.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([member]) => METHOD.test(member))
    .map(([member, operation]): [string, Record<string, unknown>] => [
      `${member} ${path}`,
      operation as Record<string, unknown>,
    ]),
);

/** Every key of a document, however deep. */
function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe('the API document', () => {
  it('is the contract as it stands, and integrations, and the name that CloudWatch goes by', () => {
    const withoutIntegrations = JSON.parse(
      JSON.stringify(body, (key, value) => (key === 'x-amazon-apigateway-integration' ? undefined : value)),
    );
    expect(withoutIntegrations).toEqual({
      ...apiDocument,
      info: { ...apiDocument.info, title: 'usher-test' },
    });
    expect(api.Properties['Name']).toBe('usher-test');
  });

  it('has the operations that let the handler shape nearly every answer', () => {
    expect(operations.map(([name]) => name).sort()).toEqual([
      'options /meetings/{MeetingId}/attendees',
      'post /meetings/{MeetingId}/attendees',
      'x-amazon-apigateway-any-method /',
      'x-amazon-apigateway-any-method /meetings/{MeetingId}/attendees',
      'x-amazon-apigateway-any-method /{proxy+}',
    ]);
  });

  it.each(operations)('has the function, as it was deployed last, answer %s', (_name, operation) => {
    const integration = operation['x-amazon-apigateway-integration'] as Record<string, unknown>;
    expect({ ...integration, uri: flat(integration['uri']) }).toEqual({
      type: 'aws_proxy',
      httpMethod: 'POST',
      timeoutInMillis: 16_000,
      uri: `arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<${alias.id}>/invocations`,
    });
  });

  it('has integrations nowhere but at operations', () => {
    const integrations = keysOf(body).filter((key) => key === 'x-amazon-apigateway-integration');
    expect(integrations).toHaveLength(operations.length);
  });

  it('asks for a bearer token wherever something is done, and says so', () => {
    expect(body.components.securitySchemes).toMatchObject({
      bearerToken: { type: 'http', scheme: 'bearer' },
    });
    expect(body.security).toEqual([{ bearerToken: [] }]);
    // The others answer a preflight or an error, and never ask Chime: test/system/attacks.system.ts.
    const withoutToken = operations
      .filter(([, { security }]) => security !== undefined)
      .map(([name]) => name);
    expect(withoutToken).toEqual(
      operations.map(([name]) => name).filter((name) => name !== 'post /meetings/{MeetingId}/attendees'),
    );
  });

  it('leaves validation, authorization and CORS to the function, so that its answers have the shape of the contract', () => {
    const extensions = new Set(keysOf(body).filter((key) => key.startsWith('x-amazon-apigateway-')));
    expect([...extensions].sort()).toEqual([
      'x-amazon-apigateway-any-method',
      'x-amazon-apigateway-gateway-responses',
      'x-amazon-apigateway-integration',
    ]);
  });

  it.each(Object.entries(body['x-amazon-apigateway-gateway-responses']))(
    'lets any page read what the gateway answers as %s',
    (_type, { responseParameters }) => {
      expect(responseParameters).toMatchObject({
        'gatewayresponse.header.Access-Control-Allow-Origin': "'*'",
        'gatewayresponse.header.Access-Control-Expose-Headers': expect.stringContaining('x-amzn-ErrorType'),
        'gatewayresponse.header.Cache-Control': "'no-store'",
      });
    },
  );

  it.each([
    ['WAF_FILTERED', 403],
    ['THROTTLED', 429],
    ['INTEGRATION_TIMEOUT', 503],
    ['DEFAULT_4XX', 400],
    ['DEFAULT_5XX', 500],
  ])('shapes %s', (type, status) => {
    expect(Number(body['x-amazon-apigateway-gateway-responses'][type]?.statusCode)).toBe(status);
  });

  it('is deployed anew when the contract changes, and only then', () => {
    const deployment = (from: Template) => theResource(from, 'AWS::ApiGateway::Deployment').id;
    const changed = { ...apiDocument, paths: { ...apiDocument.paths, '/more': { get: { responses: {} } } } };
    expect(deployment(synthesize())).toBe(deployment(synthesize()));
    expect(deployment(synthesize({}, changed))).not.toBe(deployment(synthesize()));
  });
});

describe('the API', () => {
  it('is regional, takes TLS 1.2 and above only, and has no setting that would change a body on its way', () => {
    expect(api.Properties).toEqual({
      Name: 'usher-test',
      Body: expect.anything(),
      EndpointConfiguration: { Types: ['REGIONAL'] },
      DisableExecuteApiEndpoint: false,
      SecurityPolicy: expect.stringMatching(/^SecurityPolicy_TLS13_1_2_PFS/),
      EndpointAccessMode: 'STRICT',
    });
  });

  it('may call the alias, through its one stage only', () => {
    const permission = theResource(template, 'AWS::Lambda::Permission', 'Attendees').Properties;
    expect(permission).toMatchObject({
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
    });
    expect(flat(permission['FunctionName'])).toBe(`<${alias.id}>`);
    expect(flat(permission['SourceArn'])).toBe(
      `arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<${api.id}>/live/*/*`,
    );
  });

  it('waits a second longer than the function may take, and no longer than API Gateway can', () => {
    const waits = (timeoutSeconds: number) => {
      const { Properties } = theResource(
        synthesize({ limits: { timeoutSeconds } }),
        'AWS::ApiGateway::RestApi',
      );
      return [...JSON.stringify(Properties['Body']).matchAll(/"timeoutInMillis":(\d+)/g)].map(([, ms]) =>
        Number(ms),
      );
    };
    expect(new Set(waits(5))).toEqual(new Set([6_000]));
    expect(new Set(waits(28))).toEqual(new Set([29_000]));
  });
});

describe('the stage', () => {
  const stage = theResource(template, 'AWS::ApiGateway::Stage').Properties;

  it('is throttled, preflights apart, logs neither bodies nor headers, and neither caches nor traces', () => {
    const { MethodSettings, ...others } = stage;
    expect(others).toEqual({
      StageName: 'live',
      RestApiId: { Ref: api.id },
      DeploymentId: { Ref: theResource(template, 'AWS::ApiGateway::Deployment').id },
    });
    expect(MethodSettings).toEqual([
      {
        HttpMethod: '*',
        ResourcePath: '/*',
        DataTraceEnabled: false,
        LoggingLevel: 'OFF',
        ThrottlingRateLimit: 50,
        ThrottlingBurstLimit: 70,
      },
      {
        HttpMethod: 'OPTIONS',
        ResourcePath: '/~1meetings~1{MeetingId}~1attendees',
        DataTraceEnabled: false,
        LoggingLevel: 'OFF',
        ThrottlingRateLimit: 20,
        ThrottlingBurstLimit: 30,
      },
    ]);
  });

  it('lets in far more than Chime takes, preflights as many again, where nothing is said', () => {
    const settings = theResource(synthesize(), 'AWS::ApiGateway::Stage').Properties['MethodSettings'];
    expect(settings).toMatchObject([
      { HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      { HttpMethod: 'OPTIONS', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
    ]);
  });
});

describe('access logs', () => {
  const setting = (from: Template) =>
    theResource(from, 'AWS::ApiGateway::Stage').Properties['AccessLogSetting'] as
      | { Format: string; DestinationArn: unknown }
      | undefined;

  it('are only written where they are asked for, since a stage without the role for them fails to deploy', () => {
    expect(setting(synthesize())).toBeUndefined();
    expect(setting(synthesize({ logs: { access: true } }))).toBeDefined();
  });

  it('are JSON without personal data, in a group that forgets', () => {
    const logged = synthesize({ logs: { access: true, retentionDays: 7 } });
    const { Format, DestinationArn } = setting(logged) ?? { Format: '', DestinationArn: '' };
    expect(Object.values(JSON.parse(Format)).sort()).toEqual([
      '$context.extendedRequestId',
      '$context.httpMethod',
      '$context.integration.requestId',
      '$context.integrationLatency',
      '$context.requestTime',
      '$context.resourcePath',
      '$context.responseLatency',
      '$context.responseLength',
      '$context.status',
      '$context.tlsVersion',
      '$context.wafResponseCode',
    ]);
    const group = theResource(logged, 'AWS::Logs::LogGroup', 'AttendeeApi');
    expect(flat(DestinationArn)).toBe(`<${group.id}.Arn>`);
    expect(group.Properties).toEqual({ RetentionInDays: 7 });
  });

  it.each<[string, object]>([
    ['with them', { logs: { access: true } }],
    ['without them', {}],
    ['with all there is but the role', { ...fullProduction, logs: { access: true } }],
  ])('change nothing of the whole account unasked, %s', (_what, config) => {
    const types = resourcesOf(synthesize(config)).map(({ Type }) => Type);
    expect(types).not.toContain('AWS::ApiGateway::Account');
    expect(types).not.toContain('AWS::Logs::ResourcePolicy');
  });

  it("bring the account's role where it is asked for, before the stage that needs it", () => {
    const asked = synthesize({ logs: { access: true, accountRole: true } });
    const account = theResource(asked, 'AWS::ApiGateway::Account');
    const [roleId] = flat(account.Properties['CloudWatchRoleArn']).slice(1, -1).split('.');
    expect(theResource(asked, 'AWS::IAM::Role', roleId).Properties).toMatchObject({
      AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'apigateway.amazonaws.com' } }] },
    });
    expect(asked.findResources('AWS::ApiGateway::Stage', { DependsOn: [account.id] })).not.toEqual({});
  });
});

describe('a domain name', () => {
  const url = (from: Template) => flat(from.findOutputs('ApiUrl')['ApiUrl']?.['Value']);
  const { domain } = fullProduction;

  it('takes TLS 1.2 and above only, and leads to the stage from its root', () => {
    const own = synthesize({ domain });
    const name = theResource(own, 'AWS::ApiGateway::DomainName');
    expect(name.Properties).toEqual({
      DomainName: 'meetings.example.com',
      EndpointConfiguration: { Types: ['REGIONAL'] },
      RegionalCertificateArn: domain.certificateArn,
      SecurityPolicy: 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09',
      EndpointAccessMode: 'STRICT',
    });
    const { Properties: mapping } = theResource(own, 'AWS::ApiGateway::BasePathMapping');
    expect(mapping['BasePath']).toBeUndefined();
    expect(flat(mapping['DomainName'])).toBe(`<${name.id}>`);
    expect(flat(mapping['RestApiId'])).toBe(`<${theResource(own, 'AWS::ApiGateway::RestApi').id}>`);
    expect(flat(mapping['Stage'])).toBe(`<${theResource(own, 'AWS::ApiGateway::Stage').id}>`);
    expect(url(own)).toBe(`https://<${name.id}>`);
  });

  it('is then the only way to the API', () => {
    const disabled = (config: object) =>
      theResource(synthesize(config), 'AWS::ApiGateway::RestApi').Properties['DisableExecuteApiEndpoint'];
    expect(disabled({ domain })).toBe(true);
    expect(disabled({})).toBe(false);
  });

  it('gets its record where a hosted zone is given, and none elsewhere', () => {
    const own = synthesize({ domain });
    const { Properties: record } = theResource(own, 'AWS::Route53::RecordSet');
    const { id } = theResource(own, 'AWS::ApiGateway::DomainName');
    expect(record).toMatchObject({
      Type: 'A',
      Name: 'meetings.example.com.',
      HostedZoneId: 'Z0123456789EXAMPLE',
      AliasTarget: {
        DNSName: { 'Fn::GetAtt': [id, 'RegionalDomainName'] },
        HostedZoneId: { 'Fn::GetAtt': [id, 'RegionalHostedZoneId'] },
      },
    });
    const { hostedZone: _, ...withoutZone } = domain;
    synthesize({ domain: withoutZone }).resourceCountIs('AWS::Route53::RecordSet', 0);
  });

  it('can be one that there is already', () => {
    const stack = createForeignStack();
    const existing = DomainName.fromDomainNameAttributes(stack, 'Existing', {
      domainName: 'api.example.org',
      domainNameAliasHostedZoneId: 'Z1',
      domainNameAliasTarget: 'd-1.execute-api.eu-central-1.amazonaws.com',
    });
    const facade = addFacade(stack, { domain: existing });
    const foreign = Template.fromStack(stack);
    expect(facade.url).toBe('https://api.example.org');
    foreign.resourceCountIs('AWS::ApiGateway::DomainName', 0);
    foreign.resourceCountIs('AWS::Route53::RecordSet', 0);
    expect(theResource(foreign, 'AWS::ApiGateway::BasePathMapping').Properties['DomainName']).toBe(
      'api.example.org',
    );
    expect(theResource(foreign, 'AWS::ApiGateway::RestApi').Properties['DisableExecuteApiEndpoint']).toBe(
      true,
    );
  });
});
