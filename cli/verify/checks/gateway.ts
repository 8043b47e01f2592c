import { ERROR_STATUS, type ErrorCode } from '../../../lambda/model/errors.ts';
import { GATEWAY_ANSWERS } from '../../../lib/api-routes.ts';
import { type Check, deploymentOf, expectSame, expectThat, NotCheckable } from '../check.ts';
import { ofType } from '../stack.ts';
import type { World } from '../world.ts';

interface GatewayResponse {
  responseType: string;
  statusCode?: string;
  responseParameters?: Record<string, string>;
  responseTemplates?: Record<string, string>;
}

const ERROR_TYPE = 'gatewayresponse.header.x-amzn-ErrorType';

/** Whether API Gateway matches the template. */
export const gateway: Check[] = [
  {
    name: 'shapes every error that the gateway makes',
    run: async (world) => {
      const { call } = deploymentOf(world);
      const { items = [] } = await call<{ items?: GatewayResponse[] }>('api-gateway', 'GetGatewayResponses', {
        restApiId: apiIdOf(world),
        limit: 500,
      });
      const wrong = GATEWAY_ANSWERS.flatMap(({ type, code }) => {
        const problem = problemWith(
          items.find(({ responseType }) => responseType === type),
          code,
        );
        return problem === undefined ? [] : [`${type} ${problem}`];
      });
      expectThat(wrong.length === 0, wrong.join('; '));
      return `${GATEWAY_ANSWERS.length} types`;
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

function problemWith(response: GatewayResponse | undefined, code: ErrorCode): string | undefined {
  if (response === undefined) return 'is missing';
  if (response.responseParameters?.[ERROR_TYPE] !== `'${code}Exception'`) return `is not ${code}Exception`;
  const [found, wanted] = [String(response.statusCode), String(ERROR_STATUS[code])];
  if (found !== wanted) return `has the status ${found}, expected ${wanted}`;
  const template = response.responseTemplates?.['application/json'] ?? '';
  const lacking = ['"Code"', '"Message"', '"RequestId"'].filter((member) => !template.includes(member));
  return lacking.length === 0 ? undefined : `has no ${lacking.join(', ')} in its body`;
}
