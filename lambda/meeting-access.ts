import { createBoundedMap } from './bounded-map.ts';
import { createCallerBudget } from './caller-budget.ts';
import { FacadeError } from './errors.ts';
import { authorizeByMeeting, type Rule } from './policy.ts';
import type { CallOptions, Clock, Meetings } from './ports.ts';

/** A meeting's tenants do not change while it lasts, and one that has ended is refused by Chime itself. */
const PERMITTED_FOR_MS = 5 * 60_000;
/** Short, since the meeting may be created a moment later. */
const DENIED_FOR_MS = 5_000;
const MOST_DECISIONS = 2_000;

/**
 * What a caller may spend of Chime's quota (10 GetMeeting a second for the whole account) on meetings that it turns out
 * to have no right to, per process: a burst, and what comes back per second.
 */
export const VAIN_LOOKUPS = { capacity: 10, perSecond: 0.5 };

export interface MeetingAccess {
  /**
   * Decides whether a caller of these tenants may enter the meeting.
   *
   * @returns the rule that forbids it, if one does
   * @throws FacadeError `Throttling` where the caller has asked for too many meetings in vain, and what the port throws
   */
  ruleAgainst(
    callerId: string,
    tenants: readonly string[],
    meetingId: string,
    options: CallOptions,
  ): Promise<Rule | undefined>;
}

/**
 * Decisions about meetings, remembered for a while. They are remembered per tenants and meeting, never per meeting
 * alone: else a quick answer would tell a stranger that a meeting exists and is in use. Foreign and absent meetings are
 * one and the same decision, so neither time nor the number of calls to Chime tells them apart.
 */
export function createMeetingAccess(meetings: Meetings, clock: Clock): MeetingAccess {
  const decisions = createBoundedMap<string, { rule: Rule | undefined; untilMs: number }>(MOST_DECISIONS);
  const vainLookups = createCallerBudget(clock, VAIN_LOOKUPS);
  return {
    async ruleAgainst(callerId, tenants, meetingId, options) {
      const key = JSON.stringify([meetingId, ...tenants]);
      const remembered = decisions.get(key);
      if (remembered !== undefined && clock.now() < remembered.untilMs) return remembered.rule;

      if (!vainLookups.take(callerId)) {
        throw new FacadeError('Throttling', 'Too many meetings were asked for that are not to be found.', {
          retryAfterSeconds: 1 / VAIN_LOOKUPS.perSecond,
          reason: 'vain-lookups',
        });
      }
      const rule = authorizeByMeeting(tenants, await meetings.findMeeting(meetingId, options));
      if (rule === undefined) vainLookups.giveBack(callerId);
      const rememberedForMs = rule === undefined ? PERMITTED_FOR_MS : DENIED_FOR_MS;
      decisions.set(key, { rule, untilMs: clock.now() + rememberedForMs });
      return rule;
    },
  };
}
