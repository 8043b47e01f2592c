// The tables of the audit: the only place that knows their keys, indexes, marks and intervals. It imports nothing, so that
// the stack, the functions, the command line and the benchmarks can all read it.

/** Partition key and sort key, both of them strings. */
export interface Key {
  readonly partitionKey: string;
  readonly sortKey: string;
}

export interface IndexSchema extends Key {
  readonly name: string;
  /** What an entry holds beside its keys and the table's. */
  readonly projection: 'KEYS_ONLY' | 'ALL' | readonly string[];
}

export interface TableSchema extends Key {
  /** By the name that code calls them by. An item is in an index if it has the index's keys. */
  readonly indexes: Readonly<Record<string, IndexSchema>>;
  /** The attribute with the second (since the epoch) from which DynamoDB may delete an item. */
  readonly timeToLive?: string;
}

export const TABLES = {
  /** The truth, append-only: intents, outcomes, denials. */
  audit: {
    partitionKey: 'meetingId',
    sortKey: 'recordId',
    timeToLive: 'expiresAt',
    indexes: {
      /** Intents and denials. */
      byCaller: {
        name: 'by-caller',
        partitionKey: 'callerId',
        sortKey: 'batchId',
        projection: 'KEYS_ONLY',
      },
      /** Intents only. */
      byDay: { name: 'by-day', partitionKey: 'day', sortKey: 'batchId', projection: 'KEYS_ONLY' },
      /** Denials only. */
      denialsByDay: {
        name: 'denials-by-day',
        partitionKey: 'denialDay',
        sortKey: 'batchId',
        projection: 'ALL',
      },
    },
  },
  /** Derived from the outcomes: who was admitted where, by user and by attendee. */
  admissions: {
    partitionKey: 'externalUserId',
    sortKey: 'admissionId',
    timeToLive: 'expiresAt',
    indexes: {
      byAttendee: {
        name: 'by-attendee',
        partitionKey: 'attendeeId',
        sortKey: 'batchId',
        projection: ['meetingId'],
      },
    },
  },
  /** What Chime's events say, whichever door they are of: who was added to a meeting, and who joined it. Append-only too. */
  events: {
    partitionKey: 'attendeeId',
    sortKey: 'eventId',
    timeToLive: 'expiresAt',
    indexes: {
      byMeeting: {
        name: 'by-meeting',
        partitionKey: 'meetingId',
        sortKey: 'eventId',
        projection: 'ALL',
      },
      /** By the quarter of an hour in which they arrived. */
      byArrival: {
        name: 'by-arrival',
        partitionKey: 'arrivedIn',
        sortKey: 'attendeeId',
        projection: ['meetingId', 'externalUserId'],
      },
    },
  },
  /** The reconciler's working state. */
  openIntents: { partitionKey: 'list', sortKey: 'batchId', indexes: {} },
} as const satisfies Record<string, TableSchema>;

export type TableName = keyof typeof TABLES;

/**
 * The partitions of `openIntents`. Under its meeting, a batch has an item with all that is known of it; in one of two lists,
 * another that only says that it is there. A meeting has an item that says when it is due, and one in the queue, sorted by
 * that time: the former counts where they differ.
 */
export const LISTS = {
  /** Batches without outcome when they were noticed. */
  open: 'waiting',
  /** Batches whose admissions may be incomplete. */
  incomplete: 'incomplete',
  /** Sort key: the meeting's id. */
  meetings: 'meetings',
  /** Sort key: `<due>/<meeting id>`. */
  queue: 'due',
  batchesOf: (meetingId: string) => `meeting/${meetingId}`,
  /** What earlier versions had in place of all these: drained, and never written. */
  earlier: 'open',
} as const;

/** The keys of the items of `openIntents` that say, as `through`, how far each cursor came, and, as `at`, when the last run began. */
export const SWEEP_KEYS = {
  fast: { list: 'sweep', batchId: 'through' },
  slow: { list: 'sweep', batchId: 'slow' },
  run: { list: 'sweep', batchId: 'run' },
} as const;

/**
 * The slow cursor ends so long ago: an hour for a clock that is an hour off, or for an index that is late, and a quarter for
 * what comes on top.
 */
export const SLOW_LAG_MS = 75 * 60_000;

/** A span of sort keys, both ends included. */
export interface Span {
  from: string;
  to: string;
}

/** The part of a Query that says where to look. */
export interface KeyQuery {
  IndexName?: string;
  KeyConditionExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, { S: string }>;
}

/** Asks for one partition of a table or index, all of it or a span of its sort keys. */
export function queryOf(key: TableSchema | IndexSchema, partition: string, span?: Span): KeyQuery {
  return {
    ...('name' in key && { IndexName: key.name }),
    KeyConditionExpression:
      span === undefined
        ? '#partition = :partition'
        : '#partition = :partition AND #sort BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#partition': key.partitionKey, ...(span && { '#sort': key.sortKey }) },
    ExpressionAttributeValues: {
      ':partition': { S: partition },
      ...(span && { ':from': { S: span.from }, ':to': { S: span.to } }),
    },
  };
}

/**
 * The record ids, and admission ids, of a batch, or of all batches from one to another: each begins with the batch's id
 * and a slash, which `0` follows.
 */
export function keysOfBatches(firstBatchId: string, lastBatchId: string = firstBatchId): Span {
  return { from: `${firstBatchId}/`, to: `${lastBatchId}0` };
}
