import {
  apiId,
  type Properties,
  type Resolve,
  resourcesOf,
  rootResourceId,
  type Template,
  type TemplateContext,
} from './cloudformation.ts';

/** The REST API of a template, with everything in it resolved. */
export interface ApiDescription {
  apiId: string;
  accountId: string;
  stageName: string;
  methods: MethodDescription[];
  /** By their types. */
  gatewayResponses: Record<string, GatewayResponseDescription>;
  /** The stage's throttle, as a token bucket. */
  throttle?: Throttle;
  /** The throttles of single methods, by `OPTIONS /path/of/the/{resource}`. */
  methodThrottles?: Record<string, Throttle>;
}

export interface MethodDescription {
  /** `ANY` covers all methods without their own entry. */
  method: string;
  /** The resource's path: `/meetings/{MeetingId}/attendees`. */
  resource: string;
  functionArn: string;
  timeoutMs: number;
}

export interface GatewayResponseDescription {
  statusCode?: string;
  responseParameters?: Record<string, string>;
  responseTemplates?: Record<string, string>;
}

export interface Throttle {
  requestsPerSecond: number;
  burst: number;
}

/** The resource types that this file reads. */
export const API_TYPES = [
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
];

/** What a method of an API may be (https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html). */
const METHODS = ['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** A REST API's longest wait, unless the integration sets less. */
const DEFAULT_TIMEOUT_MS = 29_000;

/** The supported properties of each type; any other would change how the gateway behaves, and is refused. */
const KNOWN_PROPERTIES = {
  // TLS, its own address and tags have no counterpart on one machine.
  RestApi: [
    'Name',
    'Description',
    'EndpointConfiguration',
    'EndpointAccessMode',
    'SecurityPolicy',
    'DisableExecuteApiEndpoint',
    'Tags',
  ],
  Resource: ['RestApiId', 'ParentId', 'PathPart'],
  Method: ['RestApiId', 'ResourceId', 'HttpMethod', 'AuthorizationType', 'OperationName', 'Integration'],
  Integration: ['Type', 'IntegrationHttpMethod', 'Uri', 'TimeoutInMillis'],
  // Its stages would differ from the one that this file reads.
  Deployment: ['RestApiId', 'Description'],
  GatewayResponse: ['RestApiId', 'ResponseType', 'StatusCode', 'ResponseParameters', 'ResponseTemplates'],
  // Logs, traces and tags change no answer.
  Stage: [
    'RestApiId',
    'DeploymentId',
    'StageName',
    'Description',
    'MethodSettings',
    'AccessLogSetting',
    'TracingEnabled',
    'Tags',
  ],
  MethodSetting: [
    'HttpMethod',
    'ResourcePath',
    'DataTraceEnabled',
    'LoggingLevel',
    'MetricsEnabled',
    'ThrottlingRateLimit',
    'ThrottlingBurstLimit',
  ],
};

/**
 * Reads the one REST API of a template and its one stage.
 *
 * @throws if it needs something of the gateway that is not modelled
 */
export function readApi(template: Template, resolve: Resolve, context: TemplateContext): ApiDescription {
  const [api, ...otherApis] = resourcesOf(template, 'AWS::ApiGateway::RestApi');
  const [stage, ...otherStages] = resourcesOf(template, 'AWS::ApiGateway::Stage');
  if (api === undefined || stage === undefined || otherApis.length + otherStages.length > 0) {
    throw new Error('The local system runs stacks with exactly one REST API and one stage.');
  }
  const [apiLogicalId, apiProperties] = api;
  const [stageLogicalId, { StageName: stageName, MethodSettings: settings }] = stage;
  refuseUnknown('RestApi', apiLogicalId, apiProperties);
  refuseUnknown('Stage', stageLogicalId, stage[1]);
  for (const [logicalId, properties] of resourcesOf(template, 'AWS::ApiGateway::Deployment')) {
    refuseUnknown('Deployment', logicalId, properties);
  }
  const { [WHOLE_STAGE]: throttle, ...methodThrottles } = readThrottles(
    stageLogicalId,
    (resolve(settings) ?? []) as Properties[],
  );
  return {
    apiId: apiId(apiLogicalId),
    accountId: context.accountId,
    stageName: resolve(stageName) as string,
    methods: readMethods(template, resolve, rootResourceId(apiLogicalId)),
    gatewayResponses: readGatewayResponses(template, resolve),
    ...(throttle && { throttle }),
    methodThrottles,
  };
}

function refuseUnknown(kind: keyof typeof KNOWN_PROPERTIES, logicalId: string, properties: Properties): void {
  const unknown = Object.keys(properties).find((name) => !KNOWN_PROPERTIES[kind].includes(name));
  if (unknown !== undefined) {
    throw new Error(`The local gateway does not support the ${kind} property ${unknown} (${logicalId}).`);
  }
}

/** @returns the paths of the existing resources, by their physical ids */
function readPaths(template: Template, resolve: Resolve, root: string): Map<string, string> {
  const parts = new Map(
    resourcesOf(template, 'AWS::ApiGateway::Resource').map(([logicalId, properties]) => {
      refuseUnknown('Resource', logicalId, properties);
      const { ParentId, PathPart } = resolve(properties) as Record<string, string>;
      return [
        resolve({ Ref: logicalId }) as string,
        { parent: ParentId as string, part: PathPart as string },
      ];
    }),
  );
  const pathOf = (id: string): string => {
    if (id === root) return '';
    const resource = parts.get(id);
    if (resource === undefined) throw new Error(`The API has no resource ${id}.`);
    return `${pathOf(resource.parent)}/${resource.part}`;
  };
  return new Map([[root, '/'], ...[...parts.keys()].map((id): [string, string] => [id, pathOf(id)])]);
}

function readMethods(template: Template, resolve: Resolve, root: string): MethodDescription[] {
  const paths = readPaths(template, resolve, root);
  return resourcesOf(template, 'AWS::ApiGateway::Method').map(([logicalId, properties]) => {
    refuseUnknown('Method', logicalId, properties);
    const { HttpMethod, ResourceId, AuthorizationType, Integration } = resolve(properties) as Properties;
    if (AuthorizationType !== 'NONE') {
      throw new Error(
        `The local gateway does not support the authorization ${AuthorizationType} (${logicalId}).`,
      );
    }
    if (!METHODS.includes(String(HttpMethod))) {
      throw new Error(`The local gateway does not support the method ${HttpMethod} (${logicalId}).`);
    }
    const resource = paths.get(String(ResourceId));
    if (resource === undefined) {
      throw new Error(`The API has no resource ${ResourceId} (${logicalId}).`);
    }
    return {
      method: String(HttpMethod),
      resource,
      ...readIntegration(logicalId, (Integration ?? {}) as Properties),
    };
  });
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
function readIntegration(
  logicalId: string,
  integration: Properties,
): Pick<MethodDescription, 'functionArn' | 'timeoutMs'> {
  const { Type, IntegrationHttpMethod, Uri, TimeoutInMillis } = integration;
  if (Type !== 'AWS_PROXY') {
    throw new Error(
      `The local gateway supports only the integration type AWS_PROXY, not ${Type} (${logicalId}).`,
    );
  }
  refuseUnknown('Integration', logicalId, integration);
  if (IntegrationHttpMethod !== 'POST') {
    throw new Error(`A Lambda function is invoked by POST, not ${IntegrationHttpMethod} (${logicalId}).`);
  }
  const [, functionArn] =
    /:lambda:path\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(String(Uri)) ?? [];
  if (functionArn === undefined) throw new Error(`No Lambda function in the uri ${Uri} (${logicalId}).`);
  return { functionArn, timeoutMs: Number(TimeoutInMillis ?? DEFAULT_TIMEOUT_MS) };
}

function readGatewayResponses(
  template: Template,
  resolve: Resolve,
): Record<string, GatewayResponseDescription> {
  return Object.fromEntries(
    resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').map(([logicalId, properties]) => {
      refuseUnknown('GatewayResponse', logicalId, properties);
      const { ResponseType, StatusCode, ResponseParameters, ResponseTemplates } = resolve(
        properties,
      ) as Properties;
      const [other] = Object.keys(ResponseTemplates ?? {}).filter((type) => type !== 'application/json');
      if (other !== undefined) {
        throw new Error(`The local gateway does not support templates for ${other} (${logicalId}).`);
      }
      const description = {
        ...(StatusCode === undefined ? {} : { statusCode: String(StatusCode) }),
        ...(ResponseParameters === undefined
          ? {}
          : { responseParameters: ResponseParameters as Record<string, string> }),
        ...(ResponseTemplates === undefined
          ? {}
          : { responseTemplates: ResponseTemplates as Record<string, string> }),
      };
      return [String(ResponseType), description];
    }),
  );
}

const WHOLE_STAGE = '* /*';

/** By method and resource; in a stage's settings, a resource has `~1` for each of its slashes but the first (RFC 6901). */
function readThrottles(stageLogicalId: string, settings: Properties[]): Record<string, Throttle> {
  for (const setting of settings) refuseUnknown('MethodSetting', stageLogicalId, setting);
  return Object.fromEntries(
    settings
      .filter((setting) => 'ThrottlingRateLimit' in setting)
      .map((setting) => {
        const requestsPerSecond = Number(setting['ThrottlingRateLimit']);
        const burst = Number(setting['ThrottlingBurstLimit'] ?? requestsPerSecond);
        const resource = String(setting['ResourcePath']).replace(/^\/~1/, '/').replaceAll('~1', '/');
        return [`${setting['HttpMethod']} ${resource}`, { requestsPerSecond, burst }];
      }),
  );
}
