import {
  type ChimeSDKMeetingsClient,
  ListAttendeesCommand,
  NotFoundException,
} from '@aws-sdk/client-chime-sdk-meetings';
import { type Attendee, DEFAULT_CAPABILITIES } from '../model/attendees.ts';
import type { AttendeeList } from '../model/ports.ts';

/** The largest page of ListAttendees (API reference, ListAttendees, MaxResults). */
const PAGE_SIZE = 100;

/** The attendees that Chime lists. Join tokens end here: only their fingerprints are passed on. */
export function createChimeAttendeeList(
  client: ChimeSDKMeetingsClient,
  fingerprint: (joinToken: string) => string,
): AttendeeList {
  return {
    async page(meetingId, nextToken) {
      try {
        const answer = await client.send(
          new ListAttendeesCommand({ MeetingId: meetingId, MaxResults: PAGE_SIZE, NextToken: nextToken }),
        );
        // An answer without its list, as a proxy might make one, must not look like a meeting without attendees.
        if (!Array.isArray(answer.Attendees)) throw new Error('An answer that is no ListAttendeesResponse');
        const attendees = answer.Attendees.map((attendee) => {
          const { ExternalUserId, AttendeeId, JoinToken, Capabilities } = attendee as Partial<Attendee>;
          if (typeof ExternalUserId !== 'string' || typeof AttendeeId !== 'string') {
            throw new Error('An attendee without its name or id');
          }
          return {
            externalUserId: ExternalUserId,
            attendeeId: AttendeeId,
            capabilities: Capabilities ?? DEFAULT_CAPABILITIES,
            tokenFingerprint: fingerprint(JoinToken ?? ''),
          };
        });
        return { attendees, nextToken: answer.NextToken };
      } catch (error) {
        if (error instanceof NotFoundException) return 'gone';
        throw error;
      }
    },
  };
}
