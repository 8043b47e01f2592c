import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import canonicalize from 'canonicalize';
import * as z from 'zod/mini';
import { beginningOfBatch } from './batch-id.ts';

// What a seal is: one object in S3 for each hour of the audit. The sealer writes it, the audit command verifies by it.

export const HOUR_MS = 60 * 60_000;

/** A seal is due so long after its hour ends: by then every honest record of the hour is written and in its index. */
export const SEAL_LAG_MS = 2 * HOUR_MS;

/** So many hours before the sealed one are enumerated again, for what came late. */
export const LATE_HOURS = 48;

/** `[meetingId, recordId, sha256, expiresAt]` of one record; the last is null where the record never expires. */
export type SealedRow = [meetingId: string, recordId: string, sha256: string, expiresAt: number | null];

/** A batch without an outcome when it was sealed. */
export type SealedOpen = [meetingId: string, batchId: string];

/** By what a seal names the one before it. */
export interface SealReference {
  hour: string;
  /** Of the object's bytes, in hexadecimal. */
  sha256: string;
}

/** What one object says of the facts; its bytes are what `textOfSeal` makes. */
export interface Seal {
  version: 1;
  /** The table of facts. */
  table: string;
  /** The hour that the batch ids of `records` begin with, in UTC: `2026-11-23T13Z`. */
  hour: string;
  /** When the sealer read the facts, ISO 8601 in UTC. */
  sealedAt: string;
  /** Null in the first seal alone. */
  previous: SealReference | null;
  /** All records of the hour, sorted by meeting and record. */
  records: SealedRow[];
  /** Batches of this hour, and of those before, that have no outcome yet. */
  open: SealedOpen[];
  /** Records of earlier hours that no earlier seal has. */
  late: SealedRow[];
}

const HOUR = /^\d{4}-\d{2}-\d{2}T\d{2}Z$/;
const row = z.tuple([
  z.string(),
  z.string(),
  z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  z.nullable(z.number()),
]);
const hour = z.string().check(z.refine(isHour));
const sealSchema = z.strictObject({
  version: z.literal(1),
  table: z.string(),
  hour,
  sealedAt: z.iso.datetime(),
  previous: z.nullable(z.strictObject({ hour, sha256: z.string() })),
  records: z.array(row),
  open: z.array(z.tuple([z.string(), z.string()])),
  late: z.array(row),
});

function isHour(text: string): boolean {
  return HOUR.test(text) && Number.isFinite(beginningOfHour(text));
}

/** The hour in which an instant (milliseconds since the epoch) lies. */
export function hourAt(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 13)}Z`;
}

/** The hour in which a batch began, as its id says. */
export function hourOfBatch(batchId: string): string {
  return hourAt(beginningOfBatch(batchId));
}

/** When an hour begins, in milliseconds since the epoch. */
export function beginningOfHour(name: string): number {
  return Date.parse(name.replace('Z', ':00:00.000Z'));
}

/** What the ids of the batches that begin in an hour begin with: `20261123T13`. */
export function batchPrefix(name: string): string {
  return name.replaceAll('-', '').replace('Z', '');
}

export function hourAfter(name: string): string {
  return hourAt(beginningOfHour(name) + HOUR_MS);
}

/** From when, in milliseconds since the epoch, an hour is sealed. */
export function sealDueMs(name: string): number {
  return beginningOfHour(name) + HOUR_MS + SEAL_LAG_MS;
}

/** The key of an hour's object; keys sort by time. */
export function sealKey(prefix: string, name: string): string {
  return `${prefix}${name}.json`;
}

/** @returns undefined for a key that is not a seal's */
export function hourOfKey(prefix: string, key: string): string | undefined {
  if (!key.startsWith(prefix) || !key.endsWith('.json')) return undefined;
  const name = key.slice(prefix.length, -'.json'.length);
  return isHour(name) ? name : undefined;
}

/**
 * The SHA-256, in hexadecimal, of a record as DynamoDB has it: of its attribute values (API reference, AttributeValue) in
 * the form of RFC 8785. Numbers stay the texts that DynamoDB answers, so none loses a digit; sets have no order and are
 * sorted.
 */
export function digestOfItem(item: Record<string, AttributeValue>): string {
  const text = canonicalize(
    Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)])),
  );
  return sha256(text ?? '');
}

function plain(value: AttributeValue): unknown {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64).sort() };
  if (value.SS !== undefined) return { SS: value.SS.toSorted() };
  if (value.NS !== undefined) return { NS: value.NS.toSorted() };
  if (value.L !== undefined) return { L: value.L.map(plain) };
  if (value.M !== undefined)
    return { M: Object.fromEntries(Object.entries(value.M).map(([name, member]) => [name, plain(member)])) };
  return value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The row of a record as DynamoDB has it. */
export function rowOfItem(item: Record<string, AttributeValue>): SealedRow {
  const expiresAt = Number(item['expiresAt']?.N);
  return [
    item['meetingId']?.S ?? '',
    item['recordId']?.S ?? '',
    digestOfItem(item),
    Number.isFinite(expiresAt) ? expiresAt : null,
  ];
}

/** The bytes of a seal's object, as text: JSON with a line for each row. */
export function textOfSeal({ records, open, late, ...head }: Seal): string {
  const lines = (rows: readonly unknown[]) => rows.map((each) => `\n${JSON.stringify(each)}`).join(',');
  const lists = { records, open, late };
  return [
    JSON.stringify(head).slice(0, -1),
    ...Object.entries(lists).map(([name, rows]) => `\n"${name}":[${lines(rows)}]`),
  ]
    .join(',')
    .concat('}\n');
}

/** @returns undefined for a text that is no seal */
export function sealOfText(text: string): Seal | undefined {
  try {
    const parsed = z.safeParse(sealSchema, JSON.parse(text));
    return parsed.success ? (parsed.data as Seal) : undefined;
  } catch {
    return undefined;
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
