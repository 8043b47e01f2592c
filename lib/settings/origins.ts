import { withPlaceholders } from './deploy-time.ts';
import { isLoopback } from './key-origin.ts';
import { parseUrl } from './urls.ts';

/** Origins of pages without a web server. The platform gives these to apps and extensions, and to no other page. */
const PLACELESS = /^(?:null$|(?:capacitor|ionic|chrome-extension|file):)/i;
const APP_ORIGIN =
  /^(?:(?:capacitor|ionic):\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|chrome-extension:\/\/[a-p]{32})$/;

/** The problem of a web origin that is unsafe, or that no browser sends; undefined if there is none. */
export function problemWithOrigin(text: string): string | undefined {
  const known = withPlaceholders(text);
  if (known === undefined) return undefined;
  if (known.includes('*') && !/^[^*]*:\*$/.test(known)) {
    return `"${text}" has a wildcard, so pages of other sites could use their visitors' tokens; list each origin by name`;
  }
  if (PLACELESS.test(known)) return problemWithPlaceless(text, known);
  const anyPort = known.endsWith(':*');
  const url = parseUrl(anyPort ? known.slice(0, -2) : known);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return `"${text}" is not an origin, so no browser would send it; write it as https://app.example.com`;
  }
  if (!isLoopback(url.hostname)) {
    if (anyPort) {
      return `"${text}" allows any port, so any service on that host could use its visitors' tokens; give the port (:* is only for localhost, 127.0.0.1 and [::1])`;
    }
    if (url.protocol === 'http:') {
      return `"${text}" is not https, so an attacker on the network could change the page and take its tokens; use https (http only on localhost, 127.0.0.1 or [::1])`;
    }
  }
  const exact = anyPort ? `${url.origin}:*` : url.origin;
  return exact === known
    ? undefined
    : `"${text}" is not what a browser sends as its origin, so it would never match; write ${exact}`;
}

function problemWithPlaceless(text: string, known: string): string | undefined {
  if (known === 'null') {
    return '"null" is not an origin: browsers send it for every page that has none (files, data: URLs, sandboxed frames of any site), so pages of other sites could use their visitors\' tokens; serve the page from its own origin';
  }
  if (known.toLowerCase().startsWith('file:')) {
    return `"${text}" is not an origin: browsers send null for files, and some app shells send file:// for every file, so it does not identify a page; serve the page over https, or over http on localhost`;
  }
  return APP_ORIGIN.test(known)
    ? undefined
    : `"${text}" is not what an app or an extension sends as its origin, so it would never match; write capacitor://localhost, ionic://localhost, or chrome-extension:// and the 32 letters (a to p) of the extension's id`;
}
