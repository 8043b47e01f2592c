import { beginningOfBatch, mintBatchId } from '../../lambda/audit/batch-id.ts';
import type {
  AuditLog,
  AuditReader,
  Batch,
  BatchKey,
  ClaimedMeeting,
  Cursor,
  EarlierIntent,
  Mark,
  OpenIntent,
  OpenIntents,
  Unreadable,
} from '../../lambda/audit/ports.ts';
import {
  type AdmissionRecord,
  type AuditRecord,
  admissionsOf,
  type IntentRecord,
  type OutcomeRecord,
  recordId,
} from '../../lambda/audit/records.ts';
import type { Attendee, AttendeeRequest, IssuedAttendee } from '../../lambda/model/attendees.ts';
import {
  type ReconcileDependencies,
  type ReconcileSummary,
  reconcile,
} from '../../lambda/reconciler/reconcile.ts';
import { createAttendeesFor } from './create-attendees.ts';
import { createIssuerRules } from './issuer-rules.ts';

export const MEETING = '3f0c4a7e-52c8-4d6f-9a0b-7d2f5e8c1b34';
export const MARGIN_MS = 45_000;
export const SECOND_LOOK_MS = 60_000;

/** Small, so that paging is part of everything. */
const LIST_PAGE_SIZE = 2;
const EVERYTHING = { Audio: 'SendReceive', Video: 'SendReceive', Content: 'SendReceive' } as const;

/** A caller of ports that a test can kill: from then on nothing is done and nothing answered. */
export class Actor {
  /** Names of the calls made, in order. */
  readonly calls: string[] = [];
  /** Dies at the call of this number (from 0), before or after it takes effect. */
  readonly death: { at: number; when: 'before' | 'after' } | undefined;
  /** Calls of these names fail, before or after they take effect. */
  readonly failing: Record<string, 'before' | 'after'>;
  /** A call of this name is on its way until `arrive`, however late that is. */
  slow: { name: string; reached(): void; arrive: Promise<void> } | undefined;

  constructor(
    death?: { at: number; when: 'before' | 'after' },
    failing: Record<string, 'before' | 'after'> = {},
  ) {
    this.death = death;
    this.failing = failing;
  }
}

class Killed extends Error {}

