// A client of Usher for pages, Node and workers: this one file, without dependencies. Copy it.

export type MediaCapability = 'SendReceive' | 'Send' | 'Receive' | 'None';

export interface Capabilities {
  Audio: MediaCapability;
  Video: MediaCapability;
  Content: MediaCapability;
}

export interface AttendeeRequest {
  /** 2 to 64 characters; a self caller names itself. */
  ExternalUserId: string;
  /** Default: the most that the caller may have. */
  Capabilities?: Capabilities;
}

/** The `Attendee` of `MeetingSessionConfiguration` in amazon-chime-sdk-js. */
export interface Attendee {
  ExternalUserId: string;
  AttendeeId: string;
  /** Anyone who has it can join as this attendee: treat it as a password. */
  JoinToken: string;
  Capabilities: Capabilities;
}

/** An attendee that was not created, or whose token a rule withheld. */
export interface AttendeeError {
  ExternalUserId: string;
  ErrorCode: string;
  ErrorMessage: string;
}

/** Each requested attendee is in one of the two lists: a batch may partly fail. */
export interface BatchCreateAttendeeResponse {
  Attendees: Attendee[];
  Errors: AttendeeError[];
}

/** The `Meeting` of `MeetingSessionConfiguration` in amazon-chime-sdk-js. */
export interface Meeting {
  MeetingId: string;
  ExternalMeetingId?: string;
  MediaRegion?: string;
  MediaPlacement: {
    AudioHostUrl?: string;
    AudioFallbackUrl?: string;
    SignalingUrl?: string;
    TurnControlUrl?: string;
    ScreenDataUrl?: string;
    ScreenViewingUrl?: string;
    ScreenSharingUrl?: string;
    EventIngestionUrl?: string;
  };
  MeetingFeatures?: {
    Audio?: { EchoReduction?: 'AVAILABLE' | 'UNAVAILABLE' };
    Video?: { MaxResolution?: 'None' | 'HD' | 'FHD' };
    Content?: { MaxResolution?: 'None' | 'FHD' | 'UHD' };
    Attendee?: { MaxCount?: number };
  };
}

/** Usher's own codes, which are Chime's error classes without the word Exception. */
const SERVICE_CODES = [
  'BadRequest',
  'LimitExceeded',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'UnprocessableEntity',
  'Throttling',
  'ServiceFailure',
  'ServiceUnavailable',
] as const;

export type UsherErrorCode =
  | (typeof SERVICE_CODES)[number]
  /** The gateway's 413. */
  | 'TooLarge'
  /** An answer of 200 that is not from Usher, such as the sign-in page of a network. */
  | 'UnreadableAnswer'
  /** No answer: offline, a broken connection, or a page whose origin is not among the deployment's `allowedOrigins`. */
  | 'NetworkError'
  /** `timeLimitMs` is over, and no attempt has succeeded. */
  | 'Timeout'
  /** `signal` was aborted; `cause` is its reason. */
  | 'Aborted'
  /** `getToken` failed; `cause` is what it threw. */
  | 'NoToken';

/** The error of every failure. */
export class UsherError extends Error {
  override readonly name = 'UsherError';
  readonly code: UsherErrorCode;
  /** The status of the answer; 0 without one. */
  readonly status: number;
  /** The rule that denied the request, such as `capability-ceiling`; the message says what it allows. */
  readonly rule: string | undefined;
  /** Quote this when you ask for help. */
  readonly requestId: string | undefined;
  /** The audit's id of the request: quote it too. */
  readonly batchId: string | undefined;
  /** How long the service asks to wait before a retry. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: UsherErrorCode,
    message: string,
    details: Partial<
      Pick<UsherError, 'status' | 'rule' | 'requestId' | 'batchId' | 'retryAfterMs' | 'cause'>
    > = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    this.rule = details.rule;
    this.requestId = details.requestId;
    this.batchId = details.batchId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export interface UsherClientOptions {
  /** As the deployment prints it. */
  url: string;
  /** Called before every attempt; `refresh` means that Usher refused the last token with 401, so a new one is needed. */
  getToken(options: { refresh: boolean }): Promise<string>;
  /** The time limit of a call, with all its attempts and waits. @default 30,000 */
  timeLimitMs?: number;
  /** The upper bound of the first wait; it doubles with every attempt, and jitter shortens it. @default 1,000 */
  backoffMs?: number;
  /** For tests, and for pages with their own. @default the global one */
  fetch?(url: string, init: RequestInit): Promise<Response>;
}

