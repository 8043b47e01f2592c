import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { compareAdmissions, NO_COUNTS, rebuildAdmissions } from '../../../cli/audit/admission-check.ts';
import { getItems } from '../../../cli/audit/dynamodb.ts';
import { close, LOOPBACK, listen } from '../../../local/http-server.ts';
import {
  batchIdAt,
  collect,
  connect,
  createTestTables,
  intentOf,
  issuedTo,
  MEETING,
  outcomeOf,
  putItem,
  type TestTables,
} from '../../support/audit-command.ts';
import { startDatabase } from '../../support/database.ts';

jest.setTimeout(30_000);

let database: Awaited<ReturnType<typeof startDatabase>>;
let busy: Server;
let tables: TestTables;
/** How many requests the busy DynamoDB has had. */
let batchRequests = 0;
/** How many of the keys or writes of a request the busy DynamoDB takes. */
let taken = 1;

/** A DynamoDB that does only part of every batch and leaves the rest to be asked for again, as a throttled one does. */
async function doPart(request: IncomingMessage, url: string): Promise<{ status: number; body: string }> {
  const body = JSON.parse(await text(request));
  const operation = String(request.headers['x-amz-target']).split('.')[1];
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') batchRequests += 1;
  const left = takeFrom(body.RequestItems ?? {});
  if (taken === 0) {
    return { status: 200, body: JSON.stringify({ UnprocessedKeys: left, UnprocessedItems: left }) };
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz') || name === 'authorization'),
  ) as Record<string, string>;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  });
  const done = JSON.parse(await answer.text());
  if (Object.keys(left).length > 0) {
    done[operation === 'BatchGetItem' ? 'UnprocessedKeys' : 'UnprocessedItems'] = left;
  }
  return { status: answer.status, body: JSON.stringify(done) };
}

/** Leaves the first keys or writes of each table in `items`. @returns the others */
function takeFrom(items: Record<string, unknown[] | { Keys: unknown[] }>): Record<string, unknown> {
  const left: Record<string, unknown> = {};
  for (const [table, wanted] of Object.entries(items)) {
    const all = Array.isArray(wanted) ? wanted : wanted.Keys;
    const as = (some: unknown[]) => (Array.isArray(wanted) ? some : { ...wanted, Keys: some });
    items[table] = as(all.slice(0, taken));
    if (all.length > taken) left[table] = as(all.slice(taken));
  }
  return left;
}

beforeAll(async () => {
  database = await startDatabase();
  busy = createServer(async (request, response) => {
    const { status, body } = await doPart(request, database.url);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
  });
  const port = await listen(busy, 0);
  const direct = await createTestTables(database.url, 'dynamodb');
  tables = { ...direct, client: connect(`http://${LOOPBACK}:${port}`) };
});

beforeEach(() => {
  batchRequests = 0;
  taken = 1;
});

afterAll(async () => {
  tables.client.destroy();
  await close(busy);
  await database.close();
});

describe('a DynamoDB that leaves part of a batch unprocessed', () => {
  it('is asked again for the rest of the items', async () => {
    const ids = [1, 2, 3].map(() => batchIdAt('2026-11-23T10:00:00Z'));
    for (const id of ids) await putItem(tables, tables.auditTableName, intentOf(id));
    const keys = ids.map((id) => ({ meetingId: MEETING, recordId: `${id}/intent` }));
    const items = await getItems<{ batchId: string }>(tables.client, tables.auditTableName, keys);
    expect(items.map(({ batchId }) => batchId)).toEqual(ids);
    expect(batchRequests).toBe(3);
  });

  it('gets the rest of the writes again', async () => {
    const id = batchIdAt('2026-11-20T10:00:00Z');
    const issued = ['a', 'b', 'c'].map((name) => issuedTo(`user-${name}`, `attendee-${name}`));
    await putItem(tables, tables.auditTableName, intentOf(id));
    await putItem(tables, tables.auditTableName, outcomeOf(id, { issued }));
    const range = {
      sinceMs: Date.parse('2026-11-20T00:00:00Z'),
      untilMs: Date.parse('2026-11-21T00:00:00Z'),
    };
    const compare = () => compareAdmissions(tables, range, range.untilMs, { ...NO_COUNTS });
    expect(await collect(rebuildAdmissions(tables, compare()))).toHaveLength(3);
    expect(await collect(compare())).toEqual([]);
  });

  it('is abandoned after the last attempt', async () => {
    taken = 0;
    const asked = getItems(tables.client, tables.auditTableName, [{ meetingId: MEETING, recordId: 'any' }]);
    await expect(asked).rejects.toThrow('DynamoDB keeps putting off part of a batch.');
  });
});
