import { randomUUID } from 'node:crypto';
import { ChimeSDKMeetings, type Meeting } from '@aws-sdk/client-chime-sdk-meetings';
import type { Services } from './lambda/environment.ts';

/** A meeting of the local system, as its page lists it. */
export interface LocalMeeting {
  meetingId: string;
  name: string;
  tenants: string[];
}

export interface LocalMeetings {
  /** @throws Chime's error for a name or a tenant that it refuses */
  create(meeting: Pick<LocalMeeting, 'name' | 'tenants'>): Promise<LocalMeeting>;
  /** Has the emulator say that an attendee joined. @throws with its problem */
  join(meetingId: string, attendeeId: string): Promise<void>;
  /** The meetings created here since the start, newest first. */
  list(): readonly LocalMeeting[];
}

/** Creates meetings like the backend of a host, with AWS's own client. */
export function createLocalMeetings({ region, chimeUrl, credentials }: Services): LocalMeetings {
  const created: LocalMeeting[] = [];
  return {
    async create({ name, tenants }) {
      const client = new ChimeSDKMeetings({ region, endpoint: chimeUrl, credentials });
      try {
        const { Meeting } = await client.createMeeting({
          ClientRequestToken: randomUUID(),
          MediaRegion: region,
          ExternalMeetingId: name,
          ...(tenants.length > 0 && { TenantIds: tenants }),
        });
        const meeting = { meetingId: (Meeting as Meeting).MeetingId as string, name, tenants };
        created.unshift(meeting);
        return meeting;
      } finally {
        client.destroy();
      }
    },
    list: () => created,
    async join(meetingId, attendeeId) {
      const path = `meetings/${encodeURIComponent(meetingId)}/attendees/${encodeURIComponent(attendeeId)}/join`;
      const response = await fetch(`${chimeUrl}/_emulator/${path}`, { method: 'POST' });
      if (!response.ok) throw new Error(((await response.json()) as { error: string }).error);
    },
  };
}
