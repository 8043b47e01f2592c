/** Something in a table that is not as Usher writes it: whoever put it there has to put it right. */
export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord';
  /** Of the item that cannot be read, as it gives it. */
  readonly batchId: string;

  constructor(batchId: string) {
    super(`The record of batch ${batchId} is not as Usher writes it.`);
    this.batchId = batchId;
  }
}
