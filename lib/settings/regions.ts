/** The Regions that have a Chime SDK meetings endpoint (a meeting's control Region, not its media Region). */
export const CONTROL_REGIONS = [
  'us-east-1',
  'us-west-2',
  'af-south-1',
  'ap-south-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-west-2',
  'il-central-1',
  'us-gov-east-1',
  'us-gov-west-1',
] as const;

/** Whether meetings can be created in a Region. */
export function isControlRegion(region: string): boolean {
  return CONTROL_REGIONS.some((control) => control === region);
}

/** The problem of a Region without meetings. */
export function notAControlRegion(region: string): string {
  return `${region} has no Chime SDK meetings endpoint, so every request would fail; set meetingsRegion to the Region that creates the meetings, one of ${CONTROL_REGIONS.join(', ')}`;
}
