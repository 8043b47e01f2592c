import type { Meeting } from '../model/meetings.ts';
import type { Asked, CallerRequest, Dependencies } from './request.ts';

export interface FoundMeeting {
  meeting: Meeting;
  /** The meeting may come from the cache, so the answer has no request id of Chime. */
  chimeRequestId: undefined;
}

/** Answers what joining needs of the meeting. Nothing is issued, so nothing is recorded. */
export async function getMeeting(
  { budget }: CallerRequest<Asked>,
  meeting: Meeting,
  { clock, report }: Dependencies,
): Promise<FoundMeeting> {
  report('meeting', { durationMs: clock.now() - budget.startMs });
  return { meeting, chimeRequestId: undefined };
}
