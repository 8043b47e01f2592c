import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import chimeSdk from 'amazon-chime-sdk-js';
import { build } from 'esbuild';
import { Window } from 'happy-dom';
import { createUsherClient, UsherError } from '../../examples/browser-client/client.ts';
import { close, listen } from '../../local/http-server.ts';
import { ABSENT_MEETING, clientOfChime, createMeeting, mintToken } from '../support/contract/clients.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

const recipe = (file: string) => fileURLToPath(new URL(`../../examples/recipes/${file}`, import.meta.url));

let system: RunningSystem;
let token: string;
let selfToken: string;
/** The two addresses that an API has: API Gateway's own with the stage, and a custom domain mapped to that. */
let urls: { stage: string; domain: string };

/** What a custom domain's base path mapping does: its root is the stage. */
const domain = createServer((request, response) => {
  const { hostname, port, pathname } = new URL(system.environment.apiUrl);
  const { method, headers } = request;
  const forwarded = httpRequest(
    { hostname, port, path: pathname + request.url, method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    },
  );
  request.pipe(forwarded);
});

beforeAll(async () => {
  system = await startSystem();
  token = await mintToken(system.environment);
  selfToken = await mintToken(system.environment, { sub: 'gail', scope: 'attendees.create.self' });
  urls = { stage: system.environment.apiUrl, domain: `http://127.0.0.1:${await listen(domain, 0)}` };
}, 60_000);
afterAll(async () => {
  await system.stop();
  await close(domain);
});

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], env: Record<string, string>): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

const commands: [string, string, string[]][] = [
  ['the SDK in Node', process.execPath, [recipe('node-sdk.js')]],
  ['plain fetch', process.execPath, [recipe('plain-fetch.js')]],
  ['curl', 'sh', [recipe('curl.sh')]],
];

describe.each(commands)('the recipe for %s', (_what, command, args) => {
  const environment = (url: string, MEETING_ID: string) => ({
    USHER_URL: url,
    USHER_TOKEN: token,
    MEETING_ID,
  });

  it.concurrent.each(['stage', 'domain'] as const)(
    'lets people in at the address of the %s',
    async (address) => {
      const meetingId = await createMeeting(system.environment);
      const { stdout, stderr } = await run(
        command,
        [...args, 'alice'],
        environment(urls[address], meetingId),
      );
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({
        Attendees: [expect.objectContaining({ ExternalUserId: 'alice', JoinToken: expect.any(String) })],
        Errors: [],
      });
    },
  );

  it('says what went wrong', async () => {
    const { code, stdout, stderr } = await run(
      command,
      [...args, 'alice'],
      environment(urls.stage, ABSENT_MEETING),
    );
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/not found|has ended/);
    expect(stdout + stderr).toMatch(/Request(Id":")? ?[0-9a-f-]{36}/);
  });
});

describe('in a page', () => {
  const ORIGIN = 'http://localhost:5173';

  /** Fetch standard, CORS-safelisted response-header name; the window here does not keep the others back. */
  const SAFE = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'pragma'];

  /** An answer with the headers that a page of another origin may read, in lower case as the standard has them. */
  async function asPagesSeeIt(response: Awaited<ReturnType<Window['fetch']>>): Promise<Response> {
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
  function inPage(url: string): (options: object) => Promise<Record<string, unknown>> {
    const window = new Window({ url });
    const globals = ['fetch', 'Request', 'Response', 'Headers', 'AbortController', 'navigator', 'window'];
    const page = window as unknown as Record<string, unknown>;
    const pageFetch = async (...args: Parameters<typeof window.fetch>) =>
      asPagesSeeIt(await window.fetch(...args));
    const values = globals.map((name) =>
      name === 'window' ? page : name === 'fetch' ? pageFetch : page[name],
    );
    const bundle = new Function(...globals, `${bundled}\nreturn recipe;`);
    return bundle(...values).letIn;
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
    const { Meeting } = await clientOfChime(system.environment.chimeUrl).send(
      new GetMeetingCommand({ MeetingId }),
    );
    const session = new chimeSdk.MeetingSessionConfiguration({ Meeting }, { Attendee: attendee });
    expect(session.meetingId).toBe(MeetingId);
    expect(session.credentials).toMatchObject({
      attendeeId: attendee['AttendeeId'],
      externalUserId: 'gail',
      joinToken: attendee['JoinToken'],
    });
    expect(session.urls?.signalingURL).toBe(Meeting?.MediaPlacement?.SignalingUrl);
  });
});

describe('the typed client', () => {
  const usher = () => createUsherClient({ url: urls.stage, getToken: async () => token });

  it('lets people in', async () => {
    const { Attendees, Errors } = await usher().createAttendees(await createMeeting(system.environment), [
      { ExternalUserId: 'alice' },
      { ExternalUserId: 'bob', Capabilities: { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } },
    ]);
    expect(Attendees?.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'bob']);
    expect(Errors).toEqual([]);
  });

  it('says what went wrong', async () => {
    const error = await usher()
      .createAttendees('not-a-meeting', [])
      .catch((e) => e);
    expect(error).toBeInstanceOf(UsherError);
    expect(error).toMatchObject({
      status: 400,
      code: 'BadRequest',
      message: expect.stringMatching(/^2 validation errors detected: /),
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('says so where the gateway itself refused', async () => {
    const attendees = Array.from({ length: 150_000 }, () => ({ ExternalUserId: 'x'.repeat(64) }));
    const error = await usher()
      .createAttendees(ABSENT_MEETING, attendees)
      .catch((e) => e);
    expect(error).toMatchObject({ status: 413, code: 'TooLarge' });
  });
});

describe('the page of recipes', () => {
  it.each(['node-sdk.js', 'browser-sdk.js', 'plain-fetch.js', 'curl.sh', 'boto3_client.py'])(
    'names %s',
    (file) => {
      const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
      expect(page).toContain(`examples/recipes/${file}`);
    },
  );
});
