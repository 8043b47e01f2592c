import { beginningOfBatch, isBatchId } from '../audit/batch-id.ts';
import type {
  Admissions,
  AuditLog,
  AuditReader,
  Batch,
  BatchKey,
  OpenIntent,
  OpenIntents,
} from '../audit/ports.ts';
import { admissionsOf, type IntentRecord, type OutcomeRecord, recordId } from '../audit/records.ts';
import { SWEEP_OVERLAP_MS } from '../audit/schema.ts';
import { UnreadableRecord } from '../audit/unreadable-record.ts';
import type { IssuedAttendee } from '../model/attendees.ts';
import type { LogEvent } from '../model/log-events.ts';
import type { AddMetrics } from '../model/metrics.ts';
import type { AttendeeList, Clock } from '../model/ports.ts';
import { decide } from './decide.ts';
import { MeetingRecords } from './meeting-records.ts';

export interface ReconcilerSettings {
  /** How long after an intent's deadline its handler and Chime are given to finish. */
  marginMs: number;
  /** How far apart two looks at the same meeting are, at least. */
  secondLookMs: number;
}

export interface ReconcileDependencies {
  audit: AuditReader;
  auditLog: Pick<AuditLog, 'recordOutcome'>;
  openIntents: OpenIntents;
  attendeeList: AttendeeList;
  admissions: Admissions;
  settings: ReconcilerSettings;
  clock: Clock;
  pause(ms: number): Promise<void>;
  randomHex(): string;
  addMetrics: AddMetrics;
  /** What happened, in words that hold no personal data. */
  report(event: LogEvent, facts: Record<string, string | number | undefined>): void;
}

export interface ReconcileCall {
  /** When the function is stopped, in milliseconds since the epoch. */
  stopsAtMs: number;
  /** Sweeps again from this instant (milliseconds since the epoch), or from where the last sweep ended if that is earlier. */
  sinceMs?: number;
}

/** What one run did. */
export interface ReconcileSummary {
  recovered: number;
  notIssued: number;
  unresolved: number;
  /** Batches that got their outcome from somebody else, or whose admissions were incomplete. */
  completed: number;
  /** Intents that were looked at and need another look. */
  lookAgain: number;
  /** Intents whose time has not come, or that this run had no time for. */
  waiting: number;
  /** What went wrong and is left to the next run. */
  failures: number;
  /** Requests to Chime. */
  listRequests: number;
  /** Intents still without outcome, of those that were swept. */
  open: number;
  /** Whether every intent up to now, less the margin, was swept. */
  sweptToEnd: boolean;
}

/** Where the first sweep begins. */
const FIRST_SWEEP_MS = 30 * 24 * 60 * 60_000;
/** A long sweep remembers how far it came each time it has passed this much. */
const SWEEP_STRIDE_MS = 10 * 60_000;
/** Kept for ending a run in order. */
const STOP_RESERVE_MS = 8_000;
/** Chime's quota is 10 ListAttendees a second for the whole account; most of it is left to others. */
const LIST_INTERVAL_MS = 500;
/** Where Chime fails this often, it is left alone until the next run. */
const MAX_LIST_FAILURES = 3;
/** So many entries of the list are compared with the audit at a time. */
const BATCHES_AT_ONCE = 50;
const RECORD_TIMEOUT_MS = 5_000;
const ADMISSIONS_TIMEOUT_MS = 5_000;

/**
 * One run of the reconciler: finds the intents that have no outcome though their time is over, asks Chime who exists,
 * and writes what became of them. Whatever a run leaves undone, because it fails, is killed or has no time left, the
 * next one does; two at once do no harm, since outcomes are put on condition and everything else can be repeated.
 *
 * @throws where the list of open intents cannot be read
 */
