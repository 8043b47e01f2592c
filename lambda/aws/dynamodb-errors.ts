/**
 * DynamoDB's name for an error about an existing key: the documented one (Developer Guide, "PartiQL insert statements
 * for DynamoDB"), and the one of DynamoDB Local, for which the SDK has no class.
 */
const TAKEN = ['DuplicateItemException', 'DuplicateItem'];

/** Whether DynamoDB refused an INSERT because an item with its key exists. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && TAKEN.includes(error.name);
}
