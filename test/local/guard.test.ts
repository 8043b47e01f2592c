import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { type AllowedPages, refusalOf } from '../../local/guard.ts';

const refused = (headers: IncomingMessage['headers'], pages: AllowedPages) =>
  refusalOf({ headers } as IncomingMessage, pages) !== undefined;

const OWN = 'http://127.0.0.1:8181';

describe('a local server', () => {
  it.each(['127.0.0.1:8180', '127.0.0.1', 'localhost:1', '[::1]:8180', undefined])(
    'answers at the Host %s',
    (host) => {
      expect(refused(host === undefined ? {} : { host }, 'none')).toBe(false);
    },
  );

  it.each([
    'pages.example',
    'pages.example:8180',
    '127.0.0.1.pages.example',
    'localhost.pages.example:8180',
    'user@127.0.0.1',
    '127.0.0.1@pages.example',
    '192.168.0.1',
    '',
    'a b',
  ])('refuses the Host "%s", whatever pages it allows', (host) => {
    for (const pages of ['api', 'loopback', 'own', 'none'] as const)
      expect(refused({ host }, pages)).toBe(true);
  });

  it.each([
    ['https://pages.example', [false, true, true, true]],
    ['null', [false, true, true, true]],
    ['http://127.0.0.1.pages.example', [false, true, true, true]],
    ['https://127.0.0.1:8181', [false, true, true, true]],
    ['http://localhost:5173', [false, false, true, true]],
    [OWN, [false, false, false, true]],
  ])('judges pages of %s by what it is for', (origin, expected) => {
    const host = '127.0.0.1:8181';
    const judged = (['api', 'loopback', 'own', 'none'] as const).map((pages) =>
      refused({ host, origin }, pages),
    );
    expect(judged).toEqual(expected);
  });

  it('refuses a page request without an Origin if no page may call', () => {
    const headers = { host: '127.0.0.1:8184', 'sec-fetch-site': 'cross-site' };
    expect(refused(headers, 'none')).toBe(true);
    expect(refused({ ...headers, 'sec-fetch-site': 'same-site' }, 'none')).toBe(true);
    expect(refused({ ...headers, 'sec-fetch-site': 'none' }, 'none')).toBe(false);
    // A link to a page is no call.
    expect(refused(headers, 'own')).toBe(false);
  });
});
