/**
 * What DynamoDB calls a key that is taken: the documented name (Developer Guide, "PartiQL insert statements for DynamoDB"),
 * and the one that DynamoDB Local answers, for which the SDK has no class.
 */
const TAKEN = ['DuplicateItemException', 'DuplicateItem'];

/** Whether DynamoDB refused an INSERT because there is an item with its key. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && TAKEN.includes(error.name);
}
