import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import type { z } from 'zod';
import type { CallLog } from './calls.ts';
import { deliverySchema, type Events, joinSchema } from './events.ts';
import { type Faults, faultSchema } from './faults.ts';
import type { Meetings } from './meetings.ts';
import { type Mode, modeSchema } from './mode.ts';
import { readBody } from './read-body.ts';
import { ChimeError } from './wire-errors.ts';

/** The path of the control endpoint; no path of the Meetings API begins like this. */
export const CONTROL_PREFIX = '/_emulator/';

/** Answers what the docstring of `server.ts` lists under `/_emulator/`; 400 `{error}` says what is wrong with a body. */
export function createControl(emulator: {
  calls: CallLog;
  events: Events;
  faults: Faults;
  meetings: Meetings;
  mode: Mode;
}) {
  const { calls, events, faults, meetings, mode } = emulator;
  const router = findMyWay({
    defaultRoute: (_, response) => reply(response, 404, { error: 'No such control endpoint' }),
  });

  router.on('GET', '/_emulator/calls', (_, response) => reply(response, 200, { calls: calls.list() }));
  router.on('DELETE', '/_emulator/calls', (_, response) => {
    calls.clear();
    reply(response, 204);
  });

  router.on('GET', '/_emulator/attendees', (_, response, __, ___, query) => {
    const attendees = meetings.known({ meetingId: query['meetingId'], gone: query['gone'] === 'true' });
    reply(response, 200, { attendees });
  });

  router.on('GET', '/_emulator/faults', (_, response) => reply(response, 200, { faults: faults.list() }));
  router.on('POST', '/_emulator/faults', async (request, response) => {
    const fault = await readControlBody(request, response, faultSchema);
    if (fault) reply(response, 201, faults.add(fault));
  });
  router.on('DELETE', '/_emulator/faults', (_, response) => {
    faults.clear();
    reply(response, 204);
  });

  router.on('GET', '/_emulator/mode', (_, response) => reply(response, 200, mode.settings()));
  router.on('PUT', '/_emulator/mode', async (request, response) => {
    const change = await readControlBody(request, response, modeSchema);
    if (!change) return;
    mode.change(change);
    reply(response, 200, mode.settings());
  });

  router.on('GET', '/_emulator/events', (_, response) =>
    reply(response, 200, { delivery: events.delivery(), events: events.list() }),
  );
  router.on('PUT', '/_emulator/events', async (request, response) => {
    const change = await readControlBody(request, response, deliverySchema);
    if (!change) return;
    events.change(change);
    reply(response, 200, events.delivery());
  });
  router.on(
    'POST',
    '/_emulator/meetings/:meetingId/attendees/:attendeeId/join',
    async (request, response, { meetingId = '', attendeeId = '' }) => {
      const how = await readControlBody(request, response, joinSchema);
      if (!how) return;
      try {
        const attendee = meetings.getAttendee(meetingId, attendeeId);
        reply(response, 200, events.emit('chime:AttendeeJoined', meetings.get(meetingId), attendee, how));
      } catch (error) {
        if (!(error instanceof ChimeError)) throw error;
        reply(response, 404, { error: error.message });
      }
    },
  );

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    await router.lookup(request, response);
  };
}

/** The body, or undefined after answering that it is invalid. */
async function readControlBody<T extends z.ZodType>(
  request: IncomingMessage,
  response: ServerResponse,
  schema: T,
): Promise<z.output<T> | undefined> {
  let body: unknown;
  try {
    body = JSON.parse((await readBody(request)) || '{}');
  } catch {
    reply(response, 400, { error: 'The body is not valid JSON' });
    return undefined;
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const error = parsed.error.issues
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    .join('; ');
  reply(response, 400, { error });
  return undefined;
}

function reply(response: ServerResponse, status: number, body?: unknown): void {
  if (body === undefined) response.writeHead(status).end();
  else response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
