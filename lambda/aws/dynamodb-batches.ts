import { setTimeout as pause } from 'node:timers/promises';

/** DynamoDB takes this many keys in one BatchGetItem, and this many writes in one BatchWriteItem. */
export const BATCH_GET_LIMIT = 100;
export const BATCH_WRITE_LIMIT = 25;

/** A batch of which nothing is done for so many times in a row is given up on: after three seconds of pauses. */
const STALLED_LIMIT = 7;
const FIRST_PAUSE_MS = 50;

/** What DynamoDB says where it could do nothing of a batch at all (API reference, BatchWriteItem and BatchGetItem). */
const THROTTLED = ['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'ThrottlingException'];

/**
 * Sends a batch until all of it is done. A throttled DynamoDB does part of one and hands back the rest, or does nothing and
 * says so; what is left is to be sent again after a pause (API reference, BatchWriteItem and BatchGetItem).
 *
 * @param send sends entries, and gives back those that were put off
 * @throws where DynamoDB keeps putting off all of the rest; what else `send` throws; an AbortError by the signal
 */
export async function untilDone<Entry>(
  entries: Entry[],
  send: (entries: Entry[]) => Promise<Entry[]>,
  signal?: AbortSignal,
): Promise<void> {
  let left = entries;
  let stalled = 0;
  while (left.length > 0) {
    const rest = await send(left).catch((error) => {
      if (!THROTTLED.includes(error?.name)) throw error;
      return left;
    });
    stalled = rest.length < left.length ? 0 : stalled + 1;
    if (stalled === STALLED_LIMIT) throw new Error('DynamoDB keeps putting off part of a batch.');
    left = rest;
    if (left.length > 0) await pause(FIRST_PAUSE_MS * 2 ** Math.max(0, stalled - 1), undefined, { signal });
  }
}
