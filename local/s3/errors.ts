/** S3's codes (API reference, Error responses) and their HTTP status: those that this stand-in answers with. */
const STATUS_OF = {
  AccessDenied: 403,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidRequest: 400,
  MethodNotAllowed: 405,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
} as const;

export type S3Code = keyof typeof STATUS_OF;

/** A request that S3 would refuse. */
export class S3Error extends Error {
  readonly code: S3Code;
  readonly headers: Record<string, string>;

  constructor(code: S3Code, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'S3Error';
    this.code = code;
    this.headers = headers;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}
