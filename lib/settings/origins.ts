import { withPlaceholders } from './deploy-time.ts';
import { isLoopback } from './key-origin.ts';
import { parseUrl } from './urls.ts';

/** The problem of a web origin that is unsafe, or that no browser sends; undefined if there is none. */
export function problemWithOrigin(text: string): string | undefined {
  const known = withPlaceholders(text);
  if (known === undefined) return undefined;
  if (known.includes('*') && !/^[^*]*:\*$/.test(known)) {
    return `"${text}" has a wildcard, so pages of strangers could use their visitors' tokens; list each origin by its name`;
  }
  const anyPort = known.endsWith(':*');
  const url = parseUrl(anyPort ? known.slice(0, -2) : known);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return `"${text}" is not an origin, so no browser would ever send it; write it as https://app.example.com`;
  }
  if (!isLoopback(url.hostname)) {
    if (anyPort) {
      return `"${text}" leaves the port open, so any service on that host could use its visitors' tokens; name the port (:* is for localhost, 127.0.0.1 and [::1])`;
    }
    if (url.protocol === 'http:') {
      return `"${text}" is not https, so anyone on the way could change the page and take its tokens; use https (http only on localhost, 127.0.0.1 or [::1])`;
    }
  }
  const exact = anyPort ? `${url.origin}:*` : url.origin;
  return exact === known
    ? undefined
    : `"${text}" is not what a browser sends as its origin, so it would never match; write ${exact}`;
}
