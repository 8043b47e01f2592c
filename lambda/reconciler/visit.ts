import { beginningOfBatch } from '../audit/batch-id.ts';
import type {
  Batch,
  ClaimedMeeting,
  DueMeeting,
  OpenIntent,
  SeenAttendee,
  Unreadable,
} from '../audit/ports.ts';
import type { IntentRecord, OutcomeRecord } from '../audit/records.ts';
import { UnreadableRecord } from '../audit/unreadable-record.ts';
import { decide } from './decide.ts';
import type { Look, Looker } from './look.ts';
import { inParallel, isoTime, type Run } from './run.ts';
import type { Settler } from './settle.ts';

/** How many batches of a meeting are in memory at a time. */
export const SLICE = 25;
/** After this time, a meeting that has more batches goes to the end of the queue. */
const TURN_MS = 10_000;
/** The most time between visits to a meeting that has nothing due. */
const MAX_REST_MS = 10 * 60_000;
/** Chime keeps a meeting for a day at most. */
const MEETING_LIFE_MS = 25 * 60 * 60_000;
/** A due time further ahead comes from a wrong clock. */
const MAX_DUE_AHEAD_MS = 2 * MAX_REST_MS;
const MEETINGS_AT_ONCE = 10;

/** An intent without outcome, in the current slice. */
interface Candidate {
  entry: OpenIntent;
  intent: IntentRecord;
}

/** Takes meetings out of the queue, the longest due first. */
export async function* dueMeetings(run: Run): AsyncGenerator<ClaimedMeeting> {
  const { openIntents, settings } = run.dependencies;
  const claim = (meeting: DueMeeting) =>
    // Comes first: a meeting whose visit never ends must not be the first of every run.
    openIntents.claim(meeting, isoTime(run.nowMs + Math.max(settings.secondLookMs, TURN_MS)));
  // Due times set by a clock that was ahead: without a visit, their meetings would wait until then.
  const strangers = await openIntents.dueMeetings(
    { from: isoTime(run.startMs + MAX_DUE_AHEAD_MS) },
    MEETINGS_AT_ONCE,
  );
  for (let page = strangers; ; ) {
    for (const meeting of page) {
      if (run.isOver()) return;
      const claimed = await claim(meeting);
      if (claimed !== undefined) yield claimed;
    }
    if (run.isOver()) return;
    page = await openIntents.dueMeetings({ to: isoTime(run.nowMs) }, MEETINGS_AT_ONCE);
    if (page.length === 0) return;
  }
}

/** One visit to a meeting: finishes the batches that have an outcome, and looks for the others, a bounded slice at a time. */
export class Visit {
  readonly #run: Run;
  readonly #looker: Looker;
  readonly #settler: Settler;
  readonly #meeting: ClaimedMeeting;
  readonly #startMs: number;
  #look: Look | undefined;
  /** Whether Chime failed in this visit; then it is not asked again. */
  #failed = false;
  /** By attendee id, a batch whose outcome holds the attendee; undefined if no such batch is known. */
  readonly #holders = new Map<string, string | undefined>();
  /** Whether there are more batches than fit into a slice, so that not all rivals are known. */
  #crowded = false;
  /** Whether batches were skipped for lack of time. */
  #cut = false;
  /** How many batches stay under the meeting, and when the first of them is due. */
  #staying = 0;
  #nextMs = Number.POSITIVE_INFINITY;

  constructor(run: Run, looker: Looker, settler: Settler, meeting: ClaimedMeeting) {
    this.#run = run;
    this.#looker = looker;
    this.#settler = settler;
    this.#meeting = meeting;
    this.#startMs = run.nowMs;
  }

