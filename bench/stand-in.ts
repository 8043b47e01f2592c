import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { close, LOOPBACK, listen } from '../local/http-server.ts';
import { createCertificate, type KeyPair } from './certificate.ts';
import { type Link, openLink, until } from './link.ts';

/** A value as DynamoDB's wire has it. */
export type AttributeValue = {
  S?: string;
  N?: string;
  BOOL?: boolean;
  L?: AttributeValue[];
  M?: Item;
};
export type Item = Record<string, AttributeValue>;

/** One request that arrived. */
export interface Call {
  /** `ExecuteStatement intent`, `BatchWriteItem`, `BatchCreateAttendee`, … */
  operation: string;
  /** On this process's own clock, in milliseconds. */
  arrivedMs: number;
  answeredMs: number;
  /** Whether it was signed with a session token, which temporary credentials need. */
  sessionToken: string | undefined;
}

/** What came since the last time one asked. */
export interface Taken {
  calls: Call[];
  /** The audit table's items, each key once. */
  records: Item[];
  admissions: Item[];
  /** Of every attendee created: the fingerprint that a record of its JoinToken has. */
  fingerprints: Map<string, string>;
}

export const SERVICES = ['chime', 'dynamodb', 'issuer'] as const;
export type Service = (typeof SERVICES)[number];

/** Milliseconds that a service takes for a request, and that the way there and back takes. */
export type Latency = Partial<Record<Service, { serviceMs: number; roundTripMs: number }>>;

export interface StandIn {
  /** Over TLS; the issuer's is the address of its keys. */
  urls: Record<Service, string>;
  /** What its clients have to trust, in PEM. */
  certificate: string;
  links: Record<Service, Link>;
  /** What is not named takes no time. */
  setLatency(latency: Latency): void;
  /** The key set that the issuer publishes. */
  setKeys(keys: object): void;
  take(): Taken;
  close(): Promise<void>;
}

/**
 * Chime, DynamoDB and an issuer, over TLS and each behind a link, as far as the function and the references use them, at
 * next to no cost: what is measured against it is the caller. It answers exactly when its latency is over, keeps what it is
 * given, and honours the condition of absence. For everything else there are the emulators of the local system.
 */
export async function startStandIn(): Promise<StandIn> {
  const state: State = { latency: {}, keys: {}, taken: emptyTaken(), items: new Map(), created: 0 };
  const serverWith = ({ key, cert }: KeyPair) =>
    createServer({ key, cert, keepAliveTimeout: 600_000 }, (request, response) => {
      const arrivedMs = performance.now();
      handle(state, request, response, arrivedMs).catch((error) => {
        console.error(`The stand-in failed: ${error}`);
        response.destroy();
      });
    });
  const trusted = createCertificate();
  const servers = [serverWith(trusted), serverWith(createCertificate())] as const;
  const [service, untrusted] = await Promise.all([listen(servers[0], 0), listen(servers[1], 0)]);
  const opened = await Promise.all(
    SERVICES.map(async (name) => [name, await openLink({ service, untrusted })] as const),
  );
  const links = Object.fromEntries(opened) as Record<Service, Link>;
  const urlOf = (name: Service, path = '') => `https://${LOOPBACK}:${links[name].port}${path}`;
  return {
    urls: { chime: urlOf('chime'), dynamodb: urlOf('dynamodb'), issuer: urlOf('issuer', KEYS_PATH) },
    certificate: trusted.cert,
    links,
    setLatency(next) {
      state.latency = next;
      for (const name of SERVICES) links[name].setRoundTrip(next[name]?.roundTripMs ?? 0);
    },
    setKeys(keys) {
      state.keys = keys;
    },
    take() {
      const { taken } = state;
      state.taken = emptyTaken();
      state.items = new Map();
      return taken;
    },
    async close() {
      for (const link of Object.values(links)) link.close();
      await Promise.all(servers.map(close));
    },
  };
}

const KEYS_PATH = '/keys';

interface State {
  latency: Latency;
  keys: object;
  taken: Taken;
  /** The audit table, by key. */
  items: Map<string, Item>;
  /** How many attendees there are. */
  created: number;
}

interface Answer {
  operation: string;
  status: number;
  answer: object;
}

async function handle(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  arrivedMs: number,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const { service, operation, status, answer } = answerTo(state, request, text);
  await until(arrivedMs + (state.latency[service]?.serviceMs ?? 0));
  const body = JSON.stringify(answer);
  response.writeHead(status, {
    'Content-Type': service === 'dynamodb' ? 'application/x-amz-json-1.0' : 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'x-amzn-RequestId': `stand-in-${operation}`,
  });
  response.end(body);
  // A key set is no call to AWS.
  if (service === 'issuer') return;
  const sessionToken = request.headers['x-amz-security-token'];
  state.taken.calls.push({
    operation,
    arrivedMs,
    answeredMs: performance.now(),
    sessionToken: typeof sessionToken === 'string' ? sessionToken : undefined,
  });
}

function answerTo(state: State, request: IncomingMessage, text: string): Answer & { service: Service } {
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const operation = target.slice(target.indexOf('.') + 1);
    return { service: 'dynamodb', ...dynamodb(state, operation, JSON.parse(text)) };
  }
  if (request.url?.startsWith(KEYS_PATH)) {
    return { service: 'issuer', operation: 'keys', status: 200, answer: state.keys };
  }
  return { service: 'chime', ...chime(state, request, text) };
}