export interface CallOptions {
  /** Ends the call at once, with the error code `Aborted`. */
  signal?: AbortSignal | undefined;
}

export interface UsherClient {
  /** Creates up to 100 attendees; an existing ExternalUserId gives the same attendee. @throws UsherError */
  createAttendees(
    meetingId: string,
    attendees: AttendeeRequest[],
    options?: CallOptions,
  ): Promise<BatchCreateAttendeeResponse>;
  /** What joining needs of a meeting that the caller may join. @throws UsherError */
  getMeeting(meetingId: string, options?: CallOptions): Promise<Meeting>;
}

/**
 * A client that retries every request if it fails with 429, 500, 502, 503, 504 or a broken connection, which is safe
 * with Usher: with jitter, not before the time in `Retry-After`, and within `timeLimitMs`. A 401 gets one fresh token.
 */
export function createUsherClient(options: UsherClientOptions): UsherClient {
  const at = (meetingId: string) =>
    `${options.url.replace(/\/+$/, '')}/meetings/${encodeURIComponent(meetingId)}`;
  return {
    createAttendees: (meetingId, attendees, { signal } = {}) => {
      const body = JSON.stringify({ Attendees: attendees });
      const url = `${at(meetingId)}/attendees?operation=batch-create`;
      const headers = { 'Content-Type': 'application/json' };
      return call(options, signal, { url, method: 'POST', headers, body }, attendeesIn);
    },
    getMeeting: (meetingId, { signal } = {}) =>
      call(options, signal, { url: at(meetingId), method: 'GET', headers: {} }, meetingIn),
  };
}

interface Attempt {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

const RETRIED_STATUSES = [429, 500, 502, 503, 504];
const MAX_BACKOFF_MS = 20_000;

async function call<T>(
  options: UsherClientOptions,
  signal: AbortSignal | undefined,
  attempt: Attempt,
  read: (body: unknown) => T | undefined,
): Promise<T> {
  const { timeLimitMs = 30_000, backoffMs = 1_000 } = options;
  const ended = endOf(signal, timeLimitMs);
  let refresh = false;
  let hasRefreshed = false;
  let retried: UsherError | undefined;
  try {
    for (let waits = 0; ; ) {
      let failed: UsherError;
      try {
        return await ended.orResult(once(options, attempt, refresh, ended.signal, read));
      } catch (error) {
        failed = error as UsherError;
      }
      refresh = failed.code === 'Unauthorized' && !hasRefreshed;
      if (refresh) {
        hasRefreshed = true;
        continue;
      }
      // The error of an earlier attempt says more than that the last one was aborted.
      if (failed.code === 'Timeout') throw retried ?? failed;
      if (failed.code !== 'NetworkError' && !RETRIED_STATUSES.includes(failed.status)) throw failed;
      retried = failed;
      const jitterMs = Math.random() * Math.min(backoffMs * 2 ** waits, MAX_BACKOFF_MS);
      await ended.pause(Math.max(jitterMs, failed.retryAfterMs ?? 0), failed);
      waits += 1;
    }
  } finally {
    ended.forget();
  }
}

/** One attempt. @throws UsherError */
async function once<T>(
  { getToken, fetch = (url, init) => globalThis.fetch(url, init) }: UsherClientOptions,
  { url, headers, ...rest }: Attempt,
  refresh: boolean,
  signal: AbortSignal,
  read: (body: unknown) => T | undefined,
): Promise<T> {
  const token = await Promise.resolve()
    .then(() => getToken({ refresh }))
    .catch((cause) => {
      throw new UsherError('NoToken', 'There is no access token: sign in again.', { cause });
    });
  let response: Response;
  let text: string;
  try {
    const authorized = { ...headers, Authorization: `Bearer ${token}` };
    response = await fetch(url, { ...rest, headers: authorized, credentials: 'omit', signal });
    text = await response.text();
  } catch (cause) {
    const message =
      'No answer: offline, a broken connection, or an origin that the deployment does not allow (allowedOrigins).';
    throw new UsherError('NetworkError', message, { cause });
  }
  const body = parsed(text);
  if (!response.ok) throw errorOf(response, body);
  const result = read(body);
  if (result === undefined) {
    const message = 'The answer is not from Usher: the address is wrong, or a proxy answered instead.';
    throw new UsherError('UnreadableAnswer', message, detailsOf(response, body));
  }
  return result;
}

/** Rejects when the call has to end: by the caller's signal, or by the time limit. */
function endOf(signal: AbortSignal | undefined, timeLimitMs: number) {
  const deadlineMs = Date.now() + timeLimitMs;
  const controller = new AbortController();
  let pause: ReturnType<typeof setTimeout> | undefined;
  let end: (error: UsherError) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = (error) => {
      reject(error);
      controller.abort(error);
    };
  });
  // It may reject while nothing waits for it.
  ended.catch(() => {});
  const abort = () => end(new UsherError('Aborted', 'The request was cancelled.', { cause: signal?.reason }));
  const timer = setTimeout(
    () => end(new UsherError('Timeout', `There was no answer within ${timeLimitMs} ms.`)),
    timeLimitMs,
  );
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  /** Waits for a promise, but no longer than the call may last. */
  const orResult = <T>(result: Promise<T>): Promise<T> => Promise.race([ended, result]);
  return {
    signal: controller.signal,
    orResult,
    /** @throws the error at once, if waiting would only lead to the same error later */
    pause(waitMs: number, error: UsherError): Promise<void> {
      if (Date.now() + waitMs >= deadlineMs) throw error;
      return orResult(
        new Promise((resolve) => {
          pause = setTimeout(resolve, waitMs);
        }),
      );
    },
    forget() {
      clearTimeout(timer);
      clearTimeout(pause);
      signal?.removeEventListener('abort', abort);
    },
  };
}

