import { ChimeSDKMeetingsClient } from '@aws-sdk/client-chime-sdk-meetings';
import type { ReconcileSummary } from '../../lambda/reconciler/reconcile.ts';
import { readLocalEnvironment, stateDirectory } from '../../local/environment.ts';
import { callersCredentials, functionEnvironment } from '../../local/lambda/environment.ts';
import { createFunctionPool } from '../../local/lambda/pool.ts';
import { type AskedTables, findTables } from '../audit/tables.ts';
import { signLocalToken } from '../token.ts';
import type { VerifyOptions } from './options.ts';
import { tokenFromCommand, tokenFromStdin } from './tokens.ts';
import type { Target } from './world.ts';

/** The tenant of the local issuer's tokens. */
export const LOCAL_TENANT = 'acme';

/** An origin of this machine, which `config/local.json` allows. */
const LOCAL_ORIGIN = 'http://localhost:8080';

/** Otherwise the function's log lines would mix with those of the checks. */
const QUIET = {
  AWS_LAMBDA_LOG_LEVEL: 'FATAL',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
};

/** @throws in one line if no local system runs */
export async function findLocalSystem(options: VerifyOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const local = readLocalEnvironment(stateDirectory(env));
  const { region, chimeUrl, dynamodbUrl, s3Url, reconciler } = local;
  const credentials = callersCredentials(env);
  const tables = (await findTables({}, env)) as Required<AskedTables>;
  const chime = new ChimeSDKMeetingsClient({ region, endpoint: chimeUrl, credentials });
  const sign = (sub: string, scope: string) => () => signLocalToken(local, { sub, scope });
  return {
    kind: 'local',
    place: `the local system at ${local.apiUrl}`,
    apiUrl: local.apiUrl,
    region,
    meetingsRegion: region,
    chime,
    tables,
    allowedOrigin: options.origin ?? LOCAL_ORIGIN,
    callerToken: options.tokenCommand
      ? tokenFromCommand(options.tokenCommand)
      : options.tokenStdin
        ? tokenFromStdin()
        : sign('usher-verify', 'attendees.create'),
    guestToken: options.guestTokenCommand
      ? tokenFromCommand(options.guestTokenCommand)
      : sign('usher-verify-guest', 'attendees.create.self'),
    async reconcile() {
      const environment = {
        ...functionEnvironment(reconciler, { region, chimeUrl, dynamodbUrl, s3Url, credentials }),
        ...QUIET,
      };
      const pool = createFunctionPool(reconciler, { environment, maxProcesses: 1 });
      try {
        return (await pool.invoke({})) as ReconcileSummary;
      } finally {
        await pool.close();
      }
    },
    deployment: undefined,
    async close() {
      chime.destroy();
      tables.client.destroy();
    },
  };
}
