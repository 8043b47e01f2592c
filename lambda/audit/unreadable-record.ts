/** An item in a table that differs from what Usher writes: the person who wrote it has to correct it. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord';
  /** The batch id that the unreadable item gives. */
  readonly batchId: string;

  constructor(batchId: string) {
    super(`The record of batch ${batchId} is not as Usher writes it.`);
    this.batchId = batchId;
  }
}
