import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { DomainName, LambdaIntegration, MockIntegration } from 'aws-cdk-lib/aws-apigateway';
import type { AttendeeFacade } from '../../lib/attendee-facade.ts';
import {
  addFacade,
  createForeignStack,
  createStack,
  flat,
  fullProduction,
  type Resource,
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

const alias = theResource(template, 'AWS::Lambda::Alias', 'Attendees');

/** The methods of an API, by their names and paths. */
function methodsOf(from: Template): Map<string, Resource> {
  const resources = new Map(
    resourcesOf(from, 'AWS::ApiGateway::Resource').map(({ id, Properties }) => [`<${id}>`, Properties]),
  );
  const pathOf = (id: string): string => {
    const resource = resources.get(id);
    return resource ? `${pathOf(flat(resource['ParentId']))}/${resource['PathPart']}` : '';
  };
  return new Map(
    resourcesOf(from, 'AWS::ApiGateway::Method').map((method) => [
      `${method.Properties['HttpMethod']} ${pathOf(flat(method.Properties['ResourceId'])) || '/'}`,
      method,
    ]),
  );
}
const methods = [...methodsOf(template)];

describe('the methods', () => {
  it('let the function shape nearly every answer', () => {
    expect(methods.map(([name]) => name).sort()).toEqual([
      'ANY /',
      'ANY /meetings/{MeetingId}',
      'ANY /meetings/{MeetingId}/attendees',
      'ANY /{proxy+}',
      'GET /meetings/{MeetingId}',
      'OPTIONS /meetings/{MeetingId}',
      'OPTIONS /meetings/{MeetingId}/attendees',
      'POST /meetings/{MeetingId}/attendees',
    ]);
  });

  it.each(methods)('invoke the last deployed version of the function for %s', (_name, { Properties }) => {
    const { RestApiId, ResourceId: _, HttpMethod: __, ...rest } = Properties;
    const integration = rest['Integration'] as Record<string, unknown>;
    expect(RestApiId).toEqual({ Ref: api.id });
    // Validation, authorization and CORS are the function's, so that its answers have the shape of the contract.
    expect({ ...rest, Integration: { ...integration, Uri: flat(integration['Uri']) } }).toEqual({
      AuthorizationType: 'NONE',
      Integration: {
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        TimeoutInMillis: 16_000,
        Uri: `arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2015-03-31/functions/<${alias.id}>/invocations`,
      },
    });
  });
});

describe('routes of an app', () => {
  /** A facade with what an app adds to its API. */
  function withRoutes(add: (facade: AttendeeFacade) => void): Template {
    const stack = createForeignStack();
    const facade = addFacade(stack);
    add(facade);
    return Template.fromStack(stack);
  }
  const deploymentOf = (from: Template) => theResource(from, 'AWS::ApiGateway::Deployment');
  const addHealth = ({ api: { restApi } }: AttendeeFacade) =>
    restApi.root.addResource('health').addMethod('GET', new MockIntegration());

  it('are deployed in the same stage as those of Usher', () => {
    const plain = withRoutes(() => {});
    const added = withRoutes(addHealth);
    const [health] = [...methodsOf(added)].filter(([name]) => !methodsOf(plain).has(name));
    expect(health?.[0]).toBe('GET /health');
    expect(deploymentOf(added).id).not.toBe(deploymentOf(plain).id);
    expect(deploymentOf(added)).toMatchObject({ DependsOn: expect.arrayContaining([health?.[1].id]) });
    expect(theResource(added, 'AWS::ApiGateway::Stage').Properties['DeploymentId']).toEqual({
      Ref: deploymentOf(added).id,
    });
  });

  it('can be below a path of Usher, and have functions of their own', () => {
    const added = withRoutes(({ api: { restApi }, reconciler }) => {
      restApi.root
        .resourceForPath('/meetings/{MeetingId}/notes')
        .addMethod('PUT', new LambdaIntegration(reconciler.function));
    });
    expect([...methodsOf(added).keys()]).toContain('PUT /meetings/{MeetingId}/notes');
  });

  it("get no integration of Usher's by default", () => {
    const added = withRoutes(({ api: { restApi } }) => {
      restApi.root.addResource('empty').addMethod('GET');
    });
    expect(methodsOf(added).get('GET /empty')?.Properties['Integration']).toEqual({ Type: 'MOCK' });
  });
});

describe('the deployment', () => {
  it('is a new one when methods change, and only then', () => {
    const deployment = (from: Template) => theResource(from, 'AWS::ApiGateway::Deployment').id;
    expect(deployment(synthesize())).toBe(deployment(Template.fromStack(createStack())));
    expect(deployment(synthesize({ limits: { timeoutSeconds: 7 } }))).not.toBe(deployment(synthesize()));
  });
});

describe('the API', () => {
  it('is regional, accepts only TLS 1.2 and above, and has no setting that would change a body', () => {
    expect(api.Properties).toEqual({
      Name: 'usher-test',
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

  it('waits a second longer than the function, and no longer than API Gateway can', () => {
    const waits = (timeoutSeconds: number) =>
      [...methodsOf(synthesize({ limits: { timeoutSeconds } })).values()].map(
        ({ Properties }) => (Properties['Integration'] as { TimeoutInMillis: number }).TimeoutInMillis,
      );
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
      ...['/~1meetings~1{MeetingId}', '/~1meetings~1{MeetingId}~1attendees'].map((ResourcePath) => ({
        HttpMethod: 'OPTIONS',
        ResourcePath,
        DataTraceEnabled: false,
        LoggingLevel: 'OFF',
        ThrottlingRateLimit: 20,
        ThrottlingBurstLimit: 30,
      })),
    ]);
  });

  it('admits far more than Chime accepts by default, and as many preflights again', () => {
    const settings = theResource(synthesize(), 'AWS::ApiGateway::Stage').Properties['MethodSettings'];
    expect(settings).toMatchObject([
      { HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      { HttpMethod: 'OPTIONS', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      { HttpMethod: 'OPTIONS', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
    ]);
  });
});

describe('access logs', () => {
  const setting = (from: Template) =>
    theResource(from, 'AWS::ApiGateway::Stage').Properties['AccessLogSetting'] as
      | { Format: string; DestinationArn: unknown }
      | undefined;

  it('are written only on request, since a stage without their role fails to deploy', () => {
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
  ])('change no account-wide setting unasked, %s', (_what, config) => {
    const types = resourcesOf(synthesize(config)).map(({ Type }) => Type);
    expect(types).not.toContain('AWS::ApiGateway::Account');
    expect(types).not.toContain('AWS::Logs::ResourcePolicy');
  });

  it("create the account's role on request, before the stage that needs it", () => {
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

  it('gets its record only if a hosted zone is given', () => {
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

  it('can be an existing one', () => {
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
