import { type Check, expectSame, expectThat, NotCheckable } from '../check.ts';
import { ofType } from '../stack.ts';
import { deploymentOf, type World } from '../world.ts';

interface GatewayResponse {
  responseType: string;
  statusCode?: string;
  responseParameters?: Record<string, string>;
  responseTemplates?: Record<string, string>;
}

/** What the gateway answers by itself, with the class that a client knows it by. */
const SHAPED: Record<string, [statusCode: string, errorType: string]> = {
  DEFAULT_4XX: ['400', 'BadRequestException'],
  DEFAULT_5XX: ['500', 'ServiceFailureException'],
  ACCESS_DENIED: ['403', 'ForbiddenException'],
  EXPIRED_TOKEN: ['401', 'UnauthorizedException'],
  INVALID_SIGNATURE: ['401', 'UnauthorizedException'],
  UNAUTHORIZED: ['401', 'UnauthorizedException'],
  MISSING_AUTHENTICATION_TOKEN: ['404', 'NotFoundException'],
  RESOURCE_NOT_FOUND: ['404', 'NotFoundException'],
  QUOTA_EXCEEDED: ['429', 'ThrottlingException'],
  THROTTLED: ['429', 'ThrottlingException'],
  REQUEST_TOO_LARGE: ['400', 'BadRequestException'],
  UNSUPPORTED_MEDIA_TYPE: ['400', 'BadRequestException'],
  WAF_FILTERED: ['403', 'ForbiddenException'],
  INTEGRATION_FAILURE: ['500', 'ServiceFailureException'],
  INTEGRATION_TIMEOUT: ['503', 'ServiceUnavailableException'],
};

const ERROR_TYPE = 'gatewayresponse.header.x-amzn-ErrorType';

/** How API Gateway has what the template says. */
export const gateway: Check[] = [
  {
    name: 'shapes every error that the gateway makes',
    run: async (world) => {
      const { call, stack } = deploymentOf(world);
      const made = ofType(stack.resources, 'AWS::ApiGateway::GatewayResponse');
      if (world.kind === 'emulator' && made.length === 0) {
        throw new NotCheckable('the emulator imports no gateway responses');
      }
      const { items = [] } = await call<{ items?: GatewayResponse[] }>('api-gateway', 'GetGatewayResponses', {
        restApiId: apiIdOf(world),
        limit: 500,
      });
      const wrong = Object.entries(SHAPED).flatMap(([type, [status, errorType]]) => {
        const found = items.find(({ responseType }) => responseType === type);
        const problem = problemWith(found, status, errorType);
        return problem === undefined ? [] : [`${type} ${problem}`];
      });
      expectThat(wrong.length === 0, wrong.join('; '));
      return `${Object.keys(SHAPED).length} types`;
    },
  },
  {
    name: 'has the TLS policy and the access mode that the template names',
    run: async (world) => {
      const { call } = deploymentOf(world);
      const api = await call<{ name?: string; securityPolicy?: string; endpointAccessMode?: string }>(
        'api-gateway',
        'GetRestApi',
        { restApiId: apiIdOf(world) },
      );
      if (world.kind === 'emulator') throw new NotCheckable('the emulator knows neither');
      expectThat(
        api.securityPolicy?.startsWith('SecurityPolicy_TLS13_1_2_PFS') === true,
        `the policy is ${api.securityPolicy}`,
      );
      expectSame('endpointAccessMode', api.endpointAccessMode, 'STRICT');
      return api.securityPolicy;
    },
  },
];

export function apiIdOf(world: World): string {
  const [api, ...others] = ofType(deploymentOf(world).stack.resources, 'AWS::ApiGateway::RestApi');
  expectThat(api !== undefined && others.length === 0, `the stack has ${others.length + (api ? 1 : 0)} APIs`);
  return api.PhysicalResourceId;
}

function problemWith(
  response: GatewayResponse | undefined,
  status: string,
  errorType: string,
): string | undefined {
  if (response === undefined) return 'is missing';
  if (response.responseParameters?.[ERROR_TYPE] !== `'${errorType}'`) return `is not ${errorType}`;
  if (String(response.statusCode) !== status)
    return `has the status ${response.statusCode}, expected ${status}`;
  const template = response.responseTemplates?.['application/json'] ?? '';
  const lacking = ['"Code"', '"Message"', '"RequestId"'].filter((member) => !template.includes(member));
  return lacking.length === 0 ? undefined : `has no ${lacking.join(', ')} in its body`;
}
