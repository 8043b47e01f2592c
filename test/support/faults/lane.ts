import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChimeSDKMeetings } from '@aws-sdk/client-chime-sdk-meetings';
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type AdmissionRecord,
  type AuditRecord,
  admissionsOf,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from '../../../lambda/audit/records.ts';
import { SLOW_LAG_MS, SWEEP_KEYS } from '../../../lambda/audit/schema.ts';
import type { Capabilities } from '../../../lambda/model/attendees.ts';
import { ERROR_STATUS } from '../../../lambda/model/errors.ts';
import type { ReconcileSummary } from '../../../lambda/reconciler/reconcile.ts';
import type { KnownAttendee } from '../../../local/chime-emulator/meetings.ts';
import { startChimeEmulator } from '../../../local/chime-emulator/server.ts';
import type { Template } from '../../../local/cloudformation.ts';
import { createTables, startDynamoDb } from '../../../local/dynamodb.ts';
import { DUMMY_CREDENTIALS, functionEnvironment } from '../../../local/lambda/environment.ts';
import type { FunctionDescription } from '../../../local/lambda/function-description.ts';
import { createFunctionPool } from '../../../local/lambda/pool.ts';
import { readTemplate } from '../../../local/template.ts';
import { createSigningKey, signToken, startKeyServer } from '../issuer.ts';
import { issuer, synthesize } from '../synthesize.ts';
import { type Intercept, type Service, startWire } from './wire.ts';

const REGION = 'us-east-1';
const TENANT = 'acme';
const CLOCK_SHIFT = new URL('clock-shift.ts', import.meta.url).href;

/** What the function answered, as API Gateway gets it. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** One process of a function, with a wire to each service. */
export interface Actor {
  /** Every step of the process from now on goes this way. */
  intercept(how: Intercept): void;
  invoke(event: unknown): Promise<unknown>;
  /** Ends or forgets its idle connections, as `hangUp` and `forget` of its wires do. */
  disconnect(how: 'hangUp' | 'forget'): void;
  /** How many of its requests went into connections that were forgotten. */
  resets(): number;
  /** SIGKILL. */
  kill(): void;
  pid(): number;
  close(): Promise<void>;
}

export type Lane = Awaited<ReturnType<typeof startLane>>;

/**
 * A world of its own: tables as synthesized, Chime, an issuer, and the bundles in processes that reach them by wires only
 * (`npm run build` has to come first).
 */
