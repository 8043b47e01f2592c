import type { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { ERROR_STATUS, type ErrorCode } from '../lambda/model/errors.ts';

/** A path of the API and its operations. */
export interface ApiRoute {
  /** As API Gateway writes it: `/meetings/{MeetingId}/attendees`. */
  readonly path: string;
  /** The methods of the contract; the preflight is added to them. */
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
}

/**
 * All paths of the API. A new operation is one more row here, beside its description in `openapi.json`: other methods
 * of a row, its preflight and any other path reach the function too, so that it shapes their answers.
 */
export const API_ROUTES: readonly ApiRoute[] = [
  { path: '/', methods: [] },
  { path: '/meetings/{MeetingId}', methods: ['GET'] },
  { path: '/meetings/{MeetingId}/attendees', methods: ['POST'] },
  { path: '/{proxy+}', methods: [] },
];

/** API Gateway's method for all methods without their own. */
export const ANY_METHOD = 'ANY';

/** The methods that a route's resource has in API Gateway. */
export function gatewayMethods({ methods }: ApiRoute): string[] {
  return [...methods, ...(methods.length > 0 ? ['OPTIONS'] : []), ANY_METHOD];
}

/** An answer that API Gateway makes itself, before or instead of the function's. */
export interface GatewayAnswer {
  /** https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html */
  readonly type: GatewayAnswerType;
  /** The error class, which determines the status. */
  readonly code: ErrorCode;
  /** @default API Gateway's own message */
  readonly message?: string;
  /** In addition to those of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type GatewayAnswerType = Exclude<keyof typeof ResponseType, 'of' | 'prototype'>;

const FAILED = 'The service failed. Repeating the same request is safe.';
const NOTHING_HERE = 'There is nothing at this path.';

/** All answers that API Gateway may make itself; a type without a row has the shape of its default. */
export const GATEWAY_ANSWERS: readonly GatewayAnswer[] = [
  { type: 'DEFAULT_4XX', code: 'BadRequest' },
  { type: 'DEFAULT_5XX', code: 'ServiceFailure', message: FAILED },
  { type: 'ACCESS_DENIED', code: 'Forbidden' },
  { type: 'EXPIRED_TOKEN', code: 'Unauthorized' },
  { type: 'INVALID_SIGNATURE', code: 'Unauthorized' },
  {
    type: 'UNAUTHORIZED',
    code: 'Unauthorized',
    message: 'A bearer token is required.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  { type: 'MISSING_AUTHENTICATION_TOKEN', code: 'NotFound', message: NOTHING_HERE },
  { type: 'RESOURCE_NOT_FOUND', code: 'NotFound', message: NOTHING_HERE },
  { type: 'QUOTA_EXCEEDED', code: 'Throttling', message: 'Rate exceeded', headers: { 'Retry-After': '1' } },
  { type: 'THROTTLED', code: 'Throttling', message: 'Rate exceeded', headers: { 'Retry-After': '1' } },
  { type: 'REQUEST_TOO_LARGE', code: 'BadRequest', message: 'The request is too large.' },
  {
    type: 'UNSUPPORTED_MEDIA_TYPE',
    code: 'BadRequest',
    message: 'The Content-Type must be application/json.',
  },
  { type: 'WAF_FILTERED', code: 'Forbidden', message: 'The request was refused by the firewall.' },
  { type: 'INTEGRATION_FAILURE', code: 'ServiceFailure', message: FAILED },
  {
    type: 'INTEGRATION_TIMEOUT',
    code: 'ServiceUnavailable',
    message: 'The request took too long. Repeating the same request is safe.',
    headers: { 'Retry-After': '1' },
  },
];

/**
 * An answer in API Gateway's form: header values are quoted literals, and the body is a mapping template
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html).
 */
export function gatewayResponse({ code, message, headers = {} }: GatewayAnswer) {
  const sent = {
    'x-amzn-ErrorType': `${code}Exception`,
    // It reveals nothing, and API Gateway cannot know the configured origins here.
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'x-amzn-RequestId,x-amzn-ErrorType,Retry-After',
    'Cache-Control': 'no-store',
    ...headers,
  };
  const text = message === undefined ? '$context.error.messageString' : JSON.stringify(message);
  return {
    statusCode: String(ERROR_STATUS[code]),
    responseHeaders: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, `'${value}'`])),
    templates: {
      'application/json': `{"Code":"${code}","Message":${text},"RequestId":"$context.requestId"}`,
    },
  };
}
