import { randomUUID } from 'node:crypto';
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type AttendeeEvent, quarterAt } from '../../../lambda/audit/attendee-events.ts';
import { queryOf, TABLES } from '../../../lambda/audit/schema.ts';
import { createFunctionPool, type FunctionPool } from '../../../local/lambda/pool.ts';
import { type Intercept, startWire } from '../../support/faults/wire.ts';
import { chimeEvent } from '../../support/observer-world.ts';
import { startTables } from '../../support/tables.ts';

// The bundle in processes of its own, with a real table behind a wire that can be cut at every request.

let tables: Awaited<ReturnType<typeof startTables>>;
let wire: Awaited<ReturnType<typeof startWire>>;
let observer: FunctionPool;
let meetingId: string;

beforeAll(async () => {
  tables = await startTables();
  wire = await startWire('dynamodb', tables.url);
  observer = createFunctionPool(
    {
      name: 'Observer',
      arn: 'arn:aws:lambda:us-east-1:123456789012:function:Observer:live',
      handler: 'index.handler',
      directory: 'dist/lambda/observer',
      environment: {},
      timeoutMs: 20_000,
      memoryMb: 512,
      runtime: 'nodejs24.x',
      logging: { group: 'Observer' },
    },
    {
      environment: {
        EVENT_TABLE_NAME: tables.eventTableName,
        AUDIT_TABLE_NAME: tables.auditTableName,
        ADMISSION_TABLE_NAME: tables.admissionTableName,
        AUDIT_RETENTION_DAYS: '30',
        POWERTOOLS_METRICS_NAMESPACE: 'test',
        POWERTOOLS_SERVICE_NAME: 'usher',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_ENDPOINT_URL_DYNAMODB: wire.url,
        PATH: process.env['PATH'] ?? '',
      },
      maxProcesses: 4,
      output: () => {},
    },
  );
}, 60_000);
afterAll(async () => {
  await observer?.close();
  await wire?.close();
  await tables?.close();
});
beforeEach(() => beginMeeting());
afterEach(() => wire.intercept((_, act) => act()));

async function put(TableName: string, item: object): Promise<void> {
  await tables.client.send(new PutItemCommand({ TableName, Item: marshall(item) }));
}

/** A meeting that no process knows, and Usher does. */
async function beginMeeting(): Promise<void> {
  meetingId = randomUUID();
  await put(tables.auditTableName, { meetingId, recordId: 'a/denial', kind: 'denial', batchId: 'a' });
}

async function kept(): Promise<AttendeeEvent[]> {
  const { Items = [] } = await tables.client.send(
    new QueryCommand({
      TableName: tables.eventTableName,
      ...queryOf(TABLES.events.indexes.byMeeting, meetingId),
    }),
  );
  return Items.map((item) => unmarshall(item) as AttendeeEvent);
}

const joined = (changes: object = {}) =>
  chimeEvent({ meetingId, attendeeId: randomUUID(), timestamp: Date.now(), ...changes });

describe('the deployed observer', () => {
  it('keeps an event once, whatever dies at whichever of its requests, and however often it is delivered', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let at = 0; at < 3; at += 1) {
        await beginMeeting();
        const event = joined();
        let requests = 0;
        const kill: Intercept = async (_, act) => {
          const dies = requests === at;
          requests += 1;
          if (dies && when === 'before') return killAll();
          const reply = await act();
          return dies ? killAll() : reply;
        };
        wire.intercept(kill);
        await observer.invoke(event).catch(() => {});
        wire.intercept((_, act) => act());
        // Lambda tries again.
        const again = await observer.invoke(event);
        expect(await kept()).toHaveLength(1);
        expect(requests).toBe(at + 1);
        // Only where the last request took effect was it there already.
        const isThere = when === 'after' && at === 2;
        expect(again).toEqual({ observed: isThere ? 'duplicate' : 'recorded' });
      }
    }
  }, 60_000);

  it('keeps one of two that come at once, and both say so', async () => {
    const event = joined();
    const observed = await Promise.all([1, 2, 3, 4].map(() => observer.invoke(event)));
    expect(observed.filter((one) => (one as { observed: string }).observed === 'recorded')).toHaveLength(1);
    expect(await kept()).toHaveLength(1);
  });

  it('fails where the table does, so that Lambda tries again and the queue has it in the end', async () => {
    wire.intercept(async () => ({
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: Buffer.from(
        '{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"alice"}',
      ),
    }));
    await expect(observer.invoke(joined())).rejects.toThrow(
      /^ResourceNotFoundException, without its message/,
    );
    expect(await kept()).toEqual([]);
  });

  it('judges a quarter by the tables: who was admitted, held, open, and whom nothing explains', async () => {
    const people = ['admitted', 'issued', 'open', 'stranger', 'forged'].map((externalUserId) => ({
      externalUserId,
      attendeeId: randomUUID(),
    }));
    const [admitted, issued, , , forged] = people;
    const before = (await observer.invoke({ judge: quarterAt(Date.now()) })) as { withoutRecord: number };
    const batchId = '20261123T134558123Z-6f1c2a9b4d3e5f70';
    const batch = { meetingId, batchId, recordedAt: new Date().toISOString() };
    await put(tables.admissionTableName, { ...admitted, admissionId: `${batchId}/1`, ...batch });
    // An entry that no outcome explains, as a role without a right to the facts could write it.
    await put(tables.admissionTableName, { ...forged, admissionId: `${batchId}/2`, ...batch });
    await put(tables.auditTableName, {
      ...batch,
      recordId: `${batchId}/outcome`,
      kind: 'outcome',
      state: 'ISSUED',
      writtenBy: 'handler',
      issued: [admitted, issued],
      withheld: [],
    });
    const open = '20261123T134559123Z-6f1c2a9b4d3e5f70';
    await put(tables.auditTableName, {
      ...batch,
      batchId: open,
      recordId: `${open}/intent`,
      kind: 'intent',
      requested: [{ externalUserId: 'open' }],
      deadline: new Date().toISOString(),
    });
    for (const { externalUserId, attendeeId } of people) {
      await observer.invoke(joined({ externalUserId, attendeeId }));
      await observer.invoke(joined({ externalUserId, attendeeId, eventType: 'chime:AttendeeAdded' }));
    }
    const [{ arrivedIn: quarter } = { arrivedIn: '' }] = await kept();
    const others = await observer.invoke({ judge: quarterAt(0) });
    expect(others).toMatchObject({ attendees: 0, withoutRecord: 0 });
    const judged = (await observer.invoke({ judge: quarter })) as { withoutRecord: number };
    expect(judged.withoutRecord - before.withoutRecord).toBe(2);
    // Those of the other tests, whose meetings have a denial alone, are strangers too.
    await put(tables.auditTableName, {
      ...batch,
      recordId: `${open}/outcome`,
      batchId: open,
      kind: 'outcome',
      state: 'NOT_ISSUED',
      writtenBy: 'reconciler',
      issued: [],
      withheld: [],
    });
    const later = (await observer.invoke({ judge: quarter })) as { withoutRecord: number };
    expect(later.withoutRecord - judged.withoutRecord).toBe(1);
    await expect(observer.invoke({ judge: 'yesterday' })).rejects.toThrow(/quarter of an hour/);
  });
});

function killAll(): 'reset' {
  for (const pid of observer.processIds()) process.kill(pid, 'SIGKILL');
  return 'reset';
}