function dynamodb(state: State, operation: string, input: DynamoDbInput): Answer {
  const table = { TableName: input.TableName, TableStatus: 'ACTIVE' };
  switch (operation) {
    case 'PutItem':
      return insert(state, operation, conditionalPut(input), 'ConditionalCheckFailedException');
    case 'ExecuteStatement':
      return insert(state, operation, inserted(input), 'DuplicateItemException');
    case 'BatchWriteItem':
      return batchWriteItem(state, input);
    case 'GetItem':
      // A meeting in the table of the plain facade.
      return { operation, status: 200, answer: { Item: { TenantIds: { SS: TENANTS } } } };
    case 'CreateTable':
      return { operation, status: 200, answer: { TableDescription: table } };
    case 'DescribeTable':
      return { operation, status: 200, answer: { Table: table } };
    default:
      throw new Error(`No such operation here: ${operation}`);
  }
}

function insert({ items, taken }: State, name: string, Item: Item, existing: string): Answer {
  const operation = `${name} ${Item['kind']?.S ?? ''}`;
  const key = `${Item['meetingId']?.S}/${Item['recordId']?.S}`;
  if (items.has(key)) {
    const answer = { __type: `com.amazonaws.dynamodb.v20120810#${existing}`, message: 'It exists.' };
    return { operation, status: 400, answer };
  }
  items.set(key, Item);
  taken.records.push(Item);
  return { operation, status: 200, answer: {} };
}

function conditionalPut({ Item = {}, ConditionExpression }: DynamoDbInput): Item {
  if (ConditionExpression !== 'attribute_not_exists(recordId)') throw new Error('A put without condition');
  return Item;
}

function inserted({ Statement = '', Parameters = [] }: DynamoDbInput): Item {
  if (!Statement.startsWith('INSERT INTO ')) throw new Error(`No INSERT: ${Statement}`);
  const names = [...Statement.matchAll(/'(\w+)': \?/g)].map(([, name]) => name as string);
  return Object.fromEntries(names.map((name, index) => [name, Parameters[index] as AttributeValue]));
}

function batchWriteItem({ taken }: State, { RequestItems = {} }: DynamoDbInput): Answer {
  const [writes = []] = Object.values(RequestItems);
  if (writes.length < 1 || writes.length > 25) throw new Error('BatchWriteItem takes 1 to 25 items');
  taken.admissions.push(...writes.map(({ PutRequest }) => PutRequest.Item));
  return { operation: 'BatchWriteItem', status: 200, answer: { UnprocessedItems: {} } };
}

function chime(state: State, { method, url = '' }: IncomingMessage, text: string): Answer {
  if (method === 'POST' && /^\/meetings\/[^/]+\/attendees\?operation=batch-create$/.test(url)) {
    const { Attendees } = JSON.parse(text) as ChimeInput;
    return { operation: 'BatchCreateAttendee', status: 200, answer: createAttendees(state, Attendees) };
  }
  if (method === 'POST' && /^\/meetings\/[^/]+\/attendees$/.test(url)) {
    const [Attendee] = createAttendees(state, [JSON.parse(text)]).Attendees;
    return { operation: 'CreateAttendee', status: 200, answer: { Attendee } };
  }
  const Meeting = { MeetingId: MEETING_ID, TenantIds: TENANTS };
  if (method === 'POST' && url === '/meetings') {
    return { operation: 'CreateMeeting', status: 201, answer: { Meeting } };
  }
  if (method === 'GET' && url === `/meetings/${MEETING_ID}`) {
    return { operation: 'GetMeeting', status: 200, answer: { Meeting } };
  }
  throw new Error(`Nothing is at ${method} ${url}`);
}

function createAttendees(state: State, requested: ChimeInput['Attendees']) {
  const Attendees = requested.map(({ ExternalUserId, Capabilities }) => {
    state.created += 1;
    const AttendeeId = `00000000-0000-4000-8000-${String(state.created).padStart(12, '0')}`;
    const JoinToken = Buffer.from(`${AttendeeId}:${AttendeeId}`).toString('base64url');
    state.taken.fingerprints.set(AttendeeId, fingerprintOf(JoinToken));
    return {
      ExternalUserId,
      AttendeeId,
      JoinToken,
      Capabilities: Capabilities ?? { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' },
    };
  });
  return { Attendees, Errors: [] };
}

/** The one meeting there is; its tenant is `acme`. */
export const MEETING_ID = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
const TENANTS = ['acme'];

interface DynamoDbInput {
  Statement?: string;
  Parameters?: AttributeValue[];
  TableName?: string;
  Item?: Item;
  ConditionExpression?: string;
  RequestItems?: Record<string, { PutRequest: { Item: Item } }[]>;
}

interface ChimeInput {
  Attendees: { ExternalUserId: string; Capabilities?: object }[];
}

function emptyTaken(): Taken {
  return { calls: [], records: [], admissions: [], fingerprints: new Map() };
}

export function fingerprintOf(joinToken: string): string {
  return `sha256:${createHash('sha256').update(joinToken).digest('hex').slice(0, 32)}`;
}
