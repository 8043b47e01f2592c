/**
 * Usher's id of one request, and the sort key of all its records. It starts with the UTC time in milliseconds, so that
 * ids sort by time and people can read them; the rest is random, so that no one can guess an id.
 *
 * @param nowMs milliseconds since the epoch
 * @param randomHex hexadecimal digits of fresh randomness; 16 or more
 * @returns for example `20261123T134558123Z-6f1c2a9b4d3e5f70`
 */
export function mintBatchId(nowMs: number, randomHex: string): string {
  return `${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}-${randomHex}`;
}

/** Whether a text has the form that `mintBatchId` makes. */
export function isBatchId(text: string): boolean {
  return /^\d{8}T\d{9}Z-[0-9a-f]{16,}$/.test(text) && Number.isFinite(beginningOfBatch(text));
}

/** The UTC day on which a batch began, for example `2026-11-23`. */
export function dayOfBatch(batchId: string): string {
  return `${batchId.slice(0, 4)}-${batchId.slice(4, 6)}-${batchId.slice(6, 8)}`;
}

/** When a batch began, in milliseconds since the epoch. */
export function beginningOfBatch(batchId: string): number {
  const [, hour, minute, second, milliseconds] = /T(\d\d)(\d\d)(\d\d)(\d\d\d)Z/.exec(batchId) ?? [];
  return Date.parse(`${dayOfBatch(batchId)}T${hour}:${minute}:${second}.${milliseconds}Z`);
}