export async function startLane({ timeoutSeconds = 20, idempotent = true } = {}) {
  const key = createSigningKey('key', 'ES256');
  const [dynamodb, chime, keyServer] = await Promise.all([
    startDynamoDb(),
    startChimeEmulator(),
    startKeyServer([key]),
  ]);
  const rules = { ...issuer, jwksUri: keyServer.jwksUri, algorithms: ['ES256'] };
  const template = synthesize({ region: REGION, issuers: [rules], limits: { timeoutSeconds } });
  const stack = readTemplate(template.toJSON() as Template, {
    stackName: 'faults',
    region: REGION,
    accountId: '123456789012',
    assetDirectory: () => '',
  });
  const tableNames = {
    audit: stack.outputs['AuditTableName'] as string,
    admissions: stack.outputs['AdmissionTableName'] as string,
    openIntents: stack.outputs['OpenIntentTableName'] as string,
  };
  const config = { region: REGION, endpoint: dynamodb.url, credentials: DUMMY_CREDENTIALS };
  await createTables(config, stack.tables);
  const client = new DynamoDBClient(config);
  const meetings = new ChimeSDKMeetings({
    region: REGION,
    endpoint: chime.url,
    credentials: DUMMY_CREDENTIALS,
  });
  await setIdempotent(idempotent);

  const token = signToken(key, {
    iss: rules.issuer,
    aud: rules.audience[0],
    sub: 'f3b1c2d4-0a5e-4b7c-9d8e-1f2a3b4c5d6e',
    client_id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    scope: 'attendees.create',
    tenant: TENANT,
    exp: Math.floor(Date.now() / 1000) + 86_400,
  });
  const actors = new Set<Actor>();
  /** What each meeting is about, for messages. */
  const labels = new Map<string, string>();

  async function control<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${chime.url}/_emulator/${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** Whether Chime gives the same attendee again for a name that a meeting has. */
  async function setIdempotent(keep: boolean): Promise<void> {
    await control('mode', {
      method: 'PUT',
      body: JSON.stringify({ existing: keep ? 'keep' : 'duplicate' }),
    });
  }

  async function startActor(
    role: 'handler' | 'reconciler',
    clockShiftMs = 0,
    memoryMb?: number,
  ): Promise<Actor> {
    const isReconciler = ({ name }: FunctionDescription) => name === stack.outputs['ReconcilerFunctionName'];
    const found = stack.functions.find((one) => isReconciler(one) === (role === 'reconciler'));
    const bundle = role === 'handler' ? 'create-attendees' : 'reconciler';
    const directory = fileURLToPath(new URL(`../../../dist/lambda/${bundle}`, import.meta.url));
    const description = {
      ...(found as FunctionDescription),
      directory,
      ...(memoryMb !== undefined && { memoryMb }),
    };
    const upstreams = { issuer: keyServer.issuer, chime: chime.url, dynamodb: dynamodb.url };
    const wires = await Promise.all(
      Object.entries(upstreams).map(([service, url]) => startWire(service as Service, url)),
    );
    const [issuerUrl, chimeUrl, dynamodbUrl] = wires.map(({ url }) => url) as [string, string, string];
    const environment = functionEnvironment(description, {
      region: REGION,
      chimeUrl,
      dynamodbUrl,
      credentials: DUMMY_CREDENTIALS,
    });
    const issuers = environment['ISSUERS']?.replaceAll(keyServer.issuer, issuerUrl);
    const pool = createFunctionPool(
      // The shifted clock determines the remaining time.
      { ...description, timeoutMs: description.timeoutMs + Math.max(0, clockShiftMs) },
      {
        environment: {
          ...environment,
          ...(issuers !== undefined && { ISSUERS: issuers }),
          CLOCK_SHIFT_MS: String(clockShiftMs),
          // Thousands of processes start, and compiling is half of what a start takes.
          NODE_COMPILE_CACHE: path.join(tmpdir(), 'usher-test-compile-cache'),
          NODE_OPTIONS: `--import=${CLOCK_SHIFT} --disable-warning=ExperimentalWarning`,
        },
        maxProcesses: 1,
      },
    );
    await pool.warm();
    const pid = () => pool.processIds()[0] as number;
    const actor: Actor = {
      intercept(how) {
        for (const wire of wires) wire.intercept(how);
      },
      invoke: (event) => pool.invoke(event),
      disconnect(how) {
        for (const wire of wires) wire[how]();
      },
      resets: () => wires.reduce((total, wire) => total + wire.resets(), 0),
      kill: () => process.kill(pid(), 'SIGKILL'),
      pid,
      async close() {
        actors.delete(actor);
        await pool.close();
        await Promise.all(wires.map((wire) => wire.close()));
      },
    };
    actors.add(actor);
    return actor;
  }

  async function closeActors(): Promise<void> {
    await Promise.all([...actors].map((actor) => actor.close()));
  }

  async function scan<Item>(table: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const { Items } of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
      items.push(...(Items ?? []).map((item) => unmarshall(item) as Item));
    }
    return items;
  }

  /** As a reconciler leaves it that ran a minute ago: a first sweep would go back for a month. */
  async function markSwept(): Promise<void> {
    const nowMs = Date.now();
    const items = [
      { ...SWEEP_KEYS.fast, through: new Date(nowMs - 60_000).toISOString() },
      { ...SWEEP_KEYS.slow, through: new Date(nowMs - 60_000 - SLOW_LAG_MS).toISOString() },
      { ...SWEEP_KEYS.run, at: new Date(nowMs).toISOString() },
    ];
    for (const item of items) {
      await client.send(new PutItemCommand({ TableName: tableNames.openIntents, Item: marshall(item) }));
    }
  }

  await markSwept();
  return {
    client,
    dynamodbUrl: dynamodb.url,
    chimeUrl: chime.url,
    tableNames,
    tables: stack.tables,
    control,
    setIdempotent,
    startActor,

    async createMeeting(label: string): Promise<string> {
      const { Meeting } = await meetings.createMeeting({
        ClientRequestToken: crypto.randomUUID(),
        MediaRegion: REGION,
        ExternalMeetingId: 'faults',
        TenantIds: [TENANT],
      });
      const meetingId = Meeting?.MeetingId as string;
      labels.set(meetingId, label);
      return meetingId;
    },

    /** The request for these names, as API Gateway hands it on. */
    eventFor: (meetingId: string, names: readonly string[], capabilities?: Capabilities) =>
      eventFor(token, meetingId, names, capabilities),

    /**
     * What is wrong with an answer, looked at the moment it came: a token without its outcome on record, or an error
     * that is none of Chime's.
     */
    async problemsOfAnswer(meetingId: string, { statusCode, headers, body }: Answer): Promise<string[]> {
      const label = labels.get(meetingId);
      if (statusCode !== 200) {
        const code = headers['x-amzn-ErrorType']?.replace(/Exception$/, '') ?? '';
        const modelled = ERROR_STATUS[code as keyof typeof ERROR_STATUS] === statusCode;
        const problems =
          modelled && JSON.parse(body).Code === code ? [] : [`unmodelled: ${statusCode} ${code}`];
        return [...problems, ...(body.includes('JoinToken') ? ['a token in an error'] : [])].map(
          (problem) => `${label}: ${problem}`,
        );
      }
      const { Item } = await client.send(
        new GetItemCommand({
          TableName: tableNames.audit,
          Key: marshall({ meetingId, recordId: recordId(headers['x-usher-batch-id'] ?? '', 'outcome') }),
          ConsistentRead: true,
        }),
      );
      const outcome = Item && (unmarshall(Item) as OutcomeRecord);
      const issued = new Set(outcome?.writtenBy === 'handler' ? outcome.issued.map(keyOfIssued) : []);
      return (JSON.parse(body).Attendees as KnownAttendee[])
        .filter((attendee) => !issued.has(keyOfKnown(attendee)))
        .map(({ ExternalUserId }) => `${label}: a token for ${ExternalUserId} without its outcome`);
    },

    /** Whether the reconciler has nothing to do, now or later. */
    async isIdle(): Promise<boolean> {
      const open = await scan<{ list: string }>(tableNames.openIntents);
      return open.every(({ list }) => list === 'sweep');
    },

    /** What is wrong once all is reconciled: attendees that only Chime or only the audit has, and what is open. */
    async problems(): Promise<string[]> {
      const [records, admissions, open] = await Promise.all([
        scan<AuditRecord>(tableNames.audit),
        scan<AdmissionRecord>(tableNames.admissions),
        scan<{ list: string; batchId: string }>(tableNames.openIntents),
      ]);
      const existing: KnownAttendee[] = [];
      for (const meetingId of labels.keys()) {
        const path = `attendees?meetingId=${meetingId}`;
        existing.push(...(await control<{ attendees: KnownAttendee[] }>(path)).attendees);
      }
      const intents = records.filter((record): record is IntentRecord => record.kind === 'intent');
      const outcomes = records.filter((record): record is OutcomeRecord => record.kind === 'outcome');
      const settled = new Set(outcomes.map(({ batchId }) => batchId));
      const label = (meetingId: string) => labels.get(meetingId) ?? meetingId;
      return [
        ...intents
          .filter(({ batchId }) => !settled.has(batchId))
          .map(({ meetingId, batchId }) => `${label(meetingId)}: ${batchId} has no outcome`),
        ...open
          .filter(({ list }) => list !== 'sweep')
          .map(({ list, batchId }) => `${batchId} is on the list ${list}`),
        ...differences(
          'Chime',
          existing.map((attendee) => `${label(attendee.MeetingId)}: ${keyOfKnown(attendee)}`),
          'the audit',
          outcomes.flatMap(({ meetingId, issued, withheld }) =>
            [...issued, ...withheld].map((attendee) => `${label(meetingId)}: ${keyOfIssued(attendee)}`),
          ),
        ),
        ...differences(
          'the outcomes',
          outcomes.flatMap(admissionsOf).map(keyOfAdmission),
          'the admissions',
          admissions.map(keyOfAdmission),
        ),
      ];
    },

    /** Forgets all meetings and empties the tables; all is swept up to now. */
    async clear(): Promise<void> {
      labels.clear();
      for (const { TableName, KeySchema } of stack.tables) {
        const items = await scan<Record<string, string>>(TableName as string);
        const keys = (KeySchema ?? []).map(({ AttributeName }) => AttributeName as string);
        const deletes = items.map((item) => ({
          DeleteRequest: { Key: marshall(Object.fromEntries(keys.map((name) => [name, item[name]]))) },
        }));
        for (let start = 0; start < deletes.length; start += 25) {
          const RequestItems = { [TableName as string]: deletes.slice(start, start + 25) };
          await client.send(new BatchWriteItemCommand({ RequestItems }));
        }
      }
      await markSwept();
    },

    endMeeting: (meetingId: string) => meetings.deleteMeeting({ MeetingId: meetingId }),

    closeActors,

    async close(): Promise<void> {
      await closeActors();
      client.destroy();
      meetings.destroy();
      await Promise.all([dynamodb.close(), chime.close(), keyServer.close()]);
    },
  };
}

