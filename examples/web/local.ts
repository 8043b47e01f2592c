/** Only for the local server: creates meetings, which a host's backend does elsewhere. */
export interface LocalMeeting {
  meetingId: string;
  name: string;
  tenants: string[];
}

export async function listLocalMeetings(): Promise<LocalMeeting[]> {
  const response = await fetch('local/meetings');
  return ((await response.json()) as { meetings: LocalMeeting[] }).meetings;
}

/** Has the emulator say that an attendee joined, as Chime does of one who really joins. @throws with the problem */
export async function joinLocally(meetingId: string, attendeeId: string): Promise<void> {
  const body = JSON.stringify({ meetingId, attendeeId });
  const response = await fetch('local/joins', { method: 'POST', body });
  if (!response.ok) throw new Error(((await response.json()) as { error: string }).error);
}

/** @throws with the problem of the name or the tenant */
export async function createLocalMeeting(name: string, tenant: string): Promise<LocalMeeting> {
  const tenants = tenant === '' ? [] : [tenant];
  const response = await fetch('local/meetings', { method: 'POST', body: JSON.stringify({ name, tenants }) });
  const answered = (await response.json()) as LocalMeeting & { error?: string };
  if (answered.error !== undefined) throw new Error(answered.error);
  return answered;
}
