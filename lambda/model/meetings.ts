/**
 * What an admitted caller learns of a meeting: Chime's `Meeting` without `MeetingArn` (which has the account),
 * `TenantIds` (other customers), `PrimaryMeetingId` (another meeting) and the reserved `MeetingHostId`. Member names as
 * on Chime's wire. `ExternalMeetingId` is sensitive by Chime's model: it is never logged.
 */
export interface Meeting {
  MeetingId: string;
  ExternalMeetingId?: string;
  MediaRegion?: string;
  MediaPlacement?: object;
  MeetingFeatures?: object;
}
