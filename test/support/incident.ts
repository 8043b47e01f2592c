import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { mintBatchId } from '../../lambda/audit/batch-id.ts';
import {
  admissionsOf,
  type CallerFacts,
  type IntentRecord,
  type OutcomeRecord,
} from '../../lambda/audit/records.ts';
import type { IssuedAttendee } from '../../lambda/model/attendees.ts';
import { denialOf, intentOf, outcomeOf, type TestTables } from './audit-command.ts';

/** Batches of the day; the one that the incident is about is one more. */
const BATCHES = 1_000;
const MEETINGS = 40;
const DAY_MS = 86_400_000;

/** The unexpected participant of the meeting. */
export const INTRUDER = 'mallory@partner.example';
export const INCIDENT_CALLER = {
  issuer: 'https://login.example.com/',
  clientId: 'events-backend',
  subject: 'a1b2c3d4-service@clients',
};
const HOSTILE = '<script>alert(1)</script>';

/** What CloudTrail would have of a batch. */
export interface SeededCall {
  requestId: string;
  meetingId: string;
  timeMs: number;
}

/**
 * A day of a thousand batches in every state, and one of an intruder, at 14:20.
 *
 * @param dayMs its beginning, in milliseconds since the epoch
 */
export async function seedIncident(tables: TestTables, dayMs: number) {
  const items: [table: string, item: object][] = [];
  const calls: SeededCall[] = [];
  for (let n = 0; n < BATCHES; n += 1) {
    const batchId = mintBatchId(dayMs + Math.floor((n * DAY_MS) / BATCHES), id(n, 'b').replaceAll('-', ''));
    add(itemsOfBatch(n, batchId));
  }
  const batchId = mintBatchId(dayMs + 14 * 3_600_000 + 20 * 60_000, 'f'.repeat(16));
  const asked = {
    requested: [{ externalUserId: INTRUDER }, { externalUserId: 'carol' }],
    meetingId: id(7, 'c'),
  };
  add(settled(batchId, 'ISSUED', asked, callerNumbered(3)));
  const puts = items.map(([table, item]) => ({ table, request: { PutRequest: { Item: marshall(item) } } }));
  for (let start = 0; start < puts.length; start += 25) {
    const group = Map.groupBy(puts.slice(start, start + 25), ({ table }) => table);
    const RequestItems = Object.fromEntries(
      [...group].map(([table, entries]) => [table, entries.map(({ request }) => request)]),
    );
    await tables.client.send(new BatchWriteItemCommand({ RequestItems }));
  }
  return { batchId, meetingId: asked.meetingId, calls };

  function add(records: object[]): void {
    for (const record of records) {
      const { kind, chimeRequestId, meetingId, recordedAt } = record as OutcomeRecord;
      items.push([tables.auditTableName, record]);
      if (kind !== 'outcome') continue;
      for (const entry of admissionsOf(record as OutcomeRecord))
        items.push([tables.admissionTableName, entry]);
      if (chimeRequestId !== undefined) {
        calls.push({ requestId: chimeRequestId, meetingId, timeMs: Date.parse(recordedAt) });
      }
    }
  }
}

/** Out of 20: one each of the rare states, two denials, and the rest issued. */
function itemsOfBatch(n: number, batchId: string): object[] {
  const caller = callerNumbered(n % 7);
  const meetingId = id(n % MEETINGS, 'c');
  const requested = Array.from({ length: 1 + (n % 4) }, (_, k) => ({
    externalUserId: n % 97 === 0 ? `${HOSTILE}${k}` : `guest-${(n * 3 + k) % 500}`,
  }));
  const asked = { meetingId, requested };
  switch (n % 20) {
    case 1:
      return [
        denialOf(batchId, {
          meetingId,
          callerId: `${caller.issuer}|${caller.clientId}|${caller.subject}`,
          caller: { scope: 'attendees.create', sourceIp: caller.sourceIp },
          recordedAt: timeIn(batchId, 20),
          externalMeetingId: `room-${n % MEETINGS}`,
          rule: n % 40 === 1 ? 'meeting-tenant' : 'capability-ceiling',
          requestedCount: 12,
          names: requested.map(({ externalUserId }) => externalUserId),
        }),
      ];
    case 2:
      return settled(batchId, 'PARTIAL', asked, caller);
    case 3:
      return settled(batchId, 'FAILED', asked, caller);
    case 4:
      return settled(batchId, 'RECOVERED', asked, caller);
    case 5:
      return settled(batchId, 'NOT_ISSUED', asked, caller);
    case 6:
      return settled(batchId, 'UNRESOLVED', asked, caller);
    case 7:
      return settled(batchId, 'OPEN', asked, caller);
    default:
      return settled(batchId, 'ISSUED', asked, caller);
  }
}

