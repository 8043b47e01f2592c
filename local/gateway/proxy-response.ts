import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { HttpAnswer } from './gateway-responses.ts';

/**
 * How a REST API treats the headers of a Lambda proxy integration
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html). `x-amzn-RequestId` is
 * not on that page but is observed on deployed APIs. `Content-Length` is computed from the body, whatever the function
 * says.
 */
const REMAPPED_HEADERS = [
  'authorization',
  'connection',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
  'x-amzn-requestid',
];
const DROPPED_HEADERS = [
  'content-length',
  'expect',
  'host',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
];

const MEMBERS = ['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded'];

/**
 * Reads a function's result as the answer of a Lambda proxy integration
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html).
 *
 * @throws if API Gateway would say "Malformed Lambda proxy response"
 */
export function readProxyResponse(returned: unknown): HttpAnswer {
  if (!isObject(returned) || Object.keys(returned).some((name) => !MEMBERS.includes(name))) throw malformed();
  const { statusCode = 200, headers, multiValueHeaders, body } = returned;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) throw malformed();
  if (body !== undefined && body !== null && typeof body !== 'string') throw malformed();
  return {
    statusCode: status,
    headers: {
      'Content-Type': 'application/json',
      ...passHeaders([...entriesOf(headers), ...entriesOf(multiValueHeaders)]),
    },
    body: body ?? '',
  };
}

function entriesOf(headers: unknown): [string, unknown][] {
  if (headers === undefined || headers === null) return [];
  if (!isObject(headers)) throw malformed();
  return Object.entries(headers);
}

/** The later entry for a name wins, whatever its spelling: `multiValueHeaders` over `headers`. */
function passHeaders(entries: [string, unknown][]): HttpAnswer['headers'] {
  const passed = new Map<string, [string, string | string[]]>();
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    if (DROPPED_HEADERS.includes(key)) continue;
    const spelled =
      key === 'content-type'
        ? 'Content-Type'
        : REMAPPED_HEADERS.includes(key)
          ? `x-amzn-Remapped-${name}`
          : name;
    passed.set(key, [spelled, headerValue(name, value)]);
  }
  return Object.fromEntries(passed.values());
}

function headerValue(name: string, value: unknown): string | string[] {
  if (Array.isArray(value)) return value.map((item) => headerValue(name, item) as string);
  if (typeof value !== 'string' && typeof value !== 'boolean') throw malformed();
  const text = String(value);
  validateHeaderName(name);
  validateHeaderValue(name, text);
  return text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): Error {
  return new Error('Malformed Lambda proxy response');
}
