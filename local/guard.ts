import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** The names of this machine that a browser sends; any other name was pointed here on purpose. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Which pages may call a local server: `api` leaves that to the API's own CORS rules, `loopback` allows pages of this
 * machine, `own` only those that the server itself serves, `none` no page at all.
 */
export type AllowedPages = 'api' | 'loopback' | 'own' | 'none';

/**
 * Protects a server on this machine from web pages. A page of any site can send requests to 127.0.0.1, and a page that
 * points its own name there (DNS rebinding) can even read the answers.
 */
export function guarded(listener: RequestListener, pages: AllowedPages): RequestListener {
  return (request, response) => {
    const problem = refusalOf(request, pages);
    if (problem === undefined) listener(request, response);
    else refuse(response, problem);
  };
}

/** @returns the problem with the request's `Host`, `Origin` or `Sec-Fetch-Site`, if any */
export function refusalOf({ headers }: IncomingMessage, pages: AllowedPages): string | undefined {
  const { host, origin } = headers;
  if (host !== undefined && !isLoopback(`http://${host}`)) {
    return `The Host ${host} is not this machine: use 127.0.0.1 or localhost.`;
  }
  if (pages === 'api') return undefined;
  if (origin !== undefined) {
    const allowed =
      (pages === 'loopback' && isLoopback(origin)) || (pages === 'own' && origin === `http://${host}`);
    return allowed ? undefined : `Pages of ${origin} may not call this local server.`;
  }
  // A request of a page without an Origin, such as for an image.
  const site = headers['sec-fetch-site'];
  const isForeign = pages === 'none' && site !== undefined && site !== 'none' && site !== 'same-origin';
  return isForeign ? 'Pages of another origin may not call this local server.' : undefined;
}

/** Whether an http URL, or an origin, names this machine. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username } = new URL(url);
  return protocol === 'http:' && username === '' && LOOPBACK_NAMES.includes(hostname);
}

function refuse(response: ServerResponse, message: string): void {
  response.writeHead(403, { 'Content-Type': 'application/json', 'x-amzn-ErrorType': 'ForbiddenException' });
  response.end(JSON.stringify({ message }));
}
