import type { Medium } from '../model/attendees.ts';
import { FacadeError } from '../model/errors.ts';
import type { Meeting } from '../model/meetings.ts';
import type { CallOptions, Clock, MeetingFacts, Meetings } from '../model/ports.ts';
import type { Rule } from '../model/rules.ts';
import { createBoundedMap } from './bounded-map.ts';
import { createCallerBudget } from './caller-budget.ts';
import { authorizeByMeeting } from './policy.ts';

/** A meeting's tenants and media placement do not change while it lasts; for an ended one, see `forget`. */
const PERMITTED_FOR_MS = 5 * 60_000;
/** Short, because the meeting may be created a moment later. */
const DENIED_FOR_MS = 5_000;
/** Of each kind. */
const MAX_DECISIONS = 2_000;

/**
 * What a caller may spend of Chime's quota (10 GetMeeting a second for the whole account) on meetings that it may not
 * join, per process: a burst, a rate per second, and what a permitted look-up earns. The bound is in
 * docs/authorization.md.
 */
export const FAILED_LOOKUPS = { capacity: 5, perSecond: 1, earnedByPermitted: 1 };

/** What is known of a meeting that a caller may join. */
export interface MeetingPermit {
  missingMedia: readonly Medium[];
  externalMeetingId?: string | undefined;
  meeting: Meeting;
}

/** The rule that forbids a meeting. */
export interface MeetingDenial {
  rule: Rule;
  /** Of an existing meeting. */
  externalMeetingId?: string | undefined;
}

export interface MeetingAccess {
  /**
   * Decides whether a caller of these tenants may join the meeting.
   *
   * @param tenants undefined if the caller's issuer has no tenant claim: then the meeting only has to exist
   * @returns the rule that denies it, or what is known of the meeting
   * @throws FacadeError `Throttling` if the caller has asked for too many meetings that it may not join, and what the
   * port throws
   */
  check(
    callerId: string,
    tenants: readonly string[] | undefined,
    meetingId: string,
    options: CallOptions,
  ): Promise<MeetingDenial | MeetingPermit>;
  /** Chime says that the meeting has ended: no cached permit may admit a caller any more. */
  forget(meetingId: string): void;
}

/**
 * Decisions about meetings, cached for a while. The cache is keyed by tenants and meeting, never by meeting alone:
 * otherwise a quick answer would reveal to a stranger that a meeting exists and is in use. Foreign and absent meetings
 * are the same decision, so neither time nor the number of calls to Chime tells them apart.
 */
export function createMeetingAccess(
  meetings: Meetings,
  clock: Clock,
  budget = FAILED_LOOKUPS,
): MeetingAccess {
  const permitted = createBoundedMap<string, { untilMs: number; permit: MeetingPermit }>(MAX_DECISIONS);
  const denied = createBoundedMap<string, { untilMs: number; denial: MeetingDenial }>(MAX_DECISIONS);
  const failedLookups = createCallerBudget(clock, budget);
  const holds = <T extends { untilMs: number }>(decision: T | undefined): decision is T =>
    decision !== undefined && clock.now() < decision.untilMs;

  return {
    async check(callerId, tenants, meetingId, options) {
      // Chime does not document whether a meeting's id is case-sensitive. A permit holds for every spelling, so that
      // many spellings of one id cost no look-ups; a denial holds for its own spelling, so that it locks no one out of
      // the meeting.
      const anySpelling = keyOf(meetingId.toLowerCase(), tenants);
      const thisSpelling = keyOf(meetingId, tenants);
      const permission = permitted.get(anySpelling);
      if (holds(permission)) return permission.permit;
      const refusal = denied.get(thisSpelling);
      if (holds(refusal)) return refusal.denial;

      if (!failedLookups.take(callerId)) {
        throw new FacadeError(
          'Throttling',
          'Too many of the meetings that were asked for could not be found.',
          {
            retryAfterSeconds: Math.ceil(1 / budget.perSecond),
            reason: 'unknown-meetings',
          },
        );
      }
      // A failed look-up is not given back: it was a call to a Chime that is already in trouble.
      const facts = await meetings.findMeeting(meetingId, options);
      const rule = authorizeByMeeting(tenants, facts);
      const externalMeetingId = facts?.externalMeetingId;
      if (rule !== undefined) {
        const denial = { rule, externalMeetingId };
        denied.set(thisSpelling, { untilMs: clock.now() + DENIED_FOR_MS, denial });
        return denial;
      }
      // One caller may be a backend of many users: the look-ups of honest users pay for one that asks for anything.
      failedLookups.giveBack(callerId, 1 + budget.earnedByPermitted);
      // The rule denies a meeting that does not exist.
      const { missingMedia = [], meeting } = facts as MeetingFacts;
      const permit = { missingMedia, externalMeetingId, meeting };
      permitted.set(anySpelling, { untilMs: clock.now() + PERMITTED_FOR_MS, permit });
      return permit;
    },

    forget(meetingId) {
      const beginning = keyOf(meetingId.toLowerCase(), []).slice(0, -1);
      permitted.deleteWhere((key) => key.startsWith(beginning));
    },
  };
}

/** A tenant claim has at least one tenant, so callers without one have a separate key. */
function keyOf(meetingId: string, tenants: readonly string[] = []): string {
  return JSON.stringify([meetingId, ...tenants]);
}
