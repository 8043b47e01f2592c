import { randomUUID } from 'node:crypto';
import {
  type ChimeSDKMeetingsClient,
  CreateMeetingCommand,
  DeleteMeetingCommand,
  type Meeting,
} from '@aws-sdk/client-chime-sdk-meetings';

/** The meetings of one run. */
export interface Meetings {
  create(): Promise<Meeting & { MeetingId: string }>;
  /** Deletes them all. @returns the ids of those that could not be deleted */
  deleteAll(): Promise<string[]>;
}

/** @param tenants of every meeting; empty for none */
export function createMeetings(
  chime: ChimeSDKMeetingsClient,
  { mediaRegion, tenants }: { mediaRegion: string; tenants: string[] },
): Meetings {
  const open = new Set<string>();
  return {
    async create() {
      const { Meeting } = await chime.send(
        new CreateMeetingCommand({
          ClientRequestToken: randomUUID(),
          ExternalMeetingId: 'usher-verify',
          MediaRegion: mediaRegion,
          ...(tenants.length > 0 && { TenantIds: tenants }),
        }),
      );
      const { MeetingId } = Meeting ?? {};
      if (MeetingId === undefined) throw new Error('Chime answered CreateMeeting without a MeetingId.');
      open.add(MeetingId);
      return { ...Meeting, MeetingId };
    },
    async deleteAll() {
      const left: string[] = [];
      for (const MeetingId of open) {
        try {
          await chime.send(new DeleteMeetingCommand({ MeetingId }));
          open.delete(MeetingId);
        } catch (error) {
          if ((error as Error).name === 'NotFoundException') open.delete(MeetingId);
          else left.push(MeetingId);
        }
      }
      return left;
    },
  };
}