export async function reconcile(
  { stopsAtMs, sinceMs }: ReconcileCall,
  dependencies: ReconcileDependencies,
): Promise<ReconcileSummary> {
  const { audit, auditLog, openIntents, attendeeList, admissions, settings, clock, report } = dependencies;
  const startMs = clock.now();
  const endMs = stopsAtMs - STOP_RESERVE_MS;
  const summary: ReconcileSummary = {
    recovered: 0,
    notIssued: 0,
    unresolved: 0,
    completed: 0,
    lookAgain: 0,
    waiting: 0,
    failures: 0,
    listRequests: 0,
    open: 0,
    sweptToEnd: false,
  };
  let nextListAtMs = startMs;
  let listFailures = 0;
  const timeIsOver = () => clock.now() >= endMs;

  const entries: OpenIntent[] = [];
  const onList = new Set<string>();
  for (const entry of await openIntents.list()) {
    onList.add(entry.batchId);
    if ('unreadable' in entry) leave('list', new UnreadableRecord(entry.batchId));
    else entries.push(entry);
  }
  // A failed sweep must not keep those waiting that are on the list already.
  await attempt('sweep', undefined, async () => {
    summary.sweptToEnd = await sweep();
  });
  const lookable: OpenIntent[] = [];
  const open = new Set<OpenIntent>();
  let unread = 0;
  for (const chunk of inChunks(entries, BATCHES_AT_ONCE)) {
    unread += chunk.length;
    if (timeIsOver()) continue;
    await attempt('list', undefined, async () => {
      const batches = await audit.batches(chunk);
      unread -= chunk.length;
      await inParallel(chunk, (entry) =>
        attempt('entry', entry.batchId, () => sort(entry, batches.get(entry.batchId) ?? {})),
      );
    });
  }
  summary.waiting += unread;
  for (const meeting of byMeeting(lookable)) {
    if (timeIsOver() || listFailures >= MAX_LIST_FAILURES) summary.waiting += meeting.length;
    else await attempt('meeting', meeting[0]?.batchId, () => look(meeting));
  }

  // An age that leaves somebody out would calm an alarm that is due.
  const ageKnown = summary.sweptToEnd && unread === 0;
  summary.open = open.size + unread;
  dependencies.addMetrics({
    IntentsRecovered: summary.recovered,
    IntentsNotIssued: summary.notIssued,
    IntentsUnresolved: summary.unresolved,
    ReconcilerFailures: summary.failures,
    ...(ageKnown && { OldestOpenIntentAge: oldestAgeSeconds() }),
  });
  return summary;

  /** @returns whether it came to its end */
  async function sweep(): Promise<boolean> {
    const through = await openIntents.sweptThrough();
    const sweptMs = through === undefined ? startMs - FIRST_SWEEP_MS : Date.parse(through);
    const toMs = startMs - settings.marginMs;
    // Half of the time is for those that are on the list already.
    const halfMs = startMs + (endMs - startMs) / 2;
    let rememberedMs = sweptMs;
    // Whoever says since when only ever adds: what was not swept yet must not be passed over.
    const fromMs = Math.min(sinceMs ?? Number.POSITIVE_INFINITY, Math.min(sweptMs, toMs) - SWEEP_OVERLAP_MS);
    for await (const page of audit.intentsBegun(fromMs, toMs)) {
      const keys: BatchKey[] = [];
      for (const key of page) {
        if ('unreadable' in key) leave('sweep', new UnreadableRecord(key.batchId));
        else keys.push(key);
      }
      await notice(keys.filter(({ batchId }) => !onList.has(batchId)));

      const last = keys.at(-1);
      const reachedMs = last === undefined ? rememberedMs : beginningOfBatch(last.batchId);
      if (clock.now() >= halfMs) {
        await openIntents.advance(isoTime(reachedMs));
        return false;
      }
      if (reachedMs - rememberedMs >= SWEEP_STRIDE_MS) {
        await openIntents.advance(isoTime(reachedMs));
        rememberedMs = reachedMs;
      }
    }
    await openIntents.advance(isoTime(toMs));
    return true;
  }

  /** Puts on the list what is not complete. */
  async function notice(keys: BatchKey[]): Promise<void> {
    if (keys.length === 0) return;
    const noted = await audit.admissionsNoted(keys);
    await inParallel(keys, async ({ meetingId, batchId }) => {
      if (noted.get(batchId) === 'written') return;
      const entry: OpenIntent = {
        meetingId,
        batchId,
        noticedAt: isoTime(startMs),
        looks: 0,
        seen: [],
      };
      await openIntents.notice(entry);
      entries.push(entry);
    });
  }

  /** Does something about each of these entries, with what is on record of its batch, as long as there is time. */
  async function inTurn(
    chunk: OpenIntent[],
    work: (entry: OpenIntent, batch: Batch) => Promise<void>,
  ): Promise<void> {
    if (timeIsOver()) {
      summary.waiting += chunk.length;
      return;
    }
    const batches = await audit.batches(chunk);
    for (const entry of chunk) {
      if (timeIsOver()) summary.waiting += 1;
      else await attempt('entry', entry.batchId, () => work(entry, batches.get(entry.batchId) ?? {}));
    }
  }

  /** Finishes what has its outcome, and finds out what has to be looked for. */
  async function sort(entry: OpenIntent, { intent, outcome, unreadable }: Batch): Promise<void> {
    if (unreadable) {
      open.add(entry);
      throw new UnreadableRecord(entry.batchId);
    }
    if (outcome !== undefined) {
      await completeAdmissions(intent, outcome);
      await openIntents.remove(entry);
      summary.completed += 1;
    } else if (intent === undefined || hasExpired(intent)) {
      // DynamoDB removes expired records one by one: such an intent alone says nothing of its outcome.
      report('intent gone', { batch: entry.batchId });
      await openIntents.remove(entry);
    } else {
      open.add(entry);
      const nowMs = clock.now();
      const due = nowMs >= Date.parse(intent.deadline) + settings.marginMs;
      if (due && (entry.lastLookAt === undefined || isSecondLook(entry, nowMs))) lookable.push(entry);
      else summary.waiting += 1;
    }
  }

  function hasExpired({ expiresAt }: IntentRecord): boolean {
    return expiresAt !== undefined && clock.now() >= expiresAt * 1000;
  }

  function isSecondLook({ lastLookAt }: OpenIntent, nowMs: number): boolean {
    return lastLookAt !== undefined && nowMs - Date.parse(lastLookAt) >= settings.secondLookMs;
  }

  /** Looks at one meeting for all its open intents. */
  async function look(meeting: OpenIntent[]): Promise<void> {
    // The one that is concluded last, so that it is still there where time runs out.
    const last = meeting.at(-1) as OpenIntent;
    const { meetingId } = last;
    const lookedAtMs = clock.now();
    // Before anything else: a meeting whose look never comes to its end must not be the first of every run.
    last.lastTryAt = isoTime(lookedAtMs);
    await openIntents.save(last, last.looks);
    const listed = await listAttendees(meetingId);
    // Only now: whoever made one of those who were found wrote an intent before.
    const seen = meeting.flatMap((entry) => entry.seen);
    const records = listed && (await recordsOf(meetingId, [...listed.found, ...seen]));
    if (listed === undefined || records === undefined) {
      summary.waiting += meeting.length;
      return;
    }
    // The intents are read again: those of a disaster would not all fit into memory.
    for (const chunk of inChunks(meeting, BATCHES_AT_ONCE)) {
      await inTurn(chunk, (entry, batch) => conclude(entry, batch, listed, records, lookedAtMs));
    }
  }

  /** @returns undefined where time ran out */
  async function listAttendees(meetingId: string): Promise<Listed | undefined> {
    const found: IssuedAttendee[] = [];
    const tokens = new Set<string | undefined>();
    let nextToken: string | undefined;
    do {
      await dependencies.pause(Math.max(0, nextListAtMs - clock.now()));
      if (timeIsOver()) return undefined;
      nextListAtMs = clock.now() + LIST_INTERVAL_MS;
      summary.listRequests += 1;
      try {
        const page = await attendeeList.page(meetingId, nextToken);
        if (page === 'gone') return { found, gone: true };
        found.push(...page.attendees);
        nextToken = page.nextToken;
        if (tokens.has(nextToken)) throw new Error('A list that goes in a circle');
        tokens.add(nextToken);
      } catch (error) {
        listFailures += 1;
        throw error;
      }
    } while (nextToken !== undefined);
    return { found, gone: false };
  }

  /** @returns undefined where time ran out */
  async function recordsOf(
    meetingId: string,
    attendees: readonly IssuedAttendee[],
  ): Promise<MeetingRecords | undefined> {
    const records = new MeetingRecords(attendees);
    for await (const page of audit.meeting(meetingId)) {
      for (const record of page) {
        if (record.kind === 'intent') records.addIntent(record);
        else records.addOutcome(record);
      }
      if (timeIsOver()) return undefined;
    }
    return records;
  }

  /** Decides on one intent, by a look at its meeting. */
  async function conclude(
    entry: OpenIntent,
    batch: Batch,
    listed: Listed,
    records: MeetingRecords,
    lookedAtMs: number,
  ): Promise<void> {
    const { intent, outcome, unreadable } = batch;
    if (intent === undefined || outcome !== undefined || unreadable) {
      open.delete(entry);
      return sort(entry, batch);
    }
    const secondLook = isSecondLook(entry, lookedAtMs);
    const decision = decide({ intent, ...listed, seen: entry.seen, secondLook, records });
    if (decision.kind === 'look again') {
      const at = isoTime(lookedAtMs);
      const looked = { lastLookAt: at, lastTryAt: at, looks: entry.looks + 1, seen: decision.seen };
      await openIntents.save({ ...entry, ...looked }, entry.looks);
      summary.lookAgain += 1;
      return;
    }
    // What another run may have seen since this one read the list, or put the batch on it, would be lost.
    if (!(await openIntents.save(entry, entry.looks))) {
      summary.waiting += 1;
      return;
    }
    const { kind: _, ...findings } = decision;
    const onRecord = await settle(intent, findings);
    records.addOutcome(onRecord);
    open.delete(entry);
    // The entry stays on the list, and the next run finds its outcome.
    if (timeIsOver()) return;
    await completeAdmissions(intent, onRecord);
    await openIntents.remove(entry);
  }

  /** Writes the outcome unless somebody else was first. @returns the one that is on record */
  async function settle(
    intent: IntentRecord,
    findings: Pick<OutcomeRecord, 'state' | 'issued' | 'attribution' | 'heldElsewhere'>,
  ): Promise<OutcomeRecord> {
    const { heldElsewhere, ...found } = findings;
    const outcome: OutcomeRecord = {
      meetingId: intent.meetingId,
      recordId: recordId(intent.batchId, 'outcome'),
      batchId: intent.batchId,
      kind: 'outcome',
      recordedAt: isoTime(clock.now()),
      writtenBy: 'reconciler',
      writerId: dependencies.randomHex(),
      ...found,
      withheld: [],
      errors: [],
      delivered: false,
      ...(heldElsewhere?.length && { heldElsewhere }),
      admissions: 'pending',
      ...(intent.expiresAt === undefined ? {} : { expiresAt: intent.expiresAt }),
    };
    if (await auditLog.recordOutcome(outcome, { timeoutMs: RECORD_TIMEOUT_MS })) {
      const { state, issued, attribution } = outcome;
      report('reconciled', { batch: intent.batchId, state, issued: issued.length, attribution });
      if (state === 'RECOVERED') summary.recovered += 1;
      else if (state === 'NOT_ISSUED') summary.notIssued += 1;
      else summary.unresolved += 1;
      return outcome;
    }
    const onRecord = (await audit.batches([intent])).get(intent.batchId)?.outcome;
    if (onRecord === undefined) throw new UnreadableRecord(intent.batchId);
    summary.completed += 1;
    return onRecord;
  }

  /** Makes the derived entries of a batch equal to its outcome. */
  async function completeAdmissions(intent: IntentRecord | undefined, outcome: OutcomeRecord): Promise<void> {
    await admissions.enter(admissionsOf(outcome), { timeoutMs: ADMISSIONS_TIMEOUT_MS });
    // A handler writes its admissions before its outcome: where the outcome is not its own, they may say more.
    if (outcome.writtenBy === 'handler' || intent === undefined) return;
    const names = [...new Set(intent.requested.map(({ externalUserId }) => externalUserId))];
    const rightful = new Set(admissionsOf(outcome).map(({ admissionId }) => admissionId));
    const present = await admissions.ofBatch(outcome.batchId, names);
    await admissions.remove(present.filter(({ admissionId }) => !rightful.has(admissionId)));
  }

  /** A failure is counted and left to the next run. */
  async function attempt(
    step: string,
    batchId: string | undefined,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      leave(step, error, batchId);
    }
  }

  function leave(step: string, error: unknown, batchId?: string): void {
    summary.failures += 1;
    const told = error instanceof UnreadableRecord ? error.batchId : batchId;
    // Messages of foreign errors may quote what they choked on: only names are told. So may a batch id put there by hand.
    const batch = told !== undefined && isBatchId(told) ? told : undefined;
    report('failed', { step, batch, cause: error instanceof Error ? error.name : typeof error });
  }

  function oldestAgeSeconds(): number {
    let oldestMs = clock.now();
    for (const { batchId } of open) oldestMs = Math.min(oldestMs, beginningOfBatch(batchId));
    return Math.max(0, Math.round((clock.now() - oldestMs) / 1000));
  }
}

/** Who exists in a meeting. */
type Listed = Pick<Parameters<typeof decide>[0], 'found' | 'gone'>;

/** Groups by meeting; the meeting that waited longest for a call to Chime comes first, however the last one ended. */
function byMeeting(lookable: OpenIntent[]): OpenIntent[][] {
  const meetings = Map.groupBy(lookable, ({ meetingId }) => meetingId);
  const waitingSince = (meeting: OpenIntent[]) =>
    meeting
      .map(({ lastTryAt }) => lastTryAt ?? '')
      .toSorted()
      .at(-1) ?? '';
  return [...meetings.values()]
    .map((meeting) => meeting.toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1)))
    .toSorted((a, b) => (waitingSince(a) < waitingSince(b) ? -1 : 1));
}

/** So many calls to DynamoDB are under way at a time. */
const AT_ONCE = 10;

async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  for (const chunk of inChunks(items, AT_ONCE)) await Promise.all(chunk.map(work));
}

function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
