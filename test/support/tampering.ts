import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from './sealed-table.ts';

/** One way to change an item: where, how, and what it then is. */
export interface Tampering {
  what: string;
  item: Item;
}

const KEYS = ['meetingId', 'recordId'];

/**
 * Every single change of an item that leaves its key: each value, at every depth, made another one, another type, doubled,
 * swapped or removed, and a new member beside those of each map.
 */
export function tamperingsOf(item: Item): Tampering[] {
  const ofFields = Object.entries(item)
    .filter(([name]) => !KEYS.includes(name))
    .flatMap(([name, value]) =>
      changesOf(value, name).map(({ what, value: changed }) => ({
        what,
        item: withMember(item, name, changed),
      })),
    );
  return [...ofFields, { what: 'a new field', item: { ...item, extra: { S: 'x' } } }];
}

interface Change {
  what: string;
  /** Undefined for a value that is removed. */
  value: AttributeValue | undefined;
}

function changesOf(value: AttributeValue, place: string): Change[] {
  return [
    { what: `${place} removed`, value: undefined },
    { what: `${place} made NULL`, value: { NULL: true } },
    ...ofType(value, place),
  ];
}

function ofType(value: AttributeValue, place: string): Change[] {
  if (value.S !== undefined) return changesOfText(value.S, place);
  if (value.N !== undefined) {
    return [
      { what: `${place} raised by 1`, value: { N: String(Number(value.N) + 1) } },
      { what: `${place} made a text`, value: { S: value.N } },
    ];
  }
  if (value.BOOL !== undefined) {
    return [
      { what: `${place} negated`, value: { BOOL: !value.BOOL } },
      { what: `${place} made a text`, value: { S: String(value.BOOL) } },
    ];
  }
  if (value.L !== undefined) return changesOfList(value.L, place);
  if (value.M !== undefined) return changesOfMap(value.M, place);
  throw new Error(`${place}: a type that no record has.`);
}

function changesOfText(text: string, place: string): Change[] {
  return [
    { what: `${place} made longer`, value: { S: `${text}x` } },
    { what: `${place} in other case`, value: { S: otherCase(text) } },
    { what: `${place} made bytes`, value: { B: Buffer.from(text || 'x') } },
    { what: `${place} made a set`, value: { SS: [text || 'x'] } },
    { what: `${place} made a list`, value: { L: [{ S: text }] } },
  ];
}

function otherCase(text: string): string {
  const upper = text.toUpperCase();
  if (upper !== text) return upper;
  return text.toLowerCase() === text ? `${text} ` : text.toLowerCase();
}

function changesOfList(list: AttributeValue[], place: string): Change[] {
  const [first, second] = list;
  return [
    ...(first ? [{ what: `${place} with its first entry twice`, value: { L: [first, ...list] } }] : []),
    ...(first && second && JSON.stringify(first) !== JSON.stringify(second)
      ? [{ what: `${place} with two entries swapped`, value: { L: [second, first, ...list.slice(2)] } }]
      : []),
    { what: `${place} with one more entry`, value: { L: [...list, { S: 'x' }] } },
    { what: `${place} made a map`, value: { M: Object.fromEntries(list.map((each, n) => [`${n}`, each])) } },
    ...list.flatMap((each, n) =>
      changesOf(each, `${place}[${n}]`).map(({ what, value }) => ({
        what,
        value: { L: value === undefined ? list.toSpliced(n, 1) : list.with(n, value) },
      })),
    ),
  ];
}

function changesOfMap(map: Item, place: string): Change[] {
  return [
    { what: `${place} with one more member`, value: { M: { ...map, extra: { S: 'x' } } } },
    ...Object.entries(map).flatMap(([name, member]) =>
      changesOf(member, `${place}.${name}`).map(({ what, value }) => ({
        what,
        value: { M: withMember(map, name, value) },
      })),
    ),
  ];
}

function withMember(map: Item, name: string, value: AttributeValue | undefined): Item {
  const { [name]: _, ...others } = map;
  return value === undefined ? others : { ...others, [name]: value };
}
