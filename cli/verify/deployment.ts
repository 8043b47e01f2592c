import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { type Account, openAccount } from './aws.ts';
import type { VerifyOptions } from './options.ts';
import { type DeployedStack, readStack } from './stack.ts';
import { tokenFromCognito, tokenFromCommand, tokenFromStdin } from './tokens.ts';
import type { Target } from './world.ts';

/** The alias that the schedule invokes. */
const ALIAS = 'live';

/** @throws in one line if the stack does not exist, or lacks what is needed to call it */
export async function findDeployment(
  options: VerifyOptions & { stack: string },
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const named = {
    ...(options.region && { region: options.region }),
    ...(options.profile && { profile: options.profile }),
  };
  const account = await openAccount(named);
  try {
    return await describe(options, env, account, await readStack(account.call, options.stack));
  } catch (error) {
    account.close();
    throw error;
  }
}

async function describe(
  options: VerifyOptions,
  env: NodeJS.ProcessEnv,
  { call, region, close }: Account,
  stack: DeployedStack,
): Promise<Target> {
  const { handler, reconciler, outputs } = stack;
  const apiUrl = options.apiUrl ?? outputs['ApiUrl'];
  if (apiUrl === undefined) throw new Error(`The stack ${stack.name} has no output ApiUrl: give --api-url.`);
  const { Variables: variables = {} } = reconciler.Environment ?? {};
  const meetingsRegion = variables.MEETINGS_REGION ?? region;
  const eventTableName = stack.observer?.Environment?.Variables?.EVENT_TABLE_NAME;
  const profile = options.profile && { profile: options.profile };
  const chime = new ChimeSDKMeetingsClient({ region: meetingsRegion, ...profile });
  const client = new DynamoDBClient({ region, ...profile });
  return {
    kind: isEmulated(env) ? 'emulator' : 'aws',
    place: `the stack ${stack.name} in ${region}, at ${apiUrl}`,
    apiUrl: apiUrl.replace(/\/$/, ''),
    region,
    meetingsRegion,
    chime,
    tables: {
      client,
      auditTableName: variables.AUDIT_TABLE_NAME ?? '',
      admissionTableName: variables.ADMISSION_TABLE_NAME ?? '',
      openIntentTableName: variables.OPEN_INTENT_TABLE_NAME ?? '',
      ...(eventTableName && { eventTableName }),
    },
    allowedOrigin: options.origin ?? originIn(handler.Environment?.Variables?.ALLOWED_ORIGINS),
    callerToken: callerTokenOf(options, region, stack),
    guestToken: options.guestTokenCommand ? tokenFromCommand(options.guestTokenCommand) : undefined,
    reconcile: async () => {
      const { FunctionError, Payload } = await call<{ FunctionError?: string; Payload?: Uint8Array }>(
        'lambda',
        'Invoke',
        { FunctionName: `${reconciler.FunctionName}:${ALIAS}`, Payload: '{}' },
      );
      const payload = Buffer.from(Payload ?? []).toString();
      if (FunctionError !== undefined)
        throw new Error(`the reconciler failed (${FunctionError}): ${payload}`);
      return JSON.parse(payload) as ReconcileSummary;
    },
    deployment: { call, stack },
    async close() {
      chime.destroy();
      client.destroy();
      close();
    },
  };
}

/** Whether some service is not AWS's own. */
function isEmulated(env: NodeJS.ProcessEnv): boolean {
  return Object.keys(env).some((name) => name.startsWith('AWS_ENDPOINT_URL'));
}

/** A wildcard port is replaced by a port. */
function originIn(allowedOrigins: string | undefined): string | undefined {
  const [first]: string[] = JSON.parse(allowedOrigins ?? '[]');
  return first?.replace(/:\*$/, ':8080');
}

/** @throws if the stack has no client and no token is given */
function callerTokenOf(options: VerifyOptions, region: string, { name, outputs }: DeployedStack) {
  if (options.tokenCommand) return tokenFromCommand(options.tokenCommand);
  if (options.tokenStdin) return tokenFromStdin();
  const { ClientId: clientId, Issuer: issuer } = outputs;
  const tokenEndpoint = options.tokenEndpoint ?? outputs['TokenEndpoint'];
  if (clientId === undefined || issuer === undefined || tokenEndpoint === undefined) {
    throw new Error(
      `The stack ${name} has issuers of your own: give --token-command or --token-stdin, for a token whose caller may name anyone.`,
    );
  }
  return tokenFromCognito({
    region,
    ...(options.profile && { profile: options.profile }),
    userPoolId: issuer.split('/').at(-1) as string,
    clientId,
    tokenEndpoint,
  });
}
