import type { Reason } from './reasons.ts';
import type { Rule } from './rules.ts';

/**
 * The error classes of `BatchCreateAttendee` and their HTTP status, by the wire's `Code`. The class name in SDKs is the
 * code plus `Exception` (Chime SDK API reference, BatchCreateAttendee, Errors).
 */
export const ERROR_STATUS = {
  BadRequest: 400,
  LimitExceeded: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  UnprocessableEntity: 422,
  Throttling: 429,
  ServiceFailure: 500,
  ServiceUnavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorDetails {
  /** Seconds until a retry makes sense; sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** The challenge of RFC 6750 section 3; sent as `WWW-Authenticate`. */
  challenge?: string;
  /** The rule that denied a known caller; sent as `x-usher-rule`. */
  rule?: Rule;
  /** For logs and metrics. */
  reason?: Reason;
  /** Chime's id of the request that it refused. */
  chimeRequestId?: string;
  cause?: unknown;
}

/** An answer other than 200. The message goes to the caller: it says what to do and holds no personal data. */
export class FacadeError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = `${code}Exception`;
    this.code = code;
    this.details = details;
  }
}

/**
 * A foreign error without its message, which may quote its input: Lambda's runtime logs what a function throws, and logs hold
 * no personal data.
 */
export function withoutMessage(error: unknown): Error {
  const name = error instanceof Error ? error.name : 'Error';
  const safe = new Error(`${name}, without its message, which may quote its input.`);
  safe.name = name;
  return safe;
}
