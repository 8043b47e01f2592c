import type { APIGatewayProxyResult } from 'aws-lambda';
import { ERROR_STATUS, type FacadeError } from '../../model/errors.ts';

/**
 * Headers that a page of another origin may read. A REST API renames the `WWW-Authenticate` of a Lambda function
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
 */
export const EXPOSED_HEADERS = [
  'x-amzn-RequestId',
  'x-amzn-ErrorType',
  'Retry-After',
  'x-amzn-Remapped-WWW-Authenticate',
  'x-usher-batch-id',
  'x-usher-chime-request-id',
  'x-usher-rule',
].join(',');

/** The gateway adds `x-amzn-RequestId` itself, and renames one that a function sends. */
export function success(
  body: object,
  batchId: string,
  chimeRequestId: string | undefined,
): APIGatewayProxyResult {
  return { statusCode: 200, headers: headers(batchId, chimeRequestId), body: JSON.stringify(body) };
}

/** AWS SDKs find the error class in the header first, then in the body's `Code`. */
export function failure(error: FacadeError, requestId: string, batchId: string): APIGatewayProxyResult {
  const { retryAfterSeconds, challenge, chimeRequestId, rule } = error.details;
  return {
    statusCode: ERROR_STATUS[error.code],
    headers: {
      ...headers(batchId, chimeRequestId),
      'x-amzn-ErrorType': `${error.code}Exception`,
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(rule === undefined ? {} : { 'x-usher-rule': rule }),
    },
    body: JSON.stringify({ Code: error.code, Message: error.message, RequestId: requestId }),
  };
}

function headers(batchId: string, chimeRequestId: string | undefined): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'x-usher-batch-id': batchId,
    ...(chimeRequestId === undefined ? {} : { 'x-usher-chime-request-id': chimeRequestId }),
  };
}
