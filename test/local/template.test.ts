// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the placeholders of CloudFormation's Fn::Sub
import { describe, expect, it } from '@jest/globals';
import type { Template } from '../../local/cloudformation.ts';
import { readTemplate } from '../../local/template.ts';

const CONTEXT = {
  stackName: 'demo',
  region: 'eu-west-2',
  accountId: '111122223333',
  assetDirectory: (objectKey: string) => `/assets/${objectKey}`,
};

const FUNCTION = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}-${AWS::Region}' }, S3Key: 'abc.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    LoggingConfig: { LogGroup: { Ref: 'Logs' }, LogFormat: 'JSON', ApplicationLogLevel: 'INFO' },
    MemorySize: 512,
    Timeout: 20,
    Environment: {
      Variables: {
        TABLE: { Ref: 'Records' },
        TABLE_ARN: { 'Fn::GetAtt': ['Records', 'Arn'] },
        REGION: { Ref: 'AWS::Region' },
        LIST: { 'Fn::Join': [',', ['a', { Ref: 'AWS::Partition' }]] },
        TEXT: { 'Fn::Sub': ['${AWS::StackName} ${name} ${Records.Arn} ${!Literal}', { name: 'x' }] },
      },
    },
  },
};

const TABLE = {
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-id',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
        ContributorInsightsSpecification: { Enabled: true },
      },
    ],
    SSESpecification: { SSEEnabled: true },
  },
};

function apiResource(ParentId: object, PathPart: string): Template['Resources'][string] {
  return {
    Type: 'AWS::ApiGateway::Resource',
    Properties: { RestApiId: { Ref: 'Api' }, ParentId, PathPart },
  };
}

function method(
  HttpMethod: string,
  ResourceId: object,
  properties: object = {},
  integration: object = {},
): Template['Resources'][string] {
  return {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      RestApiId: { Ref: 'Api' },
      ResourceId,
      HttpMethod,
      AuthorizationType: 'NONE',
      Integration: {
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        Uri: {
          'Fn::Sub':
            'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Handler.Arn}/invocations',
        },
        ...integration,
      },
      ...properties,
    },
  };
}

/** The method `GET /rooms/{roomId}`, changed. */
const getRoom = (properties?: object, integration?: object) => ({
  GetRoom: method('GET', { Ref: 'Room' }, properties, integration),
});
const stage = (properties: object) => ({
  Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: 'v1', ...properties } },
});

const RESOURCES: Template['Resources'] = {
  Records: TABLE,
  Handler: FUNCTION,
  Logs: { Type: 'AWS::Logs::LogGroup' },
  Role: { Type: 'AWS::IAM::Role', Properties: { Anything: { 'Fn::Unheard': 'of' } } },
  Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'demo' } },
  Rooms: apiResource({ 'Fn::GetAtt': ['Api', 'RootResourceId'] }, 'rooms'),
  Room: apiResource({ Ref: 'Rooms' }, '{roomId}'),
  GetRoom: method('GET', { Ref: 'Room' }),
  AnyRoot: method('ANY', { 'Fn::GetAtt': ['Api', 'RootResourceId'] }),
  Throttled: {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      RestApiId: { Ref: 'Api' },
      ResponseType: 'THROTTLED',
      StatusCode: '429',
      ResponseParameters: { 'gatewayresponse.header.Retry-After': "'1'" },
      ResponseTemplates: { 'application/json': '{}' },
    },
  },
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: {
      StageName: 'v1',
      MethodSettings: [
        { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 50, ThrottlingBurstLimit: 80 },
      ],
    },
  },
};

const ARN = 'arn:aws:lambda:eu-west-2:111122223333:function:demo-Handler';

/** A rule that runs the function every two minutes. */
function rule(properties: object = {}): Template['Resources'][string] {
  const Targets = [{ Arn: { 'Fn::GetAtt': ['Handler', 'Arn'] }, Input: '{"a":1}' }];
  return {
    Type: 'AWS::Events::Rule',
    Properties: { ScheduleExpression: 'rate(2 minutes)', Targets, ...properties },
  };
}

