import { Duration, Stack } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  ApiDefinition,
  EndpointType,
  LogGroupLogDestination,
  MethodLoggingLevel,
  SpecRestApi,
} from 'aws-cdk-lib/aws-apigateway';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { UsherConfig } from './config.ts';

/** The parts of an OpenAPI 3.0 document that are read here; API Gateway does not import 3.1. */
export interface ApiDocument {
  openapi: string;
  paths: Record<string, Record<string, unknown>>;
}

export interface AttendeeApiProps {
  config: Pick<UsherConfig, 'limits' | 'logs' | 'stageName'>;
  /** The contract, without integrations. */
  document: ApiDocument;
  /** Answers every operation. */
  handler: LambdaFunction;
}

/** The members of a path item that are operations: OpenAPI's, and API Gateway's own for any method. */
const OPERATIONS = new Set([
  'get',
  'put',
  'post',
  'delete',
  'options',
  'head',
  'patch',
  'trace',
  'x-amazon-apigateway-any-method',
]);

/** The REST API: the contract as it stands, every operation answered by the one function. */
export class AttendeeApi extends Construct {
  /** Where the API is, without a trailing slash: clients append paths that begin with one. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: AttendeeApiProps) {
    super(scope, id);
    const { config, document, handler } = props;
    const stack = Stack.of(this);

    const api = new SpecRestApi(this, 'Api', {
      restApiName: stack.stackName,
      apiDefinition: ApiDefinition.fromInline(withIntegrations(document, handler)),
      endpointTypes: [EndpointType.REGIONAL],
      // The role for API Gateway's logs is a setting of the whole account and Region, so not for one stack to change.
      cloudWatchRole: false,
      deployOptions: {
        stageName: config.stageName,
        throttlingRateLimit: config.limits.requestsPerSecond,
        throttlingBurstLimit: config.limits.burst,
        // Execution logs and data traces would hold bearer tokens and join tokens.
        loggingLevel: MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        ...(config.logs.access ? accessLog(this, config.logs.retentionDays) : {}),
      },
    });
    // CDK's own output of the address ends in a slash.
    api.node.tryRemoveChild('Endpoint');

    handler.addPermission('InvokedByApi', {
      principal: new ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: api.arnForExecuteApi(undefined, undefined, config.stageName),
    });
    this.url = `https://${api.restApiId}.execute-api.${stack.region}.${stack.urlSuffix}/${config.stageName}`;
  }
}

/** Copies the document and has the function answer each of its operations. */
function withIntegrations(document: ApiDocument, handler: LambdaFunction): ApiDocument {
  const stack = Stack.of(handler);
  const integration = {
    type: 'aws_proxy',
    httpMethod: 'POST',
    uri: `arn:${stack.partition}:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${handler.functionArn}/invocations`,
    // A second more than the function has, so that it is the function that answers in time.
    timeoutInMillis: (handler.timeout ?? Duration.seconds(28)).plus(Duration.seconds(1)).toMilliseconds(),
  };
  const pathItems = Object.entries(document.paths).map(([path, item]) => [
    path,
    Object.fromEntries(
      Object.entries(item).map(([member, value]) => [
        member,
        OPERATIONS.has(member)
          ? { ...(value as object), 'x-amazon-apigateway-integration': integration }
          : value,
      ]),
    ),
  ]);
  return { ...document, paths: Object.fromEntries(pathItems) };
}

/**
 * One JSON line a request. Personal data stays out (no address, no user agent, no path with its ids), and so does the
 * request id that a client may choose itself: the extended one is API Gateway's own.
 */
function accessLog(scope: Construct, retention: UsherConfig['logs']['retentionDays']) {
  return {
    accessLogDestination: new LogGroupLogDestination(new LogGroup(scope, 'AccessLogs', { retention })),
    accessLogFormat: AccessLogFormat.custom(
      JSON.stringify({
        time: AccessLogField.contextRequestTime(),
        extendedRequestId: AccessLogField.contextExtendedRequestId(),
        functionRequestId: '$context.integration.requestId',
        method: AccessLogField.contextHttpMethod(),
        resource: AccessLogField.contextResourcePath(),
        status: AccessLogField.contextStatus(),
        responseBytes: AccessLogField.contextResponseLength(),
        responseMs: AccessLogField.contextResponseLatency(),
        functionMs: AccessLogField.contextIntegrationLatency(),
      }),
    ),
  };
}
