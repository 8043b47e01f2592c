/** A seal that is not what the chain says it is. */
export class BrokenSeal extends Error {
  override name = 'BrokenSeal';
  readonly hour: string;

  constructor(hour: string) {
    super(`The object of ${hour} is no seal, or does not follow the one before it.`);
    this.hour = hour;
  }
}