/** The audit, Chime and the reconciler's state, all in memory, behind the ports that the core has. */
export function createWorld({ idempotent = true } = {}) {
  let nowMs = Date.UTC(2026, 10, 23, 13, 45);
  let attendeesMade = 0;
  let randomness = 0;
  const truth = new Map<string, AuditRecord>();
  const admissions = new Map<string, AdmissionRecord>();
  const open = new Map<string, OpenIntent>();
  const meetings = new Map<string, Attendee[] | 'gone'>([[MEETING, []]]);
  const everMade: Attendee[] = [];
  const answeredTokens: { batchId: string; attendeeId: string }[] = [];
  const metrics: Record<string, number | string>[] = [];
  const reports: { event: string; [fact: string]: unknown }[] = [];
  const marks = new Map<Cursor, Mark>();
  /** By meeting id. */
  const queue = new Map<string, ClaimedMeeting>();
  let lastRunAt: string | undefined;

  const world = {
    truth,
    admissions,
    open,
    meetings,
    everMade,
    answeredTokens,
    metrics,
    reports,
    /** Called before each call takes effect; where it waits, others may come first. */
    gate: (_call: string): Promise<void> => Promise.resolve(),
    pageSize: 100,
    /** Meetings whose list of attendees never ends. */
    circles: new Set<string>(),
    /** Batches with a record that is not as it should be. */
    unreadable: new Set<string>(),
    /** What a sweep finds beside the intents. */
    oddKeys: [] as Unreadable[],
    get nowMs() {
      return nowMs;
    },
    marks,
    queue,
    /** The Region that handlers write into intents. */
    meetingsRegion: 'us-east-1',
    /** What an earlier version left on its list. */
    earlier: new Map<string, EarlierIntent>(),
    /** Batches that the index by day does not have yet. */
    notIndexed: new Set<string>(),
    /** Batches whose admissions the index by attendee does not have yet. */
    attendeesNotIndexed: new Set<string>(),
    pass(ms: number) {
      nowMs += ms;
    },
    outcomes: () => [...truth.values()].filter((record) => record.kind === 'outcome'),
    intents: () => [...truth.values()].filter((record) => record.kind === 'intent'),
    outcomeOf: (batchId: string) => truth.get(`${MEETING}|${batchId}/outcome`) as OutcomeRecord | undefined,

    /** A handler asks for attendees; resolves when it has answered or was killed. @returns its batch id */
    async ask(names: string[], actor = new Actor(), meetingId = MEETING): Promise<string> {
      const batchId = mintBatchId(nowMs, (++randomness).toString(16).padStart(16, '0'));
      const auditLog = auditLogOf(actor);
      try {
        const created = await createAttendeesFor(
          {
            rules: createIssuerRules(),
            clientId: 'backend',
            subject: 'service',
            scopes: new Set(['attendees.create']),
            claims: {},
          },
          { meetingId, attendees: names.map((ExternalUserId) => ({ ExternalUserId })) },
          {
            batchId,
            stopsAtMs: nowMs + 20_000,
            origin: { sourceIp: '192.0.2.1', userAgent: 'a browser', gatewayRequestId: 'gateway-1' },
          },
          {
            meetingAccess: {
              check: async () => ({ missingMedia: [], meeting: { MeetingId: meetingId } }),
              forget: () => {},
            },
            denialBudget: { take: () => true, giveBack: () => {} },
            meetings: {
              createAttendees: (id, requests) =>
                call(actor, 'createAttendees', () => ({
                  kind: 'answered' as const,
                  attendees: create(id, requests),
                  errors: [],
                  chimeRequestId: 'chime-1',
                })).catch((cause) => {
                  if (cause instanceof Killed) throw cause;
                  return { kind: 'ambiguous' as const, cause };
                }),
            },
            auditLog,
            clock: { now: () => nowMs },
            fingerprint,
            randomHex: () => (++randomness).toString(16),
            auditRetentionDays: 30,
            inForce: { rulesDigest: '0123456789abcdef', functionVersion: '7' },
            meetingsRegion: world.meetingsRegion,
            addMetrics: () => {},
            report: () => {},
          },
        );
        answeredTokens.push(
          ...created.attendees.map(({ AttendeeId }) => ({ batchId, attendeeId: AttendeeId })),
        );
      } catch {
        // Killed, or answered with an error.
      }
      return batchId;
    },

    /** One run. @returns undefined if it was killed */
    async reconcile(
      actor = new Actor(),
      call: { sinceMs?: number; runsMs?: number } = {},
    ): Promise<ReconcileSummary | undefined> {
      try {
        const { runsMs = 55_000, ...rest } = call;
        return await reconcile({ stopsAtMs: nowMs + runsMs, ...rest }, dependenciesOf(actor));
      } catch (error) {
        if (error instanceof Killed) return undefined;
        throw error;
      }
    },

    /** Runs every minute until nothing is left to do. */
    async reconcileToEnd(runs = 8): Promise<void> {
      for (let run = 0; run < runs; run += 1) {
        world.pass(60_000);
        await world.reconcile();
      }
    },

    /** Chime creates an attendee for any caller. */
    create,
  };

  function create(meetingId: string, requests: AttendeeRequest[]): Attendee[] {
    const present = meetings.get(meetingId);
    if (present === undefined || present === 'gone') throw new Error('no such meeting');
    const createdByThisCall: Attendee[] = [];
    for (const { ExternalUserId } of requests) {
      const existing = [...present].find((attendee) => attendee.ExternalUserId === ExternalUserId);
      if (idempotent && existing !== undefined) {
        createdByThisCall.push(existing);
        continue;
      }
      attendeesMade += 1;
      const made = {
        ExternalUserId,
        AttendeeId: `attendee-${attendeesMade}`,
        JoinToken: `secret-${attendeesMade}`,
        Capabilities: EVERYTHING,
      };
      present.push(made);
      everMade.push(made);
      createdByThisCall.push(made);
    }
    return createdByThisCall;
  }

  /** Every call of every port goes through here. */
  async function call<Answer>(actor: Actor, name: string, effect: () => Answer): Promise<Answer> {
    const number = actor.calls.push(name) - 1;
    const { death } = actor;
    const dies = (when: 'before' | 'after') =>
      death !== undefined && (number > death.at || (number === death.at && death.when === when));
    if (actor.slow?.name === name) {
      actor.slow.reached();
      await actor.slow.arrive;
    }
    await world.gate(name);
    if (dies('before')) throw new Killed();
    if (actor.failing[name] === 'before') throw new TypeError(`${name} failed`);
    const answer = effect();
    if (dies('after')) throw new Killed();
    if (actor.failing[name] === 'after') throw new TypeError(`the answer of ${name} got lost`);
    return structuredClone(answer);
  }

  function put(record: AuditRecord): boolean {
    const key = `${record.meetingId}|${record.recordId}`;
    if (truth.has(key)) return false;
    truth.set(key, structuredClone(record));
    return true;
  }

  function auditLogOf(actor: Actor): AuditLog {
    return {
      recordIntent: (intent) =>
        call(actor, 'recordIntent', () => {
          put(intent);
        }),
      recordOutcome: (outcome) =>
        call(actor, 'recordOutcome', () => {
          if (put(outcome)) return true;
          const onRecord = truth.get(`${outcome.meetingId}|${outcome.recordId}`) as OutcomeRecord;
          return onRecord.writerId === outcome.writerId;
        }),
      recordDenial: (denial) =>
        call(actor, 'recordDenial', () => {
          put(denial);
        }),
      recordAdmissions: (outcome) =>
        call(actor, 'recordAdmissions', () => {
          for (const admission of admissionsOf(outcome)) admissions.set(keyOf(admission), admission);
        }),
    };
  }

  function dependenciesOf(actor: Actor): ReconcileDependencies {
    const recordsOf = ({ meetingId, batchId }: BatchKey): AuditRecord[] =>
      (['intent', 'outcome'] as const).flatMap(
        (kind) => truth.get(`${meetingId}|${recordId(batchId, kind)}`) ?? [],
      );
    const audit: AuditReader = {
      async *intentsBegun({ through, afterBatch }, toMs) {
        const from = afterBatch === undefined ? mintBatchId(Date.parse(through), '') : `${afterBatch}!`;
        const intents = await call(actor, 'intentsBegun', () =>
          world
            .intents()
            .filter(({ batchId }) => batchId >= from && beginningOfBatch(batchId) <= toMs)
            .filter(({ batchId }) => !world.notIndexed.has(batchId))
            .map(({ meetingId, batchId }) => ({ meetingId, batchId }))
            .toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1)),
        );
        if (world.oddKeys.length > 0) yield world.oddKeys;
        for (let start = 0; start < intents.length; start += world.pageSize) {
          yield intents.slice(start, start + world.pageSize);
        }
      },
      admissionsNoted: (keys) =>
        call(actor, 'admissionsNoted', () => {
          const outcomes = keys.flatMap(recordsOf);
          return new Map(
            outcomes.flatMap((record) =>
              record.kind === 'outcome' ? [[record.batchId, record.admissions]] : [],
            ),
          );
        }),
      batches: (keys) =>
        call(
          actor,
          'batches',
          () =>
            new Map(
              keys.map((key): [string, Batch] => [
                key.batchId,
                world.unreadable.has(key.batchId)
                  ? { unreadable: true }
                  : Object.fromEntries(recordsOf(key).map((record) => [record.kind, record])),
              ]),
            ),
        ),
      holders: (meetingId, attendeeIds) =>
        call(actor, 'holders', () => {
          const holders = new Map<string, string>();
          for (const { attendeeId, batchId } of admissions.values()) {
            if (!attendeeIds.includes(attendeeId) || world.attendeesNotIndexed.has(batchId)) continue;
            const outcome = truth.get(`${meetingId}|${batchId}/outcome`) as OutcomeRecord | undefined;
            const holds = outcome?.issued.some((issued) => issued.attendeeId === attendeeId);
            if (holds) holders.set(attendeeId, batchId);
          }
          return holders;
        }),
    };
    return {
      audit,
      auditLog: auditLogOf(actor),
      openIntents: openIntentsOf(actor),
      attendeeList: {
        page: (meetingId, nextToken) =>
          call(actor, 'page', () => {
            const present = meetings.get(meetingId) ?? 'gone';
            if (world.circles.has(meetingId)) return { attendees: [], nextToken: 'again' };
            if (present === 'gone') return 'gone' as const;
            const start = Number(nextToken ?? 0);
            const end = start + LIST_PAGE_SIZE;
            return {
              attendees: present.slice(start, end).map(issuedOf),
              nextToken: end < present.length ? String(end) : undefined,
            };
          }),
      },
      admissions: {
        write: (entries) =>
          call(actor, 'writeAdmissions', () => {
            for (const admission of entries) admissions.set(keyOf(admission), admission);
          }),
        ofBatch: (batchId, names) =>
          call(actor, 'ofBatch', () =>
            [...admissions.values()].filter(
              (admission) => admission.batchId === batchId && names.includes(admission.externalUserId),
            ),
          ),
        remove: (extra) =>
          call(actor, 'removeAdmissions', () => {
            for (const admission of extra) admissions.delete(keyOf(admission));
          }),
      },
      settings: { meetingsRegion: 'us-east-1', marginMs: MARGIN_MS, secondLookMs: SECOND_LOOK_MS },
      clock: { now: () => nowMs },
      pause: async (ms) => {
        nowMs += ms;
      },
      randomHex: () => (++randomness).toString(16),
      addMetrics: (values, reason) => metrics.push({ ...values, ...(reason !== undefined && { reason }) }),
      report: (event, facts) => reports.push({ event, ...facts }),
    };
  }

  function openIntentsOf(actor: Actor): OpenIntents {
    const firstOf = (settled: boolean) =>
      [...open.values()]
        .filter((entry) => entry.settled === settled)
        .toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1));
    return {
      beginRun: (at) =>
        call(actor, 'beginRun', () => {
          const before = lastRunAt;
          lastRunAt = at;
          return before === at ? undefined : before;
        }),
      mark: (cursor) => call(actor, 'mark', () => marks.get(cursor)),
      moveMark: (cursor, from, to) =>
        call(actor, 'moveMark', () => {
          if (!isSame(marks.get(cursor), from)) return false;
          marks.set(cursor, to);
          return true;
        }),
      notice: (entry, due) =>
        call(actor, 'notice', () => {
          const { meetingId, batchId } = entry;
          const isNew = !open.has(batchId);
          if (isNew) open.set(batchId, structuredClone(entry));
          const meeting = queue.get(meetingId) ?? { meetingId, due, notices: 0 };
          queue.set(meetingId, { ...meeting, notices: meeting.notices + 1 });
          return isNew;
        }),
      dueMeetings: ({ from = '', to = '~' }, limit) =>
        call(actor, 'dueMeetings', () =>
          [...queue.values()]
            .filter(({ due }) => due >= from && due <= to)
            .toSorted((a, b) => (a.due < b.due ? -1 : 1))
            .slice(0, limit),
        ),
      claim: (meeting, due) =>
        call(actor, 'claim', () => {
          const current = queue.get(meeting.meetingId);
          if (current?.due !== meeting.due) return undefined;
          const claimed = { ...current, due };
          queue.set(meeting.meetingId, claimed);
          return claimed;
        }),
      release: (meeting) =>
        call(actor, 'release', () => {
          if (isSame(queue.get(meeting.meetingId), meeting)) queue.delete(meeting.meetingId);
        }),
      ofMeeting: (meetingId, after, limit) =>
        call(actor, 'entries', () =>
          [...open.values()]
            .filter((entry) => entry.meetingId === meetingId && entry.batchId > (after ?? ''))
            .toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1))
            .slice(0, limit),
        ),
      save: (entry, looks) =>
        call(actor, 'save', () => {
          if (open.get(entry.batchId)?.looks !== looks) return false;
          open.set(entry.batchId, structuredClone(entry));
          return true;
        }),
      remove: ({ batchId }) =>
        call(actor, 'remove', () => {
          open.delete(batchId);
        }),
      unfinished: () =>
        call(actor, 'unfinished', () => {
          const [waiting, incomplete] = [firstOf(false), firstOf(true)];
          return {
            open: waiting.length,
            incomplete: incomplete.length,
            oldestOpen: waiting[0],
            oldestIncomplete: incomplete[0],
          };
        }),
      earlierList: (after, limit) =>
        call(actor, 'earlierList', () =>
          [...world.earlier.values()].filter(({ batchId }) => batchId > (after ?? '')).slice(0, limit),
        ),
      removeEarlier: (batchId) =>
        call(actor, 'removeEarlier', () => {
          world.earlier.delete(batchId);
        }),
    };
  }

  return world;
}

