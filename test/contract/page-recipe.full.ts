import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import chimeSdk from 'amazon-chime-sdk-js';
import { build } from 'esbuild';
import { close, listen } from '../../local/http-server.ts';
import { installTool } from '../../scripts/install-tool.ts';
import { ABSENT_MEETING, createMeeting, mintToken } from '../support/contract/clients.ts';
import { createDomain } from '../support/contract/domain.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

const recipe = (file: string) => fileURLToPath(new URL(`../../examples/recipes/${file}`, import.meta.url));

/** The part of happy-dom that is used. */
interface PageWindow {
  new (options: { url: string }): { fetch: typeof fetch };
}

let Window: PageWindow;
let system: RunningSystem;
let selfToken: string;
/** The two addresses that an API has: API Gateway's own with the stage, and a custom domain mapped to that. */
let urls: { stage: string; domain: string };
const domain = createDomain(() => system.environment.apiUrl);

beforeAll(async () => {
  const happyDom = join(installTool('page'), 'node_modules/happy-dom/lib/index.js');
  ({ Window } = await import(pathToFileURL(happyDom).href));
  system = await startSystem();
  selfToken = await mintToken(system.environment, { sub: 'gail', scope: 'attendees.create.self' });
  urls = { stage: system.environment.apiUrl, domain: `http://127.0.0.1:${await listen(domain, 0)}` };
}, 120_000);
afterAll(async () => {
  await system?.stop();
  await close(domain);
});

describe('the recipe for browsers', () => {
  const ORIGIN = 'http://localhost:5173';

  /** Fetch standard, CORS-safelisted response-header name; the window here does not keep the others back. */
  const SAFE = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'pragma'];

  /** An answer with the headers that a page of another origin may read, in lower case as the standard has them. */
  async function asPagesSeeIt(response: Response): Promise<Response> {
    const exposed = response.headers.get('access-control-expose-headers')?.toLowerCase().split(',') ?? [];
    const headers = [...response.headers]
      .map(([name, value]): [string, string] => [name.toLowerCase(), value])
      .filter(([name]) => SAFE.includes(name) || exposed.includes(name));
    return new Response(await response.text(), { status: response.status, headers });
  }

  /** The recipe as a bundler makes it for browsers. */
  let bundled: string;
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [recipe('browser-sdk.js')],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'recipe',
      logLevel: 'error',
    });
    bundled = outputFiles[0]?.text ?? '';
  });

  /** The recipe in a page at this address, whose `fetch` keeps to CORS. */
  function inPage(url: string, name = 'letIn'): (options: object) => Promise<Record<string, unknown>> {
    const window = new Window({ url });
    const globals = ['fetch', 'Request', 'Response', 'Headers', 'AbortController', 'navigator', 'window'];
    const page = window as unknown as Record<string, unknown>;
    const pageFetch: typeof fetch = async (...args) => asPagesSeeIt(await window.fetch(...args));
    const values = globals.map((name) =>
      name === 'window' ? page : name === 'fetch' ? pageFetch : page[name],
    );
    const bundle = new Function(...globals, `${bundled}\nreturn recipe;`);
    return bundle(...values)[name];
  }
  const self = (url: string, meetingId: string) => ({
    url,
    meetingId,
    name: 'gail',
    getToken: async () => selfToken,
  });

  it.each(['stage', 'domain'] as const)(
    'the SDK lets its user in at the address of the %s',
    async (address) => {
      const letIn = inPage(`${ORIGIN}/join`);
      const meetingId = await createMeeting(system.environment);
      expect(await letIn(self(urls[address], meetingId))).toMatchObject({ ExternalUserId: 'gail' });
    },
  );

  it('the SDK finds the class of an error', async () => {
    const letIn = inPage(`${ORIGIN}/join`);
    const error = await letIn(self(urls.stage, ABSENT_MEETING)).catch((e) => e);
    expect(error).toMatchObject({ name: 'NotFoundException', $metadata: { httpStatusCode: 404 } });
    expect(error.$metadata.requestId).toBe(error.RequestId);
  });

  it('of another origin the SDK is kept out by the browser', async () => {
    const letIn = inPage('http://evil.example.com/');
    const error = await letIn(self(urls.stage, await createMeeting(system.environment))).catch((e) => e);
    expect(String(error)).toMatch(/CORS|Cross-Origin|not match/i);
  }, 20_000);

  it('the client library of Chime takes what comes out', async () => {
    const letIn = inPage(`${ORIGIN}/join`);
    const MeetingId = await createMeeting(system.environment);
    const attendee = await letIn(self(urls.stage, MeetingId));
    const Meeting = await inPage(`${ORIGIN}/join`, 'getMeeting')(self(urls.stage, MeetingId));
    const session = new chimeSdk.MeetingSessionConfiguration({ Meeting }, { Attendee: attendee });
    expect(session.meetingId).toBe(MeetingId);
    expect(session.credentials).toMatchObject({
      attendeeId: attendee['AttendeeId'],
      externalUserId: 'gail',
      joinToken: attendee['JoinToken'],
    });
    expect(session.urls?.signalingURL).toMatch(/^wss:/);
  });
});
