import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createUsherClient, UsherError } from '../../examples/browser-client/client.ts';
import { close, listen } from '../../local/http-server.ts';
import { ABSENT_MEETING, createMeeting, mintToken } from '../support/contract/clients.ts';
import { createDomain } from '../support/contract/domain.ts';
import { type RunningSystem, startSystem } from '../support/local.ts';

const recipe = (file: string) => fileURLToPath(new URL(`../../examples/recipes/${file}`, import.meta.url));

let system: RunningSystem;
let token: string;
/** The two addresses that an API has: API Gateway's own with the stage, and a custom domain mapped to that. */
let urls: { stage: string; domain: string };

const domain = createDomain(() => system.environment.apiUrl);

beforeAll(async () => {
  system = await startSystem();
  token = await mintToken(system.environment);
  urls = { stage: system.environment.apiUrl, domain: `http://127.0.0.1:${await listen(domain, 0)}` };
}, 60_000);
afterAll(async () => {
  await system?.stop();
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

describe('the typed client', () => {
  const usher = () => createUsherClient({ url: urls.stage, getToken: async () => token });

  it('lets people in', async () => {
    const { Attendees, Errors } = await usher().createAttendees(await createMeeting(system.environment), [
      { ExternalUserId: 'alice' },
      { ExternalUserId: 'bob', Capabilities: { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } },
    ]);
    expect(Attendees.map(({ ExternalUserId }) => ExternalUserId)).toEqual(['alice', 'bob']);
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

  it('gets the meeting', async () => {
    const meetingId = await createMeeting(system.environment, { ExternalMeetingId: 'board' });
    expect(await usher().getMeeting(meetingId)).toMatchObject({
      MeetingId: meetingId,
      ExternalMeetingId: 'board',
      MediaPlacement: { AudioHostUrl: expect.any(String), SignalingUrl: expect.stringMatching(/^wss:/) },
    });
    const error = await usher()
      .getMeeting(ABSENT_MEETING)
      .catch((e) => e);
    expect(error).toMatchObject({ code: 'NotFound', batchId: expect.stringMatching(/^\d{8}T/) });
  });

  it('reports a refusal by the gateway itself', async () => {
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