  async make(): Promise<void> {
    const { openIntents } = this.#run.dependencies;
    const { meetingId } = this.#meeting;
    let after: string | undefined;
    do {
      const entries = await openIntents.ofMeeting(meetingId, after, SLICE + 1);
      const slice = entries.slice(0, SLICE);
      const isLast = entries.length <= SLICE;
      this.#crowded ||= !isLast;
      await this.#workOn(slice);
      after = isLast ? undefined : slice.at(-1)?.batchId;
      const isOver = this.#run.isOver() || this.#run.nowMs >= this.#startMs + TURN_MS;
      if (isOver && after !== undefined) this.#cut = true;
    } while (after !== undefined && !this.#cut);
    await this.#requeue();
  }

  /** Moves the meeting in the queue, or takes it out. */
  async #requeue(): Promise<void> {
    const { openIntents } = this.#run.dependencies;
    if (this.#staying === 0 && !this.#cut) return openIntents.release(this.#meeting);
    const { nowMs } = this.#run;
    const dueMs = this.#cut ? nowMs : Math.min(nowMs + MAX_REST_MS, Math.max(nowMs, this.#nextMs));
    await openIntents.claim(this.#meeting, isoTime(dueMs));
  }

  async #workOn(slice: readonly (OpenIntent | Unreadable)[]): Promise<void> {
    const { audit } = this.#run.dependencies;
    const entries: OpenIntent[] = [];
    for (const entry of slice) {
      if (!('unreadable' in entry)) entries.push(entry);
      else {
        this.#stay();
        this.#run.skip('list', new UnreadableRecord(entry.batchId));
      }
    }
    if (entries.length === 0) return;
    const batches = await audit.batches(entries);
    const candidates: Candidate[] = [];
    await inParallel(entries, async (entry) => {
      const batch = batches.get(entry.batchId) ?? {};
      const done = await this.#run.attempt('entry', entry.batchId, async () => {
        const intent = await this.#finish(entry, batch);
        if (intent !== undefined) candidates.push({ entry, intent });
      });
      if (!done) this.#stay();
    });
    candidates.sort((a, b) => (a.entry.batchId < b.entry.batchId ? -1 : 1));
    if (candidates.length > 0) await this.#lookFor(candidates);
  }

  /** Finishes a batch that has its outcome, or whose intent is gone. @returns its intent if it is open */
  async #finish(
    entry: OpenIntent,
    { intent, outcome, unreadable }: Batch,
  ): Promise<IntentRecord | undefined> {
    if (unreadable) throw new UnreadableRecord(entry.batchId);
    if (outcome !== undefined) {
      await this.#settler.finish(entry, intent, outcome);
      this.#run.summary.completed += 1;
      return undefined;
    }
    if (intent !== undefined && !this.#hasExpired(intent)) return intent;
    // DynamoDB removes expired records one by one: such an intent alone says nothing about its outcome.
    this.#run.dependencies.report('intent gone', { batch: entry.batchId });
    await this.#run.dependencies.openIntents.remove(entry);
    return undefined;
  }

  #hasExpired({ expiresAt }: IntentRecord): boolean {
    return expiresAt !== undefined && this.#run.nowMs >= expiresAt * 1000;
  }

  /** Looks for the attendees of open intents that are due. */
  async #lookFor(candidates: Candidate[]): Promise<void> {
    const due = candidates.filter((candidate) => this.#isDue(candidate));
    if (due.length === 0) return;
    const isAsked = due.some(({ intent }) => !this.#isForeign(intent));
    if (isAsked && this.#looker.isOpen && !this.#failed) {
      this.#failed = !(await this.#run.attempt('meeting', due[0]?.entry.batchId, async () => {
        this.#look ??= await this.#looker.look(this.#meeting.meetingId);
      }));
    }
    for (const candidate of due) {
      const { batchId } = candidate.entry;
      if (this.#run.isOver()) this.#cutOff();
      else if (!(await this.#run.attempt('entry', batchId, () => this.#conclude(candidate, candidates)))) {
        this.#stay();
      }
    }
  }

  /** Whether an intent can be decided or looked at now; if not, it stays until then. */
  #isDue({ entry, intent }: Candidate): boolean {
    const { settings } = this.#run.dependencies;
    const { nowMs } = this.#run;
    if (this.#isForeign(intent)) {
      if (this.#isOutlived(entry)) return true;
      this.#wait(beginningOfBatch(entry.batchId) + MEETING_LIFE_MS);
      return false;
    }
    const sinceMs = Date.parse(entry.agreed?.since ?? '');
    const readyMs = Date.parse(intent.deadline) + settings.marginMs;
    // A look that an earlier slice of this visit took counts from its beginning.
    const lookMs = this.#look?.atMs ?? nowMs;
    // A look by a clock that was ahead does not count.
    const nextMs = sinceMs <= nowMs ? Math.max(readyMs, sinceMs + settings.secondLookMs) : readyMs;
    if (lookMs >= nextMs) return true;
    this.#wait(nextMs);
    return false;
  }

  /** A meeting of another Region is unknown to this reconciler's Chime: its absence says nothing. */
  #isForeign({ meetingsRegion }: IntentRecord): boolean {
    return meetingsRegion !== undefined && meetingsRegion !== this.#run.dependencies.settings.meetingsRegion;
  }

  #isOutlived({ batchId }: OpenIntent): boolean {
    return this.#run.nowMs >= beginningOfBatch(batchId) + MEETING_LIFE_MS;
  }

  async #conclude(candidate: Candidate, candidates: readonly Candidate[]): Promise<void> {
    const { entry, intent } = candidate;
    if (this.#isForeign(intent) || (this.#failed && this.#isOutlived(entry))) return this.#giveUp(candidate);
    const look = this.#look;
    if (look === undefined) return this.#wait();
    const looked = lookedAt(entry, intent, look);
    // Would lose what another run has seen since this one read the list.
    if (!(await this.#run.dependencies.openIntents.save(looked, entry.looks))) {
      return this.#wait();
    }
    if (!this.#mayDecide(looked, look)) {
      this.#run.summary.lookAgain += 1;
      return this.#stay(look.atMs + this.#run.dependencies.settings.secondLookMs);
    }
    const { seen } = looked;
    await this.#findHolders(seen);
    const rivals = candidates.filter((other) => other !== candidate);
    const findings = decide({
      intent,
      gone: look.gone,
      seen,
      holders: this.#holdersOtherThan(entry.batchId),
      isContested: (attendee) =>
        this.#crowded || Date.parse(attendee.seenAt) >= look.atMs || isAskedForBy(rivals, attendee),
    });
    await this.#end(candidate, await this.#settler.settle(intent, findings));
  }

  /** Two looks, far enough apart, found the same; and all batches that could have asked by the first look are known. */
  #mayDecide({ agreed }: OpenIntent, look: Look): boolean {
    const sinceMs = Date.parse(agreed?.since ?? '');
    const { secondLookMs } = this.#run.dependencies.settings;
    return this.#run.mayDecide && look.atMs - sinceMs >= secondLookMs && this.#run.sweptMs >= sinceMs;
  }

  /** Ends an intent that no look can decide any more: the meeting cannot be alive. */
  async #giveUp(candidate: Candidate): Promise<void> {
    if (!this.#run.mayDecide) return this.#wait();
    const { seen } = candidate.entry;
    await this.#findHolders(seen);
    const holders = this.#holdersOtherThan(candidate.entry.batchId);
    const findings = decide({ intent: candidate.intent, gone: true, seen, holders, isContested: () => true });
    await this.#end(candidate, await this.#settler.settle(candidate.intent, findings));
  }

  async #end({ entry, intent }: Candidate, onRecord: OutcomeRecord): Promise<void> {
    for (const { attendeeId } of [...onRecord.issued, ...onRecord.withheld]) {
      this.#holders.set(attendeeId, onRecord.batchId);
    }
    // The batch stays under its meeting, and the next run finds its outcome.
    if (this.#run.isOver()) return this.#stay();
    // The slow cursor takes back a straggler's items later: here, a query for each name would hold others up.
    await this.#settler.finish(entry, foundNoOne(onRecord) ? undefined : intent, onRecord);
  }

  /** Asks the index by attendee for attendees that were not asked for in this visit. */
  async #findHolders(seen: readonly SeenAttendee[]): Promise<void> {
    const unknown = seen.map(({ attendeeId }) => attendeeId).filter((id) => !this.#holders.has(id));
    if (unknown.length === 0) return;
    const holders = await this.#run.dependencies.audit.holders(this.#meeting.meetingId, unknown);
    for (const id of unknown) this.#holders.set(id, holders.get(id));
  }

  #holdersOtherThan(batchId: string): Map<string, string> {
    const known = [...this.#holders].filter(
      (holder): holder is [string, string] => holder[1] !== undefined && holder[1] !== batchId,
    );
    return new Map(known);
  }

  /** Skips a batch for lack of time. */
  #cutOff(): void {
    this.#cut = true;
    this.#wait();
  }

  /** Counts a batch that waits. */
  #wait(untilMs?: number): void {
    this.#run.summary.waiting += 1;
    this.#stay(untilMs);
  }

  #stay(untilMs = this.#run.nowMs + this.#run.dependencies.settings.secondLookMs): void {
    this.#staying += 1;
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }
}

