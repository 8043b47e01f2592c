/**
 * The size by which DynamoDB charges for an item, in bytes; undocumented parts are rounded up (Developer Guide,
 * "DynamoDB item sizes and formats").
 */
export function itemSize(item: object): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value),
    0,
  );
}

/** What one more element of a list adds, in bytes. */
export function elementSize(element: unknown): number {
  return sizeOf(element) + 1;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 2;
  if (Array.isArray(value)) return value.reduce((sum, element) => sum + elementSize(element), 3);
  if (typeof value === 'object' && value !== null) {
    return itemSize(value) + 3 + Object.keys(value).length;
  }
  return 1;
}
