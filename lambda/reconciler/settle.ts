import type { BatchKey } from '../audit/ports.ts';
import { admissionsOf, type IntentRecord, type OutcomeRecord, recordId } from '../audit/records.ts';
import { UnreadableRecord } from '../audit/unreadable-record.ts';
import type { Findings } from './decide.ts';
import { isoTime, type Run } from './run.ts';
import { RUN_TIMES } from './run-times.ts';

/** An admission is a write unit in the table and one in its index: 2,000 a second each, half of the default guard. */
const ADMISSION_INTERVAL_MS = 0.5;

/** Finishes batches: outcome, admissions, and removal from the list. */
export class Settler {
  readonly #run: Run;
  #nextAdmissionsMs = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Writes the outcome unless another writer was first. @returns the recorded one */
  async settle(intent: IntentRecord, findings: Findings): Promise<OutcomeRecord> {
    const { auditLog, audit, report } = this.#run.dependencies;
    const outcome = this.#outcomeOf(intent, findings);
    if (await auditLog.recordOutcome(outcome, { timeoutMs: RUN_TIMES.recordMs })) {
      const { state, issued, attribution } = outcome;
      report('reconciled', { batch: intent.batchId, state, issued: issued.length, attribution });
      this.#count(state);
      return outcome;
    }
    const onRecord = (await audit.batches([intent])).get(intent.batchId)?.outcome;
    if (onRecord === undefined) throw new UnreadableRecord(intent.batchId);
    this.#run.summary.completed += 1;
    return onRecord;
  }

  /**
   * Makes the derived items of a batch equal to its outcome, and removes it from the list.
   *
   * @param intent whose names are searched for items that no outcome explains; undefined if there is no need
   */
  async finish(key: BatchKey, intent: IntentRecord | undefined, outcome: OutcomeRecord): Promise<void> {
    const { admissions, openIntents } = this.#run.dependencies;
    const rightful = admissionsOf(outcome);
    await this.#takeTurn(rightful.length);
    await admissions.write(rightful, { timeoutMs: RUN_TIMES.admissionsMs });
    // A handler writes its admissions before its outcome: if another writer's outcome won, they may say more.
    if (outcome.writtenBy === 'reconciler' && intent !== undefined) {
      const names = [...new Set(intent.requested.map(({ externalUserId }) => externalUserId))];
      const ids = new Set(rightful.map(({ admissionId }) => admissionId));
      const present = await admissions.ofBatch(outcome.batchId, names);
      await admissions.remove(present.filter(({ admissionId }) => !ids.has(admissionId)));
    }
    await openIntents.remove(key);
  }

  async #takeTurn(admissions: number): Promise<void> {
    const { clock, pause } = this.#run.dependencies;
    const waitMs = Math.max(0, this.#nextAdmissionsMs - clock.now());
    this.#nextAdmissionsMs = clock.now() + waitMs + admissions * ADMISSION_INTERVAL_MS;
    await pause(waitMs);
  }

  #count(state: OutcomeRecord['state']): void {
    const { summary } = this.#run;
    if (state === 'RECOVERED') summary.recovered += 1;
    else if (state === 'NOT_ISSUED') summary.notIssued += 1;
    else summary.unresolved += 1;
  }

  #outcomeOf(intent: IntentRecord, { heldElsewhere, ...found }: Findings): OutcomeRecord {
    return {
      meetingId: intent.meetingId,
      recordId: recordId(intent.batchId, 'outcome'),
      batchId: intent.batchId,
      kind: 'outcome',
      recordedAt: isoTime(this.#run.nowMs),
      writtenBy: 'reconciler',
      writerId: this.#run.dependencies.randomHex(),
      ...found,
      withheld: [],
      errors: [],
      delivered: false,
      ...(heldElsewhere.length > 0 && { heldElsewhere }),
      admissions: 'pending',
      ...(intent.expiresAt === undefined ? {} : { expiresAt: intent.expiresAt }),
    };
  }
}
