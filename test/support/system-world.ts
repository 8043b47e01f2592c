import { request as httpRequest } from 'node:http';
import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import type { Call } from '../../local/chime-emulator/calls.ts';
import type { KnownAttendee } from '../../local/chime-emulator/meetings.ts';
import { type RunningSystem, startSystem } from './local.ts';

export interface Answer {
  status: number;
  /** As they came, names in lower case. */
  headers: Record<string, string>;
  text: string;
}

export interface Question {
  /** Name, value, name, value, …: names may come more than once. */
  headers?: string[];
  body: string;
  /** Raw, so that it can be no id at all. */
  meetingId: string;
  /** Replaces `operation=batch-create`. */
  query?: string;
}

/** A running local system, and what a test needs to attack it from outside and to see what became of it. */
export async function startWorld(issuers: object[], { processes }: { processes: number }) {
  const system: RunningSystem = await startSystem({
    config: {
      stackName: 'attacked',
      region: 'us-east-1',
      allowedOrigins: ['http://localhost:*'],
      issuers,
      limits: { requestsPerSecond: 5_000, burst: 5_000 },
    },
    env: { USHER_LOCAL_CONCURRENCY: String(processes) },
  });
  const { apiUrl, chimeUrl, region } = system.environment;
  const emulator = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await fetch(`${chimeUrl}/_emulator/${path}`, init);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };

  const send = (method: string, path: string, headers: string[], body = ''): Promise<Answer> => {
    const { host, hostname, port, pathname } = new URL(apiUrl);
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          hostname,
          port,
          method,
          path: pathname + path,
          headers: ['Host', host, 'Content-Type', 'application/json', ...headers],
        },
        async (response) => {
          const text = (await response.setEncoding('utf8').toArray()).join('');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            text,
          });
        },
      );
      request.on('error', reject).end(body);
    });
  };

  return {
    system,

    /** Creates a meeting of these tenants, or of none. @returns its id */
    async meetingOf(...tenants: string[]): Promise<string> {
      const client = new ChimeSDKMeetings({
        region,
        endpoint: chimeUrl,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      });
      const { Meeting } = await client.createMeeting({
        ClientRequestToken: crypto.randomUUID(),
        MediaRegion: region,
        ExternalMeetingId: 'attacked',
        ...(tenants.length > 0 && { TenantIds: tenants }),
      });
      client.destroy();
      return Meeting?.MeetingId as string;
    },

    ask: ({ headers = [], body, meetingId, query = 'operation=batch-create' }: Question): Promise<Answer> =>
      send('POST', `/meetings/${meetingId}/attendees?${query}`, headers, body),

    /** Asks for a meeting. */
    look: ({ headers = [], meetingId, query }: Omit<Question, 'body'>): Promise<Answer> =>
      send('GET', `/meetings/${meetingId}${query === undefined ? '' : `?${query}`}`, headers),

    calls: async (operation: string): Promise<Call[]> =>
      (await emulator<{ calls: Call[] }>('calls')).calls.filter((call) => call.operation === operation),
    forgetCalls: () => emulator('calls', { method: 'DELETE' }),
    attendeesOf: async (meetingId: string): Promise<KnownAttendee[]> =>
      (await emulator<{ attendees: KnownAttendee[] }>(`attendees?meetingId=${meetingId}`)).attendees,
    mode: (mode: object) => emulator('mode', { method: 'PUT', body: JSON.stringify(mode) }),
    fault: (fault: object) => emulator('faults', { method: 'POST', body: JSON.stringify(fault) }),
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

export const bearer = (token: string): string[] => ['Authorization', `Bearer ${token}`];

/** A request's body. */
export const attendees = (...list: (string | object)[]): string =>
  JSON.stringify({ Attendees: list.map((a) => (typeof a === 'string' ? { ExternalUserId: a } : a)) });

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