function errorOf(response: Response, body: unknown): UsherError {
  const { Code, Message } = members(body);
  const named = [response.headers.get('x-amzn-ErrorType'), Code]
    .map((name) => SERVICE_CODES.find((code) => typeof name === 'string' && name.startsWith(code)))
    .find((code) => code !== undefined);
  const isText = typeof Message === 'string' && Message !== '';
  const message = isText ? Message : `The service answered ${response.status} without a message.`;
  return new UsherError(named ?? codeOf(response.status), message, detailsOf(response, body));
}

const CODE_BY_STATUS: Record<number, UsherErrorCode> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'TooLarge',
  422: 'UnprocessableEntity',
  429: 'Throttling',
  502: 'ServiceUnavailable',
  503: 'ServiceUnavailable',
  504: 'ServiceUnavailable',
};

/** An error by something in front of Usher (a gateway, a CDN, a firewall), in its own shape. */
function codeOf(status: number): UsherErrorCode {
  if (status < 400) return 'UnreadableAnswer';
  return CODE_BY_STATUS[status] ?? (status < 500 ? 'BadRequest' : 'ServiceFailure');
}

function detailsOf({ status, headers }: Response, body: unknown) {
  const { RequestId } = members(body);
  return {
    status,
    rule: headers.get('x-usher-rule') ?? undefined,
    requestId: headers.get('x-amzn-RequestId') ?? (typeof RequestId === 'string' ? RequestId : undefined),
    batchId: headers.get('x-usher-batch-id') ?? undefined,
    retryAfterMs: retryAfterMsOf(headers.get('Retry-After')),
  };
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMsOf(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}

function attendeesIn(body: unknown): BatchCreateAttendeeResponse | undefined {
  const { Attendees, Errors } = members(body);
  const areRead =
    isListWith(Attendees, ['ExternalUserId', 'AttendeeId', 'JoinToken']) &&
    Attendees.every(({ Capabilities }) => isWith(Capabilities, ['Audio', 'Video', 'Content'])) &&
    isListWith(Errors, ['ExternalUserId', 'ErrorCode', 'ErrorMessage']);
  return areRead ? (body as BatchCreateAttendeeResponse) : undefined;
}

function meetingIn(body: unknown): Meeting | undefined {
  const { Meeting } = members(body);
  const isRead = isWith(Meeting, ['MeetingId']) && isWith(Meeting['MediaPlacement'], []);
  return isRead ? (Meeting as unknown as Meeting) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function members(value: unknown): Record<string, unknown> {
  return isWith(value, []) ? value : {};
}

/** Whether a value is an object with these texts. */
function isWith(value: unknown, texts: string[]): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    texts.every((name) => typeof (value as Record<string, unknown>)[name] === 'string')
  );
}

function isListWith(value: unknown, texts: string[]): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every((one) => isWith(one, texts));
}
