import { explainedBy, isExplained, isReservedName } from '../audit/attendee-events.ts';
import type { ObserverDependencies, SeenInMeeting } from './ports.ts';

/** What the events of one quarter of an hour came to. */
export interface Judgement {
  quarter: string;
  attendees: number;
  /** Attendees whom no record explains. */
  withoutRecord: number;
  /** Attendees of meetings of which a record cannot be read. */
  notJudged: number;
}

/** So many attendees are looked up at a time. */
const AT_ONCE = 10;
/** A line for each meeting, up to so many: what is beyond is in the count. */
const MAX_LINES = 100;

/**
 * Counts the attendees of a quarter of an hour whom no record of Usher explains: who was not admitted, is in no outcome, and
 * has a name that no batch asked for of which the outcome is not known. It writes nothing, so it can be repeated.
 *
 * @throws where something cannot be read
 */
export async function judge(quarter: string, dependencies: ObserverDependencies): Promise<Judgement> {
  const { events, addMetrics, report } = dependencies;
  const judgement: Judgement = { quarter, attendees: 0, withoutRecord: 0, notJudged: 0 };
  const strangers = new Map<string, SeenInMeeting[]>();
  for await (const page of events.arrivedIn(quarter)) {
    judgement.attendees += page.length;
    for (const stranger of await notAdmitted(page, dependencies)) {
      const others = strangers.get(stranger.meetingId) ?? [];
      strangers.set(stranger.meetingId, [...others, stranger]);
    }
  }
  let lines = 0;
  for (const [meetingId, attendees] of strangers) {
    const found = await withoutRecord(meetingId, attendees, dependencies);
    if (found === undefined) judgement.notJudged += attendees.length;
    if (found === undefined || found === 0) continue;
    judgement.withoutRecord += found;
    lines += 1;
    if (lines <= MAX_LINES)
      report('present without a record', { meeting: meetingId, attendees: found, quarter });
  }
  addMetrics({ AttendeesWithoutRecord: judgement.withoutRecord });
  report('judged', { ...judgement });
  return judgement;
}

async function notAdmitted(
  page: readonly SeenInMeeting[],
  { facts }: ObserverDependencies,
): Promise<SeenInMeeting[]> {
  const strangers: SeenInMeeting[] = [];
  const people = page.filter(({ externalUserId }) => !isReservedName(externalUserId));
  for (let start = 0; start < people.length; start += AT_ONCE) {
    const group = people.slice(start, start + AT_ONCE);
    const admitted = await Promise.all(group.map((attendee) => facts.isAdmitted(attendee)));
    strangers.push(...group.filter((_, index) => !admitted[index]));
  }
  return strangers;
}

/** @returns undefined where a record of the meeting cannot be read */
async function withoutRecord(
  meetingId: string,
  attendees: readonly SeenInMeeting[],
  { facts }: ObserverDependencies,
): Promise<number | undefined> {
  const batches = await facts.batchesOf(meetingId);
  if (batches === undefined) return undefined;
  const explained = explainedBy(batches);
  return attendees.filter((attendee) => !isExplained(attendee, explained)).length;
}