/** A batch after a look. A look that differs from the previous ones counts as the first again. */
function lookedAt(entry: OpenIntent, intent: IntentRecord, look: Look): OpenIntent {
  const at = isoTime(look.atMs);
  const { agreed } = entry;
  const agrees = agreed !== undefined && agreed.gone === look.gone && agreed.since <= at;
  const names = new Set(intent.requested.map(({ externalUserId }) => externalUserId));
  const seen = new Map(entry.seen.map((attendee) => [attendee.attendeeId, attendee]));
  for (const attendee of look.found) {
    if (!names.has(attendee.externalUserId)) continue;
    const seenAt = seen.get(attendee.attendeeId)?.seenAt ?? at;
    seen.set(attendee.attendeeId, { ...attendee, seenAt });
  }
  return {
    ...entry,
    looks: entry.looks + 1,
    agreed: agrees ? agreed : { since: at, gone: look.gone },
    seen: [...seen.values()],
  };
}

/** Whether one of these asked for an attendee's name before the attendee was seen. */
function isAskedForBy(rivals: readonly Candidate[], { externalUserId, seenAt }: SeenAttendee): boolean {
  return rivals.some(
    ({ entry, intent }) =>
      beginningOfBatch(entry.batchId) <= Date.parse(seenAt) &&
      intent.requested.some((requested) => requested.externalUserId === externalUserId),
  );
}

function foundNoOne({ state, heldElsewhere }: OutcomeRecord): boolean {
  return state === 'NOT_ISSUED' && heldElsewhere === undefined;
}