/** When the stack's own margin and second look are over, by the clocks of the processes that look. */
export const LOOK_SHIFTS_MS = [65_000, 130_000, 195_000, 260_000, 325_000, 390_000];

/** The reconciler as scheduled, a look's time apart, until there is nothing left to do. */
export async function reconcileAll(lane: Lane): Promise<void> {
  for (const shiftMs of LOOK_SHIFTS_MS) {
    const reconciler = await lane.startActor('reconciler', shiftMs);
    const done = await reconcileWith(lane, reconciler);
    await reconciler.close();
    if (done) return;
  }
}

/**
 * Runs until nothing is left that is due by this process's clock. What a run's summary counts is not all: a run that was
 * killed, or a slow table, may leave an entry that counts as finished where the next visit finds it.
 *
 * @returns whether nothing is left at all
 */
export async function reconcileWith(lane: Lane, reconciler: Pick<Actor, 'invoke'>): Promise<boolean> {
  for (let run = 0; run < 20; run += 1) {
    const did = (await reconciler.invoke({})) as ReconcileSummary;
    if (did.failures > 0 || !did.sweptToEnd) continue;
    if (await lane.isIdle()) return true;
    if (did.listRequests === 0) return false;
  }
  throw new Error('The reconciler does not come to an end.');
}

