import { exec } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import {
  CognitoIdentityProviderClient,
  DescribeUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider';

const COMMAND_TIMEOUT_MS = 60_000;
const TOKEN_TIMEOUT_MS = 10_000;

/** The variable with the meeting that the token is for, for a token command whose tokens name meetings. */
const MEETING_VARIABLE = 'USHER_MEETING_ID';

/** @returns runs a command of the user's, in a shell. Its output is the token, and is not shown */
export function tokenFromCommand(command: string): (meetingId: string) => Promise<string> {
  return async (meetingId) => {
    const { stdout } = await promisify(exec)(command, {
      env: { ...process.env, [MEETING_VARIABLE]: meetingId },
      timeout: COMMAND_TIMEOUT_MS,
    }).catch(({ code, signal }) => {
      throw new Error(`The token command ended with ${code ?? signal}.`);
    });
    return theToken(stdout, 'The token command');
  };
}

/** @returns reads it once */
export function tokenFromStdin(): () => Promise<string> {
  return async () => theToken(await text(process.stdin), 'stdin');
}

export interface CognitoClient {
  region: string;
  profile?: string;
  userPoolId: string;
  clientId: string;
  tokenEndpoint: string;
}

/** @returns gets a token by the client-credentials grant (RFC 6749 section 4.4), with the secret that the pool's owner can look up */
export function tokenFromCognito({
  region,
  profile,
  userPoolId,
  clientId,
  tokenEndpoint,
}: CognitoClient): () => Promise<string> {
  return async () => {
    const client = new CognitoIdentityProviderClient({ region, ...(profile && { profile }) });
    const { UserPoolClient } = await client.send(
      new DescribeUserPoolClientCommand({ UserPoolId: userPoolId, ClientId: clientId }),
    );
    client.destroy();
    const { ClientSecret } = UserPoolClient ?? {};
    if (ClientSecret === undefined) throw new Error(`The client ${clientId} of the pool has no secret.`);
    const credentials = Buffer.from(`${clientId}:${ClientSecret}`).toString('base64');
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`${tokenEndpoint} answered ${response.status}.`);
    const { access_token } = (await response.json()) as { access_token?: string };
    return theToken(access_token ?? '', tokenEndpoint);
  };
}

/** @throws in a line that does not quote the token */
function theToken(printed: string, source: string): string {
  const token = printed.trim();
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new Error(`${source} gave no bearer token (RFC 6750).`);
  return token;
}
