import type { MiddlewareObj } from '@middy/core';
import httpCors from '@middy/http-cors';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { ROUTES } from '../routes.ts';
import { EXPOSED_HEADERS } from './response.ts';

export interface CorsOptions {
  /** Exact origins, or an origin of this machine with `:*` for any port. */
  allowedOrigins: readonly string[];
  /** Request headers in addition to those that are always allowed. */
  allowedHeaders: readonly string[];
  /** Says why an origin is refused, in words that hold nothing of the request. */
  onRefusal(refusal: OriginRefusal): void;
}

export interface OriginRefusal {
  /** What to change for the origin to be allowed. */
  setting: 'allowedOrigins';
  problem: 'null origin' | 'file origin' | 'not listed';
  /** An entry of the setting with the same host name, if any: another scheme or port was probably meant. */
  listed?: string;
}

/** The middleware then sends no header. */
const NO_ORIGIN = '';

type Middleware = Required<MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult>>;

/** Headers that AWS SDKs send in a browser, and those of common tracing tools. */
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'x-amz-user-agent',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
];

/** All of Datadog's headers by name: a wildcard would not cover `Authorization` (Fetch standard). */
const DATADOG_HEADER = /^x-datadog-[a-z0-9-]{1,64}$/;

/**
 * Answers preflights, and lets pages of the allowed origins read every other answer. A header that is not allowed is
 * left out of the list, so that the browser names it; it does not hide the origin.
 */
export function createCors(options: CorsOptions): Middleware {
  const isAllowed = matcherOf(options.allowedOrigins);
  const headers = [
    ...new Set([...REQUEST_HEADERS, ...options.allowedHeaders.map((name) => name.toLowerCase())]),
  ];
  // The middleware supports `vary`; its types do not declare it.
  const settings = {
    disableBeforePreflightResponse: false,
    getOrigin(origin?: string) {
      if (origin === undefined) return NO_ORIGIN;
      if (isAllowed(origin)) return origin;
      options.onRefusal(refusalOf(origin, options.allowedOrigins));
      return NO_ORIGIN;
    },
    vary: 'Origin',
    methods: [...new Set(ROUTES.map(({ method }) => method))].toSorted().join(','),
    headers: headers.join(','),
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  };
  const cors = httpCors(settings) as Middleware;
  return {
    ...cors,
    async before(request) {
      const answer = (await cors.before(request)) as APIGatewayProxyResult | undefined;
      const others = datadogHeadersOf(request.event).filter((name) => !headers.includes(name));
      if (answer?.headers && others.length > 0) {
        answer.headers['Access-Control-Allow-Headers'] = [...headers, ...others].join(',');
      }
      return answer;
    },
  };
}

function matcherOf(allowed: readonly string[]): (origin: string) => boolean {
  const exact = new Set(allowed);
  const anyPort = allowed.filter((entry) => entry.endsWith(':*')).map((entry) => entry.slice(0, -1));
  return (origin) =>
    exact.has(origin) ||
    anyPort.some((start) => origin.startsWith(start) && /^\d{1,5}$/.test(origin.slice(start.length)));
}

/** Nothing of the origin itself is kept: it is a stranger's input. */
function refusalOf(origin: string, allowed: readonly string[]): OriginRefusal {
  const setting = 'allowedOrigins';
  if (origin === 'null') return { setting, problem: 'null origin' };
  if (/^file:/i.test(origin)) return { setting, problem: 'file origin' };
  const host = hostOf(origin);
  const listed = allowed.find((entry) => host !== '' && hostOf(entry) === host);
  return { setting, problem: 'not listed', ...(listed === undefined ? {} : { listed }) };
}

function hostOf(origin: string): string {
  return URL.parse(origin.replace(/:\*$/, ''))?.hostname ?? '';
}

function datadogHeadersOf({ headers }: APIGatewayProxyEvent): string[] {
  return Object.entries(headers ?? {})
    .filter(([name]) => name.toLowerCase() === 'access-control-request-headers')
    .flatMap(([, names]) => (names ?? '').toLowerCase().split(','))
    .map((name) => name.trim())
    .filter((name) => DATADOG_HEADER.test(name));
}
