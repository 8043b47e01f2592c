/**
 * An emulator of the Amazon Chime SDK Meetings API on the wire (restJson1), made as a test instrument from the published
 * Smithy model and API reference. It shares no code with what it tests. Where the documents are silent it makes a
 * choice, and a comment at that place says so: nothing here was compared with the real service.
 *
 * Operations: CreateMeeting, GetMeeting, DeleteMeeting, BatchCreateAttendee, ListAttendees, GetAttendee,
 * DeleteAttendee; anything else is NotFoundException. Requests have to look signed (Signature Version 4 for `chime`),
 * the signature is not verified. Not emulated: the end of a meeting in which no one is connected for five minutes,
 * that a meeting is only known in its own control Region, and media: no one can connect.
 *
 * Events, as EventBridge delivers them: `chime:AttendeeAdded` when an attendee is created, `chime:AttendeeJoined` when the
 * control endpoint says that one joins. Others are not emulated.
 *
 * Control endpoint, unsigned, JSON:
 *
 * | request | |
 * | --- | --- |
 * | `GET /_emulator/calls` | `{calls: Call[]}` (`calls.ts`), every call in order of arrival |
 * | `DELETE /_emulator/calls` | forgets them |
 * | `GET /_emulator/attendees?meetingId=&gone=true` | `{attendees: KnownAttendee[]}` (`meetings.ts`): who exists, JoinToken included, in one meeting or all; with `gone=true` also who was deleted or whose meeting ended, with `goneAt` |
 * | `POST /_emulator/faults` | adds a fault, 201; 400 `{error}` if it is none |
 * | `GET /_emulator/faults` | `{faults}` with `applied` and `remaining` for each |
 * | `DELETE /_emulator/faults` | takes them all back |
 * | `GET /_emulator/mode` | `{existing, ratePerSecond, burst}` |
 * | `PUT /_emulator/mode` | changes what is given: `existing` says how a batch treats a name that the meeting already has (`keep`, `overwrite`, `ignore`, `reject`, `duplicate`; `mode.ts`); `ratePerSecond` throttles each operation by a token bucket of `burst` (else one second's worth) with ThrottlingException, `null` ends that |
 * | `POST /_emulator/meetings/:meetingId/attendees/:attendeeId/join` | the attendee joins: the event, delivered as the body says (`events.ts`: `lose`, `copies`, `delayMs`, `timestamp`), else as `PUT events` did; 404 for one that does not exist |
 * | `GET /_emulator/events` | `{delivery, events}`: how events are delivered, and all that happened, lost ones included |
 * | `PUT /_emulator/events` | changes what is given of `lose`, `copies`, `delayMs` for events from now on |
 *
 * A fault has one effect, or only a latency, and these members; the first one that fits a call is used, alone:
 *
 * | member | |
 * | --- | --- |
 * | `operation` | only this one; any, if left out |
 * | `times` | so often; until taken back, if left out |
 * | `probability`, `seed` | with this chance in (0, 1], drawn repeatably from the seed (1 if left out) |
 * | `when` | `before` (default) or `after` acting; a call with an effect before does not act |
 * | `latencyMs` | waits, before or after acting as `when` says; goes with any effect |
 *
 * | effect | |
 * | --- | --- |
 * | `status`, `errorType`, `message`, `retryAfterSeconds` | an error, also one that is not modelled; `Retry-After` is only sent if given |
 * | `reset: true` | the connection is reset |
 * | `garbage: true`, `status` | a body that is not JSON, with 200 or the status |
 * | `truncate: true` | acts, and the connection ends in the middle of the answer; beside `errorType`, in the middle of the error |
 * | `partialErrors: {externalUserIds?, every?, errorCode, errorMessage?}` | BatchCreateAttendee tells these names, and of them each n-th of the request, in `Errors`; with `when: after` they exist nevertheless |
 * | `extraAttendee: {externalUserId, capabilities?}` | BatchCreateAttendee also creates and answers an attendee that was not requested |
 * | `alteredCapabilities: {externalUserIds?, capabilities}` | BatchCreateAttendee gives these, or all, other capabilities than asked for |
 *
 * A call that is unsigned, unknown or throttled uses up no fault.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { type Call, type CallLog, createCallLog } from './calls.ts';
import { CONTROL_PREFIX, createControl } from './control.ts';
import { type ChimeEvent, createEvents, type Events } from './events.ts';
import { createFaults, type Fault, type Faults, faultAnswer, replacesAnswer } from './faults.ts';
import { Meetings } from './meetings.ts';
import { createMode, type Mode } from './mode.ts';
import { OPERATION_NAMES, type OperationName } from './operation-names.ts';
import { OPERATIONS, requestedAttendees } from './operations.ts';
import { readBody } from './read-body.ts';
import { signedRegion } from './request-rules.ts';
import { type Answer, ChimeError, modelledErrorAnswer, notFound } from './wire-errors.ts';

export interface ChimeEmulator {
  /** Without a trailing slash. */
  url: string;
  /** Stops it, ending open connections and answers still held back. */
  close(): Promise<void>;
}

