import {
  ChimeSDKMeetingsClient,
  type ChimeSDKMeetingsClientConfig,
  CreateMeetingCommand,
  type CreateMeetingCommandInput,
} from '@aws-sdk/client-chime-sdk-meetings';
import { type TokenOptions, tokenParts } from '../../../cli/token.ts';
import type { Call } from '../../../local/chime-emulator/calls.ts';
import type { LocalEnvironment } from '../../../local/environment.ts';

/** A meeting that does not exist. */
export const ABSENT_MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';

/** A stock SDK client with nothing changed but the endpoint and the way it signs; `null` sends no token. */
export function clientOfUsher(
  apiUrl: string,
  token: string | null,
  config: ChimeSDKMeetingsClientConfig = {},
): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: 'us-east-1',
    endpoint: apiUrl,
    // The client wants some before it asks its signer, which makes no use of them.
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: {
      sign: async (request) => {
        if (token !== null) request.headers['authorization'] = `Bearer ${token}`;
        return request;
      },
    },
    ...config,
  });
}

/** A stock SDK client of the emulated Chime itself. */
export function clientOfChime(
  chimeUrl: string,
  config: ChimeSDKMeetingsClientConfig = {},
): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: 'us-east-1',
    endpoint: chimeUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    ...config,
  });
}

/** A meeting of the tenant that local tokens speak for, made as its owner makes it. */
export async function createMeeting(
  { chimeUrl }: Pick<LocalEnvironment, 'chimeUrl'>,
  input: Partial<CreateMeetingCommandInput> = {},
): Promise<string> {
  const { Meeting } = await clientOfChime(chimeUrl).send(
    new CreateMeetingCommand({
      ExternalMeetingId: 'contract',
      MediaRegion: 'us-east-1',
      TenantIds: ['acme'],
      ...input,
    }),
  );
  if (Meeting?.MeetingId === undefined) throw new Error('CreateMeeting answered no MeetingId');
  return Meeting.MeetingId;
}

/** The emulator's control endpoint (local/chime-emulator/server.ts). */
export function chimeControl({ chimeUrl }: Pick<LocalEnvironment, 'chimeUrl'>) {
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${chimeUrl}/_emulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The emulator refuses ${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    send,
    fault: (fault: object) => send('POST', 'faults', fault),
    clearFaults: () => send('DELETE', 'faults'),
    mode: (mode: object) => send('PUT', 'mode', mode),
    clearCalls: () => send('DELETE', 'calls'),
    calls: async (operation?: string): Promise<Call[]> =>
      (await send('GET', 'calls')).calls.filter(
        (call: Call) => operation === undefined || call.operation === operation,
      ),
    attendees: async (): Promise<{ ExternalUserId: string; JoinToken: string }[]> =>
      (await send('GET', 'attendees?gone=true')).attendees,
  };
}

/** A token of the local issuer, signed without a process of its own for each. */
export async function mintToken(
  environment: LocalEnvironment,
  options: Partial<TokenOptions> = {},
): Promise<string> {
  const given = {
    sub: 'backend',
    scope: 'attendees.create',
    clientId: 'local-client',
    expiresIn: '3600',
    typ: 'at+jwt',
    claim: [],
    ...options,
  };
  const parts = tokenParts(given, environment, Math.floor(Date.now() / 1000));
  const response = await fetch(environment.signUrl ?? '', { method: 'POST', body: JSON.stringify(parts) });
  if (!response.ok) throw new Error(`The local issuer rejects the request: ${await response.text()}`);
  return response.text();
}
