import { CfnResource, Duration, Stack } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  AwsIntegration,
  BasePathMapping,
  DomainName,
  EndpointType,
  type IDomainName,
  LogGroupLogDestination,
  type MethodDeploymentOptions,
  MethodLoggingLevel,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Construct, type IConstruct } from 'constructs';
import { type AcceptedFinding, acceptFindings } from './accepted-findings.ts';
import { API_ROUTES, GATEWAY_ANSWERS, gatewayMethods, gatewayResponse } from './api-routes.ts';
import { hasFirewall } from './settings/complete.ts';
import type { CompleteSettings } from './settings/props.ts';

/** A domain name to be created for the API. */
export interface CustomDomain {
  readonly name: string;
  /** A certificate for that name, from ACM in the API's Region. */
  readonly certificate: ICertificate;
  /**
   * The hosted zone that gets the record for the API.
   * @default the record is created elsewhere
   */
  readonly hostedZone?: IHostedZone;
}

export interface AttendeeApiProps {
  /** Unique in its account and Region: CloudWatch identifies APIs by it. */
  name: string;
  settings: CompleteSettings;
  /** Answers every method of every path. */
  handler: IFunction;
  /** Mapped to the API's root; then it is the only address of the API. */
  domain?: CustomDomain | IDomainName | undefined;
}

/**
 * TLS 1.2 and 1.3 with forward secrecy: a Regional API accepts TLS 1.0 by default. Set by property overrides, because
 * `RestApi` has no props for it and older versions of aws-cdk-lib do not know the names.
 */
