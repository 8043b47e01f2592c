import { BlockList, isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { beginningOfBatch, isBatchId, mintBatchId } from '../../lambda/audit/batch-id.ts';
import { callerNamed } from '../../lambda/audit/records.ts';
import { RULES } from '../../lambda/model/rules.ts';
import { STATES, type State } from './words.ts';

// Checks of the arguments. A value that no record can have is refused: "nothing found" would look like an all-clear.

/** Chime's GuidString (API reference, BatchCreateAttendee). */
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/** @throws InvalidArgumentError */
export function meetingId(text: string): string {
  if (!isGuid(text)) {
    throw new InvalidArgumentError('A meeting id looks like 5b1e3f2c-0d4a-4c6b-9e8f-1a2b3c4d2706.');
  }
  return text;
}

/** Chime's ExternalUserIds have 2 to 64 characters (API reference, CreateAttendeeRequestItem). @throws InvalidArgumentError */
export function externalUserId(text: string): string {
  if (text.length < 2 || text.length > 64) {
    throw new InvalidArgumentError('An ExternalUserId, such as alice, has 2 to 64 characters.');
  }
  return text;
}

/** @throws InvalidArgumentError */
export function caller(text: string): string {
  const named = callerNamed(text);
  if (named !== undefined && /^https?:\/\/./.test(named.issuer)) return text;
  const example = "'https://login.example.com|backend|svc-1'";
  throw new InvalidArgumentError(
    `A caller is issuer|client id|subject, such as ${example}, with the client id percent-encoded.`,
  );
}

/** @throws InvalidArgumentError */
export function batchId(text: string): string {
  if (!isBatchId(text) || !text.startsWith(mintBatchId(beginningOfBatch(text), ''))) {
    throw new InvalidArgumentError('A batch id looks like 20261123T134558123Z-6f1c2a9b4d3e5f70.');
  }
  return text;
}

/** @throws InvalidArgumentError */
export function some(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

/** States in any case, separated by commas. @throws InvalidArgumentError */
export function states(text: string): Set<State> {
  return new Set(
    listed(
      text.toUpperCase().replaceAll('-', '_'),
      Object.keys(STATES).filter((state) => state !== 'NO_RECORD'),
    ) as State[],
  );
}

/** Rules, separated by commas. @throws InvalidArgumentError */
export function rules(text: string): Set<string> {
  return new Set(listed(text, RULES));
}

function listed(text: string, known: readonly string[]): string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`Use one or more of ${known.join(', ')}.`);
  return names;
}

/** An address, or a network such as `192.0.2.0/24`. @throws InvalidArgumentError */
export function sources(text: string): BlockList {
  const [address = '', prefix] = text.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  const isNetwork = prefix !== undefined && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
  if (version === 0 || (prefix !== undefined && !isNetwork)) {
    throw new InvalidArgumentError(
      'Give an address like 192.0.2.1 or 2001:db8::1, or a network like 192.0.2.0/24.',
    );
  }
  const list = new BlockList();
  list.addSubnet(address, prefix === undefined ? bits : Number(prefix), version === 6 ? 'ipv6' : 'ipv4');
  return list;
}
