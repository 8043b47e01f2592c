import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type {
  BatchKey,
  ClaimedMeeting,
  Cursor,
  DueMeeting,
  EarlierIntent,
  Mark,
  OpenIntent,
  OpenIntents,
  Unfinished,
  Unreadable,
} from './ports.ts';
import {
  isBatchKey,
  isClaimed,
  isEarlierIntent,
  isMark,
  isOpenIntent,
  isQueued,
} from './readable-records.ts';
import { LISTS, SWEEP_KEYS } from './schema.ts';
import { type Condition, WorkingItems } from './working-items.ts';

/** Sorts after every character of a batch id or a time. */
const LAST = '~';
/** How many batches of a list are counted at most. */
const COUNTED = 1_000;

/** The reconciler's working state in DynamoDB; `lambda/audit/schema.ts` describes its layout. */
export function createOpenIntents(
  client: DynamoDBClient,
  tables: { openIntentTableName: string },
): OpenIntents {
  return new WorkingState(new WorkingItems(client, tables));
}

class WorkingState implements OpenIntents {
  readonly #items: WorkingItems;

  constructor(items: WorkingItems) {
    this.#items = items;
  }

  async beginRun(at: string): Promise<string | undefined> {
    const before = await this.#items.update(SWEEP_KEYS.run, {
      expression: 'SET #at = :at',
      names: { '#at': 'at' },
      values: { ':at': at },
      returns: 'ALL_OLD',
    });
    const beganAt = before?.['at'];
    // If the answer to the write was lost, the SDK retries it, and it overwrites this same run.
    return typeof beganAt === 'string' && beganAt !== at ? beganAt : undefined;
  }

  async mark(cursor: Cursor): Promise<Mark | undefined> {
    const item = await this.#items.get(SWEEP_KEYS[cursor]);
    if (!isMark(item)) {
      // A person wrote it, and it would block every other item.
      if (item !== undefined) await this.#items.remove(SWEEP_KEYS[cursor]);
      return undefined;
    }
    const { through, afterBatch } = item;
    return { through, ...(afterBatch !== undefined && { afterBatch }) };
  }

  async moveMark(cursor: Cursor, from: Mark | undefined, to: Mark): Promise<boolean> {
    const item = { ...SWEEP_KEYS[cursor], ...to };
    return this.#items.put(item, from === undefined ? MARK_ABSENT : markIs(from));
  }

  async notice(entry: OpenIntent, due: string): Promise<boolean> {
    const { meetingId, batchId, settled } = entry;
    // In this order: a batch under a queued meeting is found, and only then worth a place on a list.
    const isNew = await this.#items.put(itemOf(entry), { expression: 'attribute_not_exists(batchId)' });
    const meeting = await this.#items
      .update(meetingKey(meetingId), {
        expression: 'SET due = if_not_exists(due, :due) ADD notices :one',
        values: { ':due': due, ':one': 1 },
        returns: 'ALL_NEW',
      })
      // A person wrote it, with something else than numbers.
      .catch((error) => (error?.name === 'ValidationException' ? undefined : Promise.reject(error)));
    if (!isClaimed(meeting)) await this.#items.put({ ...meetingKey(meetingId), due, notices: 1 });
    await this.#enqueue({ meetingId, due: isClaimed(meeting) ? meeting.due : due });
    await this.#items.put({ list: settled ? LISTS.incomplete : LISTS.open, batchId, meetingId });
    return isNew;
  }

  async dueMeetings(
    { from = '0', to = LAST }: { from?: string; to?: string },
    limit: number,
  ): Promise<DueMeeting[]> {
    const found = await this.#items.query(LISTS.queue, { span: [from, `${to}${LAST}`], limit });
    const meetings: DueMeeting[] = [];
    for (const { batchId } of found) {
      const [due = '', meetingId = ''] = batchId.split('/');
      if (isQueued(batchId)) meetings.push({ meetingId, due });
      // A person wrote it: it would be first for ever.
      else await this.#items.remove({ list: LISTS.queue, batchId });
    }
    return meetings;
  }

  async claim({ meetingId, due: before }: DueMeeting, due: string): Promise<ClaimedMeeting | undefined> {
    const claimed = await this.#items.update(meetingKey(meetingId), {
      expression: 'SET due = :due',
      condition: 'due = :before',
      values: { ':due': due, ':before': before },
      returns: 'ALL_NEW',
    });
    // A run that claimed it may have died before it was queued again.
    const meeting = claimed ?? (await this.#items.get(meetingKey(meetingId)));
    if (meeting !== undefined && !isClaimed(meeting)) {
      await this.#items.put({ ...meetingKey(meetingId), due: before, notices: 1 });
      return undefined;
    }
    if (isClaimed(meeting)) await this.#enqueue({ meetingId, due: meeting.due });
    if (!isClaimed(meeting) || meeting.due !== before) await this.#items.remove(queued(meetingId, before));
    return isClaimed(claimed) ? { meetingId, due: claimed.due, notices: claimed.notices } : undefined;
  }

  async release({ meetingId, due, notices }: ClaimedMeeting): Promise<void> {
    const released = await this.#items.remove(meetingKey(meetingId), {
      expression: 'due = :due AND notices = :notices',
      values: { ':due': due, ':notices': notices },
    });
    if (released) await this.#items.remove(queued(meetingId, due));
  }

  async ofMeeting(
    meetingId: string,
    after: string | undefined,
    limit: number,
  ): Promise<(OpenIntent | Unreadable)[]> {
    const found = await this.#items.query(LISTS.batchesOf(meetingId), {
      ...(after !== undefined && { after }),
      limit,
    });
    return found.map(({ list: _, ...entry }) =>
      isOpenIntent(entry) && entry.meetingId === meetingId ? entry : unreadable(entry),
    );
  }

  // A deleted item has no `looks`, so it is not restored.
  save(entry: OpenIntent, looks: number): Promise<boolean> {
    return this.#items.put(itemOf(entry), { expression: 'looks = :looks', values: { ':looks': looks } });
  }

  async remove({ meetingId, batchId }: BatchKey): Promise<void> {
    // In this order: as long as a batch is under its meeting, it is found again.
    await Promise.all([LISTS.open, LISTS.incomplete].map((list) => this.#items.remove({ list, batchId })));
    await this.#items.remove({ list: LISTS.batchesOf(meetingId), batchId });
  }

  async unfinished(): Promise<Unfinished> {
    const [open, incomplete] = await Promise.all(
      [LISTS.open, LISTS.incomplete].map((list) => this.#items.query(list, { limit: COUNTED })),
    );
    const [oldestOpen, oldestIncomplete] = [open, incomplete].map((found) => found?.find(isBatchKey));
    return {
      open: open?.length ?? 0,
      incomplete: incomplete?.length ?? 0,
      oldestOpen: oldestOpen as BatchKey | undefined,
      oldestIncomplete: oldestIncomplete as BatchKey | undefined,
    };
  }

  async earlierList(after: string | undefined, limit: number): Promise<(EarlierIntent | Unreadable)[]> {
    const found = await this.#items.query(LISTS.earlier, { ...(after !== undefined && { after }), limit });
    return found.map((item) => {
      if (!isEarlierIntent(item)) return unreadable(item);
      const { meetingId, batchId, noticedAt, lastLookAt, seen } = item;
      return { meetingId, batchId, seen: seen.map((one) => ({ ...one, seenAt: lastLookAt ?? noticedAt })) };
    });
  }

  async removeEarlier(batchId: string): Promise<void> {
    await this.#items.remove({ list: LISTS.earlier, batchId });
  }

  async #enqueue({ meetingId, due }: DueMeeting): Promise<void> {
    await this.#items.put({ ...queued(meetingId, due), meetingId });
  }
}

const MARK_ABSENT = { expression: 'attribute_not_exists(through)' };

function markIs({ through, afterBatch }: Mark): Condition {
  if (afterBatch === undefined) {
    return {
      expression: 'through = :through AND attribute_not_exists(afterBatch)',
      values: { ':through': through },
    };
  }
  return {
    expression: 'through = :through AND afterBatch = :after',
    values: { ':through': through, ':after': afterBatch },
  };
}

const meetingKey = (meetingId: string) => ({ list: LISTS.meetings, batchId: meetingId });
const queued = (meetingId: string, due: string) => ({ list: LISTS.queue, batchId: `${due}/${meetingId}` });
const itemOf = (entry: OpenIntent) => ({ list: LISTS.batchesOf(entry.meetingId), ...entry });
const unreadable = ({ batchId }: { batchId?: unknown }): Unreadable => ({
  batchId: String(batchId),
  unreadable: true,
});
