import { setTimeout as pause } from 'node:timers/promises';

/** DynamoDB takes this many keys in one BatchGetItem, and this many writes in one BatchWriteItem. */
export const BATCH_GET_LIMIT = 100;
export const BATCH_WRITE_LIMIT = 25;

/** After this many attempts in a row without progress, a batch fails: after three seconds of pauses. */
const STALLED_LIMIT = 7;
const FIRST_PAUSE_MS = 50;

/** DynamoDB's errors if it could process no part of a batch (API reference, BatchWriteItem and BatchGetItem). */
const THROTTLED = ['ProvisionedThroughputExceededException', 'RequestLimitExceeded', 'ThrottlingException'];

/**
 * Sends a batch until all of it is processed. A throttled DynamoDB processes part of a batch and returns the rest, or
 * processes nothing and throws; the rest is sent again after a pause (API reference, BatchWriteItem and BatchGetItem).
 *
 * @param send sends items, and returns the unprocessed ones
 * @throws if DynamoDB keeps returning all of the rest; any other error of `send`; an AbortError by the signal
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
