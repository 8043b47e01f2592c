/** `ambiguous` if the path matches in more than one way, so that it is not clear which value is meant. */
export type ClaimAtPath = { found: 'once'; value: unknown } | { found: 'never' } | { found: 'ambiguous' };

/**
 * Reads a claim by its name or by a path with dots between the names. A name may contain dots itself, such as a URL:
 * every way to read the path is tried. Only own members of objects count, so `constructor` and the like find nothing.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): ClaimAtPath {
  const values = valuesAt(claims, path);
  const first = values.next();
  if (first.done) return { found: 'never' };
  return values.next().done ? { found: 'once', value: first.value } : { found: 'ambiguous' };
}

function* valuesAt(value: unknown, path: string): Generator<unknown, void> {
  if (!isPlainObject(value)) return;
  for (let end = path.indexOf('.'); end !== -1; end = path.indexOf('.', end + 1)) {
    const name = path.slice(0, end);
    if (Object.hasOwn(value, name)) yield* valuesAt(value[name], path.slice(end + 1));
  }
  if (Object.hasOwn(value, path)) yield value[path];
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
