/** Groups of at most `size`, in order. */
export async function* inGroups<Item>(items: AsyncIterable<Item>, size: number): AsyncGenerator<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

/** Two streams, each sorted by batch id, as one. */
export async function* mergeByBatchId<A extends { batchId: string }, B extends { batchId: string }>(
  ones: AsyncIterable<A> | Iterable<A>,
  others: AsyncIterable<B>,
): AsyncGenerator<A | B> {
  const other = others[Symbol.asyncIterator]();
  let next = await other.next();
  for await (const one of ones) {
    for (; !next.done && next.value.batchId < one.batchId; next = await other.next()) yield next.value;
    yield one;
  }
  for (; !next.done; next = await other.next()) yield next.value;
}

/** Like `Map.groupBy`, which Node 20 lacks. */
export function grouped<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
