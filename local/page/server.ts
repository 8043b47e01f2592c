import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { guarded } from '../guard.ts';
import { close, LOOPBACK, listenNear } from '../http-server.ts';
import type { LocalMeetings } from '../meetings.ts';
import { bundlePage } from './bundle.ts';
import { contractFile } from './contract.ts';

/** What a page needs to know about its deployment: the content of `settings.json`, which `examples/web` reads. */
export interface PageSettings {
  /** With the stage, without a trailing slash. */
  apiUrl: string;
  issuer: string;
  clientId: string;
  scope: string;
  /** Whether media are emulated too, so that no one can really join. */
  local: boolean;
  /** Whether `report/ID` shows what the audit knows of a meeting. */
  reports: boolean;
}

export interface PageServerOptions {
  /** If it is in use, another one is chosen; 0 for a free one. */
  port: number;
  settings: PageSettings;
  /** Omitted if meetings are created elsewhere. */
  meetings?: LocalMeetings;
  /** Renders the audit of a meeting as a page. */
  report: (meetingId: string) => Promise<string>;
}

interface Answer {
  status?: number;
  type: string;
  body: string | Uint8Array;
}

const WEB = fileURLToPath(new URL('../../examples/web/', import.meta.url));

const meetingSchema = z.strictObject({
  name: z.string().min(2).max(64),
  tenants: z.array(z.string()).max(5),
});

const joinSchema = z.strictObject({ meetingId: z.string(), attendeeId: z.string() });

/** Serves `examples/web` on a separate origin, like a deployment, with extras for one machine. */
export async function startPageServer(
  options: PageServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(
    guarded((request, response) => {
      answer(request, options)
        .catch((error: Error) => text(500, error.message))
        .then((found) => send(response, found ?? text(404, 'There is no such page.')));
    }, 'own'),
  );
  const url = `http://${LOOPBACK}:${await listenNear(server, options.port)}`;
  return { url, close: () => close(server) };
}

async function answer(request: IncomingMessage, options: PageServerOptions): Promise<Answer | undefined> {
  const { pathname } = new URL(request.url ?? '/', 'http://page');
  if (pathname === '/local/meetings') return answerMeetings(request, options.meetings);
  if (pathname === '/local/joins') return answerJoins(request, options.meetings);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET is allowed here.');
  if (pathname === '/settings.json') return asJson(200, options.settings);
  if (pathname.startsWith('/contract/')) return contractFile(pathname.slice('/contract/'.length));
  const [, meetingId] = /^\/report\/([0-9a-fA-F-]{36})$/.exec(pathname) ?? [];
  if (meetingId !== undefined) {
    return { type: 'text/html', body: await options.report(meetingId) };
  }
  return pageFile(pathname);
}

async function pageFile(pathname: string): Promise<Answer | undefined> {
  if (pathname === '/' || pathname === '/index.html') {
    return { type: 'text/html', body: await readFile(path.join(WEB, 'index.html')) };
  }
  if (pathname === '/style.css')
    return { type: 'text/css', body: await readFile(path.join(WEB, 'style.css')) };
  if (pathname === '/app.js') return { type: 'text/javascript', body: await bundlePage() };
  return undefined;
}

async function answerMeetings(
  request: IncomingMessage,
  meetings: LocalMeetings | undefined,
): Promise<Answer> {
  if (request.method === 'GET') return asJson(200, { meetings: meetings?.list() ?? [] });
  if (request.method !== 'POST') return text(405, 'Only GET and POST are allowed here.');
  if (meetings === undefined) {
    return asJson(409, {
      error: 'This system uses another Chime than the emulator: create the meeting there.',
    });
  }
  const wanted = meetingSchema.safeParse(await json(request).catch(() => undefined));
  if (!wanted.success) {
    return asJson(400, { error: 'A meeting has a name of 2 to 64 characters and up to 5 tenants.' });
  }
  try {
    return asJson(201, await meetings.create(wanted.data));
  } catch (error) {
    return asJson(400, { error: (error as Error).message });
  }
}

async function answerJoins(request: IncomingMessage, meetings: LocalMeetings | undefined): Promise<Answer> {
  if (request.method !== 'POST') return text(405, 'Only POST is allowed here.');
  if (meetings === undefined) {
    return asJson(409, { error: 'This system uses another Chime than the emulator: join there.' });
  }
  const wanted = joinSchema.safeParse(await json(request).catch(() => undefined));
  if (!wanted.success) return asJson(400, { error: 'A join has a meetingId and an attendeeId.' });
  try {
    await meetings.join(wanted.data.meetingId, wanted.data.attendeeId);
    return asJson(201, {});
  } catch (error) {
    return asJson(404, { error: (error as Error).message });
  }
}

function asJson(status: number, body: object): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

function text(status: number, message: string): Answer {
  return { status, type: 'text/plain', body: message };
}

function send(response: ServerResponse, { status = 200, type, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Cache-Control': 'no-store',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  });
  response.end(body);
}
