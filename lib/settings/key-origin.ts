import { withPlaceholders } from './deploy-time.ts';
import { parseUrl } from './urls.ts';

/** A deploy-time part, such as the address of a pool of the same app, is accepted as it is; the text around it is checked. */
export function isFetchable(text: string): boolean {
  const known = withPlaceholders(text);
  if (known === undefined) return true;
  const url = parseUrl(known);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** Whether a URL's host can only be this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * Whether two servers could read an address differently: RFC 3986 section 6 leaves to them the meaning of an encoded
 * delimiter, an empty segment or a percent sign that encodes itself, and a fragment never reaches them.
 */
export function isAmbiguous(text: string): boolean {
  const known = withPlaceholders(text) ?? '';
  const url = parseUrl(known);
  const encoded = /%(?:00|25|2f|5c|23|3f)/i.test(known);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  return encoded || /[#\\\s\u0000-\u001f\u007f]/.test(known) || (url?.pathname.includes('//') ?? false);
}

/**
 * The origin of keys: one text for all spellings of one address (RFC 3986 section 6.2). Differences that servers may
 * ignore, such as the case of a path, a slash at its end or the order of a query's members, make no other origin.
 */
export function keyOriginOf(text: string): string {
  const url = parseUrl(text.replaceAll(DEPLOY_TIME, deployTimeLabel));
  if (url === null) return text;
  const host = isLoopback(url.hostname) ? 'localhost' : url.hostname.replace(/\.$/, '');
  const path = decodeUnreserved(url.pathname).toLowerCase().replace(/\/+$/, '');
  url.searchParams.sort();
  const query = url.searchParams.toString();
  // Keys without TLS come from this machine, where one server may answer for both hosts.
  return `${host}:${url.port || defaultPort(url.protocol)}${path}${query === '' ? '' : `?${query}`}`;
}

/** How CDK writes into a text what is only known at deployment. */
const DEPLOY_TIME = /\$\{Token\[([^\]]*)\]\}/g;

/** Two deploy-time parts count as different. */
function deployTimeLabel(_token: string, id: string): string {
  return `token-${Buffer.from(id).toString('hex')}`;
}

function defaultPort(protocol: string): string {
  return protocol === 'https:' ? '443' : '80';
}

/** RFC 3986 section 2.3: an encoded unreserved character is the character. */
function decodeUnreserved(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
  });
}