function settled(
  batchId: string,
  state: OutcomeRecord['state'] | 'OPEN',
  { meetingId, requested }: Pick<IntentRecord, 'meetingId' | 'requested'>,
  caller: CallerFacts,
): object[] {
  const intent = intentOf(batchId, {
    ...{
      meetingId,
      caller,
      requested,
      externalMeetingId: `room-${Number.parseInt(meetingId, 16) % MEETINGS}`,
    },
    ...{ recordedAt: timeIn(batchId, 20), deadline: timeIn(batchId, 15_000) },
    ...{ rulesDigest: '0123456789abcdef', functionVersion: '42' },
  });
  if (state === 'OPEN') return [intent];
  const attendees = requested.map(
    ({ externalUserId }, k): IssuedAttendee => ({
      externalUserId,
      attendeeId: id(Number.parseInt(batchId.slice(-6), 16) + k, 'a'),
      capabilities: k === 1 ? { Audio: 'Receive', Video: 'Receive', Content: 'Receive' } : FULL,
      tokenFingerprint: `sha256:${id(k, 'd').replaceAll('-', '')}`,
    }),
  );
  const [first] = attendees;
  const reconciled = ['RECOVERED', 'NOT_ISSUED', 'UNRESOLVED'].includes(state);
  const some = first === undefined ? [] : [first];
  return [
    intent,
    outcomeOf(batchId, {
      ...{ meetingId, state, recordedAt: timeIn(batchId, reconciled ? 120_000 : 480) },
      writtenBy: reconciled ? 'reconciler' : 'handler',
      issued:
        state === 'ISSUED'
          ? attendees
          : state === 'PARTIAL'
            ? attendees.slice(1)
            : state === 'RECOVERED'
              ? some
              : [],
      withheld:
        state === 'PARTIAL' ? some.map((attendee) => ({ ...attendee, rule: 'capability-ceiling' })) : [],
      ...(state === 'FAILED' && { refusal: { code: 'Throttling', message: 'Too many requests' } }),
      ...(reconciled
        ? { delivered: false as const, ...(state === 'RECOVERED' && { attribution: 'ambiguous' as const }) }
        : { chimeRequestId: id(Number.parseInt(batchId.slice(-6), 16), 'e') }),
    }),
  ];
}

const FULL = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;

function callerNumbered(n: number): CallerFacts {
  const name = n === 3 ? INCIDENT_CALLER : { ...INCIDENT_CALLER, clientId: 'web', subject: `user-${n}` };
  return {
    ...name,
    scope: n === 3 ? 'attendees.create' : 'attendees.self',
    tokenId: id(n, 'f'),
    sourceIp: n === 3 ? '203.0.113.77' : `192.0.2.${n}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36',
    gatewayRequestId: id(n, '9'),
  };
}

function timeIn(batchId: string, afterMs: number): string {
  const [, date, hour, minute, second, ms] = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d\d\d)/.exec(batchId) ?? [];
  const day = `${date?.slice(0, 4)}-${date?.slice(4, 6)}-${date?.slice(6)}`;
  return new Date(Date.parse(`${day}T${hour}:${minute}:${second}.${ms}Z`) + afterMs).toISOString();
}

/** A GUID with a number in it. */
function id(n: number, digit: string): string {
  const hex = n.toString(16).padStart(8, '0');
  return `${hex}-${digit.repeat(4)}-4${digit.repeat(3)}-9${digit.repeat(3)}-${digit.repeat(4)}${hex}`;
}