/** Runs some work for each item, `lanes` at a time. */
export async function inLanes<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item) => Promise<void>,
) {
  const queue = [...items];
  const next = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, next));
}

/** Tries each item in a world that is empty before, of which there are so many: making one takes longer than emptying it. */
export async function inWorlds<Item extends { idempotent: boolean }>(
  items: readonly Item[],
  count: number,
  work: (lane: Lane, item: Item) => Promise<void>,
) {
  const queue = [...items];
  const next = async () => {
    const lane = await startLane();
    try {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await lane.setIdempotent(item.idempotent);
        await work(lane, item);
        await lane.closeActors();
        await lane.clear();
      }
    } finally {
      await lane.close();
    }
  };
  await Promise.all(Array.from({ length: count }, next));
}

export function namesFor(label: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${label}-${index}`);
}

function eventFor(
  token: string,
  meetingId: string,
  names: readonly string[],
  Capabilities: Capabilities | undefined,
) {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  return {
    resource: '/meetings/{MeetingId}/attendees',
    path: `/meetings/${meetingId}/attendees`,
    httpMethod: 'POST',
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: { operation: 'batch-create' },
    multiValueQueryStringParameters: { operation: ['batch-create'] },
    pathParameters: { MeetingId: meetingId },
    requestContext: {
      path: `/v1/meetings/${meetingId}/attendees`,
      requestId: crypto.randomUUID(),
      identity: { sourceIp: '127.0.0.1', userAgent: 'faults' },
    },
    body: JSON.stringify({
      Attendees: names.map((ExternalUserId) => ({ ExternalUserId, ...(Capabilities && { Capabilities }) })),
    }),
    isBase64Encoded: false,
  };
}

/** What only one of two sets has. */
function differences(nameOfA: string, listA: string[], nameOfB: string, listB: string[]): string[] {
  const [a, b] = [new Set(listA), new Set(listB)];
  return [
    ...[...a].filter((key) => !b.has(key)).map((key) => `${key} is only in ${nameOfA}`),
    ...[...b].filter((key) => !a.has(key)).map((key) => `${key} is only in ${nameOfB}`),
  ];
}

function keyOfKnown({ ExternalUserId, AttendeeId, JoinToken }: KnownAttendee): string {
  const fingerprint = createHash('sha256').update(JoinToken).digest('hex').slice(0, 32);
  return `${ExternalUserId} ${AttendeeId} sha256:${fingerprint}`;
}

function keyOfIssued(issued: OutcomeRecord['issued'][number]): string {
  return `${issued.externalUserId} ${issued.attendeeId} ${issued.tokenFingerprint}`;
}

function keyOfAdmission({ externalUserId, admissionId }: AdmissionRecord): string {
  return `${externalUserId} ${admissionId}`;
}
