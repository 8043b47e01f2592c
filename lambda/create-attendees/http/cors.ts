import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** What pages of other origins may do (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface CorsRules {
  /** Origins as browsers send them; one that ends in `:*` stands for any port. */
  origins: string[];
  methods: string[];
  /** The headers that may be sent, in lower case. */
  requestHeaders: string[];
  /** The headers of an answer that a page may read. */
  exposedHeaders: string[];
  /** How long a browser may remember a preflight's answer. */
  maxAgeSeconds: number;
}

export interface Cors {
  /** The answer to a preflight; undefined for any other request. */
  preflight(event: APIGatewayProxyEvent): APIGatewayProxyResult | undefined;
  /** An answer with the headers that let the page of an allowed origin read it. */
  expose(event: APIGatewayProxyEvent, answer: APIGatewayProxyResult): APIGatewayProxyResult;
}

/** A page may always send these (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const SAFELISTED_HEADERS = ['accept', 'accept-language', 'content-language', 'content-type', 'range'];

export function createCors(rules: CorsRules): Cors {
  const sendable = new Set([...SAFELISTED_HEADERS, ...rules.requestHeaders]);

  function allowOrigin(event: APIGatewayProxyEvent): Record<string, string> {
    const origin = headerOf(event, 'origin');
    const vary: Record<string, string> = rules.origins.length > 0 ? { Vary: 'Origin' } : {};
    return origin !== undefined && rules.origins.some((allowed) => covers(allowed, origin))
      ? { 'Access-Control-Allow-Origin': origin, ...vary }
      : vary;
  }

  function isAllowed(event: APIGatewayProxyEvent): boolean {
    const method = headerOf(event, 'access-control-request-method');
    const names = headerOf(event, 'access-control-request-headers')?.split(',') ?? [];
    return (
      (method === undefined || rules.methods.includes(method)) &&
      names.every((name) => sendable.has(name.trim().toLowerCase()))
    );
  }

  return {
    preflight(event) {
      if (event.httpMethod !== 'OPTIONS') return undefined;
      if (!isAllowed(event)) return { statusCode: 204, headers: {}, body: '' };
      return {
        statusCode: 204,
        headers: {
          ...allowOrigin(event),
          'Access-Control-Allow-Methods': rules.methods.join(','),
          'Access-Control-Allow-Headers': rules.requestHeaders.join(','),
          'Access-Control-Max-Age': String(rules.maxAgeSeconds),
        },
        body: '',
      };
    },
    expose(event, answer) {
      const exposed = { 'Access-Control-Expose-Headers': rules.exposedHeaders.join(',') };
      return { ...answer, headers: { ...answer.headers, ...allowOrigin(event), ...exposed } };
    },
  };
}

function covers(allowed: string, origin: string): boolean {
  if (!allowed.endsWith(':*')) return allowed === origin;
  const beforePort = allowed.slice(0, -1);
  return origin.startsWith(beforePort) && /^\d+$/.test(origin.slice(beforePort.length));
}

function headerOf(event: APIGatewayProxyEvent, name: string): string | undefined {
  const [, value] = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name) ?? [];
  return value;
}
