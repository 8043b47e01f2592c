/**
 * What a caller who may enter a meeting gets to know of it: Chime's `Meeting` without `MeetingArn` (which has the account),
 * `TenantIds` (other customers), `PrimaryMeetingId` (another meeting) and the reserved `MeetingHostId`. Member names as on
 * Chime's wire. `ExternalMeetingId` is sensitive by Chime's model: it is never logged.
 */
export interface Meeting {
  MeetingId: string;
  ExternalMeetingId?: string;
  MediaRegion?: string;
  MediaPlacement?: object;
  MeetingFeatures?: object;
}