function requireModernTls(resource: IConstruct | undefined): void {
  if (!CfnResource.isCfnResource(resource)) return;
  resource.addPropertyOverride('SecurityPolicy', 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09');
  resource.addPropertyOverride('EndpointAccessMode', 'STRICT');
}

/** cdk-nag's findings on a method without an authorizer; on a preflight, only the first. */
const NO_AUTHORIZER: AcceptedFinding = {
  id: 'AwsSolutions-APIG4',
  reason:
    'The function verifies the bearer token itself, so that a refusal is recorded and has the shape of the contract; other methods and paths ask nothing of Chime.',
};
const NO_COGNITO: AcceptedFinding = {
  id: 'AwsSolutions-COG4',
  reason:
    'Callers may have issuers other than Cognito: the function verifies the tokens of all of them in the same way.',
};

/**
 * The REST API: the routes of `api-routes.ts`, each answered by the one function. An app adds its own with
 * `restApi.root.addResource(...)`; they share this API's stage and gateway responses (docs/routes-of-your-own.md).
 */
export class AttendeeApi extends Construct {
  /** The URL of the API, without a trailing slash: clients append paths that begin with one. */
  readonly url: string;
  readonly restApi: RestApi;
  readonly accessLogGroup: LogGroup | undefined;

  constructor(scope: Construct, id: string, props: AttendeeApiProps) {
    super(scope, id);
    const { settings, handler, domain } = props;
    const { limits, logs, stageName } = settings;
    const stack = Stack.of(this);

    this.accessLogGroup = logs.access
      ? new LogGroup(this, 'AccessLogs', { retention: logs.retentionDays })
      : undefined;
    // Settings of one method replace those of all methods, so they repeat everything.
    const methodOptions = (requestsPerSecond: number, burst: number): MethodDeploymentOptions => ({
      throttlingRateLimit: requestsPerSecond,
      throttlingBurstLimit: burst,
      // Execution logs and data traces would hold bearer tokens and join tokens.
      loggingLevel: MethodLoggingLevel.OFF,
      dataTraceEnabled: false,
    });
    const preflight = methodOptions(
      limits.preflightsPerSecond ?? limits.requestsPerSecond,
      limits.preflightBurst ?? limits.burst,
    );
    // Not the id of the imported API of earlier versions: its paths would collide with these resources.
    this.restApi = new RestApi(this, 'RestApi', {
      restApiName: props.name,
      endpointTypes: [EndpointType.REGIONAL],
      disableExecuteApiEndpoint: domain !== undefined,
      // The role for API Gateway's logs is a setting of the whole account and Region, so a stack must not change it
      // unasked.
      cloudWatchRole: logs.accountRole,
      deployOptions: {
        stageName,
        ...methodOptions(limits.requestsPerSecond, limits.burst),
        methodOptions: Object.fromEntries(
          API_ROUTES.filter((route) => gatewayMethods(route).includes('OPTIONS')).map(({ path }) => [
            `${path}/OPTIONS`,
            preflight,
          ]),
        ),
        ...(this.accessLogGroup === undefined
          ? {}
          : {
              accessLogDestination: new LogGroupLogDestination(this.accessLogGroup),
              accessLogFormat: ACCESS_LOG_FORMAT,
            }),
      },
    });
    requireModernTls(this.restApi.node.defaultChild);
    // CDK's own output of the URL ends in a slash.
    this.restApi.node.tryRemoveChild('Endpoint');

    this.#addRoutes(handler, limits.timeoutSeconds);
    for (const answer of GATEWAY_ANSWERS) {
      this.restApi.addGatewayResponse(answer.type, {
        type: ResponseType.of(answer.type),
        ...gatewayResponse(answer),
      });
    }
    handler.addPermission('InvokedByApi', {
      principal: new ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn: this.restApi.arnForExecuteApi(undefined, undefined, stageName),
    });
    this.url =
      domain === undefined
        ? `https://${this.restApi.restApiId}.execute-api.${stack.region}.${stack.urlSuffix}/${stageName}`
        : `https://${this.#mapped(domain).domainName}`;
    this.#acceptFindings(settings);
  }

  /**
   * Makes the function answer every route. Not a `LambdaIntegration`, which would add a permission for each method: one
   * for the stage is enough, and Lambda limits the size of a function's policy.
   */
  #addRoutes(handler: IFunction, handlerTimeoutSeconds: number): void {
    const integration = new AwsIntegration({
      service: 'lambda',
      path: `2015-03-31/functions/${handler.functionArn}/invocations`,
      proxy: true,
      // One second longer than the function has, so that the function answers in time.
      options: { timeout: Duration.seconds(handlerTimeoutSeconds + 1) },
    });
    for (const route of API_ROUTES) {
      const resource = this.restApi.root.resourceForPath(route.path);
      for (const name of gatewayMethods(route)) {
        const method = resource.addMethod(name, integration);
        acceptFindings(method, NO_AUTHORIZER, ...(name === 'OPTIONS' ? [] : [NO_COGNITO]));
      }
    }
  }

  /** Maps the domain name's root to the stage, so that paths have no stage prefix. */
  #mapped(domain: CustomDomain | IDomainName): IDomainName {
    const domainName =
      'certificate' in domain
        ? new DomainName(this, 'Domain', {
            domainName: domain.name,
            certificate: domain.certificate,
            endpointType: EndpointType.REGIONAL,
          })
        : domain;
    // AWS recommends the same policy as the API's.
    if ('certificate' in domain) requireModernTls(domainName.node.defaultChild);
    new BasePathMapping(this, 'Root', {
      domainName,
      restApi: this.restApi,
      stage: this.restApi.deploymentStage,
    });
    if ('certificate' in domain && domain.hostedZone !== undefined) {
      new ARecord(this, 'Record', {
        zone: domain.hostedZone,
        recordName: `${domain.name}.`,
        target: RecordTarget.fromAlias(new ApiGatewayDomain(domainName)),
      });
    }
    return domainName;
  }

  #acceptFindings(settings: CompleteSettings): void {
    if (settings.logs.accountRole) {
      acceptFindings(this.restApi.node.tryFindChild('CloudWatchRole'), {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason:
          "It is API Gateway's own policy for writing logs, and the configuration asks for this account-wide role.",
      });
    }
    acceptFindings(this.restApi, {
      id: 'AwsSolutions-APIG2',
      reason:
        'The function checks every request against the schemas of openapi.json, after it knows the caller, and answers with the messages of Chime.',
    });
    acceptFindings(
      this.restApi.deploymentStage,
      {
        id: 'AwsSolutions-APIG6',
        reason: 'Execution logs of API Gateway hold bearer tokens and join tokens.',
      },
      ...(settings.logs.access
        ? []
        : [
            {
              id: 'AwsSolutions-APIG1',
              reason:
                'Access logs are off by configuration; they need a role that is a setting of the whole account.',
            },
          ]),
      ...(hasFirewall(settings)
        ? []
        : [
            { id: 'AwsSolutions-APIG3', reason: 'The firewall is off by configuration: not for production.' },
          ]),
    );
  }
}

/**
 * One JSON line for each request. Personal data stays out (no address, no user agent, no path with its ids), and so
 * does the request id that a client can choose: the extended one is API Gateway's own.
 */
const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
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
    tlsVersion: '$context.tlsVersion',
    firewall: AccessLogField.contextWafResponseCode(),
  }),
);
