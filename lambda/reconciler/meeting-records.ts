import type { IntentRecord, OutcomeRecord } from '../audit/records.ts';
import type { IssuedAttendee } from '../model/attendees.ts';

/**
 * What the audit of a meeting says about some attendees: as large as they are many, however much was ever recorded.
 * Records are added as they are sorted in the table, a batch's intent before its outcome.
 */
export class MeetingRecords {
  readonly #attendeeIds: ReadonlySet<string>;
  /** By attendee id, a batch whose outcome holds it. */
  readonly #holders = new Map<string, string>();
  /** By name, the batches without outcome that ask for it. */
  readonly #asking: ReadonlyMap<string, Set<string>>;

  constructor(about: readonly Pick<IssuedAttendee, 'attendeeId' | 'externalUserId'>[]) {
    this.#attendeeIds = new Set(about.map(({ attendeeId }) => attendeeId));
    this.#asking = new Map(about.map(({ externalUserId }) => [externalUserId, new Set()]));
  }

  addIntent({ batchId, requested }: Pick<IntentRecord, 'batchId' | 'requested'>): void {
    for (const { externalUserId } of requested) this.#asking.get(externalUserId)?.add(batchId);
  }

  addOutcome({ batchId, issued, withheld }: Pick<OutcomeRecord, 'batchId' | 'issued' | 'withheld'>): void {
    for (const { attendeeId } of [...issued, ...withheld]) {
      if (this.#attendeeIds.has(attendeeId)) this.#holders.set(attendeeId, batchId);
    }
    for (const batches of this.#asking.values()) batches.delete(batchId);
  }

  /** A batch whose outcome holds an attendee, issued or withheld. */
  holderOf(attendeeId: string): string | undefined {
    return this.#holders.get(attendeeId);
  }

  /** Whether another batch than this one asks for a name and has no outcome. */
  isContested(externalUserId: string, batchId: string): boolean {
    const asking = this.#asking.get(externalUserId);
    return asking !== undefined && asking.size > (asking.has(batchId) ? 1 : 0);
  }
}
