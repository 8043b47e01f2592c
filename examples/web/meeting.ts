import {
  ConsoleLogger,
  type DefaultDeviceController,
  DefaultMeetingSession,
  type Logger,
  LogLevel,
  MeetingSessionConfiguration,
} from 'amazon-chime-sdk-js';
import type { Attendee, AttendeeError, Meeting, UsherClient } from '../browser-client/client.ts';

/** The two answers that joining needs. */
export interface Admission {
  meeting: Meeting;
  attendee: Attendee;
}

/** The request succeeded, but did not create this attendee. */
export class NotLetIn extends Error {
  override name = 'NotLetIn';
  constructor(error: AttendeeError | undefined) {
    super(error ? `${error.ErrorCode}: ${error.ErrorMessage}` : 'No attendee was created.');
  }
}

export function createLogger(): Logger {
  return new ConsoleLogger('meeting', LogLevel.WARN);
}

/**
 * Gets the meeting and an attendee.
 *
 * @param name the ExternalUserId, which for most callers has to be their own
 * @throws UsherError
 */
export async function enter(
  usher: UsherClient,
  meetingId: string,
  name: string,
  signal: AbortSignal,
): Promise<Admission> {
  // In sequence: an ended meeting must not leave an attendee behind.
  const meeting = await usher.getMeeting(meetingId, { signal });
  const { Attendees, Errors } = await usher.createAttendees(meetingId, [{ ExternalUserId: name }], {
    signal,
  });
  const [attendee] = Attendees;
  if (attendee === undefined) throw new NotLetIn(Errors[0]);
  return { meeting, attendee };
}

/** Hands both answers to the Chime SDK: from here on it is a session like any other. */
export function createSession(
  { meeting, attendee }: Admission,
  devices: DefaultDeviceController,
  logger: Logger,
): DefaultMeetingSession {
  return new DefaultMeetingSession(new MeetingSessionConfiguration(meeting, attendee), logger, devices);
}

export async function join(
  session: DefaultMeetingSession,
  { speaker, withCamera }: { speaker: string; withCamera: boolean },
): Promise<void> {
  const { audioVideo } = session;
  if (speaker !== '') await audioVideo.chooseAudioOutput(speaker);
  await audioVideo.bindAudioElement(new Audio());
  audioVideo.start();
  if (withCamera) audioVideo.startLocalVideoTile();
}
