import { type AttributeValue, BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { convertToAttr, marshall } from '@aws-sdk/util-dynamodb';
import { dayOfBatch, mintBatchId } from '../../../lambda/audit/batch-id.ts';
import type { IntentRecord } from '../../../lambda/audit/records.ts';
import { DEFAULT_CAPABILITIES } from '../../../lambda/model/attendees.ts';
import { inLanes, type Lane } from './lane.ts';

/** What a handler writes of a batch, as far as the reconciler reads it. */
interface BulkBatch {
  meetingId: string;
  /** When it began, in milliseconds since the epoch. */
  atMs: number;
  index: number;
  names: readonly string[];
}

const requests = new WeakMap<readonly string[], IntentRecord['requested']>();

function requestedOf(names: readonly string[]): IntentRecord['requested'] {
  const requested =
    requests.get(names) ??
    names.map((externalUserId) => ({ externalUserId, capabilities: DEFAULT_CAPABILITIES }));
  requests.set(names, requested);
  return requested;
}

/** The intent of a batch of which nothing else is on record. */
export function openIntent({ meetingId, atMs, index, names }: BulkBatch) {
  const batchId = mintBatchId(atMs, index.toString(16).padStart(16, '0'));
  return {
    meetingId,
    recordId: `${batchId}/intent`,
    batchId,
    kind: 'intent',
    callerId: `https://idp.example.com|backend|${index}`,
    day: dayOfBatch(batchId),
    requested: requestedOf(names),
    meetingsRegion: 'us-east-1',
    deadline: new Date(atMs + 15_000).toISOString(),
  };
}

/** A batch that Chime refused as a whole. */
export function refusedBatch(batch: BulkBatch) {
  const intent = openIntent(batch);
  const { meetingId, batchId } = intent;
  return [
    intent,
    {
      meetingId,
      recordId: `${batchId}/outcome`,
      batchId,
      kind: 'outcome',
      state: 'FAILED',
      writtenBy: 'handler',
      writerId: '0123456789abcdef',
      issued: [],
      withheld: [],
      errors: [],
      refusal: { code: 'LimitExceeded', message: 'Attendees limit exceeded.' },
      admissions: 'written',
    },
  ];
}

/** Lists of names that many records share, as DynamoDB keeps them: most of a fill's time is for these. */
const marshalled = new WeakMap<object, AttributeValue>();

function itemOf(record: object): Record<string, AttributeValue> {
  const { requested, ...others } = record as { requested?: object };
  if (requested === undefined) return marshall(others);
  const known = marshalled.get(requested) ?? convertToAttr(requested);
  marshalled.set(requested, known);
  return { ...marshall(others), requested: known };
}

/** Writes records, 25 at a time, as they are made. */
export async function writeRecords(
  lane: Lane,
  count: number,
  make: (index: number) => object[],
): Promise<void> {
  const perWrite = Math.floor(25 / make(0).length);
  const writes = Array.from({ length: Math.ceil(count / perWrite) }, (_, write) => write);
  await inLanes(writes, 2, async (write) => {
    const records: object[] = [];
    for (let index = write * perWrite; index < Math.min(count, (write + 1) * perWrite); index += 1) {
      records.push(...make(index));
    }
    const puts = records.map((record) => ({ PutRequest: { Item: itemOf(record) } }));
    await lane.client.send(new BatchWriteItemCommand({ RequestItems: { [lane.tableNames.audit]: puts } }));
  });
}
