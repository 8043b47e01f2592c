import { UsherError } from '../browser-client/client.ts';
import { NotLetIn } from './meeting.ts';
import { SessionOver } from './sign-in.ts';

/** What a person reads, and what the page can do about it. */
export interface Problem {
  title: string;
  text: string;
  /** For support. */
  detail?: string;
  /** `sign-in` is automatic; `wait` retries after `waitMs`; `retry` and `choose` are buttons. */
  remedy: 'sign-in' | 'wait' | 'retry' | 'choose';
  waitMs?: number;
}

/** How long to wait if the answer does not say. */
const DEFAULT_WAIT_MS = 5_000;

/** What each rule of Usher means to the person; its name is in the error (docs/authorization.md of Usher lists them). */
const RULES: Readonly<Record<string, string>> = {
  scope:
    'Your account has no right to join meetings. Ask the person who invited you, or sign in as someone else.',
  'tenant-claim': 'Your account belongs to no organization. Ask an administrator to add it to one.',
  'meetings-claim': 'Your invitation is for another meeting. Open the link of your invitation.',
  'self-one-attendee': 'You can let in only yourself. Ask a host to let others in.',
  'self-own-name': 'You can only join under your own name. Ask a host to let others in.',
  'name-prefix': 'Your account may not let in this name.',
  'capability-ceiling':
    'You asked to send or receive more than you may in this meeting. Ask a host for more.',
};

const NOT_LET_IN: Problem = {
  title: 'You were not let in',
  text: 'The meeting is full, or you are already in it with other rights. Ask the host, or try again later.',
  remedy: 'retry',
};

/** @param error what a request of the client threw */
export async function explain(error: unknown, apiUrl: string): Promise<Problem> {
  if (error instanceof SessionOver) return sessionOver();
  if (error instanceof UsherError) return explainAnswer(error, apiUrl);
  if (error instanceof NotLetIn) return { ...NOT_LET_IN, detail: error.message };
  // Such as the issuer's: fetch has one error for everything.
  if (error instanceof TypeError) return explainSilence(apiUrl);
  return {
    title: 'Something unexpected happened',
    text: 'Try again. If it happens again, report it with the line below.',
    detail: String(error),
    remedy: 'retry',
  };
}

function sessionOver(): Problem {
  return {
    title: 'Your session has ended',
    text: 'This page signs you in again automatically.',
    remedy: 'sign-in',
  };
}

async function explainAnswer(error: UsherError, apiUrl: string): Promise<Problem> {
  const { code, message, requestId, batchId, cause } = error;
  const ids = [requestId && `request ${requestId}`, batchId && `batch ${batchId}`].filter(Boolean);
  const detail = [message, ...ids].join(' · ');
  switch (code) {
    case 'Unauthorized':
      return { ...sessionOver(), detail };
    case 'Forbidden':
      return forbidden(error, detail);
    case 'NotFound':
      return {
        title: 'This meeting is not open to you',
        text: 'It has ended, or it belongs to another organization. Ask the host for a new link, or choose another meeting.',
        detail,
        remedy: 'choose',
      };
    case 'BadRequest':
    case 'UnprocessableEntity':
      return {
        title: 'This is not a meeting ID',
        text: 'Copy the whole ID or link from your invitation.',
        detail,
        remedy: 'choose',
      };
    case 'LimitExceeded':
      return {
        title: 'The meeting is full',
        text: 'Wait until someone leaves, then try again.',
        detail,
        remedy: 'retry',
      };
    case 'Throttling':
      return waiting('Many people are joining right now', error, detail);
    case 'ServiceUnavailable':
    case 'ServiceFailure':
      return waiting('The meeting service has a problem', error, detail);
    case 'NoToken':
      return explain(cause, apiUrl);
    case 'NetworkError':
    case 'Timeout':
      return explainSilence(apiUrl);
    default:
      return {
        title: 'The answer is not readable',
        text: 'A proxy or another server answered instead of the meeting service. Try again.',
        detail,
        remedy: 'retry',
      };
  }
}

function forbidden({ rule, message }: UsherError, detail: string): Problem {
  const known = rule === undefined ? undefined : RULES[rule];
  return {
    title: 'You may not do that',
    text: known ?? message,
    detail,
    remedy: 'choose',
  };
}

function waiting(title: string, { retryAfterMs }: UsherError, detail: string): Problem {
  return {
    title,
    text: 'You do not need to do anything: this page tries again automatically.',
    detail,
    remedy: 'wait',
    waitMs: retryAfterMs ?? DEFAULT_WAIT_MS,
  };
}

/** No answer: offline, a server that is down, or an answer that this page may not read. */
async function explainSilence(apiUrl: string): Promise<Problem> {
  if (!navigator.onLine) {
    return {
      title: 'You are offline',
      text: 'This page continues when the connection is back.',
      remedy: 'wait',
      waitMs: DEFAULT_WAIT_MS,
    };
  }
  // This kind of request is sent whatever the server allows, and shows only whether it arrives.
  const answers = await fetch(apiUrl, { mode: 'no-cors' }).then(
    () => true,
    () => false,
  );
  return answers
    ? {
        title: 'This page may not use the meeting service',
        text: `The service does not know this address. Ask an administrator to add ${location.origin} to the setting allowedOrigins.`,
        detail: apiUrl,
        remedy: 'retry',
      }
    : {
        title: 'The meeting service does not answer',
        text: 'You do not need to do anything: this page tries again automatically.',
        detail: apiUrl,
        remedy: 'wait',
        waitMs: DEFAULT_WAIT_MS,
      };
}
