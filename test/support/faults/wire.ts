import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { close, LOOPBACK, listen } from '../../../local/http-server.ts';

export type Service = 'issuer' | 'chime' | 'dynamodb';

/** One request of a process to a service. */
export interface Step {
  service: Service;
  /** For people: `ExecuteStatement audit outcome`, `BatchCreateAttendee`. */
  name: string;
  /** What it reads or changes, as far as two steps can disturb each other. */
  resource: string;
  writes: boolean;
  /** The request's JSON; undefined where there is none. */
  body: Record<string, unknown> | undefined;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * What happens to a step: `act` hands it to the service, once, and gives the service's answer; what is returned is what
 * the process gets.
 */
export type Intercept = (step: Step, act: () => Promise<Reply>) => Promise<Reply | 'reset'>;

/** Stands between a process and a service: each request is a step that can be held, changed, or the last. */
export async function startWire(service: Service, upstreamUrl: string) {
  const agent = new Agent({ keepAlive: true });
  const upstream = new URL(upstreamUrl);
  let intercept: Intercept = (_, act) => act();
  const open = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  let resets = 0;
  const server = createServer(async (incoming, response) => {
    try {
      if (forgotten.has(incoming.socket)) {
        resets += 1;
        incoming.socket.resetAndDestroy();
        return;
      }
      const body = await buffer(incoming);
      const reply = await intercept(stepOf(service, incoming, body), () =>
        forward(upstream, agent, incoming, body),
      );
      if (reply === 'reset') incoming.socket.resetAndDestroy();
      else response.writeHead(reply.status, endToEnd(reply.headers)).end(reply.body);
    } catch {
      // The process or the service is gone.
      incoming.socket.destroy();
    }
  });
  server.keepAliveTimeout = 600_000;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const port = await listen(server, 0);
  return {
    url: `http://${LOOPBACK}:${port}`,
    intercept(how: Intercept): void {
      intercept = how;
    },
    /** Ends the connections that nothing is asked on, and says so, as a server does that has waited long enough. */
    hangUp(): void {
      server.closeIdleConnections();
    },
    /** Forgets the open connections silently, like a NAT gateway: using one of them resets it. */
    forget(): void {
      for (const socket of open) forgotten.add(socket);
    },
    /** How many requests came on connections that were forgotten. */
    resets: () => resets,
    async close(): Promise<void> {
      await close(server);
      agent.destroy();
    },
  };
}

function forward(upstream: URL, agent: Agent, incoming: IncomingMessage, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method, url: path, headers } = incoming;
    const { hostname, port } = upstream;
    request({ agent, hostname, port, method, path, headers }, async (answer) => {
      try {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) });
      } catch (error) {
        reject(error);
      }
    })
      .on('error', reject)
      .end(body);
  });
}

/** Headers of the one connection stay behind; the sender sets the body's length. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection, 'keep-alive': _, 'transfer-encoding': __, ...others } = headers;
  return others;
}

function stepOf(service: Service, incoming: IncomingMessage, text: Buffer): Step {
  const body = text.length > 0 ? JSON.parse(text.toString('utf8')) : undefined;
  if (service === 'dynamodb') return dynamodbStep(String(incoming.headers['x-amz-target']), body);
  if (service === 'issuer') return { service, name: 'GetKeys', resource: 'keys', writes: false, body };
  const name = !incoming.url?.includes('/attendees')
    ? 'GetMeeting'
    : incoming.method === 'POST'
      ? 'BatchCreateAttendee'
      : 'ListAttendees';
  const resource = name === 'GetMeeting' ? 'meeting' : 'attendees';
  return { service, name, resource, writes: name === 'BatchCreateAttendee', body };
}

function dynamodbStep(target: string, body: Record<string, unknown>): Step {
  const operation = target.split('.').at(-1) as string;
  const inserted = operation === 'ExecuteStatement' ? insertedItem(body) : undefined;
  const table = String(
    inserted?.table ?? body['TableName'] ?? Object.keys(body['RequestItems'] as object)[0],
  );
  const item = inserted?.item ?? (body['Item'] as Item | undefined);
  return {
    service: 'dynamodb',
    name: [operation, table, item?.['kind']?.S].filter(Boolean).join(' '),
    resource: `${table}${body['Key'] && JSON.stringify(body['Key']).includes('sweep') ? ' sweep' : ''}`,
    writes: /^(ExecuteStatement|Put|Update|Delete|BatchWrite)/.test(operation),
    body,
  };
}

type Item = Record<string, { S?: string }>;

/** What a statement inserts, and where. */
export function insertedItem(body: Record<string, unknown>): { table: string; item: Item } {
  const { Statement, Parameters } = body as { Statement: string; Parameters: Item[string][] };
  const [, table = '', fields = ''] = /^INSERT INTO "([^"]+)" VALUE \{(.*)\}$/.exec(Statement) ?? [];
  const names = [...fields.matchAll(/'(\w+)': \?/g)].map(([, name]) => name as string);
  if (names.length !== Parameters.length) throw new Error(`No statement to insert by: ${Statement}`);
  return { table, item: Object.fromEntries(names.map((name, index) => [name, Parameters[index] ?? {}])) };
}