/**
 * Starts an emulator on 127.0.0.1, on a free port by default. `now`, in milliseconds since the epoch, is for tests of
 * what takes a day. `guard` sees every request first, and may answer instead of the emulator. `onEvent` gets each event that is
 * delivered.
 */
export async function startChimeEmulator(
  options: {
    port?: number;
    now?: () => number;
    guard?: (listener: RequestListener) => RequestListener;
    onEvent?: (event: ChimeEvent) => void;
  } = {},
): Promise<ChimeEmulator> {
  const now = options.now ?? Date.now;
  const stopping = new AbortController();
  const events = createEvents(now, options.onEvent ?? (() => {}), stopping.signal);
  const state: State = {
    now,
    events,
    meetings: new Meetings(now, (meeting, attendee) => events.emit('chime:AttendeeAdded', meeting, attendee)),
    calls: createCallLog(),
    faults: createFaults(),
    mode: createMode(now),
    stopping: stopping.signal,
  };
  const control = createControl(state);

  const listener: RequestListener = async (request, response) => {
    try {
      if (request.url?.startsWith(CONTROL_PREFIX)) await control(request, response);
      else await serveCall(state, request, response);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // A fault of the emulator itself: its answer must not look like one of Chime's.
      console.error(error);
      request.socket.destroy();
    }
  };
  const server = createServer(options.guard?.(listener) ?? listener);
  // A client reuses its connections; if the server closed idle ones early, calls would fail by a race of the emulator's
  // own.
  server.keepAliveTimeout = 10 * 60 * 1000;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        stopping.abort();
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

interface State {
  now: () => number;
  events: Events;
  meetings: Meetings;
  calls: CallLog;
  faults: Faults;
  mode: Mode;
  /** Aborted when the emulator ends. */
  stopping: AbortSignal;
}

async function serveCall(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = findOperation(request);
  const requestId = randomUUID();
  const call = state.calls.open({
    at: new Date(state.now()).toISOString(),
    operation: route.operation ?? 'Unknown',
    method: request.method ?? '',
    path: route.path,
    query: route.query.toString(),
    meetingId: route.params['meetingId'] ?? null,
    requestId,
  });
  let bodyText: string;
  try {
    bodyText = await readBody(request);
  } catch {
    call.outcome = 'client-gone';
    return;
  }
  if (route.operation === 'BatchCreateAttendee') Object.assign(call, requestedAttendees(bodyText));
  const asked = { route, bodyText, authorization: request.headers.authorization };
  const { answer, fault } = await answerCall(state, asked, call).catch((error) => ({
    answer: refusalAnswer(error, requestId),
    fault: undefined,
  }));
  deliver(request, response, call, answer, fault);
}

interface Asked {
  route: Route;
  bodyText: string;
  authorization: string | undefined;
}

async function answerCall(
  state: State,
  asked: Asked,
  call: Call,
): Promise<{ answer: Answer | undefined; fault?: Fault | undefined }> {
  const region = signedRegion(asked.authorization);
  const { operation } = asked.route;
  if (operation === undefined) throw notFound('No such operation');
  if (!state.mode.admits(operation)) throw new ChimeError('ThrottlingException', 'Rate exceeded');

  const fault = state.faults.take(operation);
  const act = () => actOn(state, operation, asked, { region, fault }, call);
  if (fault === undefined) return { answer: act() };
  const wait = async () => {
    if (fault.latencyMs) await pause(fault.latencyMs, undefined, { signal: state.stopping });
  };
  const replaced = replacesAnswer(fault);
  if (fault.when === 'before') {
    await wait();
    return { answer: replaced ? faultAnswer(fault, call.requestId) : act(), fault };
  }
  const answer = act();
  await wait();
  return { answer: replaced ? faultAnswer(fault, call.requestId) : answer, fault };
}

function actOn(
  { meetings, mode }: State,
  operation: OperationName,
  { route: { params, query }, bodyText }: Asked,
  how: { region: string; fault: Fault | undefined },
  call: Call,
): Answer {
  const { requestId } = call;
  const { existing } = mode.settings();
  const { meetingId, attendeeId } = params;
  try {
    const answer = OPERATIONS[operation].act(meetings, {
      meetingId,
      attendeeId,
      query,
      bodyText,
      requestId,
      existing,
      ...how,
    });
    call.acted = true;
    return answer;
  } catch (error) {
    return refusalAnswer(error, requestId);
  }
}

interface Route {
  operation: OperationName | undefined;
  path: string;
  query: URLSearchParams;
  params: Record<string, string | undefined>;
}

const router = createRouter();

function createRouter() {
  // An id of any length reaches its operation, so that it is refused as an id and not as an unknown path.
  const routes = findMyWay({ maxParamLength: 16_384 });
  const unused = () => undefined;
  for (const name of OPERATION_NAMES) {
    const { method, path } = OPERATIONS[name];
    routes.on(method, path, unused, name);
  }
  return routes;
}

function findOperation(request: IncomingMessage): Route {
  const [path = '', ...rest] = (request.url ?? '').split('?');
  const query = new URLSearchParams(rest.join('?'));
  const found = router.find(request.method as HTTPMethod, path);
  const name: OperationName | undefined = found?.store;
  // Only this member distinguishes BatchCreateAttendee from CreateAttendee, which is not emulated.
  const fits = name && OPERATIONS[name].operationQuery === (query.get('operation') ?? undefined);
  return { operation: fits ? name : undefined, path, query, params: found?.params ?? {} };
}

/** The answer of a refusal; any other error is the emulator's own and is thrown on. */
function refusalAnswer(error: unknown, requestId: string): Answer {
  if (error instanceof ChimeError) return modelledErrorAnswer(error, requestId);
  throw error;
}

/** Sends the answer, or breaks the connection as the fault says; without an answer, resets the connection. */
function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  call: Call,
  answer: Answer | undefined,
  fault: Fault | undefined,
): void {
  if (request.socket.destroyed) {
    call.outcome = 'client-gone';
    return;
  }
  const text = answer && serialized(answer);
  const cutShort = fault?.truncate === true;
  if (!answer || (cutShort && text === undefined)) {
    call.outcome = 'reset';
    request.socket.resetAndDestroy();
    return;
  }
  call.status = answer.status;
  call.outcome = cutShort ? 'truncated' : 'answered';
  response.writeHead(answer.status, {
    'x-amzn-RequestId': call.requestId,
    ...(text !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    }),
    ...answer.headers,
  });
  if (cutShort && text !== undefined) {
    response.write(text.slice(0, Math.floor(text.length / 2)), () => request.socket.destroy());
  } else {
    response.end(text);
  }
}

/** A string body comes from a fault, and is sent as it is. */
function serialized({ body }: Answer): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}