export type World = ReturnType<typeof createWorld>;

function fingerprint(joinToken: string): string {
  return `fingerprint-of-${joinToken.length}`;
}

function issuedOf({ ExternalUserId, AttendeeId, JoinToken, Capabilities }: Attendee): IssuedAttendee {
  return {
    externalUserId: ExternalUserId,
    attendeeId: AttendeeId,
    capabilities: Capabilities,
    tokenFingerprint: fingerprint(JoinToken),
  };
}

function keyOf({ externalUserId, admissionId }: AdmissionRecord): string {
  return `${externalUserId}|${admissionId}`;
}

/** What the audit promises, as sentences about what is wrong: none once reconciliation is done. */
export function lies(world: World): string[] {
  const found: string[] = [];
  const outcomes = world.outcomes();
  const held = new Set(
    outcomes.flatMap(({ issued, withheld }) => [...issued, ...withheld].map(({ attendeeId }) => attendeeId)),
  );
  const made = new Set(world.everMade.map(({ AttendeeId }) => AttendeeId));
  for (const id of made) if (!held.has(id)) found.push(`${id} exists and is in no outcome`);
  for (const id of held) if (!made.has(id)) found.push(`${id} is in an outcome and never existed`);

  for (const { batchId, attendeeId } of world.answeredTokens) {
    const outcome = world.outcomeOf(batchId);
    if (
      outcome?.writtenBy !== 'handler' ||
      !outcome.issued.some((issued) => issued.attendeeId === attendeeId)
    ) {
      found.push(`the token of ${attendeeId} was answered without its outcome`);
    }
  }
  for (const { batchId } of world.intents()) {
    if (world.outcomeOf(batchId) === undefined) found.push(`${batchId} is open`);
  }
  for (const batchId of world.open.keys()) found.push(`${batchId} is on the open list`);

  const expected = outcomes.flatMap(admissionsOf).map((admission) => JSON.stringify(admission));
  const present = [...world.admissions.values()].map((admission) => JSON.stringify(admission));
  for (const admission of expected) if (!present.includes(admission)) found.push(`missing: ${admission}`);
  for (const admission of present) if (!expected.includes(admission)) found.push(`extra: ${admission}`);
  return found;
}

/** An intent as the core sees it, for tests of single decisions. */
export function intentFor(batchId: string, ...names: string[]): Pick<IntentRecord, 'batchId' | 'requested'> {
  return { batchId, requested: names.map((externalUserId) => ({ externalUserId })) };
}

/** Copies come from another realm of Jest's, so that their prototypes differ. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