/** A rule that runs the function by events. */
function eventRule(properties: object): Template['Resources'][string] {
  const Targets = [{ Arn: { 'Fn::GetAtt': ['Handler', 'Arn'] } }];
  return { Type: 'AWS::Events::Rule', Properties: { Targets, ...properties } };
}

function alias(name: string): Template['Resources'][string] {
  return { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Handler' }, Name: name } };
}

function read(changes: Template['Resources'] = {}, Outputs: Template['Outputs'] = {}) {
  return readTemplate({ Resources: { ...RESOURCES, ...changes }, Outputs }, CONTEXT);
}

describe('readTemplate', () => {
  it('reads a function with its environment resolved', () => {
    expect(read().functions).toEqual([
      {
        name: 'demo-Handler',
        arn: ARN,
        handler: 'index.handler',
        directory: '/assets/abc.zip',
        timeoutMs: 20_000,
        memoryMb: 512,
        runtime: 'nodejs24.x',
        logging: { group: 'demo-Logs', format: 'JSON', level: 'INFO' },
        environment: {
          TABLE: 'demo-Records',
          TABLE_ARN: 'arn:aws:dynamodb:eu-west-2:111122223333:table/demo-Records',
          REGION: 'eu-west-2',
          LIST: 'a,aws',
          TEXT: 'demo x arn:aws:dynamodb:eu-west-2:111122223333:table/demo-Records ${Literal}',
        },
      },
    ]);
  });

  it('returns scheduled functions with their rates and events', () => {
    expect(read({ Rule: rule() }).schedules).toEqual([
      { functionArn: ARN, everyMs: 120_000, event: { a: 1 } },
    ]);
    expect(read().schedules).toEqual([]);
  });

  it('returns what is run at minutes of every hour', () => {
    expect(read({ Rule: rule({ ScheduleExpression: 'cron(5/15 * * * ? *)' }) }).schedules).toEqual([
      { functionArn: ARN, everyMs: 15 * 60_000, offsetMs: 5 * 60_000, event: { a: 1 } },
    ]);
  });

  it('returns what is run by which events', () => {
    const pattern = { source: ['aws.chime'], detail: { eventType: ['chime:AttendeeJoined'] } };
    const { schedules, subscriptions } = read({ Rule: eventRule({ EventPattern: pattern }) });
    expect({ schedules, subscriptions }).toEqual({
      schedules: [],
      subscriptions: [{ functionArn: ARN, pattern }],
    });
  });

  it('gives a function without settings the ones that Lambda would', () => {
    const { Code, Handler, Runtime } = FUNCTION.Properties;
    const [description] = read({
      Handler: { ...FUNCTION, Properties: { Code, Handler, Runtime } },
    }).functions;
    expect(description).toMatchObject({
      timeoutMs: 3000,
      memoryMb: 128,
      environment: {},
      logging: { group: '/aws/lambda/demo-Handler' },
    });
  });

  it('reads a table as the call that creates it', () => {
    expect(read().tables).toEqual([
      {
        TableName: 'demo-Records',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: TABLE.Properties.KeySchema,
        AttributeDefinitions: TABLE.Properties.AttributeDefinitions,
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by-id',
            KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      },
    ]);
  });

  it('uses the names that the template gives', () => {
    const { tables, functions } = read({
      Records: { ...TABLE, Properties: { ...TABLE.Properties, TableName: 'mine' } },
      Handler: { ...FUNCTION, Properties: { ...FUNCTION.Properties, FunctionName: 'its' } },
    });
    expect(tables[0]?.TableName).toBe('mine');
    expect(functions[0]).toMatchObject({ name: 'its', environment: { TABLE: 'mine' } });
  });

  it('reads the API with its methods, gateway responses, stage and throttle', () => {
    expect(read().api).toEqual({
      apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
      accountId: '111122223333',
      stageName: 'v1',
      throttle: { requestsPerSecond: 50, burst: 80 },
      methodThrottles: {},
      methods: [
        { method: 'GET', resource: '/rooms/{roomId}', functionArn: ARN, timeoutMs: 29_000 },
        { method: 'ANY', resource: '/', functionArn: ARN, timeoutMs: 29_000 },
      ],
      gatewayResponses: {
        THROTTLED: {
          statusCode: '429',
          responseParameters: { 'gatewayresponse.header.Retry-After': "'1'" },
          responseTemplates: { 'application/json': '{}' },
        },
      },
    });
  });

  it('reads how long a method may wait for its function', () => {
    const { api } = read(getRoom({}, { TimeoutInMillis: 5000 }));
    expect(api.methods[0]?.timeoutMs).toBe(5000);
  });

  it('reads the throttle of a single method', () => {
    const settings = [
      { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 50, ThrottlingBurstLimit: 80 },
      { HttpMethod: 'OPTIONS', ResourcePath: '/~1rooms~1{id}~1seats', ThrottlingRateLimit: 5 },
    ];
    const { api } = read(stage({ MethodSettings: settings }));
    expect(api).toMatchObject({
      throttle: { requestsPerSecond: 50, burst: 80 },
      methodThrottles: { 'OPTIONS /rooms/{id}/seats': { requestsPerSecond: 5, burst: 5 } },
    });
  });

  it('invokes a function by its alias, if it has one', () => {
    const Uri = {
      'Fn::Join': ['', ['arn:x:lambda:path/2015-03-31/functions/', { Ref: 'Live' }, '/invocations']],
    };
    const { functions, schedules, api } = read({
      Live: alias('live'),
      Rule: rule({ Targets: [{ Arn: { Ref: 'Live' } }] }),
      ...getRoom({}, { Uri }),
    });
    expect(functions.map(({ arn }) => arn)).toEqual([`${ARN}:live`]);
    expect(schedules.map(({ functionArn }) => functionArn)).toEqual([`${ARN}:live`]);
    expect(api.methods[0]?.functionArn).toBe(`${ARN}:live`);
  });

  it('resolves the outputs', () => {
    expect(read({}, { Table: { Value: { Ref: 'Records' } } }).outputs).toEqual({ Table: 'demo-Records' });
  });

  it.each<[string, Template['Resources'], RegExp]>([
    ['a resource type', { Stream: { Type: 'AWS::Kinesis::Stream' } }, /AWS::Kinesis::Stream \(Stream\)/],
    ['a Cognito pool', { Pool: { Type: 'AWS::Cognito::UserPool' } }, /configure `issuers`/],
    [
      'an intrinsic function',
      { Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: { 'Fn::If': [] } } } },
      /Fn::If/,
    ],
    [
      'an attribute',
      {
        Stage: {
          Type: 'AWS::ApiGateway::Stage',
          Properties: { StageName: { 'Fn::GetAtt': ['Records', 'StreamArn'] } },
        },
      },
      /StreamArn of Records/,
    ],
    [
      'a reference',
      { Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: { Ref: 'Missing' } } } },
      /Missing/,
    ],
    ['stage variables', stage({ Variables: { a: 'b' } }), /Stage property Variables \(Stage\)/],
    ['a cache', stage({ CacheClusterEnabled: true }), /Stage property CacheClusterEnabled/],
    [
      'a setting of a method',
      stage({ MethodSettings: [{ HttpMethod: '*', ResourcePath: '/*', CachingEnabled: true }] }),
      /MethodSetting property CachingEnabled/,
    ],
    [
      'an imported API',
      { Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Body: {} } } },
      /RestApi property Body \(Api\)/,
    ],
    [
      'a compressing API',
      { Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { MinimumCompressionSize: 0 } } },
      /RestApi property MinimumCompressionSize/,
    ],
    ['an authorizer', { Auth: { Type: 'AWS::ApiGateway::Authorizer' } }, /AWS::ApiGateway::Authorizer/],
    ['a request validator', getRoom({ RequestValidatorId: 'v' }), /Method property RequestValidatorId/],
    ['an API key', getRoom({ ApiKeyRequired: true }), /Method property ApiKeyRequired/],
    ['an authorization', getRoom({ AuthorizationType: 'AWS_IAM' }), /authorization AWS_IAM \(GetRoom\)/],
    ['a method without integration', getRoom({ Integration: undefined }), /AWS_PROXY, not undefined/],
    ['a method', getRoom({ HttpMethod: 'TRACE' }), /method TRACE \(GetRoom\)/],
    [
      'a deployment with a stage of its own',
      { Deployment: { Type: 'AWS::ApiGateway::Deployment', Properties: { StageName: 'v2' } } },
      /Deployment property StageName/,
    ],
    [
      'a template for another type',
      {
        Throttled: {
          Type: 'AWS::ApiGateway::GatewayResponse',
          Properties: { ResponseType: 'THROTTLED', ResponseTemplates: { 'text/plain': '' } },
        },
      },
      /templates for text\/plain \(Throttled\)/,
    ],
    ['a mock integration', getRoom({}, { Type: 'MOCK' }), /AWS_PROXY, not MOCK \(GetRoom\)/],
    ['a role for an integration', getRoom({}, { Credentials: 'arn' }), /Integration property Credentials/],
    ['an invocation by GET', getRoom({}, { IntegrationHttpMethod: 'GET' }), /by POST, not GET/],
    ['an integration with something else', getRoom({}, { Uri: 'http://example.com' }), /No Lambda function/],
    ["another API's resource", getRoom({ ResourceId: 'elsewhere' }), /no resource elsewhere/],
    [
      'a resource whose parent is missing',
      { Room: apiResource({ 'Fn::Sub': 'elsewhere' }, '{roomId}') },
      /no resource elsewhere/,
    ],
    [
      'a property of a gateway response',
      { Throttled: { Type: 'AWS::ApiGateway::GatewayResponse', Properties: { Surprise: 1 } } },
      /GatewayResponse property Surprise/,
    ],
    ['a second alias', { One: alias('one'), Two: alias('two') }, /several aliases/],
    [
      'a domain name of its own',
      { Domain: { Type: 'AWS::ApiGateway::DomainName' } },
      /leads nowhere on one machine: remove `domain`/,
    ],
    ['a second API', { Api2: RESOURCES['Api'] as Template['Resources'][string] }, /exactly one REST API/],
    [
      'a rule for events and times',
      { Rule: rule({ EventPattern: { source: ['aws.chime'] } }) },
      /a schedule or a pattern of events, and not both/,
    ],
    [
      'a pattern that is no exact text',
      { Rule: eventRule({ EventPattern: { source: [{ prefix: 'aws.' }] } }) },
      /matches source by more than exact texts/,
    ],
    [
      'a rule that replaces its events',
      {
        Rule: eventRule({
          EventPattern: { source: ['aws.chime'] },
          Targets: [{ Arn: { 'Fn::GetAtt': ['Handler', 'Arn'] }, Input: '{}' }],
        }),
      },
      /replaces its events/,
    ],
    ['a cron rule', { Rule: rule({ ScheduleExpression: 'cron(0 * * * ? *)' }) }, /runs at cron/],
    [
      'steps that do not fill an hour',
      { Rule: rule({ ScheduleExpression: 'cron(0/25 * * * ? *)' }) },
      /runs at cron/,
    ],
    [
      'a rule that runs something else',
      { Rule: rule({ Targets: [{ Arn: { 'Fn::GetAtt': ['Records', 'Arn'] } }] }) },
      /none of the stack's functions/,
    ],
    [
      'provisioned capacity',
      { Records: { ...TABLE, Properties: { ...TABLE.Properties, BillingMode: 'PROVISIONED' } } },
      /on demand/,
    ],
    [
      'a runtime',
      { Handler: { ...FUNCTION, Properties: { ...FUNCTION.Properties, Runtime: 'python3.14' } } },
      /python3\.14/,
    ],
    [
      'code that is no asset',
      { Handler: { ...FUNCTION, Properties: { ...FUNCTION.Properties, Code: { ZipFile: '' } } } },
      /no bundled asset/,
    ],
  ])('rejects %s that it does not know', (_, changes, message) => {
    expect(() => read(changes)).toThrow(message);
  });
});
