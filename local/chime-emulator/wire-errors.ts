/** The errors of the Meetings API and their HTTP status (the Smithy model's `httpError` traits). */
const STATUS_OF = {
  BadRequestException: 400,
  LimitExceededException: 400,
  UnauthorizedException: 401,
  ForbiddenException: 403,
  NotFoundException: 404,
  ConflictException: 409,
  UnprocessableEntityException: 422,
  ThrottlingException: 429,
  ServiceFailureException: 500,
  ServiceUnavailableException: 503,
};

export type ModelledError = keyof typeof STATUS_OF;

/** What goes back over the wire; without `body` there is none (204). */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** An operation refused with an error of the model. */
export class ChimeError extends Error {
  readonly errorType: ModelledError;

  constructor(errorType: ModelledError, message: string) {
    super(message);
    this.name = 'ChimeError';
    this.errorType = errorType;
  }
}

export function badRequest(message: string): ChimeError {
  return new ChimeError('BadRequestException', message);
}

export function notFound(message: string): ChimeError {
  return new ChimeError('NotFoundException', message);
}

/** The answer for a refusal by the operation itself. */
export function modelledErrorAnswer(error: ChimeError, requestId: string): Answer {
  return errorAnswer(
    { status: STATUS_OF[error.errorType], errorType: error.errorType, message: error.message },
    requestId,
  );
}

/**
 * An error on the wire of restJson1. Clients take the class from the header, so it holds the full name, while `Code`
 * has been seen without the word Exception. `Retry-After` is in seconds.
 */
export function errorAnswer(
  error: { status: number; errorType: string; message: string; retryAfterSeconds?: number | undefined },
  requestId: string,
): Answer {
  return {
    status: error.status,
    headers: {
      'x-amzn-ErrorType': error.errorType,
      ...(error.retryAfterSeconds !== undefined && { 'Retry-After': String(error.retryAfterSeconds) }),
    },
    body: {
      Code: error.errorType.replace(/Exception$/, ''),
      Message: error.message,
      RequestId: requestId,
    },
  };
}
