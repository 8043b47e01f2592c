import { Agent, type AgentOptions } from 'node:https';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ChimeSDKMeetingsClient, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { type DynamoDBClient, ExecuteStatementCommand } from '@aws-sdk/client-dynamodb';
import { turnOfEventLoop } from './turn-of-event-loop.ts';

type CreateConnection = Agent['createConnection'];
type ConnectionOptions = Parameters<CreateConnection>[0];
type OnConnection = NonNullable<Parameters<CreateConnection>[1]>;

interface Early {
  host: string;
  port: number;
  openedAtMs: number;
  socket: TLSSocket;
  /** Resolves once the handshake is over, in whichever way. */
  settled: Promise<unknown>;
}

const DEFAULT_PORT = 443;

/**
 * An agent whose first connection can be opened before there is a request for it
 * (https://nodejs.org/api/http.html#agentcreateconnectionoptions-callback: custom agents may override it, and may answer
 * later). The first request to that host waits for the handshake and gets the connection; if the handshake fails, or the
 * connection is closed or too old, it gets a new one. So what happens to an early connection is never the request's error.
 */
export class EarlyAgent extends Agent {
  readonly #maxAgeMs: number;
  #early: Early | undefined;

  /** @param options.timeout an early connection older than this, in milliseconds, is not used */
  constructor(options: AgentOptions & { timeout: number }) {
    super(options);
    this.#maxAgeMs = options.timeout;
  }

  /** Opens a connection, for one request. */
  open(host: string, port = DEFAULT_PORT): void {
    this.drop();
    // A server's name is never an address (RFC 6066 section 3).
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = super.createConnection({ ...this.options, host, port, ...name }) as TLSSocket;
    const settled = new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
    this.#early = { host, port, socket, settled, openedAtMs: nowMs() };
    socket.on('error', () => socket.destroy()).once('timeout', () => socket.destroy());
    // It keeps no process alive that has nothing else to do.
    socket.unref();
  }

  /** Closes the early connection, unless a request has it. */
  drop(): void {
    this.#early?.socket.destroy();
    this.#early = undefined;
  }

  override createConnection(
    options: ConnectionOptions,
    onConnection?: OnConnection,
  ): ReturnType<CreateConnection> {
    const early = this.#early;
    const { host, port } = options as { host?: string; port?: number | string };
    if (!onConnection || early?.host !== host || early?.port !== Number(port ?? DEFAULT_PORT)) {
      return super.createConnection(options, onConnection);
    }
    this.#early = undefined;
    const fail = onConnection as (error: unknown) => void;
    this.#handOver(early, options, onConnection).catch(fail);
    return undefined;
  }

  async #handOver(
    { socket, settled, openedAtMs }: Early,
    options: ConnectionOptions,
    onConnection: OnConnection,
  ): Promise<void> {
    socket.ref();
    await settled;
    // A turn of the event loop, in which what arrived while the process was frozen is read.
    await new Promise((resolve) => setTimeout(resolve));
    if (isUsable(socket) && nowMs() - openedAtMs < this.#maxAgeMs) {
      socket.removeAllListeners('timeout');
      onConnection(null, socket);
      return;
    }
    socket.destroy();
    const fresh = super.createConnection(options);
    if (fresh) onConnection(null, fresh);
  }
}

function isUsable(socket: TLSSocket): boolean {
  return !socket.destroyed && socket.readable && socket.writable;
}

/** Monotonic, and goes on while a process is frozen (docs/decisions/0005-repeating-is-the-clients-part.md). */
function nowMs(): number {
  return process.uptime() * 1_000;
}

/**
 * Begins a connection to DynamoDB for the client's first call, without a request. Resolves when it is begun or cannot be, and
 * does not wait for it. Never rejects.
 */
export function connectToDynamoDB(client: DynamoDBClient, agent: EarlyAgent): Promise<void> {
  return rehearse(
    client,
    new ExecuteStatementCommand({ Statement: 'INSERT', Parameters: [{ S: '-' }] }),
    agent,
  );
}

/**
 * Begins a connection to Chime for the look-up of a meeting, as the one to DynamoDB. Any other call closes it, if it is the first: a connection that
 * turns out to be dead must not make it unknown what a BatchCreateAttendee did.
 */
export function connectToChime(client: ChimeSDKMeetingsClient, agent: EarlyAgent): Promise<void> {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName !== 'GetMeetingCommand') agent.drop();
        return next(args);
      },
    { name: 'onlyProvenConnections', step: 'initialize' },
  );
  return rehearse(client, new GetMeetingCommand({ MeetingId: '-' }), agent);
}

/**
 * Takes a command the whole way there and back, which says where calls go and readies the code for them. In place of sending
 * it, a connection is opened, and the answer is empty. Meanwhile, the event loop goes on.
 */
async function rehearse(
  client: DynamoDBClient | ChimeSDKMeetingsClient,
  command: ExecuteStatementCommand | GetMeetingCommand,
  agent: EarlyAgent,
): Promise<void> {
  const middlewareStack = command.middlewareStack as ExecuteStatementCommand['middlewareStack'];
  middlewareStack.add(
    (next) => async (args) => {
      await turnOfEventLoop();
      return next(args);
    },
    { name: 'turnOfEventLoop', step: 'finalizeRequest' },
  );
  middlewareStack.add(
    () =>
      async ({ request }) => {
        const { protocol, hostname, port } = request as HttpRequest;
        if (protocol === 'https:') agent.open(hostname, port);
        const response = { statusCode: 200, headers: {}, body: EMPTY_OBJECT };
        // The output is added by the SDK's deserializer, which is around this.
        return { response } as Deserialized;
      },
    { name: 'connectInstead', step: 'deserialize', priority: 'low' },
  );
  // What fails here, as for want of credentials, the first request runs into itself and reports.
  await (client.send as (command: unknown) => Promise<unknown>)(command).catch(() => {});
}

const EMPTY_OBJECT = new TextEncoder().encode('{}');

/** What comes of the last step before the deserializer's. */
type Deserialized = { response: unknown; output: never };

interface HttpRequest {
  protocol: string;
  hostname: string;
  port?: number;
}
