import createClient from 'openapi-fetch';
import type { components, paths } from './usher-api.d.ts';

export type Attendee = components['schemas']['Attendee'];
export type AttendeeRequest = components['schemas']['AttendeeRequest'];
export type BatchCreateAttendeeResponse = components['schemas']['BatchCreateAttendeeResponse'];

/** Any answer but 200. */
export class UsherError extends Error {
  readonly status: number;
  /** The class without the word Exception. */
  readonly code: string;
  /** What to name when asking for help. */
  readonly requestId: string | undefined;

  constructor(status: number, code: string, message: string, requestId: string | undefined) {
    super(message);
    this.name = 'UsherError';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

export interface UsherClientOptions {
  /** As the deployment prints it, without a slash at the end. */
  url: string;
  /** Asked before every request. */
  getToken(): Promise<string>;
  /** For tests, and for pages that bring their own. */
  fetch?: (request: Request) => Promise<Response>;
}

/** A client whose paths, bodies and answers are those of the API document. It repeats nothing by itself. */
export function createUsherClient({ url, getToken, fetch }: UsherClientOptions) {
  const api = createClient<paths>({ baseUrl: url, ...(fetch && { fetch }) });
  api.use({
    async onRequest({ request }) {
      request.headers.set('Authorization', `Bearer ${await getToken()}`);
    },
  });
  return {
    /** @throws UsherError */
    async createAttendees(
      meetingId: string,
      attendees: AttendeeRequest[],
    ): Promise<BatchCreateAttendeeResponse> {
      const { data, error, response } = await api.POST('/meetings/{MeetingId}/attendees', {
        params: { path: { MeetingId: meetingId }, query: { operation: 'batch-create' } },
        body: { Attendees: attendees },
      });
      if (data !== undefined) return data;
      // The one answer that is not in the shape of an error is the gateway's to what is too large.
      if (typeof error === 'string') throw new UsherError(response.status, 'TooLarge', error, undefined);
      throw new UsherError(response.status, error.Code, error.Message, error.RequestId);
    },
  };
}
