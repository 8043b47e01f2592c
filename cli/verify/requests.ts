import {
  BatchCreateAttendeeCommand,
  type BatchCreateAttendeeCommandOutput,
  ChimeSDKMeetingsClient,
  type CreateAttendeeRequestItem,
} from '@aws-sdk/client-chime-sdk-meetings';
import type { AnsweredBatch, World } from './world.ts';

/** Longer than any answer takes. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The differences from a batch of one attendee with the caller's token. */
export interface Question {
  method?: string;
  /** After the stage. */
  path?: string;
  /** `null` sends none. */
  token?: string | null;
  headers?: Record<string, string>;
  /** Sent as JSON; a string is sent as it is. */
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** The path of the operation. */
export const batchPath = (meetingId: string): string =>
  `/meetings/${meetingId}/attendees?operation=batch-create`;

export const oneAttendee = (world: World) => ({ Attendees: [{ ExternalUserId: world.nameOf('rejected') }] });

/** Sends one request with a plain HTTP client. */
export async function ask(world: World, question: Question = {}): Promise<Answer> {
  const { method = 'POST', path = batchPath(world.meetingId), token = world.token, headers = {} } = question;
  const { body = oneAttendee(world) } = question;
  const response = await fetch(world.apiUrl + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(method !== 'GET' &&
      method !== 'HEAD' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * Sends a batch with the stock SDK, and keeps the answer.
 *
 * @throws what the SDK throws
 */
export async function admit(
  world: World,
  requested: CreateAttendeeRequestItem[],
  { token = world.token as string | null, meetingId = world.meetingId } = {},
): Promise<AnsweredBatch> {
  let batchId = '';
  const client = stockClient(world, token);
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers: Record<string, string> };
      batchId = headers['x-usher-batch-id'] ?? '';
      return result;
    },
    { step: 'deserialize' },
  );
  try {
    const { Attendees = [], Errors = [] }: BatchCreateAttendeeCommandOutput = await client.send(
      new BatchCreateAttendeeCommand({ MeetingId: meetingId, Attendees: requested }),
    );
    const answered = { batchId, meetingId, requested, attendees: Attendees, errors: Errors };
    world.answered.push(answered);
    return answered;
  } finally {
    client.destroy();
  }
}

/** As in the README: the endpoint, and a signer that sends a bearer token. */
function stockClient({ apiUrl, meetingsRegion }: World, token: string | null): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: meetingsRegion,
    endpoint: apiUrl,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    signer: {
      sign: async (request) => {
        if (token !== null) request.headers['authorization'] = `Bearer ${token}`;
        return request;
      },
    },
  });
}
