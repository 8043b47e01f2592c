import type { CreateMeetingCommandInput } from '@aws-sdk/client-chime-sdk-meetings';
import { ChimeSDKMeetingsClient, CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { afterEach } from '@jest/globals';
import type { Call } from '../../local/chime-emulator/calls.ts';
import type { ChimeEvent } from '../../local/chime-emulator/events.ts';
import type { KnownAttendee } from '../../local/chime-emulator/meetings.ts';
import { startChimeEmulator } from '../../local/chime-emulator/server.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** An Authorization header as a signing client writes it, for requests that no SDK would send. */
export const SIGNED =
  'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/chime/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';

/** A running emulator with the stock SDK client and a hand on its control endpoint, closed after the test. */
export async function startEmulator({
  maxAttempts = 1,
  ...options
}: {
  now?: () => number;
  onEvent?: (event: ChimeEvent) => void;
  maxAttempts?: number;
} = {}) {
  const { url, close } = await startChimeEmulator(options);
  closing.push(close);
  const client = new ChimeSDKMeetingsClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts,
  });
  closing.unshift(async () => client.destroy());

  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/_emulator/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };

  return {
    url,
    client,
    control,
    fault: async (fault: unknown): Promise<void> => {
      const added = await control('POST', 'faults', fault);
      if (added.status !== 201) throw new Error(added.body.error);
    },
    calls: async (): Promise<Call[]> => (await control('GET', 'calls')).body.calls,
    attendees: async (query = ''): Promise<KnownAttendee[]> =>
      (await control('GET', `attendees${query}`)).body.attendees,
    meeting: async (input: Partial<CreateMeetingCommandInput> = {}) => {
      const created = await client.send(
        new CreateMeetingCommand({ ExternalMeetingId: 'standup', MediaRegion: 'eu-central-1', ...input }),
      );
      const MeetingId = created.Meeting?.MeetingId;
      if (!MeetingId) throw new Error('CreateMeeting answered no MeetingId');
      return MeetingId;
    },
    /** A signed request of any shape. */
    raw: (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
      fetch(url + path, {
        method,
        headers: { authorization: SIGNED, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body }),
      }),
  };
}

/** What a promise was rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const answer = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if ('error' in answer) return answer.error;
  throw new Error(`It was not refused: ${JSON.stringify(answer.value)}`);
}
