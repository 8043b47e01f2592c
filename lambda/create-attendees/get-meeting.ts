import type { Meeting } from '../model/meetings.ts';
import type { Asked, CallerRequest, Dependencies } from './request.ts';

export interface FoundMeeting {
  meeting: Meeting;
  /** The meeting may be a remembered one, so no request to Chime belongs to the answer. */
  chimeRequestId: undefined;
}

/** Answers what joining needs of a meeting that the caller has entered. Nothing is issued, so nothing is recorded. */
export async function getMeeting(
  { budget }: CallerRequest<Asked>,
  meeting: Meeting,
  { clock, report }: Dependencies,
): Promise<FoundMeeting> {
  report('meeting', { durationMs: clock.now() - budget.startMs });
  return { meeting, chimeRequestId: undefined };
}
