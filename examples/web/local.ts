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

/** @throws with the problem of the name or the tenant */
export async function createLocalMeeting(name: string, tenant: string): Promise<LocalMeeting> {
  const tenants = tenant === '' ? [] : [tenant];
  const response = await fetch('local/meetings', { method: 'POST', body: JSON.stringify({ name, tenants }) });
  const answered = (await response.json()) as LocalMeeting & { error?: string };
  if (answered.error !== undefined) throw new Error(answered.error);
  return answered;
}
